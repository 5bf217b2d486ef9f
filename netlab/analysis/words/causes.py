"""
Possible causes in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.words.phrases import either

CAUSES: Final[Mapping[str, str]] = {
    "unknown": "something that the frames do not show",
    "lost-on-the-way": "the packets were lost on the way",
    "filtered": "a firewall dropped them",
    "host-down": "the host is down",
    "other-direction-not-captured": "the answers took a way that was not captured",
}
"""Each cause that a claim may name, as a clause that can follow C{possible causes:}."""


def possible(claim: Claim) -> str:
    """
    Name a claim's causes as possible ones, as a sentence with a space before it; nothing where it
    has none.
    """
    if not claim.causes:
        return ""
    noun = "cause" if len(claim.causes) == 1 else "causes"
    return f" Possible {noun}: {either([CAUSES[each] for each in claim.causes])}."
