"""
Tests for L{netlab.http1.server.admission}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.limits import Admission
from netlab.http1.server.admission import Gate


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
