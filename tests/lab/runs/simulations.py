"""
Runs of experiments on simulated hosts, without a real reactor.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.task import Clock

from netlab.lab.api.experiment import Experiment
from netlab.lab.api.knobs import Knobs
from netlab.lab.hosts.settings import Isolation
from netlab.lab.runs.run import Observer, RunOutcome, start
from netlab.simulation.threadpool import PoolWithoutThreads

#: No run takes so many turns.
_TURNS_MAX = 100_000


class PatientClock(Clock):
    """
    A reactor as far as a run needs one: time, and work that is done elsewhere.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pool = PoolWithoutThreads(self.callFromThread)

    def callFromThread(self, function: Any, *arguments: Any, **keywords: Any) -> None:
        """
        Make a call in the next turn.
        """
        self.callLater(0, function, *arguments, **keywords)

    def getThreadPool(self) -> Any:
        """
        Give what does work.
        """
        return self._pool


def simulate(
    experiment: Experiment,
    folder: Path,
    knobs: Knobs | None = None,
    observer: Observer | None = None,
    *,
    step: float = 0.001,
    is_paced: bool = False,
) -> RunOutcome:
    """
    Run an experiment on simulated hosts to its end.

    @param folder: an existing one; the results would go into one of the experiment's name there.
    @param step: how many seconds each turn of the reactor takes.
    @return: its outcome, whose folder is to be discarded.
    """
    clock = PatientClock()
    run = start(
        clock,
        experiment,
        folder / experiment.name,
        isolation=Isolation.SIMULATED,
        knobs=knobs,
        observer=observer,
        is_paced=is_paced,
    )
    outcomes: list[Any] = []
    run.result.addBoth(outcomes.append)
    for _ in range(_TURNS_MAX):
        if outcomes:
            break
        clock.advance(step)
    (outcome,) = outcomes
    if not isinstance(outcome, RunOutcome):
        outcome.raiseException()
    assert isinstance(outcome, RunOutcome)
    return outcome
