"""
What is claimed of simulated transfers, held against what happened.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Final

import pytest
from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.claims.claim import Claim, Known
from netlab.analysis.transfer import judge
from tests.analysis.transfer.simulated import SIZE, Packet, Transfer, Truth, Weather

RUNS: Final = 200

#: Why a packet was sent, for each kind that says so.
SURE: Final = {
    "repeats.timeout": {"timeout"},
    "repeats.after-timeout": {"timeout", "after-timeout"},
    "repeats.fast-retransmit": {"fast"},
    "repeats.sack-recovery": {"fast", "sack"},
    "repeats.partial-ack": {"partial"},
}

#: What never happens in these transfers.
NEVER: Final = (
    "acks.never-sent",
    "windows.",
    "keepalives.",
    "repeats.other-bytes",
    "repeats.damaged",
    "repeats.syn",
    "repeats.fin",
    "copies.copy",
    "copies.throughout",
)


def transfer(seed: int) -> Transfer:
    """
    Make a transfer in a weather that the seed chooses.
    """
    chance = random.Random(seed)
    weather = Weather(
        near=chance.choice((0.0005, 0.01, 0.05)),
        far=chance.choice((0.0005, 0.01, 0.05)),
        lost=chance.choice((0, 0.01, 0.03, 0.1)),
        held=chance.choice((0, 0, 0.02)),
        held_for=chance.choice((0.0004, 0.003, 0.03)),
        doubled=chance.choice((0, 0, 0.02)),
        missed=chance.choice((0, 0, 0.02)),
    )
    segments = chance.choice((5, 30, 120))
    return Transfer(seed, weather, segments=segments, with_sack=chance.random() < 0.5)


def refutation(claim: Claim, truth: Truth) -> str:
    """
    Say what of a claim is false; nothing if nothing is.
    """
    figures = claim.figures

    def packet(figure: str) -> Packet:
        number = figures[figure]
        assert isinstance(number, int)
        return truth.captured[number - 1]

    last = truth.captured[claim.frames[-1] - 1]
    if claim.kind.startswith(NEVER):
        return "never happens"
    if claim.known is Known.FOLLOWS and last.why not in SURE.get(claim.kind, {last.why}):
        return f"it was sent as {last.why}"
    if "first_frame" in figures and claim.kind.startswith("repeats."):
        first = packet("first_frame")
        low = figures["first"]
        assert isinstance(low, int)
        if not first.seq <= low < first.seq + first.length:
            return "the first frame carried other bytes"
    if claim.kind == "repeats.acknowledged-before" and last.seq not in truth.arrived:
        return "the bytes had not arrived"
    if claim.kind == "repeats.spurious-by-sack" and packet("repeat_frame").why == "new":
        return "nothing was repeated"
    if claim.kind == "repeats.first-copy-lost-before" and last.why == "new":
        return "it is a first copy"
    if claim.kind == "reordering.late-original" and last.uid >= packet("repeat_frame").uid:
        return "it was sent later"
    if claim.kind == "reordering.overtaken" and last.uid >= packet("opened_frame").uid:
        return "it was sent later"
    if claim.kind == "gaps.not-captured":
        first_byte, last_byte = figures["first"], figures["last"]
        assert isinstance(first_byte, int)
        assert isinstance(last_byte, int)
        if claim.who == "server" and not all(
            position in truth.arrived for position in range(first_byte, last_byte, SIZE)
        ):
            return "the bytes did not arrive"
    if claim.kind == "copies.single" and packet("original_frame").uid != last.uid:
        return "it is another packet"
    return ""


class TruthTests(SynchronousTestCase):
    """
    A network that loses, holds and doubles packets, and a capture that misses some.
    """

    @pytest.mark.slow
    def test_nothing_is_refuted(self) -> None:
        """
        No claim contradicts what happened, whatever the seed.
        """
        for seed in range(RUNS):
            run = transfer(seed)
            truth = run.run()
            for claim in judge.claims_of(run.history()):
                self.assertEqual(refutation(claim, truth), "", f"seed {seed}: {claim}")

    @pytest.mark.slow
    def test_much_is_told(self) -> None:
        """
        Most repeats of which a first copy was captured have a sure trigger, and each of them is
        claimed.
        """
        told: Counter[str] = Counter()
        repeats = 0
        for seed in range(RUNS):
            run = transfer(seed)
            truth = run.run()
            seen: set[int] = set()
            uids: set[int] = set()
            for packet in truth.captured:
                if packet.length == SIZE:
                    repeats += packet.seq in seen and packet.uid not in uids
                    seen.add(packet.seq)
                    uids.add(packet.uid)
            for claim in judge.claims_of(run.history()):
                if claim.kind == "reordering.late-original":
                    told["sure"] += 1
                elif claim.kind.startswith("repeats.") and "tries" in claim.figures:
                    sure = claim.known is Known.FOLLOWS or claim.kind.endswith("-before")
                    told["sure" if sure else "unsure"] += 1
        self.assertEqual(told.total(), repeats)
        self.assertGreater(told["sure"], told["unsure"])
