"""
Tests for L{netlab.analysis.claims.judges}: what is claimed is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.claims import judges
from netlab.analysis.claims.claim import Claim
from netlab.analysis.claims.closes import claims_of as closes_of
from netlab.analysis.claims.resets import RESETS_JUDGED_MAX
from netlab.analysis.explanation import explain
from netlab.analysis.observations import history as histories
from tests.analysis.dialogue_script import CLIENT, SERVER, Script, of_kind
from tests.captures.stories import only, story_of


class BoundTests(SynchronousTestCase):
    """
    Captures that are made to be judged for long.
    """

    def test_resets(self) -> None:
        """
        Of very many RSTs the first ones are judged.
        """
        script = Script().open().say(SERVER, b"x")
        for _ in range(10 * RESETS_JUDGED_MAX):
            script.client("RST", seq=5_000_000, ttl=9)
        claims = script.claims()
        self.assertEqual(len(of_kind(claims, "resets.outside-window")), RESETS_JUDGED_MAX)

    def test_claims_of_a_kind(self) -> None:
        """
        No more claims of a kind are made than the bound.
        """
        self.patch(judges, "CLAIMS_OF_A_KIND_MAX", 5)
        script = Script().open()
        for _ in range(20):
            script.client("URG ACK", b"abc", urgent=1)
        self.assertEqual(len(of_kind(script.claims(), "urgent.byte")), 5)

    def test_history_of_a_large_capture(self) -> None:
        """
        Of a large capture few segments are kept, however many open, close or reset; and then
        nothing is claimed of how the connection ended.
        """
        self.patch(explain, "FRAMES_TOLD_MAX", 3)
        kept: list[int] = []

        def judge(history: histories.History) -> Iterator[Claim]:
            kept.append(len(history.segments))
            yield from closes_of(history)

        self.patch(judges, "JUDGES", (judge,))
        script = Script().open()
        for _ in range(40):
            script.say(CLIENT, b"x")
        for _ in range(2 * histories.EVENTS_MAX + histories.NOTEWORTHY_MAX):
            script.client("RST", seq=5_000_000)
        claims = only(story_of(script.pcap())).claims
        most = histories.BEGINNING_MAX + histories.NOTEWORTHY_MAX + histories.EVENTS_MAX
        self.assertLessEqual(max(kept), most)
        self.assertEqual(of_kind(claims, "closes."), [])

    def test_the_end_of_a_large_capture(self) -> None:
        """
        The end of a connection that goes on for long is claimed like that of a short one.
        """
        self.patch(explain, "FRAMES_TOLD_MAX", 3)
        script = Script().open()
        for _ in range(200):
            script.say(CLIENT, b"x")
        claims = only(story_of(script.close(SERVER, after=7).pcap())).claims
        (first,) = of_kind(claims, "closes.first")
        (silence,) = of_kind(claims, "closes.after-silence")
        self.assertEqual((first.who, silence.figures["silent_ns"]), ("server", 7_000_000_000))
        self.assertEqual(of_kind(claims, "closes.idle"), [])
