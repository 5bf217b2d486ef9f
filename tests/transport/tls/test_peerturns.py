"""
Tests for L{netlab.transport.tls.peerturns}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis.strategies import integers, lists, sampled_from, tuples
from twisted.trial.unittest import SynchronousTestCase

from netlab.transport.tls.peerturns import PeerTurns, peer_key


class PeerKeyTests(SynchronousTestCase):
    """
    Who counts as one peer.
    """

    def test_ipv4(self) -> None:
        """
        Each address, also where a port for both families shows it within ::ffff:0:0/96, which is
        one /64 for the whole IPv4 Internet.
        """
        keys = {peer_key(peer) for peer in (b"192.0.2.1", b"::ffff:192.0.2.1", b"::FFFF:c000:201")}
        self.assertEqual(keys, {b"192.0.2.1"})
        self.assertNotEqual(peer_key(b"::ffff:192.0.2.1"), peer_key(b"::ffff:192.0.2.2"))

    def test_ipv6(self) -> None:
        """
        Each /64, whatever the zone.
        """
        self.assertEqual(peer_key(b"2001:db8::1"), peer_key(b"2001:db8::ffff:1"))
        self.assertNotEqual(peer_key(b"2001:db8::1"), peer_key(b"2001:db8:0:1::1"))
        self.assertEqual(peer_key(b"fe80::1%eth0"), peer_key(b"fe80::2%eth1"))

    def test_others(self) -> None:
        """
        What is no address stands for itself.
        """
        self.assertEqual(peer_key(b"a:b"), b"a:b")


class TurnsTests(SynchronousTestCase):
    """
    Who is served next, and who gives way.
    """

    def taken(self, turns: PeerTurns[int]) -> list[int]:
        """
        Take all.
        """
        found = []
        while (item := turns.take()) is not None:
            found.append(item)
        return found

    def test_in_turn(self) -> None:
        """
        Peers are served in turn, each its oldest first.
        """
        turns: PeerTurns[int] = PeerTurns(10)
        for peer, item in ((b"a", 1), (b"a", 2), (b"a", 3), (b"b", 4), (b"c", 5), (b"b", 6)):
            self.assertIsNone(turns.add(peer, item))
        self.assertEqual(self.taken(turns), [1, 4, 5, 2, 6, 3])
        self.assertEqual(len(turns), 0)

    def test_who_gives_way(self) -> None:
        """
        Where there is no room the newest of the peer with the most gives way to one that has less;
        of peers that have as much, who comes last goes.
        """
        turns: PeerTurns[int] = PeerTurns(4)
        for item in range(4):
            turns.add(b"a", item)
        self.assertEqual(turns.add(b"a", 9), 9)
        self.assertEqual(turns.add(b"b", 10), 3)
        self.assertEqual(turns.add(b"b", 11), 2)
        self.assertEqual(turns.add(b"b", 12), 12)
        self.assertEqual(turns.add(b"c", 13), 1)
        self.assertEqual(turns.add(b"d", 14), 11)
        self.assertEqual(turns.add(b"e", 15), 15)
        self.assertEqual(self.taken(turns), [0, 10, 13, 14])

    def test_going(self) -> None:
        """
        What is removed is not served, and leaves room.
        """
        turns: PeerTurns[int] = PeerTurns(2)
        turns.add(b"a", 1)
        turns.add(b"a", 2)
        self.assertTrue(turns.remove(b"a", 1))
        self.assertFalse(turns.remove(b"a", 1))
        self.assertFalse(turns.remove(b"b", 2))
        self.assertIsNone(turns.add(b"a", 3))
        self.assertEqual(self.taken(turns), [2, 3])
        self.assertFalse(turns.remove(b"a", 3))

    @given(lists(tuples(sampled_from((b"a", b"b", b"c")), integers(0, 3)), max_size=60))
    def test_shares(self, steps: list[tuple[bytes, int]]) -> None:
        """
        Never do more wait than may, and a peer that keeps to its share is never turned away.
        """
        most, peers = 6, 3
        turns: PeerTurns[tuple[bytes, int]] = PeerTurns(most)
        waiting: list[tuple[bytes, int]] = []
        for number, (peer, kind) in enumerate(steps):
            if kind:
                own = sum(each[0] == peer for each in waiting)
                out = turns.add(peer, (peer, number))
                waiting.append((peer, number))
                if out is not None:
                    waiting.remove(out)
                    if own < most // peers:
                        self.assertNotEqual(out, (peer, number))
            else:
                item = turns.take()
                self.assertEqual(item is None, not waiting)
                if item is not None:
                    waiting.remove(item)
            self.assertEqual(len(turns), len(waiting))
            self.assertLessEqual(len(turns), most)
