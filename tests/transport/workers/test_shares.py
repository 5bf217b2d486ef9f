"""
Tests for L{netlab.transport.workers.shares}, and what a port does by them.
"""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from netlab.transport.port import ACCEPTS_AFTER_OTHERS
from netlab.transport.workers.shares import WorkerShares, create_shares
from tests.transport.connections import ConnectionTestCase, Recorder


class SharesTests(SynchronousTestCase):
    """
    The counts, seen by two processes.
    """

    def setUp(self) -> None:
        """
        Make counts for three, and look at them twice.
        """
        descriptor = create_shares(3)
        self.ours, self.theirs = WorkerShares(descriptor), WorkerShares(descriptor)
        os.close(descriptor)

    def test_shared(self) -> None:
        """
        What one writes the other sees. Who takes no connections is nobody to wait for.
        """
        self.ours.note(0, 2)
        self.assertFalse(self.ours.has_its_share(0))
        self.theirs.note(1, 0)
        self.assertTrue(self.ours.has_its_share(0))
        self.assertFalse(self.theirs.has_its_share(1))
        self.theirs.note(1, None)
        self.assertFalse(self.ours.has_its_share(0))

    def test_bounds(self) -> None:
        """
        A share is what the least has, one more, and an eighth.
        """
        for least, share in ((0, 1), (7, 8), (8, 10), (800, 901)):
            self.theirs.note(1, least)
            self.ours.note(0, share)
            self.assertFalse(self.ours.has_its_share(0))
            self.ours.note(0, share + 1)
            self.assertTrue(self.ours.has_its_share(0))


class LettingOthersTests(ConnectionTestCase):
    """
    A port that has its share.
    """

    def test_lets_others(self) -> None:
        """
        It waits for a moment before it accepts, and then takes some all the same.
        """
        port, factory = self.listen(Recorder)
        port.lets_others = lambda: True
        for _ in range(ACCEPTS_AFTER_OTHERS + 1):
            self.connect(port)
        port.doRead()
        self.assertEqual(factory.built, [])
        self.assertNotIn(port, self.watcher.getReaders())
        self.turn_until(lambda: factory.built)
        self.assertEqual(len(factory.built), ACCEPTS_AFTER_OTHERS)
        self.turn_until(lambda: len(factory.built) > ACCEPTS_AFTER_OTHERS)

    def test_closed_meanwhile(self) -> None:
        """
        A port that is closed while it waits leaves nothing behind.
        """
        port, factory = self.listen(Recorder)
        port.lets_others = lambda: True
        self.connect(port)
        port.doRead()
        port.stopListening()
        self.turn_until(lambda: not port.connected)
        self.assertEqual(factory.built, [])
