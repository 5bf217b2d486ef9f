"""
Tests of what is made of the pairs of tiny captures: which share is whose, and what was lost.
"""

from __future__ import annotations

import io

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.comparison.losses import Absent
from netlab.analysis.comparison.pairing import pair
from netlab.analysis.comparison.shares import WaitShares, shares_of, shut_windows
from netlab.analysis.comparison.sides import SameConversation, compare_sides
from netlab.analysis.comparison.sightings import Sighting, SightingMark, Sightings
from netlab.analysis.observations.dialogue import Moment
from netlab.analysis.tcp.pipeline import Pipeline
from netlab.capture.reading import read_capture
from netlab.capture.segments import Flag
from tests.captures.faults import FOLDER

_MS = 1_000_000
_ACK, _SYN, _FIN = int(Flag.ACK), int(Flag.SYN), int(Flag.FIN)


def compared(name: str, *, is_swapped: bool = False) -> SameConversation:
    """Compare a pair of captures."""
    captures = []
    for side in "ab":
        data = (FOLDER / f"f58_compare_{name}_{side}.pcap").read_bytes()
        sightings = Sightings()
        for analysed in Pipeline(read_capture(io.BytesIO(data))).segments():
            sightings.receive(analysed)
        sightings.dialogues.finish()
        captures.append(sightings)
    first, second = reversed(captures) if is_swapped else captures
    (both,) = pair(first, second)
    return compare_sides(first, second, both)


def sight(
    frame: int,
    ms: float,
    from_client: bool,
    *,
    seq: int = 1,
    length: int = 0,
    flags: int = _ACK,
    window: int = 9,
    ack: int = 1,
    is_probe: bool = False,
) -> Sighting:
    """Make a segment at a place."""
    mark = SightingMark(from_client, seq, ack, length, flags)
    return Sighting(mark, Moment(frame, round(ms * _MS)), window, is_probe)


class PairTests(SynchronousTestCase):
    """
    The pairs of f58, in either order.
    """

    def test_every_nanosecond_is_dealt_out(self) -> None:
        """
        The shares are all of the time at the client's place, and none is negative.
        """
        for name in (
            "missing_from_capture_a_only",
            "b_is_in_the_middle",
            "client_does_not_read",
            "client_drips",
        ):
            for is_swapped in (False, True):
                found = compared(name, is_swapped=is_swapped)
                self.assertEqual(found.is_swapped, is_swapped)
                conversation = found.at_client
                begin = conversation.syn
                assert begin is not None
                self.assertGreater(sum(found.shares), 0)
                self.assertGreaterEqual(min(found.shares), 0)
                self.assertEqual(found.shares.unknown_ns, 0)

    def test_missing_from_one_capture(self) -> None:
        """
        What was acknowledged and never sent again was not lost on the way.
        """
        found = compared("missing_from_capture_a_only")
        self.assertEqual([each.at.frame for each in found.to_client.uncaptured], [6])
        self.assertEqual((found.to_client.lost, found.to_client.unknown), ((), ()))
        self.assertEqual((found.to_server, found.at_both), (Absent(), ((), ())))

    def test_middle(self) -> None:
        """
        Behind a place whose SYN-ACK comes late lies a way, which is not the server's time.
        """
        found = compared("b_is_in_the_middle")
        self.assertEqual((found.behind_ns, found.ahead_ns), (80 * _MS, 0))
        self.assertLess(found.shares.server_ns, 5 * _MS)
        self.assertGreaterEqual(found.shares.behind_ns, 160 * _MS)

    def test_client_does_not_read(self) -> None:
        """
        While its window is shut, the time is the client's.
        """
        found = compared("client_does_not_read")
        (shut,) = found.shut
        self.assertEqual((shut.from_client, shut.length_ns), (True, 9000 * _MS))
        self.assertGreaterEqual(found.shares.client_ns, 9000 * _MS)
        self.assertEqual(found.drips, ())

    def test_client_drips(self) -> None:
        """
        A request that comes in pieces takes the client's time.
        """
        found = compared("client_drips")
        (drip,) = found.drips
        self.assertEqual((drip.from_client, drip.length, drip.pieces), (True, 8, 8))
        self.assertEqual(found.shares.client_ns // _MS, 4000)


class ShareTests(SynchronousTestCase):
    """
    Who is waited for.
    """

    def test_answer(self) -> None:
        """
        Of a wait, what passed at the server's place before the answer left is the server's.
        """
        near = [sight(1, 0, True, length=5), sight(2, 100, False, length=7)]
        far = [sight(1, 9000, True, length=5), sight(2, 9030, False, length=7)]
        self.assertEqual(shares_of(near, far), WaitShares(server_ns=30 * _MS, way_ns=70 * _MS))

    def test_repair(self) -> None:
        """
        The wait for what was lost and sent again is neither end's: of the server's, and the
        client's.
        """
        near = [sight(1, 0, True, length=5), sight(2, 900, False, length=7)]
        far = [
            sight(1, 0, True, length=5),
            sight(2, 30, False, length=7),
            sight(3, 830, False, length=7),
        ]
        self.assertEqual(shares_of(near, far), WaitShares(repair_ns=900 * _MS))
        near = [sight(1, 0, True, length=5), sight(2, 300, True, length=5)]
        self.assertEqual(shares_of(near, near), WaitShares(repair_ns=300 * _MS))

    def test_keep_alive(self) -> None:
        """
        Until a keep-alive, or a FIN, nobody was waited for.
        """
        near = [
            sight(1, 0, True, length=5),
            sight(2, 45_000, True, is_probe=True),
            sight(3, 46_000, True, flags=_FIN | _ACK),
        ]
        self.assertEqual(shares_of(near, near), WaitShares(idle_ns=46_000 * _MS))

    def test_shut_window(self) -> None:
        """
        While an end's window is 0, also probes are waited for because of that end.
        """
        near = [
            sight(1, 0, True, window=0),
            sight(2, 500, False, is_probe=True),
            sight(3, 501, True, window=0),
            sight(4, 900, True, window=9),
        ]
        self.assertEqual(shares_of(near, near), WaitShares(client_ns=900 * _MS))
        (shut,) = shut_windows(near, from_client=True)
        self.assertEqual((shut.begin.frame, shut.end.frame), (1, 4))

    def test_reset_is_no_window(self) -> None:
        """
        The window field of a RST says nothing.
        """
        near = [sight(1, 0, True, flags=int(Flag.RST), window=0), sight(2, 5, False)]
        self.assertEqual(shut_windows(near, from_client=True), ())

    def test_clock_that_goes_back(self) -> None:
        """
        A spell before which the clock went back counts as none.
        """
        near = [sight(1, 100, True, length=5), sight(2, 50, True, seq=6, length=5)]
        self.assertEqual(shares_of(near, near), WaitShares())

    def test_answer_that_was_cut(self) -> None:
        """
        An answer that arrives in other segments left when its last byte did.
        """
        near = [
            sight(1, 0, True, length=5),
            sight(2, 60, False, length=4),
            sight(3, 60, False, seq=5, length=4),
        ]
        far = [sight(1, 0, True, length=5), sight(2, 40, False, length=8)]
        self.assertEqual(shares_of(near, far), WaitShares(server_ns=40 * _MS, way_ns=20 * _MS))

    def test_answer_that_was_not_captured(self) -> None:
        """
        Of an answer that only one capture has, nobody knows when it left.
        """
        near = [sight(1, 0, True, length=5), sight(2, 60, False, length=4)]
        self.assertEqual(shares_of(near, near[:1]), WaitShares(unknown_ns=60 * _MS))
