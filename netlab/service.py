"""
A service that listens on any number of endpoints, says where, and ends the process with one clear
line if it cannot.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TextIO
from weakref import WeakKeyDictionary, WeakSet

from twisted.application.service import Service
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from twisted.logger import Logger

from netlab.connections import OpenConnections
from netlab.errors import KnownError
from netlab.signals import SignalService, all_calls, on_next_end_signal
from netlab.transport.port import FastPort

#: How long a connection may take to send its last bytes when the server stops. Somebody at a
#: terminal has pressed Ctrl-C and waits for this.
STOP_GRACE_SECONDS = 2.0


#: The ports of all servers on a reactor: whether one that is wanted is among them.
_open_ports: Final[WeakKeyDictionary[Any, WeakSet[IListeningPort]]] = WeakKeyDictionary()


class ListenError(KnownError):
    """
    A port could not be opened.

    @ivar server: The server's name, such as C{netlab-echo}.
    @ivar problem: What is wrong, with the port named.
    @ivar advice: What to do about it; C{{option}} stands for the option that chooses another port,
        C{{place}} for the one that chooses another address.
    @ivar option: That option of twistd.
    @ivar address: What goes before the port in it: who has asked for loopback alone shall not be
        advised to listen for everybody. Empty where all addresses were asked for.
    """

    def __init__(
        self, server: str, problem: str, advice: str, option: str = "--listen tcp:PORT"
    ) -> None:
        super().__init__(server, problem, advice)
        self.server = server
        self.option = option
        self.problem = problem
        self.advice = advice
        self.address = ""

    def explanation(self, option: str, place: str | None = None) -> str:
        """
        Write the problem and what to do about it.

        @param option: The option that chooses another port, such as C{--listen tcp:PORT}.
        @param place: The option that chooses another address; None where that is the same.
        @return: One line, without an end.
        """
        advice = self.advice.format(option=option, place=option if place is None else place)
        return f"{self.problem}: {advice}"

    def line(self) -> str:
        """
        Write the one line for the user of twistd.
        """
        option = self.option
        if self.address:
            option = option.replace("tcp:PORT", f"tcp:{self.address}:PORT")
        return f"{self.server}: {self.explanation(option)}"

    def __str__(self) -> str:
        # Of this, twistd shows 70 characters when a daemon cannot start: so the port comes first.
        return f"{self.problem} ({self.server})"


class ListeningService(Service):
    """
    One factory on any number of endpoints.

    Ports are opened in C{privilegedStartService}, so that twistd can open port 80 before it sheds
    its privileges.

    @ivar ports: The ports that are open.
    @ivar connections: The open connections.
    """

    def __init__(
        self,
        reactor: Any,
        name: str,
        factory: IProtocolFactory,
        endpoints: Sequence[tuple[str, IStreamServerEndpoint]],
        connections: OpenConnections,
        grace: float = STOP_GRACE_SECONDS,
        option: str = "--listen tcp:PORT",
        *,
        opened: Callable[[IListeningPort], None] | None = None,
        is_worker: bool = False,
        hears_signals: bool = False,
    ) -> None:
        """
        @param reactor: Measures the grace; is stopped if a port cannot be opened once it runs.
        @param name: The server's name in the log, such as C{netlab-echo}.
        @param factory: Makes a protocol for each connection.
        @param endpoints: Where to listen: each description as it was typed, and its endpoint.
        @param connections: The factory's open connections.
        @param grace: How many seconds open connections may take to finish when the service stops.
        @param option: The option of twistd that chooses other endpoints.
        @param opened: Is called with each port.
        @param is_worker: This is one of several processes on the same sockets: its supervisor says
            where they listen, and hears the signals.
        @param hears_signals: Whether nobody else says what to do on SIGHUP and SIGUSR1.
        """
        self.ports: list[IListeningPort] = []
        self._reactor = reactor
        self._name = name
        self._factory = factory
        self._endpoints = list(endpoints)
        self.connections = connections
        self._grace = grace
        self._option = option
        self._opened = opened
        self._is_worker = is_worker
        self._signals = SignalService(reactor, all_calls(reactor) if hears_signals else {})
        self._openings: list[Deferred[None]] = []
        self._is_starting = False
        self._problem: ListenError | None = None
        self._log = Logger(namespace=name)

    def privilegedStartService(self) -> None:
        """
        Open every port.

        An endpoint that takes its time and fails only when the reactor runs (none of Twisted's own
        does) is logged and stops the reactor.

        @raise ListenError: A port could not be opened.
        """
        super().privilegedStartService()  # type: ignore[no-untyped-call]
        self._signals.privilegedStartService()
        self._is_starting = True
        try:
            for description, endpoint in self._endpoints:
                self._openings.append(Deferred.fromCoroutine(self._open(description, endpoint)))
                if self._problem is not None:
                    leave_in_one_line()
                    raise self._problem
        finally:
            self._is_starting, self._problem = False, None

    def startService(self) -> None:
        """
        Open every port, unless that has been done with more privileges.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self._signals.startService()
        if not self._openings:
            self.privilegedStartService()

    def stopService(self) -> Deferred[None]:
        """
        Close the ports, then the connections.

        @return: Fires when all are closed: at the latest a little after the grace.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        self._signals.stopService()
        if not self._is_worker:
            # A second signal ends the grace.
            on_next_end_signal(self._reactor, self.connections.abort)
        openings, self._openings = self._openings, []
        ports, self.ports = self.ports, []
        for opening in openings:
            opening.cancel()
        for port in ports:
            _open_ports[self._reactor].discard(port)
            if self._is_worker and isinstance(port, FastPort):
                port.accept_waiting()
        stopping = [port.stopListening() for port in ports]
        closing = gatherResults([one for one in stopping if one is not None])
        # Only then: a port takes in who waits until it is closed.
        return closing.addCallback(lambda _: self.connections.close(self._reactor, self._grace))

    async def _open(self, description: str, endpoint: IStreamServerEndpoint) -> None:
        """
        Open one port, and say where it listens. Live tests and people's scripts read that line.
        """
        try:
            port = await endpoint.listen(self._factory)
        except CancelledError:
            return
        except Exception as error:  # noqa: BLE001
            # Whatever an endpoint fails with, it is reported and the process ends.
            problem = _explain(
                self._name, description, error, is_ours=_is_ours(self._reactor, error)
            )
            problem.option = self._option
            problem.__cause__ = error
            if self._is_starting:
                self._problem = problem
            else:
                self._log.critical("{line}", line=problem.line())
                self._reactor.stop()
        else:
            self.ports.append(port)
            _open_ports.setdefault(self._reactor, WeakSet()).add(port)
            if self._opened is not None:
                self._opened(port)
            if self._is_worker:
                if isinstance(port, FastPort):
                    port.accepts_max = 1
                return
            where = place(port.getHost())
            self._log.info("{server} listens on {place}", server=self._name, place=where)


def place(address: IAddress) -> str:
    """
    Write where a port is, as the log shows it and live tests read it: C{tcp 127.0.0.1:12345},
    C{tcp [::1]:12345} or C{unix /run/netlab}.
    """
    match address:
        case IPv4Address(host=host, port=port):
            return f"tcp {host}:{port}"
        case IPv6Address(host=host, port=port):
            return f"tcp [{host}]:{port}"
        case UNIXAddress(name=name):
            # The name of an abstract socket starts with a NUL byte, which ss(8) shows as @.
            return "unix " + os.fsdecode(name or b"").replace("\0", "@")
        case _:
            return str(address)


def _is_ours(reactor: Any, error: BaseException) -> bool:
    """
    Tell whether the port that cannot be opened is one that this process has open itself.
    """
    wanted = getattr(error, "port", None)
    ours = _open_ports.get(reactor, ())
    return any(getattr(port.getHost(), "port", None) == wanted for port in ours)


def _explain(server: str, description: str, error: BaseException, *, is_ours: bool) -> ListenError:
    """
    Put the reason why a port cannot be opened into words.

    @param server: The server's name.
    @param description: The endpoint description, which is named where the error names no port.
    @param error: What the endpoint failed with.
    @param is_ours: Whether this process itself has a port of that number open.
    """
    what = f"endpoint {description}"
    address = ""
    cause = error
    if isinstance(error, CannotListenError):
        cause = error.socketError
        if isinstance(error.port, bytes):
            what = f"the path {os.fsdecode(error.port)}"
        elif error.interface:
            what = f"port {error.port} on {error.interface}"
            address = f"[{error.interface}]" if ":" in error.interface else error.interface
        else:
            what = f"port {error.port}"
    match cause:
        case OSError(errno=errno.EADDRINUSE) if is_ours:
            problem = "is taken by another option of this server"
            advice = "choose another port with {option}"
        case OSError(errno=errno.EADDRINUSE):
            problem = "is taken by another program"
            advice = "end that program or choose another port with {option}"
        case OSError(errno=errno.EACCES | errno.EPERM):
            problem = "may not be opened by this user"
            advice = "choose a port above 1023 with {option}, or start as root"
        case OSError(errno=errno.EADDRNOTAVAIL):
            problem = "cannot be opened, because this machine does not have that address"
            advice = "choose one of its own addresses with {place}"
            address = "ADDRESS"
        case OSError():
            problem = f"cannot be opened ({cause.strerror or cause})"
            advice = "choose another place with {place}"
            address = address and "ADDRESS"
        case _:
            problem = f"cannot be opened ({cause})"
            advice = "choose another place with {place}"
    found = ListenError(server, f"{what} {problem}", advice)
    found.address = address
    return found


def leave_in_one_line() -> None:
    """
    If L{ListenError} ends this process, let it show its one line in place of a traceback.

    twistd takes a service that cannot start by C{except Exception}: it removes its pid file,
    reports to the process that waits for the daemon, and raises the error again, out of C{main}. A
    C{SystemExit} would pass by all that and leave the pid file behind; so the error has to be an
    ordinary one, and what remains to be chosen is how the interpreter shows it. The hook is set
    only here, on the way out. A caller that catches L{ListenError}, as C{netlab serve} does, never
    meets it.
    """
    previous = sys.excepthook

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not isinstance(error, ListenError):
            previous(kind, error, trace)
        elif _leads_nowhere(sys.__stderr__):
            # A daemon: its parent has shown the beginning of the line and "look at log file".
            Logger(namespace=error.server).critical("{line}", line=error.line())
        else:
            # Not sys.stderr: twistd has turned that into a part of the log by now.
            print(error.line(), file=sys.__stderr__, flush=True)

    sys.excepthook = show


def _leads_nowhere(stream: TextIO | None) -> bool:
    """
    Tell whether a stream was closed or is the null device.
    """
    if stream is None:
        return True
    try:
        return os.path.samestat(os.fstat(stream.fileno()), Path(os.devnull).stat())
    except OSError:
        return True
