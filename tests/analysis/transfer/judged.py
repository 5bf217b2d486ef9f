"""
What the judge of transfers claims of a written conversation.
"""

from __future__ import annotations

import struct
from typing import Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.transfer import judge
from tests.analysis.dialogue_script import Script
from tests.captures import frames
from tests.captures.faults import fault_claims

SERVER_ISN: Final = 5_000_000
CLIENT_ISN: Final = 1_000_000


def claims_of(script: Script, kind: str = "") -> list[Claim]:
    """
    Give the claims of the one conversation whose kind begins so.
    """
    return [claim for claim in judge.claims_of(script.history()) if claim.kind.startswith(kind)]


def kinds_of(script: Script, topic: str) -> list[str]:
    """
    Give the kinds that are claimed of a topic, without the sums.
    """
    return [
        claim.kind for claim in claims_of(script, topic + ".") if claim.kind != "repeats.counts"
    ]


def fault_kinds(name: str, topic: str = "") -> list[str]:
    """
    Give the kinds that are claimed of the first conversation of a tiny capture.
    """
    return [claim.kind for claim in fault_claims(name) if claim.kind.startswith(topic)]


def sack(*ranges: tuple[int, int], isn: int = SERVER_ISN) -> bytes:
    """
    Make a SACK option of positions.
    """
    return frames.sack_option((isn + low, isn + high) for low, high in ranges)


def stamp(value: int, echo: int = 0) -> bytes:
    """
    Make a timestamps option.
    """
    return b"\x01\x01\x08\x0a" + struct.pack(">II", value, echo)


def numbered(count: int, size: int = 1000) -> list[bytes]:
    """
    Make segments with bytes of their own.
    """
    return [bytes([97 + index % 26]) * size for index in range(count)]
