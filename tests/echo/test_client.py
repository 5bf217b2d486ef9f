"""
Tests for L{netlab.echo.client}.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import (
    ConnectionDone,
    ConnectionLost,
    DNSLookupError,
    NoRouteError,
)
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.test.iosim import FakeTransport, connect
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from netlab.echo.client import EchoError, converse
from netlab.echo.protocol import EchoFactory, EchoSettings

SERVER = IPv4Address("TCP", "192.0.2.1", 12345)


@implementer(IStreamClientEndpoint)
class Unreachable:
    """
    An endpoint that fails in the given way.
    """

    def __init__(self, error: Exception) -> None:
        self.error = error

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """
        Fail.
        """
        return fail(self.error)


class ClientTestCase(SynchronousTestCase):
    """
    What the tests of the client share.
    """

    def setUp(self) -> None:
        """
        Make a network in memory.
        """
        self.reactor = MemoryReactorClock()
        self.answers: list[bytes] = []
        self.when_answered: Callable[[], None] = lambda: None

    def start(self, *messages: bytes) -> Deferred[None]:
        """
        Start a conversation with a server that has yet to accept.
        """

        async def one_by_one() -> AsyncIterator[bytes]:
            for message in messages:
                yield message

        def show(answer: bytes) -> None:
            self.answers.append(answer)
            self.when_answered()

        endpoint = TCP4ClientEndpoint(self.reactor, SERVER.host, SERVER.port)
        where = "192.0.2.1 port 12345"
        return Deferred.fromCoroutine(
            converse(endpoint, where, one_by_one(), self.reactor, 10, show)
        )

    def accept(self) -> tuple[IProtocol, FakeTransport]:
        """
        Let the server accept. What the client sends stays in its transport.
        """
        client = self.build_client()
        transport = FakeTransport(client, isServer=False)
        client.makeConnection(transport)
        return client, transport

    def build_client(self) -> IProtocol:
        """
        Make the client's protocol, as the reactor does for a new connection.
        """
        client = self.reactor.tcpClients[0][2].buildProtocol(SERVER)
        assert client is not None
        return client

    def problem(self, conversation: Deferred[None]) -> str:
        """
        Give the text of the error that has ended a conversation.
        """
        return str(self.failureResultOf(conversation, EchoError).value)


class ExchangeTests(ClientTestCase):
    """
    Messages and answers.
    """

    def test_against_our_server(self) -> None:
        """
        The reference's conversation, 33 and 20 bytes, with our own server: each answer is shown,
        and both ends are closed.
        """
        conversation = self.start(b"x" * 33, b"y" * 20)
        client = self.build_client()
        factory = EchoFactory(EchoSettings(), self.reactor)
        server = factory.buildProtocol(SERVER)
        pump = connect(
            server,
            FakeTransport(server, isServer=True),
            client,
            FakeTransport(client, isServer=False),
        )
        pump.flush()
        self.successResultOf(conversation)
        self.assertEqual(self.answers, [b"X" * 33, b"Y" * 20])
        self.assertEqual(len(factory.connections), 0)

    def test_one_at_a_time(self) -> None:
        """
        A message is sent only when the one before it has been answered completely.
        """
        self.start(b"one", b"two")
        client, transport = self.accept()
        self.assertEqual(transport.getOutBuffer(), b"one")
        client.dataReceived(b"O")
        client.dataReceived(b"N")
        self.assertIsNone(transport.getOutBuffer())
        self.assertEqual(self.answers, [])
        client.dataReceived(b"E")
        self.assertEqual(self.answers, [b"ONE"])
        self.assertEqual(transport.getOutBuffer(), b"two")

    def test_closes_after_the_last_answer(self) -> None:
        """
        The client closes when all is answered, and is done when the connection is gone.
        """
        conversation = self.start(b"one")
        client, transport = self.accept()
        client.dataReceived(b"ONE")
        self.assertTrue(transport.disconnecting)
        self.assertNoResult(conversation)
        client.connectionLost(Failure(ConnectionDone()))
        self.successResultOf(conversation)

    def test_no_messages(self) -> None:
        """
        Without a message the client connects and closes.
        """
        conversation = self.start()
        client, transport = self.accept()
        self.assertTrue(transport.disconnecting)
        client.connectionLost(Failure(ConnectionDone()))
        self.successResultOf(conversation)


class FailureTests(ClientTestCase):
    """
    What can go wrong after the connection is made.
    """

    def test_closed_early(self) -> None:
        """
        A server that closes too early is reported with how much of the answer had come.
        """
        conversation = self.start(b"one", b"two two")
        client, _ = self.accept()
        client.dataReceived(b"ONE")
        client.dataReceived(b"TW")
        client.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(
            self.problem(conversation),
            "message 2: the server closed the connection early: "
            "2 of 7 bytes of the answer had come",
        )
        self.assertEqual(self.answers, [b"ONE"])

    def test_closed_between_messages(self) -> None:
        """
        A server that closes before a message is sent is reported for that message.
        """
        conversation = self.start(b"one", b"two")
        client, _ = self.accept()
        self.when_answered = lambda: client.connectionLost(Failure(ConnectionDone()))
        client.dataReceived(b"ONE")
        self.assertEqual(
            self.problem(conversation),
            "message 2: the server closed the connection early: "
            "0 of 3 bytes of the answer had come",
        )

    def test_reset(self) -> None:
        """
        A reset is told apart from an orderly close.
        """
        conversation = self.start(b"one")
        client, _ = self.accept()
        client.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(
            self.problem(conversation),
            "message 1: the connection was reset: 0 of 3 bytes of the answer had come",
        )

    def test_surplus(self) -> None:
        """
        A server that sends more than it was sent is no echo server.
        """
        conversation = self.start(b"one")
        client, transport = self.accept()
        client.dataReceived(b"ONEONE")
        self.assertIn("the server sent 3 bytes more than it was sent", self.problem(conversation))
        self.assertTrue(transport.disconnecting)

    def test_no_answer(self) -> None:
        """
        An answer that is not complete when the time is up is reported, and the client closes.
        """
        conversation = self.start(b"one")
        client, transport = self.accept()
        client.dataReceived(b"ON")
        self.reactor.advance(9.99)
        self.assertNoResult(conversation)
        self.reactor.advance(0.01)
        self.assertEqual(
            self.problem(conversation),
            "message 1: no complete answer within 10 seconds: 2 of 3 bytes of the answer had come",
        )
        self.assertTrue(transport.disconnecting)

    def test_no_timer_left(self) -> None:
        """
        An answer in time leaves no timer.
        """
        self.start(b"one")
        client, _ = self.accept()
        client.dataReceived(b"ONE")
        self.assertEqual(self.reactor.getDelayedCalls(), [])


class ConnectTests(ClientTestCase):
    """
    What can go wrong before.
    """

    def refusal(self, cause: Exception) -> str:
        """
        Try to reach a server that fails to be reached in some way, and give the report.
        """

        async def hello() -> AsyncIterator[bytes]:
            yield b"hello"

        conversation = converse(
            Unreachable(cause), "example.org port 7", hello(), self.reactor, 10, print
        )
        return self.problem(Deferred.fromCoroutine(conversation))

    def test_refused(self) -> None:
        """
        A refused connection says that nothing listens there, and how to start a server.
        """
        self.assertEqual(
            self.refusal(error.ConnectionRefusedError()),
            "example.org port 7 refused the connection: "
            "nothing listens there; twistd -n netlab-echo starts a server",
        )

    def test_unknown_host(self) -> None:
        """
        An unknown name is called that.
        """
        self.assertIn("no such host name", self.refusal(DNSLookupError()))

    def test_no_route(self) -> None:
        """
        Any other failure is passed on in the system's words.
        """
        self.assertIn("cannot be reached: No route to host", self.refusal(NoRouteError()))

    def test_no_reply(self) -> None:
        """
        A host that does not even refuse is given up when the time is up.
        """
        conversation = self.start(b"one")
        self.reactor.advance(10)
        self.assertEqual(
            self.problem(conversation), "192.0.2.1 port 12345 did not answer within 10 seconds"
        )
