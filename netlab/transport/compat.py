"""
The private names of Twisted that the fast path stands on, and the check that they
still mean the same.

Everything private is named here, with what it is taken to mean. L{reason_to_stay_stock} tries each
meaning once in a process on a real pair of sockets. Where one has changed, the endpoints use
Twisted's own transport and say so in one log line: slower, never wrong.

Of L{twisted.internet.abstract.FileDescriptor} and L{twisted.internet.tcp.Server}:

  - C{_tempDataBuffer}, C{_tempDataLen}: writes that no C{doWrite} has seen yet, and their length;
  - C{dataBuffer}, C{offset}: what C{doWrite} is sending, and how much of it the kernel has taken;
  - C{_writeDisconnecting}, C{_writeDisconnected}: C{loseWriteConnection} was asked for; was carried
    out;
  - C{_aborting}: C{abortConnection} was asked for;
  - C{_shouldShutdown}: whether shutdown(2) goes before close(2);
  - C{_postLoseConnection}, C{_closeWriteConnection}: called by C{doWrite} when all is sent and the
    connection, or our half of it, is to be closed; what they return it returns;
  - C{_addressType}: the class of an address of this family;
  - C{_getLogPrefix}, and the set of attributes that C{Server.__init__} sets.

Of L{twisted.internet.tcp.Connector}: C{_makeTransport}, which makes the transport, and what
L{PosixReactorBase.connectTCP<twisted.internet.posixbase.PosixReactorBase>} does with it.

Of L{twisted.internet.tcp.Port}: C{_fromListeningDescriptor} and C{_preexistingSocket}, which adopt
a listening socket; C{_buildAddr}; C{tcp._reservedFD}, the descriptor kept for the day when there
are none left. Of L{socket.socket}: C{_accept}, see L{accept_from}.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import cache
from typing import Any

from twisted.internet import main, tcp
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import Protocol

# What tcp.Server.__init__ sets today. A name more or less is a Twisted that we have not read.
_SERVER_ATTRIBUTES = frozenset(
    {
        "_tempDataBuffer",
        "_tempDataLen",
        "client",
        "connected",
        "fileno",
        "hostname",
        "logstr",
        "protocol",
        "reactor",
        "repstr",
        "server",
        "sessionno",
        "socket",
    }
)


class TwistedChangedError(Exception):
    """
    A private name is missing or has another meaning than we know.
    """


@cache
def reason_to_stay_stock() -> str | None:
    """
    Try on a pair of sockets that every private name means what we take it to mean.

    The verdict is kept for the life of the process.

    @return: C{None} if the fast path may be used; otherwise what is different.
    """
    try:
        _check_names()
        for check in (_check_queue, _check_half_close, _check_abort):
            _on_a_connection(check)
    except (TwistedChangedError, AttributeError, TypeError, OSError) as changed:
        return f"{changed.__class__.__name__}: {changed}"
    return None


def reason_to_connect_stock(reactor: Any) -> str | None:
    """
    Find out whether connections may be made as L{netlab.transport.client} does.

    @return: C{None} if they may; otherwise what is different.
    """
    if getattr(type(reactor), "connectTCP", None) is not PosixReactorBase.connectTCP:
        return f"{type(reactor).__name__} connects in a way of its own"
    if not callable(getattr(tcp.Connector, "_makeTransport", None)):
        return "tcp.Connector has no _makeTransport"
    return reason_to_stay_stock()


def accept_from(listener: socket.socket) -> Callable[[], tuple[socket.socket, Any]]:
    """
    Make what accepts one connection, as C{listener.accept}, at half its price.

    The library's C{accept} looks up the enumerations of family and type for each connection. Where
    C{_accept}, the system call underneath, is missing, it is the library's.

    @param listener: a listening socket.
    @return: a function that returns a connected socket and its peer's address, or raises
        C{OSError}.
    """
    take: Any = getattr(listener, "_accept", None)
    if take is None:
        return listener.accept
    family, kind, protocol = listener.family, listener.type, listener.proto
    # The class in C that socket.socket is made of has all that a connection needs, and neither
    # enumerations nor counts of files made of it.
    make: Any = socket.SocketType

    def accept() -> tuple[socket.socket, Any]:
        fd, client = take()
        return make(family, kind, protocol, fd), client

    return accept


class _Descriptors:
    """
    A reactor that only remembers: what is watched for input, what for room to write, which calls
    are due.
    """

    def __init__(self) -> None:
        self.reading: set[object] = set()
        self.writing: set[object] = set()
        self.calls: list[Any] = []
        self.addReader, self.removeReader = self.reading.add, self.reading.discard
        self.addWriter, self.removeWriter = self.writing.add, self.writing.discard

    def callLater(self, delay: float, function: Any, *args: object) -> None:
        self.calls.append((function, args))


def _require(claim: str, holds: object) -> None:
    if not holds:
        raise TwistedChangedError(claim)


def _check_names() -> None:
    for name in ("_fromListeningDescriptor", "_buildAddr", "_preexistingSocket", "sessionno"):
        _require(f"tcp.Port has {name}", hasattr(tcp.Port, name))
    _require("tcp._reservedFD has reserve", callable(tcp._reservedFD.reserve))
    _require("tcp.Server has _getLogPrefix", callable(tcp.Server._getLogPrefix))
    _require("tcp.Server has _addressType", isinstance(tcp.Server._addressType, type))
    _require("tcp.Server has _shouldShutdown", tcp.Server._shouldShutdown is True)
    _require("tcp.Server has no TLS before startTLS", tcp.Server.TLS is False)


def _on_a_connection(check: Any) -> None:
    """
    Run a check on a stock connection whose other end we hold, and close both.
    """
    ours, peers = socket.socketpair()
    with ours, peers:
        peers.setblocking(False)
        reactor: Any = _Descriptors()
        port: Any = None
        check(tcp.Server(ours, Protocol(), ("", 0), port, 0, reactor), peers)


def _check_queue(server: Any, peer: socket.socket) -> None:
    _require(
        "tcp.Server.__init__ sets what it did",
        set(vars(server)) | {"repstr"} == _SERVER_ATTRIBUTES,
    )
    _require("a new connection has an empty queue", server._tempDataBuffer == [])
    _require("nothing is being sent at first", (server.dataBuffer, server.offset) == (b"", 0))
    server.write(b"queued")
    _require("a write is queued", server._tempDataBuffer == [b"queued"])
    _require("its length is counted", server._tempDataLen == len(b"queued"))
    _require("and waits for the reactor", server in server.reactor.writing)
    server.doWrite()
    _require("doWrite sends the queue", peer.recv(64) == b"queued")
    _require("doWrite empties the queue", not server._tempDataBuffer and not server.dataBuffer)
    server.dataBuffer, server.offset = b"sent and unsent", len(b"sent and ")
    server.startWriting()
    server.doWrite()
    _require("doWrite goes on from offset", peer.recv(64) == b"unsent")
    _require("and then stops writing", server not in server.reactor.writing)
    close = server._postLoseConnection
    server._postLoseConnection = lambda: None
    server.loseConnection()
    _require("_postLoseConnection decides", server.doWrite() is None and server.connected)
    server._postLoseConnection = close
    _require("loseConnection waits for doWrite", server.disconnecting and server.connected)
    _require("which then closes", server.doWrite() is main.CONNECTION_DONE)


def _check_half_close(server: Any, peer: socket.socket) -> None:
    _require("writing is whole at first", not server._writeDisconnecting)
    shut = server._closeWriteConnection
    server.loseWriteConnection()
    _require(
        "loseWriteConnection waits", server._writeDisconnecting and not server._writeDisconnected
    )
    server._closeWriteConnection = lambda: None
    server.doWrite()
    _require("_closeWriteConnection shuts", server._writeDisconnected)
    server._closeWriteConnection = shut
    server.doWrite()
    _require("doWrite carries it out", server._writeDisconnected and peer.recv(64) == b"")


def _check_abort(server: Any, _peer: socket.socket) -> None:
    _require("nothing is aborted at first", not server._aborting)
    server.abortConnection()
    _require("abortConnection is remembered", server._aborting)
    _require("and carried out later", server.connected and len(server.reactor.calls) == 1)
