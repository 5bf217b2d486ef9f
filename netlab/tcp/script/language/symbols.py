"""
The names of Linux's C library that scripts use, and their numbers (its include files).
"""

from __future__ import annotations

from typing import Final

from netlab.tcp.script.language.errors import NotSupportedError
from netlab.tcp.script.language.syntax import Either, Symbol, Value

#: Errors by name.
ERRORS: Final = frozenset(
    {
        "EACCES",
        "EADDRINUSE",
        "EADDRNOTAVAIL",
        "EAGAIN",
        "EALREADY",
        "EBADF",
        "ECONNABORTED",
        "ECONNREFUSED",
        "ECONNRESET",
        "EDESTADDRREQ",
        "EFAULT",
        "EHOSTUNREACH",
        "EINPROGRESS",
        "EINTR",
        "EINVAL",
        "EISCONN",
        "EMFILE",
        "EMSGSIZE",
        "ENETUNREACH",
        "ENOBUFS",
        "ENOMEM",
        "ENOPROTOOPT",
        "ENOTCONN",
        "ENOTSOCK",
        "EOPNOTSUPP",
        "EPERM",
        "EPIPE",
        "EPROTO",
        "EPROTONOSUPPORT",
        "ETIMEDOUT",
    }
)

#: Numbers of errors that C{getsockopt(SO_ERROR)} gives.
ERROR_NUMBERS: Final = {
    "EPIPE": 32,
    "EPROTO": 71,
    "EMSGSIZE": 90,
    "ENETUNREACH": 101,
    "ECONNABORTED": 103,
    "ECONNRESET": 104,
    "ETIMEDOUT": 110,
    "ECONNREFUSED": 111,
    "EHOSTUNREACH": 113,
    "EOPNOTSUPP": 95,
    "ENOPROTOOPT": 92,
    "EACCES": 13,
}

NUMBERS: Final = {
    "AF_INET": 2,
    "AF_INET6": 10,
    "PF_INET": 2,
    "PF_INET6": 10,
    "SOCK_STREAM": 1,
    "SOCK_DGRAM": 2,
    "SOCK_RAW": 3,
    "SOCK_NONBLOCK": 0o4000,
    "SOCK_CLOEXEC": 0o2000000,
    "IPPROTO_IP": 0,
    "IPPROTO_ICMP": 1,
    "IPPROTO_TCP": 6,
    "IPPROTO_UDP": 17,
    "IPPROTO_IPV6": 41,
    "IPPROTO_MPTCP": 262,
    "SHUT_RD": 0,
    "SHUT_WR": 1,
    "SHUT_RDWR": 2,
    "O_RDONLY": 0,
    "O_WRONLY": 1,
    "O_RDWR": 2,
    "O_NONBLOCK": 0o4000,
    "F_GETFL": 3,
    "F_SETFL": 4,
    "MSG_OOB": 1,
    "MSG_PEEK": 2,
    "MSG_DONTROUTE": 4,
    "MSG_CTRUNC": 8,
    "MSG_TRUNC": 0x20,
    "MSG_DONTWAIT": 0x40,
    "MSG_EOR": 0x80,
    "MSG_WAITALL": 0x100,
    "MSG_ERRQUEUE": 0x2000,
    "MSG_NOSIGNAL": 0x4000,
    "MSG_MORE": 0x8000,
    "MSG_FASTOPEN": 0x20000000,
    "MSG_ZEROCOPY": 0x4000000,
    "FIONREAD": 0x541B,
    "SIOCINQ": 0x541B,
    "SIOCOUTQ": 0x5411,
    "SIOCOUTQNSD": 0x894B,
    "SIOCATMARK": 0x8905,
    "POLLIN": 1,
    "POLLPRI": 2,
    "POLLOUT": 4,
    "POLLERR": 8,
    "POLLHUP": 0x10,
    "POLLNVAL": 0x20,
    "POLLRDNORM": 0x40,
    "POLLRDBAND": 0x80,
    "POLLWRNORM": 0x100,
    "POLLWRBAND": 0x200,
    "POLLRDHUP": 0x2000,
    "EPOLLIN": 1,
    "EPOLLPRI": 2,
    "EPOLLOUT": 4,
    "EPOLLERR": 8,
    "EPOLLHUP": 0x10,
    "EPOLLRDHUP": 0x2000,
    "EPOLLONESHOT": 1 << 30,
    "EPOLLET": 1 << 31,
    "EPOLLEXCLUSIVE": 1 << 28,
    "EPOLL_CTL_ADD": 1,
    "EPOLL_CTL_DEL": 2,
    "EPOLL_CTL_MOD": 3,
}


def number(value: Value, line: int) -> int:
    """
    Get the number that an argument stands for.

    @raise NotSupportedError: it stands for none, or its name is not known.
    """
    if isinstance(value, int):
        return value
    if isinstance(value, Symbol):
        if value.name in NUMBERS:
            return NUMBERS[value.name]
        raise NotSupportedError(line, f"the name {value.name}")
    if isinstance(value, Either):
        total = 0
        for part in value.parts:
            total |= number(part, line)
        return total
    raise NotSupportedError(line, f"this value where a number is wanted: {type(value).__name__}")


def name_of(value: Value, line: int) -> str:
    """
    Get the name that an argument is, such as that of a socket option.

    @raise NotSupportedError: it is none.
    """
    if isinstance(value, Symbol):
        return value.name
    raise NotSupportedError(line, "a value without a name, where a name is wanted")
