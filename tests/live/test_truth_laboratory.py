"""
What is told of runs drawn by chance is true: the wire knows what happened.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from netlab.lab.hosts.hosts import best_isolation
from tests.live.hosts import NEEDS_HOSTS
from tests.oracle import reference
from tests.truth.laboratory import check_scenario

pytestmark = [
    pytest.mark.xdist_group("lab"),
    pytest.mark.slow,
    pytest.mark.skipif(reference.TSHARK is None, reason="tshark is not installed"),
    NEEDS_HOSTS,
]

#: Each is an experiment of its own; C{python -m tests.truth.laboratory FIRST LAST} runs others.
SEEDS = (1, 2, 3, 7, 9, 10, 12, 14, 24, 27, 29, 41)


@pytest.mark.parametrize("seed", SEEDS)
async def test_scenario(tmp_path: Path, seed: int) -> None:
    """
    No claim about either end's capture is contradicted by the wire or by the frames.
    """
    from twisted.internet import reactor

    isolation, _ = await best_isolation(reactor)
    checked = await check_scenario(reactor, seed, tmp_path / "run", isolation)
    assert checked.false == []
    assert checked.kinds["opening.handshake"] or checked.kinds["resets.refused"]
    # What the frames show is told of, but for a case in ten that nobody has met yet.
    shown, told = (counts.total() for counts in (checked.knowledge.shown, checked.knowledge.told))
    assert 10 * told >= 9 * shown, checked.missed
