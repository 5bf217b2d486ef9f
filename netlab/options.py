"""
Values that people type: seconds, counts, byte sizes, ports and endpoint descriptions.

Each function here reads text to a value, or raises C{UsageError} with one line in one shape: the
option, the text as it was typed, what is wrong with it, and what to write instead. Both C{twistd}
and the C{netlab} command show that line as it is and end with a usage error.

Python's own C{int} and C{float} are kinder than a command line should be (C{"1_0"}, C{" 5 "},
C{"nan"}, digits of other scripts), so the text is checked first.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from getopt import GetoptError
from typing import Any, ClassVar, TypeVar

from twisted.internet.endpoints import quoteStringArgument
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.python.usage import Options, UsageError

from netlab.transport.endpoint import server_from_string
from netlab.transport.tls.contexts import TLSFilesError

_Number = TypeVar("_Number", int, float)

_WHOLE_NUMBER = re.compile(r"[0-9]{1,20}")
_DECIMAL_NUMBER = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,9})?|\.[0-9]{1,9}")
_BYTE_SIZE = re.compile(r"([0-9]{1,15})([kKmMgG]?)")
_BYTE_SIZE_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}
#: C{tcp:ADDRESS:PORT}, as people write it; Twisted's own order is C{tcp:PORT:interface=ADDRESS}.
_ADDRESS_FIRST = re.compile(
    r"(haproxy:)?tcp:(localhost|[0-9]+(?:\.[0-9]+){3}|\\?\[[^]]*\]):([0-9]{1,20})"
)
_NO_NUMBER = re.compile(r"invalid literal for int\(\) with base 10: (.*)", re.DOTALL)
_TCP_PORT_OF_DESCRIPTION = re.compile(r"(?:tcp6?|ssl):(?:port=)?(-?[0-9]+)(?::|$)")

TCP_PORT_MAX = 65535

#: Longer than a laboratory waits for anything, and still within the range of every timer.
SECONDS_MAX = 7 * 24 * 3600.0


def seconds(
    option: str, *, at_least: float = 0.001, at_most: float = SECONDS_MAX
) -> Callable[[str], float]:
    """
    Make the reader of an option that is a duration.

    @param option: The option's name as it is typed, for the error.
    @param at_least: The smallest duration allowed, in seconds, inclusive.
    @param at_most: The longest duration allowed, in seconds, inclusive.
    @return: A function from the text to seconds; it raises C{UsageError}.
    """

    def read(text: str) -> float:
        if _DECIMAL_NUMBER.fullmatch(text) is None:
            raise _wrong(option, text, "not a number of seconds", "write a number such as 1 or 0.5")
        return _within(option, text, float(text), at_least, at_most)

    return read


def count(option: str, *, at_least: int = 0, at_most: int = 1_000_000_000) -> Callable[[str], int]:
    """
    Make the reader of an option that counts things.

    @param option: The option's name as it is typed, for the error.
    @param at_least: The smallest number allowed, inclusive.
    @param at_most: The largest number allowed, inclusive.
    @return: A function from the text to the number; it raises C{UsageError}.
    """

    def read(text: str) -> int:
        if _WHOLE_NUMBER.fullmatch(text) is None:
            raise _wrong(
                option, text, "not a whole number", f"write a number such as {max(at_least, 2)}"
            )
        return _within(option, text, int(text), at_least, at_most)

    return read


def byte_size(option: str, *, at_least: int = 1, at_most: int = 2**30) -> Callable[[str], int]:
    """
    Make the reader of an option that is a number of bytes, with an optional C{k}, C{M} or C{G} for
    powers of 1024.

    @param option: The option's name as it is typed, for the error.
    @param at_least: The smallest size allowed, in bytes, inclusive.
    @param at_most: The largest size allowed, in bytes, inclusive.
    @return: A function from the text to bytes; it raises C{UsageError}.
    """

    def read(text: str) -> int:
        match = _BYTE_SIZE.fullmatch(text)
        if match is None:
            raise _wrong(option, text, "not a number of bytes", "write a number such as 100 or 64k")
        size = int(match[1]) * _BYTE_SIZE_UNITS[match[2].lower()]
        return _within(option, text, size, at_least, at_most)

    return read


def tcp_port(option: str, *, at_least: int = 0) -> Callable[[str], int]:
    """
    Make the reader of an option that is a TCP port number.

    @param option: The option's name as it is typed, for the error.
    @param at_least: 0 where the system may choose a free port, 1 where a port must be named.
    @return: A function from the text to the port; it raises C{UsageError}.
    """

    def read(text: str) -> int:
        if _WHOLE_NUMBER.fullmatch(text) is None or not at_least <= int(text) <= TCP_PORT_MAX:
            raise _wrong(
                option, text, "not a TCP port", f"write a number from {at_least} to {TCP_PORT_MAX}"
            )
        return int(text)

    return read


# The kernel repeats its SYN-ACK meanwhile, and gives up after about so long.
_DEFER_ACCEPT_MAX_SECONDS = 60

_EndpointMaker = Callable[[Any, str], IStreamServerEndpoint]


def server_endpoint(
    option: str, description: str, reactor: Any, make: _EndpointMaker = server_from_string
) -> IStreamServerEndpoint:
    """
    Read a Twisted endpoint description of a place to listen on.

    Nothing is bound here; but a file that the description names (a certificate, say) is read now,
    before a daemon changes its directory.

    @param option: The option's name as it is typed, for the error.
    @param description: Such as C{tcp:127.0.0.1:8080} or C{tcp:8080:interface=127.0.0.1}; see
        U{the guide to endpoints
        <https://docs.twisted.org/en/stable/core/howto/endpoints.html>}.
    @param reactor: What the endpoint will listen with.
    @param make: Makes it; by itself plain TCP is on our fast path.
    @return: The endpoint.
    @raise UsageError: The description means nothing to Twisted, lacks a part, or names an
        impossible port.
    """
    advice = "write a Twisted endpoint description such as tcp:8080, or tcp:127.0.0.1:8080"
    if _WHOLE_NUMBER.fullmatch(description):
        raise _wrong(option, description, "a bare number", f"write tcp:{description}")
    place = address_last(description)
    port = _TCP_PORT_OF_DESCRIPTION.match(place)
    if port is not None and not 0 <= int(port[1]) <= TCP_PORT_MAX:
        # Twisted would notice only when it binds, and then with a traceback.
        problem = f"port {port[1]} does not exist"
        raise _wrong(option, description, problem, f"choose a port from 0 to {TCP_PORT_MAX}")
    try:
        endpoint = make(reactor, place)
    except ImportError as error:
        problem = f"needs the Python package {error.name}, which is not installed"
        raise _wrong(option, description, problem, "install it, or listen on tcp") from error
    except TLSFilesError as error:
        raise _wrong(
            option, description, str(error), "correct the files, or name others"
        ) from error
    except OSError as error:
        problem = f"cannot be used ({error.strerror}: {error.filename})"
        raise _wrong(option, description, problem, "name files that can be read") from error
    except (IndexError, KeyError) as error:
        # It is what the systemd parser's list of sockets says.
        problem = "no such socket was handed over by systemd"
        advice = "start it by a socket unit, and name one of its sockets by index or name"
        raise _wrong(option, description, problem, advice) from error
    except Exception as error:
        # The parsers are plugins, and report a wrong description by whatever their own code happens
        # to trip over: TypeError for a missing part, ValueError for a wrong one, or worse.
        no_number = _NO_NUMBER.fullmatch(str(error))
        why = f"{no_number[1]} is not a number" if no_number else error
        problem = f"not an endpoint description ({why})"
        raise _wrong(option, description, problem, advice) from error
    return endpoint


def tcp_description(host: str, port: int) -> str:
    """
    Write the endpoint description of one TCP port on one numeric address.

    @param host: An IPv4 or IPv6 address, without brackets.
    @param port: The port; 0 lets the system choose.
    @return: The description, quoted where it must be.
    """
    family = "tcp6" if ":" in host else "tcp"
    address = quoteStringArgument(host)  # type: ignore[no-untyped-call]
    return f"{family}:{port}:interface={address}"


def address_last(description: str) -> str:
    """
    Put an endpoint description in Twisted's order.

    @param description: Maybe one with the address first: C{tcp:127.0.0.1:8080}, C{tcp:[::1]:8080}.
    @return: The same place as Twisted describes it; anything else as it is.
    """
    match = _ADDRESS_FIRST.fullmatch(description)
    if match is None:
        return description
    proxied, address, port = match.groups(default="")
    host = "127.0.0.1" if address == "localhost" else address.strip("\\[]")
    return proxied + tcp_description(host, int(port))


class ListeningOptions(Options):
    """
    What the command lines of all our servers share: C{--listen}, which may be repeated.

    @cvar default_listen: The description to listen on when the user gives none.
    @ivar endpoints: After parsing, each place to listen on: its description and its endpoint.
    @ivar parent: The options of the C{twistd} whose subcommand this is; C{None} if there is none.
    @ivar reactor: What the endpoints will listen with; C{None} for the process's own.
    """

    parent: Options | None = None

    reactor: Any = None

    default_listen: ClassVar[str]
    optFlags: ClassVar[list[list[str | None]]] = [
        ["stock-transport", None, "Use Twisted's own TCP transport, which is slower."],
    ]
    optParameters: ClassVar[list[list[Any]]] = [
        [
            "defer-accept",
            None,
            0,
            "Let the kernel keep a TCP connection until bytes come, for about this many seconds.",
            count("--defer-accept", at_least=0, at_most=_DEFER_ACCEPT_MAX_SECONDS),
        ],
    ]

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.endpoints: list[tuple[str, IStreamServerEndpoint]] = []
        self._descriptions: list[str] = []

    # The docstrings of opt_ methods are shown by --help.
    def opt_listen(self, description: str) -> None:
        """
        Where to listen: an address and a port, such as tcp:127.0.0.1:8080, or a Twisted endpoint
        description, such as tcp:8080 or ssl:443:privateKey=key.pem:certKey=cert.pem. Repeatable.
        """
        self._descriptions.append(description)

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Parse a command line. Under C{twistd} what is wrong with it is said in one line, and ends
        the process with status 1; Twisted would print all the help before that line.

        @param options: The words; C{None} for the process's own.
        @raise UsageError: It makes no sense, and it is not that of a C{twistd}.
        """
        try:
            super().parseOptions(options)  # type: ignore[no-untyped-call]
        except UsageError as error:
            if self.parent is None:
                raise
            name = f"twistd {self.parent.subCommand}"
            # Our own errors say what to write instead; those about unknown options do not.
            more = f"; see {name} --help" if isinstance(error.__context__, GetoptError) else ""
            sys.exit(f"{name}: {error}{more}")

    def parseArgs(self, *words: str) -> None:
        """
        Refuse what is no option.
        """
        if words:
            raise UsageError(f"{words[0]!a}: not an option; an option begins with --")

    def postOptions(self) -> None:
        """
        Make the endpoints; fall back to the default place. A subclass calls this first.
        """
        for description in self._descriptions or [self.default_listen]:
            endpoint = self.endpoint("--listen", description)
            self.endpoints.append((address_last(description), endpoint))

    def endpoint(self, option: str, description: str) -> IStreamServerEndpoint:
        """
        Make one endpoint, on the transport that was chosen.

        @param option: The option's name as it is typed, for the error.
        @param description: As for L{server_endpoint}.
        """
        if (reactor := self.reactor) is None:
            # Not at the top: importing this would choose the reactor before twistd reads --reactor.
            from twisted.internet import reactor

        make = partial(
            server_from_string,
            is_fast=not self["stock-transport"],
            defer_accept_seconds=self["defer-accept"],
            **self.tls_for(option),
        )
        return server_endpoint(option, description, reactor, make)

    def tls_for(self, option: str) -> dict[str, Any]:
        """
        Say how the places of an option speak TLS.

        @param option: The option's name as it is typed.
        @return: What L{server_from_string} takes.
        """
        return {}


def _wrong(option: str, text: str, problem: str, advice: str) -> UsageError:
    """
    Write the one line about one wrong value.
    """
    # In ASCII, so that a control character in it can neither draw on the terminal nor end the line.
    return UsageError(f"{option} {text!a}: {problem}; {advice}")


def _within(option: str, text: str, value: _Number, at_least: _Number, at_most: _Number) -> _Number:
    """
    Give the value back if it lies within its bounds.
    """
    if value < at_least:
        raise _wrong(option, text, "too small", f"the least is {at_least:,}")
    if value > at_most:
        raise _wrong(option, text, "too large", f"the most is {at_most:,}")
    return value
