"""
Payload, urgent data, marks of congestion.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.events import Readable, UrgentData
from netlab.tcp.receiving.delivery import EVENTS_MAX
from netlab.tcp.segment import CE, ECT_0, CongestionState
from tests.tcp.dialogue import Dialogue


class ReadableTests(SynchronousTestCase):
    """
    When the program is told.
    """

    def test_once(self) -> None:
        """
        Once for what it has not looked at.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.peer("P", 1, 1, b"a")
        talk.peer("P", 2, 1, b"b")
        self.assertEqual(talk.events(), [Readable()])
        talk.peer("P", 3, 1, b"c")
        self.assertEqual(talk.events(), [Readable()])

    def test_gap(self) -> None:
        """
        Not for what is behind a gap.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.peer("P", 2, 1, b"b")
        self.assertEqual(talk.events(), [])

    def test_bound(self) -> None:
        """
        A program that takes no events does not let them pile up.
        """
        talk = Dialogue(self)
        talk.serve()
        for number in range(10 * EVENTS_MAX):
            talk.peer("PU", 1 + number, 1, b"x", urgent=1)
            talk.read()
        self.assertLessEqual(len(talk.events()), EVENTS_MAX + 1)


class UrgentTests(SynchronousTestCase):
    """
    Urgent data (RFC 9293 section 3.8.5, RFC 6093).
    """

    def test_told(self) -> None:
        """
        The program is told how far it reaches; the bytes stay in their place.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.peer("PU", 1, 1, b"abc", urgent=3)
        self.assertEqual(talk.events(), [UrgentData(3), Readable()])
        self.assertEqual(talk.read(), b"abc")

    def test_ahead(self) -> None:
        """
        The pointer may be ahead of what has arrived, and one that is not ahead of an older one
        says nothing.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.peer("PU", 1, 1, b"abc", urgent=100)
        self.assertEqual(talk.events(), [UrgentData(100), Readable()])
        talk.peer("PU", 4, 1, b"def", urgent=97)
        self.assertEqual(talk.events(), [Readable()])


class CongestionTests(SynchronousTestCase):
    """
    ECN (RFC 3168 section 6.1).
    """

    def begin(self) -> Dialogue:
        """
        A connection that both sides have agreed on ECN for.
        """
        talk = Dialogue(self, tcp_ecn=2)
        talk.listen()
        talk.peer("SEW", 0, options=talk.syn_options())
        talk.iss = talk.says("SAE").segment.seq
        talk.wait(100)
        talk.peer("", 1, 1)
        talk.accept()
        talk.events()
        return talk

    def test_echoed_until_heard(self) -> None:
        """
        A mark is echoed in every ACK until the sender says CWR.
        """
        talk = self.begin()
        talk.peer("P", 1, 1, b"a", ecn=CE)
        talk.says("AE", 1, 2)
        talk.peer("P", 2, 1, b"b", ecn=ECT_0)
        talk.says("AE", 1, 3)
        talk.peer("PW", 3, 1, b"c", ecn=ECT_0)
        talk.says("A", 1, 4)

    def test_heard(self) -> None:
        """
        The sender's data are capable of it; an echo brings its window down once in a round trip,
        and it says CWR.
        """
        talk = self.begin()
        talk.write(10 * 1460)
        self.assertTrue(all(packet.ecn == ECT_0 for _, packet in talk.said))
        talk.forget()
        talk.write(10 * 1460)
        talk.wait(100)
        talk.peer("E", 1, 1461)
        self.assertIs(talk.connection.recovery.state, CongestionState.CWR)
        self.assertEqual(talk.connection.congestion.ssthresh, 7)
        for number in range(2, 11):
            talk.peer("E", 1, 1 + number * 1460)
        self.assertEqual(talk.connection.congestion.ssthresh, 7)
        marked = [packet.segment.flags & 0x80 != 0 for _, packet in talk.said]
        self.assertEqual(marked.count(True), 1)
        self.assertTrue(marked[0])

    def test_retransmissions(self) -> None:
        """
        What is sent again is not capable of it (section 6.1.5).
        """
        talk = self.begin()
        talk.write(10)
        talk.wait(400)
        self.assertEqual([packet.ecn for _, packet in talk.said], [ECT_0, 0])
