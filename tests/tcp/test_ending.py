"""
How connections end: RFC 9293 section 3.6.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.events import Closed, PeerClosed, Readable, WasReset
from netlab.tcp.segment import Reason
from netlab.tcp.states import TCPState
from tests.tcp.dialogue import Dialogue


class CloseTests(SynchronousTestCase):
    """
    FINs.
    """

    def test_active(self) -> None:
        """
        FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT (figure 12).
        """
        talk = Dialogue(self)
        talk.serve()
        talk.shutdown()
        talk.says("FA", 1, 1, reason=Reason.CLOSE)
        self.assertIs(talk.connection.state, TCPState.FIN_WAIT_1)
        talk.peer("", 1, 2)
        self.assertIs(talk.connection.state, TCPState.FIN_WAIT_2)
        talk.peer("F", 1, 2)
        talk.says("A", 2, 2)
        self.assertIs(talk.connection.state, TCPState.TIME_WAIT)
        self.assertEqual(talk.events(), [PeerClosed(), Closed()])
        talk.wait(59_999)
        self.assertIs(talk.connection.state, TCPState.TIME_WAIT)
        talk.wait(1)
        self.assertIs(talk.connection.state, TCPState.CLOSED)
        self.assertEqual(talk.events(), [])
        talk.silent()

    def test_passive(self) -> None:
        """
        CLOSE-WAIT, LAST-ACK.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.peer("F", 1, 1)
        talk.says("A", 1, 2, reason=Reason.ACK)
        self.assertIs(talk.connection.state, TCPState.CLOSE_WAIT)
        self.assertEqual(talk.events(), [PeerClosed()])
        talk.close()
        talk.says("FA", 1, 2)
        self.assertIs(talk.connection.state, TCPState.LAST_ACK)
        talk.peer("", 2, 2)
        self.assertIs(talk.connection.state, TCPState.CLOSED)
        self.assertEqual(talk.events(), [Closed()])

    def test_simultaneous(self) -> None:
        """
        CLOSING: FINs cross (figure 13).
        """
        talk = Dialogue(self)
        talk.serve()
        talk.shutdown()
        talk.says("FA", 1, 1)
        talk.peer("F", 1, 1)
        talk.says("A", 2, 2)
        self.assertIs(talk.connection.state, TCPState.CLOSING)
        talk.peer("", 2, 2)
        self.assertIs(talk.connection.state, TCPState.TIME_WAIT)

    def test_three_segments(self) -> None:
        """
        A FIN that acknowledges ours brings us straight to TIME-WAIT.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.shutdown()
        talk.says("FA", 1, 1)
        talk.peer("F", 1, 2)
        talk.says("A", 2, 2)
        self.assertIs(talk.connection.state, TCPState.TIME_WAIT)

    def test_half_close(self) -> None:
        """
        After our FIN the peer may send on, and it is acknowledged.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.shutdown()
        talk.says("FA", 1, 1)
        talk.peer("P", 1, 2, b"the rest")
        talk.says("A", 2, 9)
        self.assertEqual(talk.read(), b"the rest")
        self.assertEqual(talk.write(b"no"), 0)

    def test_data_after_the_peers_half_close(self) -> None:
        """
        After the peer's FIN we may send on.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.peer("F", 1, 1)
        talk.says("A", 1, 2)
        talk.write(b"the rest")
        talk.says("PA", 1, 2, 8)
        talk.close()
        talk.says("FA", 9, 2)

    def test_fin_behind_data(self) -> None:
        """
        The FIN follows what was written, in the last segment, and Nagle does not hold that up.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.write(100)
        talk.says("PA", 1, 1, 100)
        talk.write(50)
        talk.silent()
        talk.shutdown()
        talk.says("FPA", 101, 1, 50)

    def test_fin_before_data(self) -> None:
        """
        A FIN that overtakes data is taken when they have come.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.peer("F", 11, 1, b"rest")
        talk.says("A", 1, 1, sacks=((11, 15),))
        self.assertIs(talk.connection.state, TCPState.ESTABLISHED)
        talk.peer("", 1, 1, b"0123456789")
        talk.says("A", 1, 16)
        self.assertIs(talk.connection.state, TCPState.CLOSE_WAIT)
        self.assertEqual(talk.read(), b"0123456789rest")

    def test_fin_again(self) -> None:
        """
        A FIN that comes again is acknowledged again, and TIME-WAIT begins again (RFC 9293 section
        3.10.7.4, eighth).
        """
        talk = Dialogue(self)
        talk.serve()
        talk.shutdown()
        talk.says("FA")
        talk.peer("F", 1, 2)
        talk.says("A", 2, 2)
        talk.wait(59_000)
        talk.peer("F", 1, 2)
        talk.says("A", 2, 2)
        talk.wait(59_000)
        self.assertIs(talk.connection.state, TCPState.TIME_WAIT)

    def test_fin_lost(self) -> None:
        """
        Our FIN leaves again after a timeout.
        """
        talk = Dialogue(self)
        talk.serve(sack=False)
        talk.shutdown()
        talk.says("FA", 1, 1, at=100)
        talk.wait(1000)
        # SRTT 100 ms and RTTVAR 50, of which four are the minimum of 200 (RFC 6298 section 2).
        talk.says("FA", 1, 1, at=400, reason=Reason.RETRANSMISSION_TIMEOUT)


class ResetTests(SynchronousTestCase):
    """
    Resets.
    """

    def test_unread(self) -> None:
        """
        To close with something unread resets (RFC 2525 section 2.17).
        """
        talk = Dialogue(self)
        talk.serve()
        talk.peer("P", 1, 1, b"unread")
        talk.says("A", 1, 7)
        talk.close()
        talk.says("RA", 1, 7, reason=Reason.RESET)
        self.assertIs(talk.connection.state, TCPState.CLOSED)
        self.assertEqual(talk.events(), [Readable(), Closed()])

    def test_abort(self) -> None:
        """
        So does abort, whatever was written.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.write(b"x")
        talk.says("PA", 1, 1, 1)
        talk.abort()
        talk.says("RA", 2, 1)
        talk.wait(10_000)
        talk.silent()

    def test_linger(self) -> None:
        """
        So does close with a linger time of 0.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.connection.options.linger = 0
        talk.close()
        talk.says("RA", 1, 1)

    def test_data_for_an_orphan(self) -> None:
        """
        Data that come after close are reset: nobody will read them.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.close()
        talk.says("FA", 1, 1)
        talk.peer("P", 1, 2, b"more")
        talk.says("R", 2)
        self.assertIs(talk.connection.state, TCPState.CLOSED)

    def test_arrives(self) -> None:
        """
        A reset with exactly the number that is expected ends the connection at once.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.write(b"x")
        talk.says("PA", 1, 1, 1)
        talk.peer("R", 1)
        self.assertEqual(talk.events(), [WasReset(), Closed()])
        self.assertIsNone(talk.stack.deadline)
        self.assertEqual(talk.write(b"y"), 0)


class OrphanTests(SynchronousTestCase):
    """
    Connections whose program has gone.
    """

    def test_fin_wait_2(self) -> None:
        """
        An orphan waits C{tcp_fin_timeout} for its peer's FIN.
        """
        talk = Dialogue(self, tcp_fin_timeout=10)
        talk.serve()
        talk.close()
        talk.says("FA")
        talk.peer("", 1, 2)
        self.assertIs(talk.connection.state, TCPState.FIN_WAIT_2)
        talk.wait(9_999)
        self.assertIs(talk.connection.state, TCPState.FIN_WAIT_2)
        talk.wait(1)
        self.assertIs(talk.connection.state, TCPState.CLOSED)
        talk.silent()

    def test_close_after_shutdown(self) -> None:
        """
        It begins to be one when it closes after a half-close.
        """
        talk = Dialogue(self, tcp_fin_timeout=10)
        talk.serve()
        talk.shutdown()
        talk.says("FA")
        talk.peer("", 1, 2)
        talk.wait(50_000)
        self.assertIs(talk.connection.state, TCPState.FIN_WAIT_2)
        talk.close()
        talk.wait(10_000)
        self.assertIs(talk.connection.state, TCPState.CLOSED)
