"""
What is told of hundreds of simulated runs is true: the wire and the programs know what happened.

C{make truth-simulated} runs ten thousand.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from netlab.lab.hosts.settings import Isolation
from tests.oracle import reference
from tests.truth.laboratory import check_scenario

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(reference.TSHARK is None, reason="tshark is not installed"),
]

#: In portions, which may run at the same time.
PORTIONS = [range(first, first + 50) for first in range(1, 201, 50)]


@pytest.mark.parametrize("seeds", PORTIONS, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
async def test_scenarios(tmp_path: Path, seeds: range) -> None:
    """
    No claim about either end's capture is contradicted by what happened or by the frames. What
    fails names its seed: C{python -m tests.truth.laboratory SEED SEED --simulated}.
    """
    from twisted.internet import reactor

    false = []
    shown = told = 0
    for seed in seeds:
        checked = await check_scenario(reactor, seed, tmp_path / "run", Isolation.SIMULATED)
        false += checked.false
        shown += checked.knowledge.shown.total()
        told += checked.knowledge.told.total()
    assert false == []
    assert shown
    assert told >= 0.95 * shown
