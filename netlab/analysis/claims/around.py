"""
What a judge may look at beside conversations: the surroundings, and what may be told of them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from netlab.analysis.claims.claim import Claim
from netlab.analysis.explanation.privacy import Discretion
from netlab.analysis.observations.surroundings import Surroundings

TIMES_GO_BACK: Final = "capture.times-go-back"
"""The one kind of claim whose duration is that of a step back."""

ODD: Final = 10
"""A duration is reported across a step back of the clock if it is this many times longer."""


class Around(NamedTuple):
    """
    A capture around its conversations.

    @ivar seen: what else the capture holds.
    @ivar discretion: by which addresses are written.
    """

    seen: Surroundings
    discretion: Discretion

    def is_timed(self, claim: Claim) -> bool:
        """
        Tell whether a claim's durations can be relied on: none is negative, and times go back
        nowhere between its frames, or by far less than its shortest duration.
        """
        spells = [
            value
            for name, value in claim.figures.items()
            if name.endswith("_ns") and isinstance(value, int)
        ]
        if not spells or not claim.frames or claim.kind == TIMES_GO_BACK:
            return True
        if min(spells) < 0:
            return False
        back = self.seen.clock.back_ns(claim.frames[0], claim.frames[-1])
        return back == 0 or min(spells) >= ODD * back
