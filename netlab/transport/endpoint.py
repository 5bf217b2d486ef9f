"""
From an endpoint description string to an endpoint: on the fast path where it is TCP.
"""

# mypy: allow-untyped-calls
# Twisted leaves serverFromString without annotations.

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from twisted.logger import Logger

from netlab.transport.certificates import RenewableTLSEndpoint
from netlab.transport.descriptions import arguments_of
from netlab.transport.fastendpoint import (
    BACKLOG,
    AdoptedTCPServerEndpoint,
    FastTCPServerEndpoint,
    SecureEndpoint,
    reason_to_stay_stock,
    require_plain,
)
from netlab.transport.proxied import ProxiedEndpoint
from netlab.transport.tls.contexts import RenewableContext, TLSSettings
from netlab.transport.tls.description import NotOursError, read_description

# The descriptions that mean plain TCP, or may do so, and nothing more.
_FAST = frozenset({"tcp", "tcp6", "systemd"})

# Where a backlog stands that is not named: after port and interface.
_BACKLOG_PLACE = 2

_log = Logger()


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
        ).listen_now(factory)

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
            ).listen_now(factory)
        require_plain(self._context)
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
    if secures and (kind not in _FAST or not is_fast or reason_to_stay_stock(reactor)):
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
    why = "it was chosen" if not is_fast else reason_to_stay_stock(reactor)
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
