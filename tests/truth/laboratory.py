"""
C{python -m tests.truth.laboratory FIRST LAST}: runs scenarios, and holds what is told of each end's
capture against what the wire did and against the frames.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from netlab.commands.outcome import show
from netlab.lab.api.sides import Side
from netlab.lab.hosts.hosts import Isolation, best_isolation
from netlab.lab.runs.run import Observation, start
from netlab.lab.wire.places import capture_path
from netlab.lab.wire.wire import Crossing
from netlab.report import json as json_report
from netlab.report.reading import read_story
from tests.truth.checker import claims_of, refuted
from tests.truth.frames import read_frames
from tests.truth.scenarios import scenario
from tests.truth.wirelog import WireLog, contradicted


async def check_scenario(
    reactor: Any, seed: int, folder: Path, isolation: Isolation
) -> tuple[Counter[str], list[str]]:
    """
    Run one scenario, and hold its two stories against what happened.

    @param folder: for its results.
    @return: how many claims of each kind were made, and those that are false.
    """
    crossings: list[Crossing] = []

    def observe(observation: Observation) -> None:
        if isinstance(observation, Crossing):
            crossings.append(observation)

    experiment = scenario(seed)
    running = start(reactor, experiment, folder, isolation=isolation, observer=observe)
    outcome = await running.result
    kinds: Counter[str] = Counter()
    false: list[str] = []
    for side in Side:
        path = capture_path(outcome.folder, side)
        document = json.loads(json_report.render(read_story(str(path)).story, path.name))
        kinds.update(claim.kind for claim in claims_of(document))
        found = [
            *contradicted(document, WireLog(crossings, side)),
            *map(str, refuted(document, read_frames(path))),
        ]
        false += [f"seed {seed}, {side.value}, {experiment.programs} {each}" for each in found]
    outcome.discard()
    return kinds, false


async def _main(reactor: Any, first: int, last: int) -> None:
    isolation, reason = await best_isolation(reactor)
    if isolation is Isolation.NONE:
        raise SystemExit(f"no hosts can be made here: {reason}")
    kinds: Counter[str] = Counter()
    count = 0
    for seed in range(first, last + 1):
        with tempfile.TemporaryDirectory(prefix="netlab-truth-") as folder:
            claimed, false = await check_scenario(reactor, seed, Path(folder) / "run", isolation)
        kinds.update(claimed)
        count += len(false)
        for each in false:
            show(each)
            show(f"    python -m tests.truth.laboratory {seed} {seed}")
    show(f"{last - first + 1} scenarios, {sum(kinds.values())} claims, {count} false")
    for kind, number in kinds.most_common():
        show(f"{number:8} {kind}")
    if count:
        raise SystemExit(1)


if __name__ == "__main__":
    from twisted.internet.defer import Deferred
    from twisted.internet.task import react

    bounds = [int(text) for text in sys.argv[1:3]]
    react(lambda reactor: Deferred.fromCoroutine(_main(reactor, *bounds)))
