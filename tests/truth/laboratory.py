"""
C{python -m tests.truth.laboratory FIRST LAST [--missed]}: runs scenarios, and holds what is told of
each end's capture against what the wire and the programs did and against the frames; then says how
much is told of what the captures show, and with C{--missed} what is not.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from netlab.commands.outcome import show
from netlab.lab.api.sides import Side
from netlab.lab.hosts.hosts import best_isolation
from netlab.lab.hosts.settings import Isolation
from netlab.lab.runs.run import Observation, start
from netlab.lab.wire.places import capture_path
from netlab.lab.wire.wire import Crossing
from netlab.report import json as json_report
from netlab.report.reading import read_story
from tests.truth.checker import refuted
from tests.truth.claimed import claims_of
from tests.truth.frames import read_frames
from tests.truth.knowledge import Knowledge, knowledge_of
from tests.truth.scenarios import scenario
from tests.truth.wirelog import WireLog, contradicted


class Checked(NamedTuple):
    """
    What came of one scenario.

    @ivar kinds: how many claims of each kind were made about both ends' captures.
    @ivar false: those that are false, in words.
    @ivar knowledge: what the two captures show, and how much of it is told.
    @ivar missed: what they show and is not told of, in words.
    """

    kinds: Counter[str]
    false: list[str]
    knowledge: Knowledge
    missed: list[str]


async def check_scenario(reactor: Any, seed: int, folder: Path, isolation: Isolation) -> Checked:
    """
    Run one scenario, and hold its two stories against what happened.

    @param folder: for its results.
    """
    crossings: list[Crossing] = []

    def observe(observation: Observation) -> None:
        if isinstance(observation, Crossing):
            crossings.append(observation)

    drawn = scenario(seed)
    experiment = drawn.experiment
    running = start(reactor, experiment, folder, isolation=isolation, observer=observe)
    outcome = await running.result
    kinds: Counter[str] = Counter()
    false: list[str] = []
    knowledge = Knowledge()
    missed: list[str] = []
    for side in Side:
        path = capture_path(outcome.folder, side)
        document = json.loads(json_report.render(read_story(str(path)).story, path.name))
        kinds.update(claim.kind for claim in claims_of(document))
        log = WireLog(crossings, side)
        known = knowledge_of(document, log, drawn)
        knowledge.add(known)
        missed += [
            f"seed {seed}, {side.value}, {experiment.programs} {kind} not told of: {numbers}"
            for kind, numbers in known.missed.items()
        ]
        found = [
            *contradicted(document, log, drawn.ending),
            *map(str, refuted(document, read_frames(path))),
        ]
        false += [f"seed {seed}, {side.value}, {experiment.programs} {each}" for each in found]
    outcome.discard()
    return Checked(kinds, false, knowledge, missed)


async def _main(
    reactor: Any, first: int, last: int, *, shows_missed: bool, is_simulated: bool
) -> None:
    isolation, reason = Isolation.SIMULATED, ""
    if not is_simulated:
        isolation, reason = await best_isolation(reactor)
    if isolation is Isolation.NONE:
        raise SystemExit(f"no hosts can be made here: {reason}")
    kinds: Counter[str] = Counter()
    knowledge = Knowledge()
    count = 0
    for seed in range(first, last + 1):
        with tempfile.TemporaryDirectory(prefix="netlab-truth-") as folder:
            checked = await check_scenario(reactor, seed, Path(folder) / "run", isolation)
        kinds.update(checked.kinds)
        count += len(checked.false)
        knowledge.add(checked.knowledge)
        for each in checked.missed if shows_missed else ():
            show(each)
        for each in checked.false:
            show(each)
            show(f"    python -m tests.truth.laboratory {seed} {seed}")
    show(f"{last - first + 1} scenarios, {sum(kinds.values())} claims, {count} false")
    show("Of what the captures of both ends show, told:")
    for kind, shown in sorted(knowledge.shown.items()):
        show(f"{knowledge.told[kind]:8} of {shown:5} {kind}")
    for kind, number in kinds.most_common():
        show(f"{number:8} {kind}")
    if count:
        raise SystemExit(1)


if __name__ == "__main__":
    from twisted.internet.defer import Deferred
    from twisted.internet.task import react

    low, high = (int(text) for text in sys.argv[1:3])
    words = sys.argv[3:]

    def check_all(reactor: Any) -> Deferred[None]:
        """
        Check what was asked for.
        """
        shows_missed, is_simulated = "--missed" in words, "--simulated" in words
        checking = _main(reactor, low, high, shows_missed=shows_missed, is_simulated=is_simulated)
        return Deferred.fromCoroutine(checking)

    react(check_all)
