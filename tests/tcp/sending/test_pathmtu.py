"""
Tests for L{netlab.tcp.sending.pathmtu}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.sending.pathmtu import PATHS_MAX, PathMTUs
from netlab.tcp.timers import NANOSECONDS


class PathMTUsTests(SynchronousTestCase):
    """
    What is remembered of paths.
    """

    def test_noted(self) -> None:
        """
        What a router has said holds for that peer alone, and never exceeds what our link carries.
        """
        paths = PathMTUs()
        paths.note(b"near", 1200, 0)
        self.assertEqual(paths.mtu(b"near", 1500, 5), 1200)
        self.assertEqual(paths.mtu(b"near", 1000, 5), 1000)
        self.assertEqual(paths.mtu(b"far", 1500, 5), 1500)

    def test_expires(self) -> None:
        """
        It holds for ten minutes from when it was said last (RFC 1191 section 6.3).
        """
        paths = PathMTUs()
        paths.note(b"a", 1200, 0)
        self.assertEqual(paths.mtu(b"a", 1500, 600 * NANOSECONDS - 1), 1200)
        self.assertEqual(paths.mtu(b"a", 1500, 600 * NANOSECONDS), 1500)
        paths.note(b"a", 1100, NANOSECONDS)
        self.assertEqual(paths.mtu(b"a", 1500, 600 * NANOSECONDS), 1100)

    def test_bounded(self) -> None:
        """
        Of more peers than are remembered the one noted first is forgotten.
        """
        paths = PathMTUs()
        for number in range(PATHS_MAX + 1):
            paths.note(number.to_bytes(4), 1000, 0)
        self.assertEqual(paths.mtu((0).to_bytes(4), 1500, 1), 1500)
        self.assertEqual(paths.mtu((1).to_bytes(4), 1500, 1), 1000)
