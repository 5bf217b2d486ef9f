"""
When ACKs leave: RFC 9293 section 3.8.6.3.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.segment import Reason
from tests.tcp.dialogue import Dialogue


class QuickTests(SynchronousTestCase):
    """
    The first segments of a connection.
    """

    def test_at_once(self) -> None:
        """
        Each is acknowledged at once: the peer's window grows by what it hears.
        """
        talk = Dialogue(self)
        talk.serve()
        for number in range(10):
            talk.peer("", 1 + 1460 * number, 1, 1460)
            talk.says("A", 1, 1 + 1460 * (number + 1), reason=Reason.ACK)
        talk.silent()

    def test_then_every_second(self) -> None:
        """
        Then every second full segment is (RFC 5681 section 4.2).
        """
        talk = Dialogue(self)
        talk.serve()
        for number in range(60):
            talk.peer("", 1 + 1460 * number, 1, 1460)
            talk.read()
        acks = [packet.segment for _, packet in talk.said]
        self.assertTrue(30 < len(acks) < 50, len(acks))
        last = [(ack.ack - acks[-5].ack) & 0xFFFFFFFF for ack in acks[-4:]]
        self.assertEqual(last, [2920, 5840, 8760, 11680])


class DelayTests(SynchronousTestCase):
    """
    Delayed ACKs.
    """

    def begin(self) -> Dialogue:
        """
        A connection on which request and answer alternate.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.peer("P", 1, 1, b"ping")
        talk.says("A", 1, 5)
        talk.read()
        talk.write(b"pong")
        talk.says("PA", 1, 5, 4)
        talk.peer("", 5, 5)
        return talk

    def test_waits_for_an_answer(self) -> None:
        """
        The ACK of a request travels with the answer.
        """
        talk = self.begin()
        talk.wait(10)
        talk.peer("P", 5, 5, b"ping")
        talk.silent()
        talk.wait(30)
        talk.read()
        talk.write(b"pong")
        talk.says("PA", 5, 9, 4, reason=Reason.DATA)
        talk.wait(100)
        talk.silent()

    def test_40_milliseconds(self) -> None:
        """
        It does not wait longer than 40 ms.
        """
        talk = self.begin()
        talk.wait(10)
        begin = talk.ms
        talk.peer("P", 5, 5, b"ping")
        talk.read()
        talk.silent()
        talk.wait(500)
        talk.says("A", 5, 9, reason=Reason.DELAYED_ACK, at=begin + 40)

    def test_second_segment(self) -> None:
        """
        Not if a second full segment comes.
        """
        talk = self.begin()
        talk.peer("", 5, 5, 1460)
        talk.read()
        talk.silent()
        talk.peer("", 1465, 5, 1460)
        talk.read()
        talk.says("A", 5, 2925, reason=Reason.ACK)

    def test_out_of_order(self) -> None:
        """
        What is out of order is acknowledged at once, and so is what fills the gap (RFC 5681 section
        4.2).
        """
        talk = self.begin()
        talk.peer("P", 15, 5, b"later")
        talk.says("A", 5, 5, reason=Reason.DUPLICATE_ACK, sacks=((15, 20),))
        talk.peer("P", 5, 5, b"0123456789")
        talk.says("A", 5, 20)

    def test_quickack(self) -> None:
        """
        TCP_QUICKACK sends the one that is owed, and 0 delays them from the beginning.
        """
        talk = self.begin()
        talk.peer("P", 5, 5, b"ping")
        talk.silent()
        talk.connection.set_quickack()
        talk.drain()
        talk.says("A", 5, 9)
        talk = Dialogue(self)
        talk.serve()
        talk.connection.set_quickack(is_on=False)
        talk.peer("P", 1, 1, b"ping")
        talk.silent()
        talk.wait(40)
        talk.says("A", 1, 5, reason=Reason.DELAYED_ACK)


class ReadingTests(SynchronousTestCase):
    """
    Reading hurries the ACK of a peer that seems to have no more to say.
    """

    def test_all_read(self) -> None:
        """
        After a small segment that is read, unless answers are usual.
        """
        talk = Dialogue(self)
        talk.serve()
        for number in range(20):
            talk.peer("P", 1 + 10 * number, 1, 10)
        talk.forget()
        talk.read()
        talk.forget()
        talk.wait(30)
        talk.peer("P", 201, 1, 10)
        talk.silent()
        talk.read()
        talk.says("A", 1, 211, reason=Reason.ACK)
