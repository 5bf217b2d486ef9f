"""
Tests for L{netlab.tcp.sending.bursts}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.connection import TCPConnection
from netlab.tcp.segment import PSH
from netlab.tcp.sending.bursts import burst_segments
from netlab.tcp.timers import MILLISECOND
from tests.tcp.dialogue import Dialogue


class BurstSegmentsTests(SynchronousTestCase):
    """
    How many segments leave as one.
    """

    def connection(self, cwnd: int, rtt: int, **settings: object) -> TCPConnection:
        """
        Make a connection with segments of 1000 bytes.

        @param rtt: milliseconds; 0 for none measured.
        """
        talk = Dialogue(self, **settings)
        talk.serve()
        connection = talk.connection
        connection.mss = 1000
        connection.congestion.cwnd = cwnd
        connection.rtt.srtt = connection.rtt.min_rtt = rtt * MILLISECOND
        return connection

    def test_a_millisecond(self) -> None:
        """
        As many as a 1024th of a second is worth: twice the window per round trip in slow start,
        1.2 times the window near the threshold and above it.
        """
        connection = self.connection(1000, 100)
        self.assertEqual(burst_segments(connection), 2 * 1000 * 10 // 1024)
        connection.congestion.ssthresh = 1000
        self.assertEqual(burst_segments(connection), 12 * 1000 // 1024)

    def test_two_at_least(self) -> None:
        """
        Two, or what is set, also on a slow connection.
        """
        self.assertEqual(burst_segments(self.connection(10, 100)), 2)
        self.assertEqual(burst_segments(self.connection(30, 100, tcp_min_tso_segs=7)), 7)

    def test_half_a_window_at_most(self) -> None:
        """
        Not more than half the window, so that ACKs come; also where no round trip is known.
        """
        self.assertEqual(burst_segments(self.connection(10, 0)), 5)
        self.assertEqual(burst_segments(self.connection(1, 0)), 1)
        self.assertEqual(burst_segments(self.connection(3, 100, tcp_min_tso_segs=7)), 1)

    def test_short_round_trips(self) -> None:
        """
        The shorter the round trip, the more is added: up to what one packet holds.
        """
        near = self.connection(1000, 1)
        self.assertEqual(burst_segments(near), 65)
        far = self.connection(40, 4)
        rate = 2 * 40 * 1000 * 250 // 1024
        self.assertEqual(burst_segments(far), (rate + (65_536 >> 7)) // 1000)
        plain = self.connection(40, 4, tcp_tso_rtt_log=0)
        self.assertEqual(burst_segments(plain), rate // 1000)


class PushTests(SynchronousTestCase):
    """
    What shows of it.
    """

    def test_the_last_of_a_burst(self) -> None:
        """
        The last segment of each burst has PSH, and its retransmission alone has not.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.write(talk.connection.mss * 4 + 1)
        talk.stack.timeout(talk.now)
        segments = [outgoing.segment for _, outgoing in talk.said]
        pushed = [bool(segment.flags & PSH) for segment in segments]
        self.assertEqual(len(pushed), 5)
        self.assertTrue(pushed[-1])
        self.assertEqual(
            [not sent.flags & PSH for sent in talk.connection.board], [True] * 4 + [False]
        )
        self.assertEqual(pushed.count(True), 2 if burst_segments(talk.connection) > 4 else 3)
