"""
Tests for L{netlab.connections}.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netlab.connections import OpenConnections


class Connection:
    """
    A connection that is lost when told to be, or only when it is aborted.
    """

    def __init__(self, connections: OpenConnections, *, closes_in_order: bool) -> None:
        self.connections = connections
        self.closes_in_order = closes_in_order
        self.is_aborted = False
        connections.add(self)

    def close(self) -> None:
        """
        Close in order, if that is in its nature.
        """
        if self.closes_in_order:
            self.connections.remove(self)

    def abort(self) -> None:
        """
        Close at once.
        """
        self.is_aborted = True
        self.connections.remove(self)


class CloseTests(SynchronousTestCase):
    """
    Closing all connections of a server.
    """

    def setUp(self) -> None:
        """
        Make a server without a connection.
        """
        self.clock = Clock()
        self.connections = OpenConnections()

    def test_none_open(self) -> None:
        """
        A server without connections is done at once, and leaves no timer.
        """
        self.assertIsNone(self.successResultOf(self.connections.close(self.clock, 2)))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_all_close_in_order(self) -> None:
        """
        Connections that close when asked to are not aborted, and no timer remains.
        """
        opened = [Connection(self.connections, closes_in_order=True) for _ in range(3)]
        self.assertEqual(len(self.connections), 3)
        self.successResultOf(self.connections.close(self.clock, 2))
        self.assertEqual([one.is_aborted for one in opened], [False] * 3)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_grace(self) -> None:
        """
        A connection that does not close is aborted when the grace has passed, not before.
        """
        stubborn = Connection(self.connections, closes_in_order=False)
        done = self.connections.close(self.clock, 2)
        self.clock.advance(1.99)
        self.assertNoResult(done)
        self.assertFalse(stubborn.is_aborted)
        self.clock.advance(0.01)
        self.successResultOf(done)
        self.assertTrue(stubborn.is_aborted)

    def test_closed_within_the_grace(self) -> None:
        """
        A connection that closes after a while ends the waiting, and the timer with it.
        """
        slow = Connection(self.connections, closes_in_order=False)
        done = self.connections.close(self.clock, 2)
        self.clock.advance(1)
        self.connections.remove(slow)
        self.successResultOf(done)
        self.assertEqual(self.clock.getDelayedCalls(), [])
