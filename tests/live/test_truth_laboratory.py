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
SEEDS = (2, 3, 6, 8, 10, 11, 21, 39)


@pytest.mark.parametrize("seed", SEEDS)
async def test_scenario(tmp_path: Path, seed: int) -> None:
    """
    No claim about either end's capture is contradicted by the wire or by the frames.
    """
    from twisted.internet import reactor

    isolation, _ = await best_isolation(reactor)
    checked = await check_scenario(reactor, seed, tmp_path / "run", isolation)
    assert checked.false == []
    assert checked.kinds["opening.handshake"]
