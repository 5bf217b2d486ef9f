"""
Tests for L{netlab.http1.server.admission}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.limits import Admission
from netlab.http1.server.admission import Gate, peer_key


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


class GateTests(SynchronousTestCase):
    """
    Coming and going.
    """

    def test_in_all(self) -> None:
        """
        As many as the limit says may be there, from wherever.
        """
        gate = Gate(Admission(connections_max=2))
        self.assertEqual([gate.enter(b"a"), gate.enter(b""), gate.enter(b"b")], [True, True, False])
        gate.leave(b"a")
        self.assertTrue(gate.enter(b"b"))
        self.assertEqual(gate.refused, 1)

    def test_per_peer(self) -> None:
        """
        As many of one peer; one without an address is not counted.
        """
        gate = Gate(Admission(connections_per_peer_max=1))
        self.assertEqual(
            [gate.enter(b"a"), gate.enter(b"a"), gate.enter(b"b")], [True, False, True]
        )
        self.assertEqual([gate.enter(b""), gate.enter(b"")], [True, True])
        gate.leave(b"a")
        self.assertTrue(gate.enter(b"a"))

    def test_has_room(self) -> None:
        """
        Whether there is room can be asked without coming.
        """
        gate = Gate(Admission(connections_max=2, connections_per_peer_max=1))
        peers = (b"192.0.2.7", b"192.0.2.8", b"")
        self.assertEqual([True, True, True], [gate.has_room(peer) for peer in peers])
        gate.enter(peers[0])
        self.assertEqual([False, True, True], [gate.has_room(peer) for peer in peers])
        gate.enter(peers[1])
        self.assertEqual([False, False, False], [gate.has_room(peer) for peer in peers])
        gate.leave(peers[0])
        self.assertEqual([True, False, True], [gate.has_room(peer) for peer in peers])
        self.assertEqual(0, gate.refused)

    def test_refusals(self) -> None:
        """
        Only so many are told why; the others are just closed.
        """
        gate = Gate(Admission())
        while gate.enter_refusal():
            pass
        gate.leave_refusal()
        self.assertEqual([gate.enter_refusal(), gate.enter_refusal()], [True, False])
