"""
Patience: how long a connection lives whose peer does not answer.
"""

from __future__ import annotations

from itertools import pairwise

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.events import Closed, TimedOut
from netlab.tcp.expiry import time_of_timeouts
from netlab.tcp.segment import Reason
from netlab.tcp.timers import MILLISECOND, NANOSECONDS
from tests.tcp.dialogue import Dialogue


class RetransmissionTests(SynchronousTestCase):
    """
    Data that nobody acknowledges (RFC 9293 section 3.8.3).
    """

    def test_patience_as_linux(self) -> None:
        """
        15 timeouts are 924.6 s, which Linux's documentation says of C{tcp_retries2}.
        """
        self.assertEqual(time_of_timeouts(15, 120 * NANOSECONDS), 924_600 * MILLISECOND)

    def test_given_up(self) -> None:
        """
        After that the connection is given up, without a word.
        """
        talk = Dialogue(self, tcp_retries2=5)
        talk.serve(sack=False)
        talk.write(10)
        talk.wait(30_000)
        self.assertEqual(talk.events(), [TimedOut(), Closed()])
        times = [(time - talk.said[0][0]) / MILLISECOND for time, _ in talk.said]
        # 200 (2**6 - 1) = 12.6 s after the first retransmission at 300 ms.
        self.assertEqual(times, [0, 300, 900, 2100, 4500, 9300])

    def test_longest(self) -> None:
        """
        No wait is longer than 120 s.
        """
        talk = Dialogue(self)
        talk.serve(sack=False)
        talk.write(10)
        talk.wait(1_200_000)
        times = [time for time, _ in talk.said]
        gaps = [after - before for before, after in pairwise(times)]
        self.assertEqual(max(gaps), 120 * NANOSECONDS)
        self.assertEqual(talk.events(), [TimedOut(), Closed()])

    def test_user_timeout(self) -> None:
        """
        The program's patience counts instead (RFC 9293 section 3.9.1.1).
        """
        talk = Dialogue(self)
        talk.serve(sack=False)
        talk.connection.options.user_timeout = 2 * NANOSECONDS
        talk.write(10)
        begin = talk.ms
        talk.wait(60_000)
        self.assertEqual(talk.events(), [TimedOut(), Closed()])
        self.assertLess((talk.said[-1][0] - talk.said[0][0]) / MILLISECOND, 2300)
        self.assertGreaterEqual(talk.ms - begin, 2000)

    def test_orphan(self) -> None:
        """
        An orphan has less: eight timeouts.
        """
        talk = Dialogue(self)
        talk.serve(sack=False)
        talk.write(10)
        talk.close()
        talk.wait(250_000)
        self.assertIsNone(talk.stack.deadline)

    def test_orphan_and_shut_window(self) -> None:
        """
        An orphan whose peer keeps its window shut is given up when its timeout is at the maximum,
        though each probe is answered (RFC 9293 section 3.8.6.1 allows that).
        """
        talk = Dialogue(self)
        talk.serve(win=1000)
        talk.write(5000)
        talk.close()
        talk.forget()
        talk.peer("", 1, 1001, win=0)
        begin = talk.ms
        while talk.stack.deadline is not None:
            talk.wait(1000)
            if talk.said:
                talk.forget()
                talk.peer("", 1, 1001, win=0)
        # 300 ms doubled eight times is 76.8 s, nine times more than 120 s.
        self.assertTrue(153_000 <= talk.ms - begin <= 280_000, talk.ms - begin)


class KeepAliveTests(SynchronousTestCase):
    """
    Keep-alive probes (RFC 9293 section 3.8.4).
    """

    def begin(self) -> Dialogue:
        """
        A connection with two probes, the first after 10 s of silence, one each second.
        """
        talk = Dialogue(self)
        talk.serve()
        second = NANOSECONDS
        talk.connection.set_keepalive(talk.now, time=10 * second, interval=second, probes=2)
        return talk

    def test_answered(self) -> None:
        """
        A probe is an old sequence number without data; its answer begins the silence anew.
        """
        talk = self.begin()
        talk.wait(10_000)
        talk.says("A", 0, 1, reason=Reason.KEEP_ALIVE, at=100 + 10_000)
        talk.peer("", 1, 1)
        talk.wait(9_999)
        talk.silent()
        talk.wait(1)
        talk.says("A", 0, 1, reason=Reason.KEEP_ALIVE)

    def test_unanswered(self) -> None:
        """
        After the last one the peer is reset and the program told.
        """
        talk = self.begin()
        talk.wait(11_999)
        talk.says("A", 0, 1, at=10_100)
        talk.says("A", 0, 1, at=11_100)
        talk.silent()
        talk.wait(1)
        talk.says("RA", 1, 1, at=12_100, reason=Reason.RESET)
        self.assertEqual(talk.events(), [TimedOut(), Closed()])

    def test_off_by_default(self) -> None:
        """
        Without the option nothing is sent, ever.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.wait(100_000_000)
        talk.silent()

    def test_data_reset_the_silence(self) -> None:
        """
        What arrives counts as an answer.
        """
        talk = self.begin()
        talk.wait(6_000)
        talk.peer("P", 1, 1, b"x")
        talk.says("A")
        talk.wait(9_000)
        talk.silent()


class ProbeTests(SynchronousTestCase):
    """
    Window probes that nobody answers.
    """

    def test_given_up(self) -> None:
        """
        After C{tcp_retries2} of them in a row.
        """
        talk = Dialogue(self, tcp_retries2=4)
        talk.serve(win=1000)
        talk.write(5000)
        talk.forget()
        talk.peer("", 1, 1001, win=0)
        talk.wait(1_000_000)
        self.assertEqual(len(talk.said), 4)
        self.assertEqual(talk.events()[-2:], [TimedOut(), Closed()])

    def test_user_timeout(self) -> None:
        """
        Or when the program's patience is over, answered or not (RFC 5482).
        """
        talk = Dialogue(self)
        talk.serve(win=1000)
        talk.connection.options.user_timeout = 3 * NANOSECONDS
        talk.write(5000)
        talk.peer("", 1, 1001, win=0)
        talk.forget()
        for _ in range(100):
            talk.wait(100)
            if talk.said:
                talk.forget()
                talk.peer("", 1, 1001, win=0)
        self.assertEqual(talk.events()[-2:], [TimedOut(), Closed()])
