"""
How a server comes to listen on the fast path: an endpoint, and endpoint description strings.
"""

# mypy: allow-untyped-calls
# Twisted leaves serverFromString without annotations.

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, execute
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocolFactory,
    IReactorFDSet,
    IStreamServerEndpoint,
)
from twisted.logger import Logger
from zope.interface import implementer

from netlab.transport import compat, poller
from netlab.transport.certificates import RenewableTLSEndpoint
from netlab.transport.descriptions import arguments_of
from netlab.transport.port import FastPort
from netlab.transport.proxied import ProxiedEndpoint
from netlab.transport.reception import Admits, Reception
from netlab.transport.tls.contexts import RenewableContext, TLSSettings
from netlab.transport.tls.description import NotOursError, read_description
from netlab.transport.tls.handshakes import SecureReception
from netlab.transport.tls.port import SecurePort

# How many connections may wait to be accepted. nginx's number; Twisted's 50 is full at once when
# a few hundred clients arrive together, and each that is turned away waits a second.
BACKLOG = 511

# The descriptions that mean plain TCP, or may do so, and nothing more.
_FAST = frozenset({"tcp", "tcp6", "systemd"})

# Where a backlog stands that is not named: after port and interface.
_BACKLOG_PLACE = 2

_log = Logger()


def _reason_to_stay_stock(reactor: Any) -> str | None:
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
    why = _reason_to_stay_stock(reactor)
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
        return execute(self._listen, protocolFactory)

    def _listen(self, factory: IProtocolFactory) -> IListeningPort:
        reactor = _fast_reactor(self._reactor)
        port_class, receive = _kind_of_port(self._context)
        if reactor is None:
            _require_plain(self._context)
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
        return execute(self._listen, protocolFactory)

    def _listen(self, factory: IProtocolFactory) -> IListeningPort:
        reactor = _fast_reactor(self._reactor) if self._is_fast else None
        port_class, receive = _kind_of_port(self._context)
        if reactor is None:
            _require_plain(self._context)
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


def _require_plain(context: RenewableContext | None) -> None:
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


class _FastListener:
    """
    What Twisted's TCP and systemd endpoints need of a reactor, on the fast path.

    Given to Twisted's own parser of descriptions, so that C{tcp:} means here what it means there.
    """

    def __init__(
        self,
        reactor: Any,
        *,
        has_backlog: bool,
        defer_accept_seconds: int,
        reuse_port: bool,
        context: RenewableContext | None,
    ) -> None:
        self._reactor = reactor
        self._context = context
        self._has_backlog = has_backlog
        self._defer_accept_seconds = defer_accept_seconds
        self._reuse_port = reuse_port

    def listenTCP(
        self, port: int, factory: IProtocolFactory, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        return FastTCPServerEndpoint(
            self._reactor,
            port,
            backlog if self._has_backlog else BACKLOG,
            interface,
            defer_accept_seconds=self._defer_accept_seconds,
            reuse_port=self._reuse_port,
            context=self._context,
        )._listen(factory)

    def adoptStreamPort(
        self, fd: int, address_family: socket.AddressFamily, factory: IProtocolFactory
    ) -> IListeningPort:
        if address_family in (socket.AF_INET, socket.AF_INET6):
            return AdoptedTCPServerEndpoint(
                self._reactor,
                fd,
                address_family,
                defer_accept_seconds=self._defer_accept_seconds,
                context=self._context,
            )._listen(factory)
        _require_plain(self._context)
        port: IListeningPort = self._reactor.adoptStreamPort(fd, address_family, factory)
        return port


def server_from_string(
    reactor: Any,
    description: str,
    *,
    defer_accept_seconds: int = 0,
    reuse_port: bool = False,
    is_fast: bool = True,
    tls: TLSSettings | None = None,
    secures_tcp: bool = False,
) -> IStreamServerEndpoint:
    """
    Make an endpoint of a description, on the fast path if it is TCP, plain or with TLS.

    C{tcp:} and C{tcp6:} come with the fast path, and with a backlog of L{BACKLOG} unless they name
    one; so do TCP sockets that C{systemd:} hands over, and C{ssl:} (L{SecureEndpoint}) unless it
    names an C{sslmethod}: then, and away from the fast path, it is Twisted's
    (L{RenewableTLSEndpoint}). C{haproxy:} introduces the client, not the proxy
    (L{ProxiedEndpoint}). All others (unix and what plugins add) are Twisted's own.

    @param reactor: the reactor.
    @param description: as for L{serverFromString}.
    @param defer_accept_seconds: as for L{FastPort}; TCP only.
    @param reuse_port: likewise.
    @param is_fast: whether to use the fast path at all.
    @param tls: what C{ssl:} uses where it does not say otherwise. Where Twisted's own TLS must be
        used, this must be None.
    @param secures_tcp: whether plain TCP is to have TLS too, except behind C{haproxy:}.
    @return: the endpoint.
    @raise ValueError: the description cannot be parsed, or asks for what is not possible.
    """
    kind, *arguments = arguments_of(description) or [""]
    if kind == "ssl":
        return _tls_endpoint(
            reactor,
            description,
            tls,
            partial(
                _fast_endpoint,
                reactor,
                defer_accept_seconds=defer_accept_seconds,
                reuse_port=reuse_port,
            ),
            is_fast=is_fast,
        )
    if kind == "haproxy":
        if arguments and arguments[0] in ("ssl", "haproxy"):
            raise ValueError(f"behind a PROXY header {arguments[0]} is not possible")
        behind = server_from_string(
            reactor,
            ":".join(arguments),
            defer_accept_seconds=defer_accept_seconds,
            reuse_port=reuse_port,
            is_fast=is_fast,
        )
        return ProxiedEndpoint(behind, reactor)
    secures = secures_tcp and tls is not None
    if secures and (kind not in _FAST or not is_fast or _reason_to_stay_stock(reactor)):
        raise ValueError("this TLS needs TCP on the fast transport")
    if not is_fast or kind not in _FAST:
        stock: IStreamServerEndpoint = serverFromString(reactor, description)
        return stock
    context = RenewableContext(tls) if secures and tls is not None else None
    fast = _fast_endpoint(
        reactor,
        description,
        context,
        defer_accept_seconds=defer_accept_seconds,
        reuse_port=reuse_port,
    )
    return fast if context is None else SecureEndpoint(fast, context)


def _fast_endpoint(
    reactor: Any,
    description: str,
    context: RenewableContext | None,
    *,
    defer_accept_seconds: int = 0,
    reuse_port: bool = False,
) -> IStreamServerEndpoint:
    """
    Make an endpoint on the fast path.

    @param description: C{tcp:}, C{tcp6:} or C{systemd:}.
    """
    arguments = arguments_of(description)[1:]
    listener = _FastListener(
        reactor,
        has_backlog=any(argument.startswith("backlog=") for argument in arguments)
        or len([argument for argument in arguments if "=" not in argument]) > _BACKLOG_PLACE,
        defer_accept_seconds=defer_accept_seconds,
        reuse_port=reuse_port,
        context=context,
    )
    fast: IStreamServerEndpoint = serverFromString(listener, description)
    return fast


def _tls_endpoint(
    reactor: Any,
    description: str,
    tls: TLSSettings | None,
    below: Callable[[str, RenewableContext], IStreamServerEndpoint],
    *,
    is_fast: bool,
    adopted: IStreamServerEndpoint | None = None,
) -> IStreamServerEndpoint:
    """
    Make an endpoint of C{ssl:...}.

    @param below: makes what listens on the fast path, of the description of its TCP place.
    @param adopted: what listens off it, where the socket is there already.
    @raise ValueError: it asks for what is not possible.
    """
    why = "it was chosen" if not is_fast else _reason_to_stay_stock(reactor)
    if why is None:
        try:
            place, settings = read_description(description, tls or TLSSettings())
        except NotOursError as other:
            why = f"{other} was asked for"
        else:
            context = RenewableContext(settings)
            return SecureEndpoint(below(place, context), context)
    if tls is not None:
        raise ValueError(f"Twisted's own TLS has no such options, and {why}")
    if is_fast:
        _log.warn("Using Twisted's own TLS, which is slower: {why}", why=why)
    return RenewableTLSEndpoint(reactor, description, adopted)


def adopted_from_string(
    reactor: Any,
    description: str,
    fd: int,
    *,
    is_fast: bool = True,
    tls: TLSSettings | None = None,
    secures_tcp: bool = False,
) -> IStreamServerEndpoint:
    """
    Make of a description what L{server_from_string} makes, but on a TCP socket that somebody else
    has opened for it.

    @param reactor: the reactor.
    @param description: C{tcp:}, C{tcp6:}, C{ssl:} or C{systemd:}, or C{haproxy:} before one.
    @param fd: the listening socket; it is duplicated, and stays open.
    @param is_fast: whether to use the fast path.
    @param tls: as for L{server_from_string}.
    @param secures_tcp: likewise.
    """
    kind, *arguments = arguments_of(description)
    if kind == "haproxy":
        behind = adopted_from_string(reactor, ":".join(arguments), fd, is_fast=is_fast)
        return ProxiedEndpoint(behind, reactor)
    with socket.socket(fileno=os.dup(fd)) as listener:
        family = socket.AddressFamily(listener.family)
        listener.setblocking(False)

    def adopt(_: str, context: RenewableContext | None = None) -> AdoptedTCPServerEndpoint:
        return AdoptedTCPServerEndpoint(reactor, fd, family, is_fast=is_fast, context=context)

    if kind == "ssl":
        return _tls_endpoint(
            reactor, description, tls, adopt, is_fast=is_fast, adopted=adopt(description)
        )
    if secures_tcp and tls is not None:
        context = RenewableContext(tls)
        return SecureEndpoint(adopt(description, context), context)
    return adopt(description)
