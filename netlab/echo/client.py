"""
The echo client: sends each message when the previous one has been answered.

An answer has no mark at its end. It is complete when as many bytes have come back as were sent,
which is all that an echo promises. A server that answers only the first part of a message (by
default netlab-echo answers two deliveries of at most 100 bytes) and closes is recognised by that:
the answer stays incomplete.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from typing import Any

from twisted.internet import defer, error
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.python.usage import UsageError

from netlab.errors import KnownError
from netlab.terminal.foreground import run_until_done
from netlab.terminal.standardinput import StandardInputLines


class EchoError(KnownError):
    """
    An exchange could not be completed.
    """


class EchoClientProtocol(Protocol):
    """
    The client's end of a connection.

    @ivar lost: Fires when the connection is lost, however that came about.
    """

    def __init__(self) -> None:
        self.lost: defer.Deferred[None] = defer.Deferred()
        self._received = bytearray()
        self._wanted_bytes = 0
        self._answer: defer.Deferred[bytes] | None = None
        self._end: Failure | None = None

    def exchange(self, message: bytes) -> defer.Deferred[bytes]:
        """
        Send a message. Not to be called again before the answer has come.

        @param message: At least one byte.
        @return: The answer: as many bytes as the message has. It fails with L{EchoError} if the
            connection ends first or if more bytes come than were asked for.
        """
        answer: defer.Deferred[bytes] = defer.Deferred()
        self._answer = answer
        self._wanted_bytes = len(message)
        if self._end is None:
            assert self.transport is not None
            self.transport.write(message)
        self._settle()
        return answer

    def dataReceived(self, data: bytes) -> None:
        """
        Collect the answer.
        """
        self._received += data
        self._settle()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Wake what waits.
        """
        self._end = reason
        self._settle()
        self.lost.callback(None)

    def progress(self) -> str:
        """
        Say how much of the answer has come, for an error.
        """
        return f"{len(self._received):,} of {self._wanted_bytes:,} bytes of the answer had come"

    def _settle(self) -> None:
        """
        Deliver the answer if it is complete, or the reason why it never will be.
        """
        if self._answer is None:
            return
        if len(self._received) > self._wanted_bytes:
            surplus = len(self._received) - self._wanted_bytes
            self._fail(f"the server sent {surplus:,} bytes more than it was sent")
        elif len(self._received) == self._wanted_bytes:
            waiting, self._answer = self._answer, None
            answer = bytes(self._received)
            self._received.clear()
            waiting.callback(answer)
        elif self._end is not None:
            if isinstance(self._end.value, error.ConnectionDone):
                self._fail(f"the server closed the connection early: {self.progress()}")
            else:
                self._fail(f"the connection was reset: {self.progress()}")

    def _fail(self, problem: str) -> None:
        assert self._answer is not None
        waiting, self._answer = self._answer, None
        waiting.errback(EchoError(problem))


def run_client(
    host: str,
    port: int,
    messages: Sequence[bytes],
    *,
    timeout: float,
    reactor: Any,
    show: Callable[[bytes], object],
) -> None:
    """
    Do what C{netlab echo} does.

    @param host: A host name or a numeric address.
    @param port: The server's port.
    @param messages: What to send; C{b"-"} stands for the lines of standard input.
    @param timeout: How many seconds the connection, and each answer, may take.
    @param reactor: Is run until all is done.
    @param show: Is called with each answer.
    @raise EchoError: Not all was answered.
    @raise UsageError: A message is empty.
    """
    if not all(messages):
        raise UsageError("a MESSAGE is empty: there would be no byte to send, nor to wait for")

    async def exchange_all(reactor: Any) -> None:
        endpoint = HostnameEndpoint(reactor, host, port, timeout=timeout)
        where = f"{host} port {port}"
        texts = _with_standard_input(messages, reactor)
        await converse(endpoint, where, texts, reactor, timeout, show)

    run_until_done(exchange_all, reactor)


async def _with_standard_input(messages: Sequence[bytes], reactor: Any) -> AsyncIterator[bytes]:
    """
    Give each message, and for C{-} each line of standard input that is not empty.
    """
    for message in messages:
        if message != b"-":
            yield message
            continue
        if sys.stdin is None:
            raise KnownError("standard input is closed")
        lines = StandardInputLines(reactor, sys.stdin.fileno())
        while (line := await lines.next_line()) is not None:
            if line:
                yield line


async def converse(
    endpoint: IStreamClientEndpoint,
    where: str,
    messages: AsyncIterable[bytes],
    clock: IReactorTime,
    patience: float,
    show: Callable[[bytes], object],
) -> None:
    """
    Connect, exchange every message for its answer, and close.

    @param endpoint: The server.
    @param where: What to call the server in an error.
    @param messages: The messages, each at least one byte long. The next one is asked for when the
        previous one has been answered.
    @param clock: Measures the patience.
    @param patience: How many seconds the connection, and each answer, may take.
    @param show: Is called with each answer.
    @raise EchoError: No connection, or no complete answer.
    """
    connection = await _connect(endpoint, where, clock, patience)
    try:
        number = 0
        async for message in messages:
            number += 1
            try:
                answer = await connection.exchange(message).addTimeout(patience, clock)
            except defer.TimeoutError as problem:
                what = f"no complete answer within {patience:g} seconds: {connection.progress()}"
                raise EchoError(f"message {number}: {what}") from problem
            except EchoError as problem:
                raise EchoError(f"message {number}: {problem}") from problem
            show(answer)
    finally:
        assert connection.transport is not None
        connection.transport.loseConnection()
    await connection.lost


async def _connect(
    endpoint: IStreamClientEndpoint, where: str, clock: IReactorTime, patience: float
) -> EchoClientProtocol:
    """
    Connect, or say why not.
    """
    try:
        connecting = endpoint.connect(Factory.forProtocol(EchoClientProtocol))
        protocol = await connecting.addTimeout(patience, clock)
    except error.ConnectionRefusedError as problem:
        advice = "nothing listens there; twistd -n netlab-echo starts a server"
        raise EchoError(f"{where} refused the connection: {advice}") from problem
    except error.DNSLookupError as problem:
        raise EchoError(f"{where} cannot be found: no such host name or address") from problem
    except (
        # Our own patience, the endpoint's, or the endpoint's way to be told of ours.
        defer.TimeoutError,
        error.TimeoutError,
        error.ConnectingCancelledError,
    ) as problem:
        raise EchoError(f"{where} did not answer within {patience:g} seconds") from problem
    except (error.ConnectError, OSError, ValueError) as problem:
        raise EchoError(f"{where} cannot be reached: {problem}") from problem
    assert isinstance(protocol, EchoClientProtocol)
    return protocol
