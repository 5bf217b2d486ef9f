"""
Socket options, by Linux's names.
"""

from __future__ import annotations

from typing import Final

from netlab.tcp.congestion import choice
from netlab.tcp.connection import TCPConnection
from netlab.tcp.script.language.errors import NotSupportedError, ScriptSyntaxError
from netlab.tcp.script.language.symbols import ERROR_NUMBERS, NUMBERS, number
from netlab.tcp.script.language.syntax import Structure, Symbol, Text, Value
from netlab.tcp.script.sockets import ScriptSocket

_MILLISECOND: Final = 1_000_000
_SECOND: Final = 1000 * _MILLISECOND

#: Options that change nothing of what a TCP sends here: there is one process and no second user of
#: a port, nothing below TCP that routes by a mark, and packets cannot be fragmented.
_WITHOUT_EFFECT: Final = frozenset(
    {
        "IPV6_MTU_DISCOVER",
        "IPV6_RECVERR",
        "IP_FREEBIND",
        "IP_MTU_DISCOVER",
        "IP_RECVERR",
        "IP_TOS",
        "IPV6_TCLASS",
        "SO_MARK",
        "SO_PRIORITY",
        "SO_REUSEADDR",
        "SO_REUSEPORT",
        "SO_ZEROCOPY",
        "TCP_INQ",
    }
)

#: What the program can set, and has effect.
_KNOWN: Final = frozenset(
    {
        "SO_KEEPALIVE",
        "SO_LINGER",
        "SO_RCVBUF",
        "SO_RCVLOWAT",
        "SO_SNDBUF",
        "TCP_CORK",
        "TCP_FASTOPEN",
        "TCP_FASTOPEN_CONNECT",
        "TCP_KEEPCNT",
        "TCP_KEEPIDLE",
        "TCP_KEEPINTVL",
        "TCP_LINGER2",
        "TCP_MAXSEG",
        "TCP_NODELAY",
        "TCP_NOTSENT_LOWAT",
        "TCP_QUICKACK",
        "TCP_SYNCNT",
        "TCP_USER_TIMEOUT",
        "TCP_WINDOW_CLAMP",
    }
)

#: Structures that scripts read only to look at them with Python.
UNCHECKED_WHEN_READ: Final = frozenset({"SO_MEMINFO", "TCP_CC_INFO", "TCP_INFO"})

_BUFFER_MAX: Final = 212_992
"""C{net.core.rmem_max} and C{wmem_max}: what SO_RCVBUF and SO_SNDBUF can ask for."""

_SEND_BUFFER_MIN: Final = 4608
_RECEIVE_BUFFER_MIN: Final = 2304


def set_option(socket: ScriptSocket, name: str, value: Value, now: int, line: int) -> None:
    """
    Set an option, now or, if there is no connection yet, of the one to come.
    """
    if name == "TCP_CONGESTION" and isinstance(value, Text):
        check_congestion_control(value.text, line)
        socket.congestion = value.text
        if socket.connection is not None:
            change_congestion_control(socket.connection, value.text)
        return
    figure = _figure(name, value, line)
    if name in _WITHOUT_EFFECT:
        socket.options[name] = figure
        return
    if name not in _KNOWN:
        raise NotSupportedError(line, f"the socket option {name}")
    socket.options[name] = figure
    if name == "TCP_FASTOPEN" and socket.listener is not None:
        socket.listener.fast_open = figure
    if socket.connection is not None:
        apply_option(socket.connection, name, figure, now)
        socket.connection.wake()


def _figure(name: str, value: Value, line: int) -> int:
    if name == "SO_LINGER":
        if not isinstance(value, Structure):
            raise ScriptSyntaxError(line, "SO_LINGER takes {onoff=…, linger=…}")
        switched_on = number(value.field("onoff") or 0, line)
        return number(value.field("linger") or 0, line) if switched_on else -1
    if isinstance(value, Text):
        raise NotSupportedError(line, f"{name} with a string")
    if not isinstance(value, tuple) or len(value) != 1:
        raise ScriptSyntaxError(line, f"{name} takes a list of one number")
    (only,) = value
    if isinstance(only, Symbol) and name in _WITHOUT_EFFECT:
        return NUMBERS.get(only.name, 0)
    return number(only, line)


def apply_option(connection: TCPConnection, name: str, value: int, now: int) -> None:
    """
    Set an option of a connection.
    """
    options = connection.options
    if name == "TCP_NODELAY":
        connection.set_nodelay(is_on=bool(value))
    elif name == "TCP_CORK":
        connection.set_cork(is_on=bool(value))
    elif name == "TCP_QUICKACK":
        connection.set_quickack(is_on=bool(value))
    elif name == "SO_RCVBUF":
        connection.set_receive_buffer(min(value, _BUFFER_MAX))
    elif name == "SO_SNDBUF":
        connection.set_send_buffer(min(value, _BUFFER_MAX))
    elif name == "SO_KEEPALIVE":
        connection.set_keepalive(now, is_on=bool(value))
    elif name == "TCP_KEEPIDLE":
        connection.set_keepalive(now, is_on=options.keepalive, time=value * _SECOND)
    elif name == "TCP_KEEPINTVL":
        connection.set_keepalive(now, is_on=options.keepalive, interval=value * _SECOND)
    elif name == "TCP_KEEPCNT":
        connection.set_keepalive(now, is_on=options.keepalive, probes=value)
    elif name == "SO_LINGER":
        options.linger = None if value < 0 else value
    elif name in _FIELDS:
        field, unit = _FIELDS[name]
        setattr(options, field, value * unit)


#: Options that are a number, by their field and the unit of the number.
_FIELDS: Final = {
    "SO_RCVLOWAT": ("low_water", 1),
    "TCP_LINGER2": ("linger_fin_wait_2", _SECOND),
    "TCP_MAXSEG": ("maximum_segment", 1),
    "TCP_NOTSENT_LOWAT": ("notsent_lowat", 1),
    "TCP_SYNCNT": ("syn_retries", 1),
    "TCP_USER_TIMEOUT": ("user_timeout", _MILLISECOND),
    "TCP_WINDOW_CLAMP": ("window_clamp", 1),
}


def check_congestion_control(name: str, line: int) -> None:
    """
    Find out whether there is a congestion control of a name.

    @raise NotSupportedError: there is none.
    """
    if name not in choice.KNOWN:
        raise NotSupportedError(line, f"the congestion control {name[:40]}")


def change_congestion_control(connection: TCPConnection, name: str) -> None:
    """
    Let another congestion control go on with the window as it is (TCP_CONGESTION).
    """
    old, new = connection.congestion, choice.make(name)
    new.cwnd, new.ssthresh = old.cwnd, old.ssthresh
    connection.congestion = new


def send_buffer(value: int) -> int:
    """
    Get what Linux makes of SO_SNDBUF: twice of it, for what it keeps beside the data.
    """
    return max(2 * min(value, _BUFFER_MAX), _SEND_BUFFER_MIN)


def get_option(socket: ScriptSocket, name: str, line: int) -> int:
    """
    Get an option's value.
    """
    connection = socket.connection
    if name == "SO_ERROR":
        return ERROR_NUMBERS.get(socket.take_error(), 0)
    if name == "TCP_MAXSEG" and connection is not None:
        return connection.mss
    if name == "SO_SNDBUF" and name in socket.options:
        return send_buffer(socket.options[name])
    if name == "SO_RCVBUF" and name in socket.options:
        return max(2 * min(socket.options[name], _BUFFER_MAX), _RECEIVE_BUFFER_MIN)
    if name in socket.options:
        return socket.options[name]
    if name in _KNOWN:
        return 0
    raise NotSupportedError(line, f"reading the socket option {name}")
