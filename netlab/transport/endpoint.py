"""
How a server comes to listen on the fast path: an endpoint, and endpoint description strings.
"""

# mypy: allow-untyped-calls
# Twisted leaves serverFromString without annotations.

from __future__ import annotations

import os
import socket
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

# How many connections may wait to be accepted. nginx's number; Twisted's 50 is full at once when
# a few hundred clients arrive together, and each that is turned away waits a second.
BACKLOG = 511

# The descriptions that mean plain TCP, or may do so, and nothing more.
_FAST = frozenset({"tcp", "tcp6", "systemd"})

# Where a backlog stands that is not named: after port and interface.
_BACKLOG_PLACE = 2

_log = Logger()


def _fast_reactor(reactor: Any) -> Any:
    """
    Find what watches the ports and connections of the fast path.

    @return: a new L{poller.NestedPoller} in C{reactor}; C{reactor} itself where there is no epoll;
        C{None}, and a line in the log, where the fast path must not be used.
    """
    why = compat.reason_to_stay_stock()
    if why is None and not IReactorFDSet.providedBy(reactor):
        why = f"{reactor.__class__.__name__} does not watch descriptors"
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
    ) -> None:
        """
        @param reactor: the reactor, an L{IReactorFDSet} and L{IReactorTCP
            <twisted.internet.interfaces.IReactorTCP>} provider.
        @param port: the number to listen on; 0 lets the kernel choose.
        @param backlog: how many connections may wait to be accepted.
        @param interface: a numeric address to bind to; empty for all of IPv4, C{::} for all.
        @param defer_accept_seconds: as for L{FastPort}.
        @param reuse_port: likewise.
        """
        self._reactor = reactor
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
        if reactor is None:
            stock: IListeningPort = self._reactor.listenTCP(
                self._port, factory, backlog=self._backlog, interface=self._interface
            )
            return stock
        port = FastPort(
            self._port,
            factory,
            self._backlog,
            self._interface,
            reactor,
            defer_accept_seconds=self._defer_accept_seconds,
            reuse_port=self._reuse_port,
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
    ) -> None:
        """
        @param reactor: as for L{FastTCPServerEndpoint}.
        @param fd: the listening socket. It is duplicated for each L{listen}: the caller's own
            stays open.
        @param address_family: C{AF_INET} or C{AF_INET6}.
        @param defer_accept_seconds: as for L{FastPort}.
        @param is_fast: whether to use the fast path.
        """
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
        if reactor is None:
            stock: IListeningPort = self._reactor.adoptStreamPort(
                self._fd, self._address_family, factory
            )
            return stock
        port = FastPort.adopt(
            reactor,
            self._fd,
            self._address_family,
            factory,
            defer_accept_seconds=self._defer_accept_seconds,
        )
        port.startListening()
        return port


class _FastListener:
    """
    What Twisted's TCP and systemd endpoints need of a reactor, on the fast path.

    Given to Twisted's own parser of descriptions, so that C{tcp:} means here what it means there.
    """

    def __init__(
        self, reactor: Any, *, has_backlog: bool, defer_accept_seconds: int, reuse_port: bool
    ) -> None:
        self._reactor = reactor
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
            )._listen(factory)
        port: IListeningPort = self._reactor.adoptStreamPort(fd, address_family, factory)
        return port


def server_from_string(
    reactor: Any,
    description: str,
    *,
    defer_accept_seconds: int = 0,
    reuse_port: bool = False,
    is_fast: bool = True,
) -> IStreamServerEndpoint:
    """
    Make an endpoint of a description, on the fast path if it is plain TCP.

    C{tcp:} and C{tcp6:} come with the fast path, and with a backlog of L{BACKLOG} unless they name
    one; so do TCP sockets that C{systemd:} hands over. C{ssl:} can have its certificate renewed
    (L{RenewableTLSEndpoint}), and C{haproxy:} introduces the client, not the proxy
    (L{ProxiedEndpoint}). All others (unix and what plugins add) are Twisted's own.

    @param reactor: the reactor.
    @param description: as for L{serverFromString}.
    @param defer_accept_seconds: as for L{FastPort}; plain TCP only.
    @param reuse_port: likewise.
    @param is_fast: whether to use the fast path at all.
    @return: the endpoint.
    @raise ValueError: the description cannot be parsed.
    """
    kind, *arguments = arguments_of(description) or [""]
    if kind == "ssl":
        return RenewableTLSEndpoint(reactor, description)
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
    if not is_fast or kind not in _FAST:
        stock: IStreamServerEndpoint = serverFromString(reactor, description)
        return stock
    listener = _FastListener(
        reactor,
        has_backlog=any(argument.startswith("backlog=") for argument in arguments)
        or len([argument for argument in arguments if "=" not in argument]) > _BACKLOG_PLACE,
        defer_accept_seconds=defer_accept_seconds,
        reuse_port=reuse_port,
    )
    fast: IStreamServerEndpoint = serverFromString(listener, description)
    return fast


def adopted_from_string(
    reactor: Any, description: str, fd: int, *, is_fast: bool = True
) -> IStreamServerEndpoint:
    """
    Make of a description what L{server_from_string} makes, but on a TCP socket that somebody else
    has opened for it.

    @param reactor: the reactor.
    @param description: C{tcp:}, C{tcp6:}, C{ssl:} or C{systemd:}, or C{haproxy:} before one.
    @param fd: the listening socket; it is duplicated, and stays open.
    @param is_fast: whether to use the fast path.
    """
    kind, *arguments = arguments_of(description)
    if kind == "haproxy":
        behind = adopted_from_string(reactor, ":".join(arguments), fd, is_fast=is_fast)
        return ProxiedEndpoint(behind, reactor)
    with socket.socket(fileno=os.dup(fd)) as listener:
        family = socket.AddressFamily(listener.family)
        listener.setblocking(False)
    adopted = AdoptedTCPServerEndpoint(reactor, fd, family, is_fast=is_fast)
    return RenewableTLSEndpoint(reactor, description, adopted) if kind == "ssl" else adopted
