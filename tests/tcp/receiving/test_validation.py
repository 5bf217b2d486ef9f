"""
What is acceptable: RFC 9293 section 3.10.7.4, RFC 5961, RFC 7323.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.events import Closed, WasReset
from netlab.tcp.segment import Reason
from netlab.tcp.states import TCPState
from tests.tcp.dialogue import Dialogue


class ResetTests(SynchronousTestCase):
    """
    Blind resets (RFC 5961 section 3).
    """

    def test_in_window(self) -> None:
        """
        A reset in the window, not at its edge, is challenged.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.peer("R", 100)
        talk.says("A", 1, 1, reason=Reason.CHALLENGE_ACK)
        self.assertIs(talk.connection.state, TCPState.ESTABLISHED)

    def test_outside(self) -> None:
        """
        One outside is dropped without a word.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.peer("R", 100_000)
        talk.peer("R", -1)
        talk.silent()
        self.assertIs(talk.connection.state, TCPState.ESTABLISHED)

    def test_answer_to_challenge(self) -> None:
        """
        A peer that has lost the connection answers the challenge with the number that it has, and
        that is believed.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.peer("R", 100)
        challenge = talk.says("A", 1, 1)
        talk.peer("R", 1)
        self.assertEqual(challenge.segment.flags & 16, 16)
        self.assertEqual(talk.events(), [WasReset(), Closed()])

    def test_after_fin(self) -> None:
        """
        After the peer's FIN, one with the FIN's number is right, too: it has not seen our ACK.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.peer("F", 1, 1)
        talk.says("A", 1, 2)
        talk.peer("R", 1)
        self.assertIs(talk.connection.state, TCPState.CLOSED)


class SynTests(SynchronousTestCase):
    """
    SYNs in an established connection (RFC 5961 section 4).
    """

    def test_challenged(self) -> None:
        """
        It is challenged, wherever it lies.
        """
        for seq in (0, 1, 100, 1_000_000):
            talk = Dialogue(self)
            talk.serve()
            talk.peer("S", seq)
            talk.says("A", 1, 1, reason=Reason.CHALLENGE_ACK)
            self.assertIs(talk.connection.state, TCPState.ESTABLISHED)


class ChallengeTests(SynchronousTestCase):
    """
    How many challenges there are.
    """

    def test_per_connection(self) -> None:
        """
        One in C{tcp_invalid_ratelimit}.
        """
        talk = Dialogue(self)
        talk.serve()
        for _ in range(100):
            talk.peer("R", 100)
        talk.says("A")
        talk.silent()
        talk.wait(499)
        talk.peer("R", 100)
        talk.silent()
        talk.wait(1)
        talk.peer("R", 100)
        talk.says("A")

    def test_per_host(self) -> None:
        """
        And C{tcp_challenge_ack_limit} in a second for all connections (RFC 5961 section 7).
        """
        talk = Dialogue(self, tcp_challenge_ack_limit=0)
        talk.serve()
        talk.peer("R", 100)
        talk.silent()


class AckTests(SynchronousTestCase):
    """
    Acknowledgment numbers (RFC 5961 section 5).
    """

    def test_beyond(self) -> None:
        """
        What was never sent cannot be acknowledged; data that come with it are dropped.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.peer("P", 1, 2, b"injected")
        talk.says("A", 1, 1, reason=Reason.CHALLENGE_ACK)
        self.assertFalse(talk.connection.is_readable)

    def test_far_behind(self) -> None:
        """
        Nor is one taken that lies more than the largest window behind.
        """
        talk = Dialogue(self)
        talk.serve(win=1000)
        talk.peer("P", 1, 1 - 1001, b"injected", win=1000)
        talk.says("A", 1, 1, reason=Reason.CHALLENGE_ACK)
        self.assertFalse(talk.connection.is_readable)

    def test_old(self) -> None:
        """
        An old one is harmless, and its data count.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.write(10)
        talk.says("PA", 1, 1, 10)
        talk.peer("", 1, 11)
        talk.peer("P", 1, 1, b"data")
        self.assertEqual(talk.read(), b"data")

    def test_none(self) -> None:
        """
        A segment without ACK is dropped.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.peer("P", 1, None, b"data")
        talk.silent()
        self.assertFalse(talk.connection.is_readable)


class WindowTests(SynchronousTestCase):
    """
    Sequence numbers (RFC 9293 section 3.4).
    """

    def test_old_data(self) -> None:
        """
        Old data are acknowledged, with a D-SACK (RFC 2883 section 4.1.1).
        """
        talk = Dialogue(self)
        talk.serve()
        talk.peer("P", 1, 1, b"data")
        talk.says("A", 1, 5)
        talk.peer("P", 1, 1, b"data")
        talk.says("A", 1, 5, sacks=((1, 5),))

    def test_beyond(self) -> None:
        """
        What lies beyond the window is answered with what is expected.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.peer("P", 100_000, 1, b"data")
        talk.says("A", 1, 1, reason=Reason.UNACCEPTABLE)
        self.assertFalse(talk.connection.is_readable)

    def test_pure_acks_are_limited(self) -> None:
        """
        Pure ACKs from outside are answered once in C{tcp_invalid_ratelimit}: two machines that have
        lost each other would answer for ever.
        """
        talk = Dialogue(self)
        talk.serve()
        for _ in range(10):
            talk.peer("", 100_000, 1)
        talk.says("A", 1, 1, reason=Reason.UNACCEPTABLE)
        talk.silent()

    def test_overlap(self) -> None:
        """
        Of a segment that begins before the window the new part counts.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.peer("P", 1, 1, b"abc")
        talk.peer("P", 1, 1, b"abcdef")
        self.assertEqual(talk.read(), b"abcdef")

    def test_right_edge(self) -> None:
        """
        Of one that ends behind the window, the part within it.
        """
        talk = Dialogue(self, tcp_rmem=(2000, 4000, 4000))
        talk.serve(sack=False)
        talk.peer("", 1, 1, 3000)
        self.assertEqual(len(talk.read()), 1460)


class TimestampTests(SynchronousTestCase):
    """
    PAWS (RFC 7323 section 5).
    """

    def begin(self) -> Dialogue:
        """
        A connection with timestamps, on which data have arrived.
        """
        talk = Dialogue(self)
        talk.serve(times=True)
        talk.wait(2000)
        talk.peer("P", 1, 1, b"first")
        talk.says("A", 1, 6)
        return talk

    def test_old(self) -> None:
        """
        An older timestamp makes a segment unacceptable, whatever its numbers.
        """
        talk = self.begin()
        talk.peer("P", 6, 1, b"old", value=talk.peer_clock() - 1500)
        talk.says("A", 1, 6, reason=Reason.UNACCEPTABLE)
        self.assertEqual(talk.read(), b"first")

    def test_reset(self) -> None:
        """
        But not a reset (section 5.2).
        """
        talk = self.begin()
        talk.peer("R", 6, None, value=talk.peer_clock() - 1500)
        self.assertIs(talk.connection.state, TCPState.CLOSED)

    def test_echo(self) -> None:
        """
        What is echoed is the timestamp of the segment that moved the window, not of one that came
        out of order (section 4.3).
        """
        talk = self.begin()
        value = talk.peer_clock()
        talk.wait(10)
        talk.peer("P", 100, 1, b"later")
        packet = talk.says("A", 1, 6, reason=Reason.DUPLICATE_ACK)
        times = talk.options_of(packet).timestamps
        assert times is not None
        self.assertEqual(times[1], value & 0xFFFFFFFF)

    def test_after_24_days(self) -> None:
        """
        After 24 days of silence the peer's clock may have wrapped (section 5.5).
        """
        talk = self.begin()
        talk.wait(24 * 24 * 3600 * 1000)
        talk.peer("P", 6, 1, b"new", value=talk.peer_clock() - 3_000_000_000)
        self.assertEqual(talk.read(), b"firstnew")

    def test_overtaken_ack(self) -> None:
        """
        A pure ACK that another overtook is not answered: it would look like a duplicate ACK.
        """
        talk = self.begin()
        talk.peer("", 6, 1, value=talk.peer_clock() - 5)
        talk.silent()
