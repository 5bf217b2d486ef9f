"""
TIME-WAIT.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.segment import Reason
from netlab.tcp.stack import AddressInUseError
from netlab.tcp.states import TCPState
from netlab.tcp.timewait import ISS_STEP
from tests.tcp.dialogue import LOCAL, LOCAL_PORT, PEER, PEER_PORT, Dialogue


def waiting(case: SynchronousTestCase, **options: object) -> Dialogue:
    """
    Bring a connection to TIME-WAIT.
    """
    settings = {name: value for name, value in options.items() if name.startswith("tcp_")}
    others = {name: value for name, value in options.items() if name not in settings}
    talk = Dialogue(case, **settings)
    talk.serve(**others)  # type: ignore[arg-type]
    talk.close()
    talk.says("FA", 1, 1)
    talk.peer("F", 1, 2)
    talk.says("A", 2, 2)
    case.assertIs(talk.connection.state, TCPState.TIME_WAIT)
    return talk


class SegmentTests(SynchronousTestCase):
    """
    What arrives there.
    """

    def test_reset(self) -> None:
        """
        A reset ends it, unless C{tcp_rfc1337} is set: an old one could (RFC 1337).
        """
        for value, state in ((0, TCPState.CLOSED), (1, TCPState.TIME_WAIT)):
            talk = waiting(self, tcp_rfc1337=value)
            talk.peer("R", 2)
            self.assertIs(talk.connection.state, state)

    def test_old_data(self) -> None:
        """
        Old data are answered with what is expected, not more than twice a second.
        """
        talk = waiting(self)
        for _ in range(5):
            talk.peer("P", 1, 2, b"old")
        talk.says("A", 2, 2, reason=Reason.UNACCEPTABLE)
        talk.silent()

    def test_pure_ack(self) -> None:
        """
        An ACK of what is expected is no news.
        """
        talk = waiting(self)
        talk.peer("", 2, 2)
        talk.silent()


class NewConnectionTests(SynchronousTestCase):
    """
    A SYN of a new connection with the same addresses and ports.
    """

    def test_above(self) -> None:
        """
        With a number above all of the old connection's it opens one, whose own numbers are above
        the old ones, too (RFC 9293 section 3.6.1).
        """
        talk = waiting(self)
        talk.peer("S", 100_000, options=talk.syn_options())
        packet = talk.says("SA", 2 + ISS_STEP, 100_001)
        talk.iss = packet.segment.seq
        talk.peer("", 100_001, 1)
        talk.accept()
        self.assertIs(talk.connection.state, TCPState.ESTABLISHED)

    def test_below(self) -> None:
        """
        With one below it does not.
        """
        talk = waiting(self)
        talk.peer("S", 1, options=talk.syn_options())
        self.assertIs(talk.connection.state, TCPState.TIME_WAIT)
        self.assertFalse(any(packet.segment.flags & 2 for _, packet in talk.said))

    def test_timestamp(self) -> None:
        """
        A later timestamp is enough (RFC 6191 section 2).
        """
        talk = waiting(self, times=True)
        talk.wait(10)
        talk.peer("S", -5000, options=talk.syn_options(times=True))
        talk.says("SA", None, (1 << 32) - 4999)

    def test_older_timestamp(self) -> None:
        """
        An older one is an old SYN, whatever its number.
        """
        talk = waiting(self, times=True)
        talk.peer_clock_offset = -1000
        talk.peer("S", 100_000, options=talk.syn_options(times=True))
        self.assertIs(talk.connection.state, TCPState.TIME_WAIT)

    def test_no_listener(self) -> None:
        """
        Without a listener it does not.
        """
        talk = waiting(self)
        talk.listener.close(talk.now)
        talk.peer("S", 100_000, options=talk.syn_options())
        self.assertIs(talk.connection.state, TCPState.TIME_WAIT)


class ReuseTests(SynchronousTestCase):
    """
    Opening a connection in place of one in TIME-WAIT.
    """

    def test_off(self) -> None:
        """
        It is refused by default.
        """
        talk = waiting(self, times=True)
        talk.wait(2000)
        with self.assertRaises(AddressInUseError):
            talk.stack.connect(talk.now, (PEER, PEER_PORT), (LOCAL, LOCAL_PORT))

    def test_on(self) -> None:
        """
        With C{tcp_tw_reuse} = 1 it is allowed, a second after the last segment, if there are
        timestamps (RFC 6191 section 3).
        """
        talk = waiting(self, times=True, tcp_tw_reuse=1)
        with self.assertRaises(AddressInUseError):
            talk.stack.connect(talk.now, (PEER, PEER_PORT), (LOCAL, LOCAL_PORT))
        talk.wait(1001)
        talk.stack.connect(talk.now, (PEER, PEER_PORT), (LOCAL, LOCAL_PORT))
        talk.drain()
        talk.says("S", 2 + ISS_STEP)


class BoundTests(SynchronousTestCase):
    """
    How many there are.
    """

    def test_too_many(self) -> None:
        """
        Beyond C{tcp_max_tw_buckets} a connection ends at once.
        """
        talk = Dialogue(self, tcp_max_tw_buckets=0)
        talk.serve()
        talk.close()
        talk.says("FA")
        talk.peer("F", 1, 2)
        talk.says("A", 2, 2)
        self.assertIs(talk.connection.state, TCPState.CLOSED)
        self.assertIsNone(talk.stack.deadline)
