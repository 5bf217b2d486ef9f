"""
Tests for L{netlab.transport.server}: what a push producer writes goes at once, as all else does.
"""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from tests.transport.connections import ConnectionTestCase, Recorder


@implementer(IPushProducer)
class Source:
    """
    Remembers what it was told.
    """

    def __init__(self) -> None:
        self.told: list[str] = []

    def pauseProducing(self) -> None:
        """
        Remember to pause.
        """
        self.told.append("pause")

    def resumeProducing(self) -> None:
        """
        Remember to go on.
        """
        self.told.append("resume")

    def stopProducing(self) -> None:
        """
        Remember to stop.
        """
        self.told.append("stop")


class PushProducerTests(ConnectionTestCase):
    """
    A protocol that is the push producer of what it sends, as an echo server is.
    """

    def test_sends_at_once(self) -> None:
        """
        A write under a push producer is with the client before the reactor's next turn, and there
        is nothing to pause for.
        """
        protocol, client = self.connected(Recorder())
        source = Source()
        protocol.transport.registerProducer(source, True)
        protocol.transport.write(b"hello")
        self.assertEqual(client.recv(100), b"hello")
        self.assertEqual(source.told, [])

    def test_paused_by_what_is_left(self) -> None:
        """
        When the kernel takes only a part of a write, the producer is paused for the rest, and goes
        on when that is gone.
        """
        protocol, client = self.connected(Recorder(), receive_buffer=65536)
        source = Source()
        protocol.transport.registerProducer(source, True)
        much = b"x" * 2**23
        protocol.transport.write(much)
        self.assertEqual(source.told, ["pause"])
        self.assertEqual(len(self.read_bytes(client, len(much))), len(much))
        self.turn_until(lambda: source.told == ["pause", "resume"])
