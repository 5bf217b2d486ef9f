"""
A listening TCP port whose connections are L{FastServer}s.
"""

# mypy: allow-untyped-calls
# Most methods of the base class have no annotations.

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import Any

from twisted.internet import tcp
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IProtocolFactory
from twisted.internet.main import CONNECTION_DONE
from twisted.logger import Logger
from twisted.python import failure

from netlab.transport import compat
from netlab.transport.pace import TOGETHER_SECONDS, Pace
from netlab.transport.reception import Accepted, Admits, Reception
from netlab.transport.server import FastServer

# Connections accepted in one turn of the reactor; the others wait in the backlog meanwhile. Each
# may cost some hundred microseconds, if it has asked for something new.
ACCEPTS_MAX = 64

# How long others may take to accept before a worker that has its share does so all the same, and
# how many it then takes: the other may be stuck.
LET_OTHERS_SECONDS = 0.001
ACCEPTS_AFTER_OTHERS = 4

# How many are accepted together when they come fast (L{Pace}).
GATHERED_MAX = 256

# How long a port rests when accept(2) fails for want of descriptors or memory. nginx rests 0.5 s.
ACCEPT_REST_SECONDS = 0.1

# The peer, or the packet filter, took the connection back before we accepted it.
_WITHDRAWN = frozenset({errno.ECONNABORTED, errno.EPERM})

_CLOSED = failure.Failure(CONNECTION_DONE)


class FastPort(tcp.Port):
    """
    A L{tcp.Port} that accepts several connections a turn and reads from each at once
    (L{Reception}). While they come fast (L{Pace}) it gathers them: it accepts once a millisecond.

    When accept(2) fails for want of descriptors, Twisted's own remedy runs (a descriptor kept in
    reserve is given up, the waiting clients are accepted and closed), and then the port rests for
    L{ACCEPT_REST_SECONDS}, so that it never spins.

    @ivar transport: what is built for a connection, as documented by L{tcp.Port}.
    @ivar accepts_max: how many connections are accepted in one turn. One of several processes takes
        one, so that each gets its share.
    @ivar lets_others: tells whether another process should rather accept who waits now.
    @ivar is_shared: whether other processes have the socket too, or go on with it afterwards.
    """

    transport: Any = FastServer

    _log = Logger()
    _resting: IDelayedCall | None = None
    _gathering: IDelayedCall | None = None
    is_shared = False
    accepts_max = ACCEPTS_MAX
    lets_others: Callable[[], bool] | None = None

    def __init__(
        self,
        port: int,
        factory: IProtocolFactory,
        backlog: int = 50,
        interface: str = "",
        reactor: Any = None,
        *,
        defer_accept_seconds: int = 0,
        reuse_port: bool = False,
        receive: Callable[[Any], Admits] = Reception,
    ) -> None:
        """
        @param port: the number to listen on; 0 lets the kernel choose.
        @param factory: builds a protocol for each connection.
        @param backlog: how many connections may wait to be accepted.
        @param interface: a numeric address to bind to; empty for all of IPv4.
        @param reactor: what watches the port and its connections: a
            L{NestedPoller<netlab.transport.poller.NestedPoller>} or any reactor that watches
            descriptors.
        @param defer_accept_seconds: let the kernel keep a new connection until it has sent
            something, for about so long; 0 turns this off. Without effect where the kernel cannot.
        @param reuse_port: let other processes of this user listen on the same number; the kernel
            divides the connections among them.
        @param receive: makes of this port what takes in its connections.
        """
        super().__init__(port, factory, backlog, interface, reactor)
        self._receive = receive
        self._defer_accept_seconds = defer_accept_seconds
        self._shares_number = reuse_port
        self._pace = Pace()
        # Accepted; have sent nothing yet.
        self._quiet: list[Accepted] = []

    @classmethod
    def adopt(
        cls,
        reactor: Any,
        fd: int,
        address_family: socket.AddressFamily,
        factory: IProtocolFactory,
        *,
        defer_accept_seconds: int = 0,
        receive: Callable[[Any], Admits] = Reception,
    ) -> FastPort:
        """
        Make a port of a socket that listens already; C{startListening} remains to be called.

        @param reactor: as for the constructor.
        @param fd: the listening socket. It is duplicated: the caller's own stays open.
        @param address_family: C{AF_INET} or C{AF_INET6}.
        @param factory: as for the constructor.
        @param defer_accept_seconds: likewise.
        @param receive: likewise.
        @return: the port. When it stops, the socket goes on listening for its other owners.
        """
        port: FastPort = cls._fromListeningDescriptor(reactor, fd, address_family, factory)
        port.is_shared = True
        port._defer_accept_seconds = defer_accept_seconds
        port._receive = receive
        listener: Any = port._preexistingSocket
        listener.setblocking(False)
        port._prepare(listener)
        return port

    def createInternetSocket(self) -> socket.socket:
        """
        @return: a socket ready to be bound.
        """
        created: socket.socket = super().createInternetSocket()
        if self._shares_number:
            created.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._prepare(created)
        return created

    def _prepare(self, listener: socket.socket) -> None:
        """
        Set what accepted connections inherit.
        """
        # An answer of several writes would wait for the client's delayed ACK.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._defer_accept_seconds and hasattr(socket, "TCP_DEFER_ACCEPT"):
            listener.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, self._defer_accept_seconds
            )

    def startListening(self) -> None:
        """
        Bind the socket and begin to listen.

        @raise CannotListenError: it cannot be bound.
        """
        super().startListening()
        self._accept = compat.accept_from(self.socket)
        self._reception = self._receive(self)

    def address_of(self, client: tuple[Any, ...]) -> Any:
        """
        Make the address object of a peer.

        @param client: as accept(2) gave it.
        """
        return self._buildAddr(client)

    def make_transport(
        self, accepted: socket.socket, protocol: Any, client: tuple[Any, ...], **others: Any
    ) -> FastServer:
        """
        Make the transport of a connection, which is read from at once and watched later.

        @param accepted: the connected socket.
        @param protocol: what the bytes are delivered to.
        @param client: the peer's address.
        @param others: what else L{transport} takes.
        """
        number = self.sessionno
        self.sessionno = number + 1
        made: FastServer = self.transport(
            accepted, protocol, client, self, number, self.reactor, is_read_first=True, **others
        )
        return made

    def startReading(self) -> None:
        """
        Accept who comes.
        """
        watcher: Any = self.reactor
        getattr(watcher, "add_listener", watcher.addReader)(self)

    def doRead(self) -> None:
        """
        Accept what waits, up to L{accepts_max} connections.
        """
        if self.lets_others is not None and self.lets_others():
            self.stopReading()
            self._resting = self.reactor.callLater(  # type: ignore[attr-defined]
                LET_OTHERS_SECONDS, self._go_on
            )
        elif self.accepts_max > 1 and self._pace.is_fast(self.reactor.seconds()):  # type: ignore[attr-defined]
            # (Where it is 1, those who wait are for other processes too.)
            self.stopReading()
            self._gather()
        else:
            self._accept_some(self.accepts_max)

    def _gather(self) -> None:
        self._gathering = self.reactor.callLater(  # type: ignore[attr-defined]
            TOGETHER_SECONDS, self._accept_gathered
        )

    def _accept_gathered(self) -> None:
        """
        Accept all who have come. Those who have said nothing yet have as much time again, before
        they are built what they need.
        """
        self._gathering = None
        quiet, self._quiet = self._quiet, []
        arrived, is_refused = self._accept_up_to(GATHERED_MAX)
        self._reception.admit_all(quiet)
        # One that is admitted may stop the port: those behind it must not be forgotten.
        quiet = []
        self._reception.admit_all(arrived, quiet)
        self._quiet += quiet
        if is_refused:
            self._admit_quiet()
            self._give_up()
        elif not self.connected or self.disconnecting:
            self._admit_quiet()
        elif len(arrived) > 1 or self._quiet:
            self._gather()
        else:
            self._pace.slow_down()
            self.startReading()

    def _cancel_gathering(self) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None

    def _admit_quiet(self) -> None:
        """
        Wait no longer for those who have said nothing.
        """
        quiet, self._quiet = self._quiet, []
        self._reception.admit_all(quiet)

    def _go_on(self) -> None:
        """
        The others have had their chance.
        """
        self._resting = None
        if self.connected and not self.disconnecting:
            self.startReading()
            self._accept_some(ACCEPTS_AFTER_OTHERS)

    def _accept_some(self, most: int) -> None:
        # All are accepted before the first is read from: a client sends when it has learnt that it
        # is connected, and what has come by then need not be waited for.
        arrived, is_refused = self._accept_up_to(most)
        self._reception.admit_all(arrived)
        if is_refused:
            self._give_up()

    def _accept_up_to(self, most: int) -> tuple[list[Accepted], bool]:
        """
        @return: who was accepted, and whether accept(2) has failed behind them.
        """
        arrived: list[Accepted] = []
        accept = self._accept
        for _ in range(most):
            try:
                arrived.append(accept())
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno not in _WITHDRAWN:
                    return arrived, True
        return arrived, False

    def _give_up(self) -> None:
        """
        Nobody else can be accepted for now.
        """
        # Twisted logs it, and gives up its reserved descriptor if that is what is wanted.
        super().doRead()
        self._rest()

    def accept_waiting(self) -> None:
        """
        Accept everybody who waits in the backlog at this moment.
        """
        if self.connected and self._resting is None:
            self._admit_quiet()
            self._accept_some(max(self.backlog or 0, ACCEPTS_MAX))

    def stopListening(self, connDone: failure.Failure = _CLOSED) -> Deferred[None]:
        """
        Accept no more. Those who have waited in the backlog are accepted first, because the kernel
        would reset their connections; but not where others may have the socket too. Nobody else
        takes in those who were gathered.

        @param connDone: what C{connectionLost} is called with.
        @return: fires when the port is closed.
        """
        self._cancel_gathering()
        self._admit_quiet()
        if not self.is_shared:
            self.accept_waiting()
        stopping: Deferred[None] = super().stopListening(connDone)
        return stopping

    def _rest(self) -> None:
        """
        Accept nothing for a moment.
        """
        self._cancel_gathering()
        self.stopReading()
        self._resting = self.reactor.callLater(  # type: ignore[attr-defined]
            ACCEPT_REST_SECONDS, self._rested
        )

    def _rested(self) -> None:
        self._resting = None
        # Twisted does not take its reserve again by itself once that failed.
        tcp._reservedFD.reserve()
        if self.connected and not self.disconnecting:
            self.startReading()

    def connectionLost(self, reason: failure.Failure) -> None:
        """
        The port is closed.

        @param reason: why.
        """
        self._cancel_gathering()
        is_resting = self._resting is not None
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        if not (self.is_shared or is_resting):
            # Others have come since L{stopListening}. From here to the closing there is nothing
            # that takes its time: whom the kernel has accepted by then, it resets.
            late, _ = self._accept_up_to(max(self.backlog or 0, ACCEPTS_MAX))
            self.socket.close()
            self._reception.admit_all(late)
        self._reception.close()
        super().connectionLost(reason)
