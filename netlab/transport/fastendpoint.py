"""
Endpoints on the fast path: a TCP port of ours, opened here or by somebody else, plain or with TLS.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from twisted.internet.defer import Deferred, execute
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocolFactory,
    IReactorFDSet,
    IStreamServerEndpoint,
)
from twisted.logger import Logger
from zope.interface import implementer

from netlab.transport import compat, poller
from netlab.transport.port import FastPort
from netlab.transport.reception import Admits, Reception
from netlab.transport.tls.contexts import RenewableContext
from netlab.transport.tls.handshakes import SecureReception
from netlab.transport.tls.port import SecurePort

BACKLOG: Final = 511
"""How many connections may wait to be accepted. nginx's number; Twisted's 50 is full at once when
a few hundred clients arrive together, and each that is turned away waits a second."""

_log = Logger()


def reason_to_stay_stock(reactor: Any) -> str | None:
    """
    Find out whether the fast path may be used.

    @return: C{None} if it may; otherwise what is different.
    """
    why = compat.reason_to_stay_stock()
    if why is None and not IReactorFDSet.providedBy(reactor):
        why = f"{reactor.__class__.__name__} does not watch descriptors"
    return why


def _fast_reactor(reactor: Any) -> Any:
    """
    Find what watches the ports and connections of the fast path.

    @return: a new L{poller.NestedPoller} in C{reactor}; C{reactor} itself where there is no epoll;
        C{None}, and a line in the log, where the fast path must not be used.
    """
    why = reason_to_stay_stock(reactor)
    if why is not None:
        _log.warn("Using Twisted's own TCP transport, which is slower: {why}", why=why)
        return None
    return poller.NestedPoller(reactor) if poller.is_supported(reactor) else reactor


@implementer(IStreamServerEndpoint)
class FastTCPServerEndpoint:
    """
    Plain TCP on the fast path.
    """

    def __init__(
        self,
        reactor: Any,
        port: int,
        backlog: int = BACKLOG,
        interface: str = "",
        *,
        defer_accept_seconds: int = 0,
        reuse_port: bool = False,
        context: RenewableContext | None = None,
    ) -> None:
        """
        @param reactor: the reactor, an L{IReactorFDSet} and L{IReactorTCP
            <twisted.internet.interfaces.IReactorTCP>} provider.
        @param port: the number to listen on; 0 lets the kernel choose.
        @param backlog: how many connections may wait to be accepted.
        @param interface: a numeric address to bind to; empty for all of IPv4, C{::} for all.
        @param defer_accept_seconds: as for L{FastPort}.
        @param reuse_port: likewise.
        @param context: speak TLS with this; None for plain TCP.
        """
        self._reactor = reactor
        self._context = context
        self._port = port
        self._backlog = backlog
        self._interface = interface
        self._defer_accept_seconds = defer_accept_seconds
        self._reuse_port = reuse_port

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """
        Begin to listen.

        @param protocolFactory: builds a protocol for each connection.
        @return: fires with the port, or fails with L{CannotListenError
            <twisted.internet.error.CannotListenError>}.
        """
        return execute(self.listen_now, protocolFactory)

    def listen_now(self, factory: IProtocolFactory) -> IListeningPort:
        """
        Begin to listen; as L{listen}, but raises what that fails with.
        """
        reactor = _fast_reactor(self._reactor)
        port_class, receive = _kind_of_port(self._context)
        if reactor is None:
            require_plain(self._context)
            stock: IListeningPort = self._reactor.listenTCP(
                self._port, factory, backlog=self._backlog, interface=self._interface
            )
            return stock
        port = port_class(
            self._port,
            factory,
            self._backlog,
            self._interface,
            reactor,
            defer_accept_seconds=self._defer_accept_seconds,
            reuse_port=self._reuse_port,
            receive=receive,
        )
        port.startListening()
        return port


@implementer(IStreamServerEndpoint)
class AdoptedTCPServerEndpoint:
    """
    A TCP socket that listens already, on the fast path: how worker processes share one.
    """

    def __init__(
        self,
        reactor: Any,
        fd: int,
        address_family: socket.AddressFamily,
        *,
        defer_accept_seconds: int = 0,
        is_fast: bool = True,
        context: RenewableContext | None = None,
    ) -> None:
        """
        @param reactor: as for L{FastTCPServerEndpoint}.
        @param fd: the listening socket. It is duplicated for each L{listen}: the caller's own
            stays open.
        @param address_family: C{AF_INET} or C{AF_INET6}.
        @param defer_accept_seconds: as for L{FastPort}.
        @param is_fast: whether to use the fast path.
        @param context: as for L{FastTCPServerEndpoint}.
        """
        self._context = context
        self._is_fast = is_fast
        self._reactor = reactor
        self._fd = fd
        self._address_family = address_family
        self._defer_accept_seconds = defer_accept_seconds

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """
        Begin to accept.

        @param protocolFactory: builds a protocol for each connection.
        @return: fires with the port.
        """
        return execute(self.listen_now, protocolFactory)

    def listen_now(self, factory: IProtocolFactory) -> IListeningPort:
        """
        Begin to listen; as L{listen}, but raises what that fails with.
        """
        reactor = _fast_reactor(self._reactor) if self._is_fast else None
        port_class, receive = _kind_of_port(self._context)
        if reactor is None:
            require_plain(self._context)
            stock: IListeningPort = self._reactor.adoptStreamPort(
                self._fd, self._address_family, factory
            )
            return stock
        port = port_class.adopt(
            reactor,
            self._fd,
            self._address_family,
            factory,
            defer_accept_seconds=self._defer_accept_seconds,
            receive=receive,
        )
        port.startListening()
        return port


def _kind_of_port(
    context: RenewableContext | None,
) -> tuple[type[FastPort], Callable[[Any], Admits]]:
    """
    Choose what listens, and what it does with connections.
    """
    if context is None:
        return FastPort, Reception
    return SecurePort, partial(SecureReception, context=context)


def require_plain(context: RenewableContext | None) -> None:
    """
    Never serve plainly what is to be served by TLS.

    @raise ValueError: there is a context.
    """
    if context is not None:
        raise ValueError("this TLS needs TCP on the fast transport")


@implementer(IStreamServerEndpoint)
class SecureEndpoint:
    """
    TLS on the fast path.
    """

    def __init__(self, behind: IStreamServerEndpoint, context: RenewableContext) -> None:
        """
        @param behind: listens, and speaks TLS with the context.
        @param context: what it begins new connections with.
        """
        self._behind = behind
        self._context = context

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """
        Begin to listen.

        @param protocolFactory: builds a protocol for each connection, when its handshake is
            complete.
        @return: fires with the port, or fails as the endpoint behind.
        """
        return self._behind.listen(protocolFactory)

    def renew(self) -> None:
        """
        Read the certificate and its key again, for the connections to come.

        @raise Exception: as of L{RenewableContext.renew}.
        """
        self._context.renew()
