"""
The tiny captures of C{data/faults}, each with one kind of fault.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.explanation.story import CaptureStory
from tests.captures.stories import story_of

FOLDER: Final = Path(__file__).resolve().parent / "data" / "faults"

NAMES: Final = sorted(path.stem for path in FOLDER.glob("*.pcap"))


@cache
def fault_story(name: str) -> CaptureStory:
    """
    Tell a capture.

    @param name: its file's, without C{.pcap}, or so much of it that no other begins with it.
    """
    exact = [name] if name in NAMES else []
    (found,) = exact or [each for each in NAMES if each.startswith(name + "_")]
    return story_of((FOLDER / f"{found}.pcap").read_bytes())


def fault_claims(name: str, stream: int = 0) -> tuple[Claim, ...]:
    """
    Give the claims of a conversation of a capture.
    """
    return fault_story(name).conversations[stream].claims
