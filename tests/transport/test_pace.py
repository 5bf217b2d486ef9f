"""
When connections are gathered.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.transport.pace import ALONE_MAX, TOGETHER_SECONDS, Pace

#: What any clock shows.
NOW = 1234567890.0

SOON = TOGETHER_SECONDS / 2


class PaceTests(SynchronousTestCase):
    """
    Arrivals, by the times at which they are noted.
    """

    def setUp(self) -> None:
        """
        The first one comes after a long time.
        """
        self.pace = Pace()
        self.now = NOW
        self.assertFalse(self.pace.is_fast(self.now))

    def arrive(self, seconds: float, times: int = 1) -> list[bool]:
        """
        Note arrivals that follow each other after so many seconds.

        @return: what is said of each.
        """
        said = []
        for _ in range(times):
            self.now += seconds
            said.append(self.pace.is_fast(self.now))
        return said

    def test_slow(self) -> None:
        """
        Those that come slower than they would be gathered never are, however many.
        """
        said = self.arrive(2 * TOGETHER_SECONDS, 10 * ALONE_MAX)
        self.assertNotIn(True, said)

    def test_fast(self) -> None:
        """
        The first fast ones are accepted alone; from the next on they are gathered.
        """
        self.assertNotIn(True, self.arrive(SOON, ALONE_MAX))
        self.assertEqual([True] * 3, self.arrive(SOON, 3))

    def test_at_the_same_time(self) -> None:
        """
        Those that come while the clock stands are fast.
        """
        self.assertEqual([False] * ALONE_MAX + [True], self.arrive(0, ALONE_MAX + 1))

    def test_pause(self) -> None:
        """
        Behind a pause the first ones are alone again.
        """
        self.arrive(SOON, ALONE_MAX + 1)
        self.assertEqual([False], self.arrive(2 * TOGETHER_SECONDS))
        self.assertEqual([False] * ALONE_MAX + [True], self.arrive(SOON, ALONE_MAX + 1))

    def test_clock_set_back(self) -> None:
        """
        A clock that was set back makes nobody fast, and is the one that counts from then on.
        """
        self.arrive(SOON, ALONE_MAX + 1)
        self.assertEqual([False], self.arrive(-3600.0))
        self.assertEqual([False] * ALONE_MAX + [True], self.arrive(SOON, ALONE_MAX + 1))

    def test_slow_down(self) -> None:
        """
        When hardly anybody has come the first ones are alone again, though the next one is soon.
        """
        self.arrive(SOON, ALONE_MAX + 1)
        self.pace.slow_down()
        self.assertEqual([False] * ALONE_MAX + [True], self.arrive(SOON, ALONE_MAX + 1))
