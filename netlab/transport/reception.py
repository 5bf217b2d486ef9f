"""
What becomes of a connection that a port has accepted: an answer without a protocol, or a protocol
and a transport.
"""

# mypy: allow-untyped-calls
# Twisted's protocols and ports have no annotations.

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, Protocol

from twisted.python import log

from netlab.transport.disconnection import disconnect, log_exception
from netlab.transport.filetransport import FULL
from netlab.transport.oneshot import OneShotAnswers
from netlab.transport.server import FastServer

#: A connected socket, and the peer's address as accept(2) gave it.
Accepted = tuple[socket.socket, tuple[Any, ...]]

# Accepted sockets are made non-blocking only when it is clear that they will be kept.
_AT_ONCE = getattr(socket, "MSG_DONTWAIT", 0)


@lru_cache(1024)
def _shared(host: str) -> str:
    """
    Return the same object for equal addresses: connections keep them, and many come from one host.
    """
    return host


class AcceptingPort(Protocol):
    """
    What a reception needs of the port whose connections it takes in.

    @ivar factory: builds the protocols.
    @ivar reactor: watches the connections.
    """

    factory: Any
    reactor: Any

    def address_of(self, client: tuple[Any, ...]) -> Any:
        """
        Make the address object of a peer.
        """

    def make_transport(
        self, accepted: socket.socket, protocol: Any, client: tuple[Any, ...], **others: Any
    ) -> FastServer:
        """
        Make the transport of a connection, which is read from at once and watched later.

        @param others: what else that kind of transport takes.
        """


#: Makes the transport of a connection: of its socket, its protocol and the peer's address.
MakeTransport = Callable[[socket.socket, Any, tuple[Any, ...]], FastServer]


class Admits(Protocol):
    """
    Takes in what a port has accepted.
    """

    def admit_all(self, arrived: list[Accepted], quiet: list[Accepted] | None = None) -> None:
        """
        Take in what was accepted; see L{Reception.admit_all}.
        """

    def close(self) -> None:
        """
        The port is closed: drop what has no protocol yet.
        """


def with_host(client: tuple[Any, ...]) -> tuple[Any, ...]:
    """
    Complete a peer's address.

    @param client: as accept(2) gave it.
    @return: the same, with the scope where a link-local address is nothing without it.
    """
    if len(client) == 4 and client[3]:
        host = socket.getnameinfo(client, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0]
    else:
        host = client[0]
    return (_shared(host), *client[1:])


class Reception:
    """
    Takes in the connections of one port.

    A factory that has C{build_for_host} is asked by it, with the peer's address as C{str}, in place
    of C{buildProtocol}; one that has a C{one_shot} (L{OneShotAnswers}) may need no protocol at all.
    """

    def __init__(self, port: AcceptingPort) -> None:
        """
        @param port: listens already.
        """
        self._port = port
        factory: Any = port.factory
        self._factory = factory
        self._build_for_host: Callable[[str], Any] | None = getattr(factory, "build_for_host", None)
        self._one_shot: OneShotAnswers[Any] | None = getattr(factory, "one_shot", None)

    def admit_all(self, arrived: list[Accepted], quiet: list[Accepted] | None = None) -> None:
        """
        Take in what was accepted. An exception of the factory, its one-shot answers or a protocol
        is logged, ends its connection, and hurts nobody else.

        @param arrived: what was accepted.
        @param quiet: gets those that have sent nothing yet, where they can wait; None if they
            cannot.
        """
        for connection in arrived:
            try:
                self._admit(connection, quiet)
            except BaseException:
                log.err()
                # Nobody has it: what a transport has ends in other ways.
                connection[0].close()

    def _admit(self, connection: Accepted, quiet: list[Accepted] | None) -> None:
        accepted, client = connection[0], with_host(connection[1])
        if self._one_shot is None:
            self._keep(accepted, client)
            return
        try:
            data = accepted.recv(FastServer.bufferSize, _AT_ONCE)
        except OSError as refused:
            if refused.errno not in FULL:
                # Nobody knows of this connection, and nobody need be told that it is lost.
                accepted.close()
            elif quiet is not None:
                quiet.append(connection)
            else:
                self._keep(accepted, client, is_quiet=True)
            return
        answer = self._one_shot.find_answer(client[0], data) if data else None
        if answer is None:
            self._keep(accepted, client, data)
            return
        sent = _send(accepted, answer.data)
        if sent == len(answer.data):
            accepted.close()
            self._one_shot.answer_sent(client[0], answer)
            return
        transport = self.introduce(accepted, client, self._port.make_transport)
        if transport is not None:
            finish = self._one_shot.finish_rest
            self.begin(transport, partial(finish, transport.protocol, answer, sent))

    def _keep(
        self,
        accepted: socket.socket,
        client: tuple[Any, ...],
        data: bytes | None = None,
        *,
        is_quiet: bool = False,
    ) -> None:
        """
        Build a protocol, let it have what was sent already, and watch the connection if it is not
        over then.

        @param data: what was read; None for nothing.
        @param is_quiet: a moment ago nothing was to be read.
        """
        transport = self.introduce(accepted, client, self._port.make_transport)
        if transport is None:
            return
        if not (transport.is_reading and transport.connected) or transport.disconnecting:
            return
        if is_quiet:
            self.begin(transport, lambda: None)
        elif data is None:
            self.begin(transport, transport.doRead)
        else:
            self.begin(transport, partial(transport.receive, data))

    def begin(self, transport: FastServer, serve: Callable[[], Any]) -> None:
        """
        Serve a connection for the first time, and watch it if it is not over then.

        @param transport: from L{introduce}.
        @param serve: returns why it is over; None while it is not.
        """
        try:
            why = serve()
            if not why and transport.is_reading and transport.connected:
                transport.startReading()
        except BaseException as raised:
            why = log_exception(transport, raised)
        if why:
            transport.conclude(why)

    def introduce(
        self, accepted: socket.socket, client: tuple[Any, ...], make: MakeTransport
    ) -> FastServer | None:
        """
        Build a protocol and a transport for a connection, and make them known to each other.

        @param accepted: the connected socket.
        @param client: the peer's address.
        @param make: makes the transport.
        @return: None if the connection is closed already: the factory does not want it, or the
            protocol has failed in C{makeConnection}.
        """
        port = self._port
        if self._build_for_host is not None:
            protocol = self._build_for_host(client[0])
        else:
            protocol = self._factory.buildProtocol(port.address_of(client))
        if protocol is None:
            accepted.close()
            return None
        transport = make(accepted, protocol, client)
        try:
            protocol.makeConnection(transport)
        except BaseException as raised:
            disconnect(port.reactor, transport, log_exception(transport, raised), is_read=False)
            return None
        return transport

    def close(self) -> None:
        """
        The port is closed. Each connection has a protocol by now, or is closed.
        """


def _send(accepted: socket.socket, data: bytes) -> int:
    """
    Send what the kernel takes at once.

    @return: how many bytes; all of them where the peer is gone, and nothing is left to be done.
    """
    try:
        return accepted.send(data, _AT_ONCE)
    except OSError as refused:
        return 0 if refused.errno in FULL else len(data)
