"""
ICMP.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.events import Closed, Refused, Unreachable
from netlab.tcp.icmp import PATH_MTU_MIN, ICMPMessage
from netlab.tcp.segment import Reason
from netlab.tcp.sending.pathmtu import PATHS_MAX, PathMTUs
from netlab.tcp.states import TCPState
from tests.tcp.dialogue import LOCAL, PEER, PEER_PORT, Dialogue


def tell(talk: Dialogue, message: ICMPMessage, seq: int, mtu: int = 0) -> None:
    """
    Let a message arrive about a segment with a relative sequence number.
    """
    talk.stack.icmp_arrives(
        talk.now,
        message,
        LOCAL,
        talk.local_port,
        PEER,
        PEER_PORT,
        (talk.iss + seq) & 0xFFFFFFFF,
        mtu,
    )
    talk.drain()


class PathMtuTests(SynchronousTestCase):
    """
    Packets that are too big (RFC 1191).
    """

    def begin(self) -> Dialogue:
        """
        Three full segments are under way.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.write(3 * 1460)
        talk.forget()
        return talk

    def test_smaller(self) -> None:
        """
        What was too big leaves again at once in smaller segments, and that is no congestion.
        """
        talk = self.begin()
        cwnd = talk.connection.congestion.cwnd
        tell(talk, ICMPMessage.TOO_BIG, 1, 1240)
        talk.says("A", 1, 1, 1200, reason=Reason.PATH_MTU)
        talk.says("A", 1201, 1, 260)
        talk.says("A", 1461, 1, 1200)
        talk.forget()
        self.assertEqual(talk.connection.congestion.cwnd, cwnd)
        talk.wait(50)
        talk.peer("", 1, 4381)
        self.assertEqual(talk.connection.congestion.ssthresh, 0x7FFFFFFF)
        talk.write(2000)
        talk.says("A", 4381, 1, 1200)

    def test_not_in_flight(self) -> None:
        """
        A message about what is not in flight is made up (RFC 5927 section 4.1).
        """
        talk = self.begin()
        for seq in (0, -1, 4381, 100_000):
            tell(talk, ICMPMessage.TOO_BIG, seq, 600)
        talk.silent()
        self.assertEqual(talk.connection.mss, 1460)

    def test_floor(self) -> None:
        """
        No message makes segments tiny (RFC 5927 section 7.3).
        """
        talk = self.begin()
        tell(talk, ICMPMessage.TOO_BIG, 1, 68)
        self.assertEqual(talk.connection.path_mtu, PATH_MTU_MIN)

    def test_never_larger(self) -> None:
        """
        Nor larger.
        """
        talk = self.begin()
        tell(talk, ICMPMessage.TOO_BIG, 1, 9000)
        self.assertEqual(talk.connection.path_mtu, 1500)


class MemoryTests(SynchronousTestCase):
    """
    What is remembered of paths (RFC 1191 section 6.3).
    """

    def test_next_connection(self) -> None:
        """
        A new connection begins with what was learned, for ten minutes.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.write(1460)
        talk.forget()
        tell(talk, ICMPMessage.TOO_BIG, 1, 1240)
        for wait, mtu in ((599_000, 1240), (1_000, 1500)):
            talk.wait(wait)
            self.assertEqual(talk.stack.connect(talk.now, (PEER, 9)).path_mtu, mtu)
            talk.stack.packets_to_send(talk.now)

    def test_bound(self) -> None:
        """
        So many peers are remembered, and the one noted first is forgotten.
        """
        paths = PathMTUs()
        for number in range(PATHS_MAX + 1):
            paths.note(number.to_bytes(4), 1000, 0)
        self.assertEqual(paths.mtu((0).to_bytes(4), 1500, 1), 1500)
        self.assertEqual(paths.mtu((1).to_bytes(4), 1500, 1), 1000)
        self.assertEqual(paths.mtu((1).to_bytes(4), 900, 1), 900)


class BlackHoleTests(SynchronousTestCase):
    """
    A path that swallows large packets and says nothing.
    """

    def test_falls_back(self) -> None:
        """
        With C{tcp_mtu_probing} = 1 segments become smaller after C{tcp_retries1} timeouts (RFC 4821
        section 7.7).
        """
        for value, size in ((1, 1024), (0, 1460)):
            talk = Dialogue(self, tcp_mtu_probing=value)
            talk.serve(sack=False)
            talk.write(1460)
            talk.wait(4000)
            self.assertEqual(len(talk.said[-1][1].segment.payload), size)


class UnreachableTests(SynchronousTestCase):
    """
    Destinations that are not there.
    """

    def test_while_opening(self) -> None:
        """
        It ends a connection that is being opened, as Linux has it.
        """
        for message, event in (
            (ICMPMessage.PORT_UNREACHABLE, Refused()),
            (ICMPMessage.UNREACHABLE, Unreachable()),
        ):
            talk = Dialogue(self)
            talk.connect()
            tell(talk, message, 0)
            self.assertEqual(talk.events(), [event, Closed()])

    def test_while_being_opened(self) -> None:
        """
        Or by the peer, whose SYN-ACK does not arrive.
        """
        talk = Dialogue(self)
        talk.listen()
        talk.peer("S", 0, options=talk.syn_options())
        talk.iss = talk.says("SA").segment.seq
        tell(talk, ICMPMessage.UNREACHABLE, 0)
        self.assertEqual(talk.listener.half_open, {})
        self.assertIsNone(talk.stack.deadline)

    def test_later(self) -> None:
        """
        It does not end one that is established (RFC 5461 section 4).
        """
        talk = Dialogue(self)
        talk.serve()
        talk.write(10)
        tell(talk, ICMPMessage.UNREACHABLE, 1)
        self.assertIs(talk.connection.state, TCPState.ESTABLISHED)

    def test_time_exceeded(self) -> None:
        """
        Nor does a routing loop end anything.
        """
        talk = Dialogue(self)
        talk.connect()
        tell(talk, ICMPMessage.TIME_EXCEEDED, 0)
        self.assertIs(talk.connection.state, TCPState.SYN_SENT)
