"""
Tests for L{netlab.echo.tap}.
"""

from __future__ import annotations

from twisted.internet.address import IPv4Address
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from netlab.echo.tap import Options, makeService


class TapTests(SynchronousTestCase):
    """
    From the command line to a server.
    """

    def answers(self, *arguments: str) -> tuple[bytes, bool]:
        """
        Start a server with some options, deliver ten bytes three times, and tell what comes back
        and whether the server closes.
        """
        reactor = MemoryReactorClock()
        options = Options()
        options.parseOptions(arguments)
        # The endpoints of the parsed options belong to the real reactor.
        options.endpoints = [("tcp:12345", TCP4ServerEndpoint(reactor, 12345))]
        makeService(options, reactor).startService()
        factory = reactor.tcpServers[0][1]
        protocol = factory.buildProtocol(IPv4Address("TCP", "192.0.2.7", 40000))
        assert protocol is not None
        transport = StringTransport()
        protocol.makeConnection(transport)
        for _ in range(3):
            protocol.dataReceived(b"0123456789")
        return transport.value(), transport.disconnecting

    def test_defaults(self) -> None:
        """
        Without options the server is the reference: two exchanges.
        """
        self.assertEqual(self.answers(), (b"0123456789" * 2, True))

    def test_options(self) -> None:
        """
        The options reach the protocol.
        """
        self.assertEqual(self.answers("--exchanges", "0"), (b"0123456789" * 3, False))
        self.assertEqual(self.answers("--max-bytes", "5"), (b"0123456789", True))

    def test_reference_port(self) -> None:
        """
        The default place to listen is the reference port.
        """
        options = Options()
        options.parseOptions([])
        self.assertEqual([description for description, _ in options.endpoints], ["tcp:12345"])

    def test_wrong_values(self) -> None:
        """
        A value that cannot be is refused while options are read.
        """
        for arguments in (
            ["--exchanges", "-1"],
            ["--max-bytes", "0"],
            ["--max-bytes", "2M"],
            ["--idle-timeout", "0"],
            ["--listen", "nonsense"],
            ["surplus"],
        ):
            self.assertRaises(UsageError, Options().parseOptions, arguments)
