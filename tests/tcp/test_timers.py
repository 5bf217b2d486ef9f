"""
Timers.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.timers import NEVER, Timer, Timers


class TimersTests(SynchronousTestCase):
    """
    Three of them, each for one thing at a time.
    """

    def test_earliest(self) -> None:
        """
        The deadline is that of the first, and they end in order.
        """
        timers = Timers()
        self.assertEqual(timers.deadline, NEVER)
        timers.start(Timer.RETRANSMISSION, 30)
        timers.start(Timer.DELAYED_ACK, 10)
        timers.start(Timer.KEEP_ALIVE, 20)
        self.assertEqual(timers.deadline, 10)
        self.assertIsNone(timers.pop_expired(9))
        ends = [timers.pop_expired(25) for _ in range(3)]
        self.assertEqual(ends, [Timer.DELAYED_ACK, Timer.KEEP_ALIVE, None])
        self.assertEqual(timers.deadline, 30)

    def test_one_for_another(self) -> None:
        """
        To start one for something stops it for what it was running for.
        """
        timers = Timers()
        timers.start(Timer.RETRANSMISSION, 30)
        timers.start(Timer.LOSS_PROBE, 20)
        self.assertIs(timers.sender, Timer.LOSS_PROBE)
        self.assertEqual(
            (timers.at(Timer.RETRANSMISSION), timers.at(Timer.LOSS_PROBE)), (NEVER, 20)
        )
        timers.stop(Timer.RETRANSMISSION)
        self.assertEqual(timers.deadline, 20)
        timers.stop_sender()
        self.assertEqual(timers.deadline, NEVER)
