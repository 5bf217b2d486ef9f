"""
Several experiments in one go: run, judge, report, index.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore

from netlab.lab.api.experiment import Experiment
from netlab.lab.api.knobs import Knobs
from netlab.lab.api.sides import Side
from netlab.lab.hosts.hosts import best_isolation
from netlab.lab.hosts.settings import Isolation
from netlab.lab.results.folder import ResultsFolder
from netlab.lab.results.index import write_index
from netlab.lab.results.judgement import Judgement, judge_run
from netlab.lab.results.results import write_reports, write_verdict
from netlab.lab.runs.programs import OutputLine
from netlab.lab.runs.run import Run, RunOutcome, start
from netlab.lab.runs.transcript import write_output, write_trace
from netlab.lab.wire.lateness import priority
from netlab.lab.wire.places import FILES, RESULTS


@dataclass(frozen=True, slots=True)
class Finished:
    """
    An experiment that was run.

    @ivar outcome: how the run went.
    @ivar judgement: what its captures show; C{None} where there are none.
    """

    outcome: RunOutcome
    judgement: Judgement | None

    @property
    def is_good(self) -> bool:
        """
        Whether it ran, and showed what it should as far as that could be checked.
        """
        return not self.outcome.problem and (self.judgement is None or self.judgement.is_met)


@dataclass(frozen=True, slots=True)
class Batch:
    """
    What to do with each experiment.

    @ivar folder: each experiment gets a folder of its name in it.
    @ivar knobs: the user's changes.
    @ivar isolation: how to make hosts; C{None} for the best that works.
    @ivar jobs: how many experiments run at once.
    @ivar commands: by an experiment's name, the command line that runs it again so.
    """

    folder: Path
    knobs: Knobs
    isolation: Isolation | None = None
    jobs: int = 1
    commands: Mapping[str, str] = field(default_factory=dict)


async def run_batch(
    reactor: Any, experiments: Sequence[Experiment], batch: Batch, show: Callable[[str], object]
) -> list[Finished]:
    """
    Run experiments, a bounded number at once, then judge and report them one after the other: the
    wires of other runs are not to wait meanwhile.

    @param experiments: each with another name.
    @param show: is called with each line for the user.
    @return: in the order of the experiments.
    @raise HostError: hosts of the kind that was asked for cannot be made.
    @raise OSError: a result cannot be written.
    """
    isolation = batch.isolation
    if isolation is None:
        isolation, reason = await best_isolation(reactor)
        if isolation is Isolation.NONE:
            isolation = Isolation.SIMULATED
            show(f"There can be no hosts of this machine's kernel: {reason}.")
            show("They are simulated instead: our own TCP, in virtual time (docs/simulation.md).")
            show("With Linux's TCP: run as root, or allow user namespaces without privilege.")
    runs: list[Run] = []
    places = DeferredSemaphore(batch.jobs)
    stopped: Deferred[None] = Deferred()
    is_stopping = False

    def begin(experiment: Experiment) -> Deferred[RunOutcome]:
        if is_stopping:
            raise CancelledError
        folder = batch.folder / experiment.name
        run = start(reactor, experiment, folder, knobs=batch.knobs, isolation=isolation)
        runs.append(run)
        return run.result

    def show_end(outcome: RunOutcome) -> RunOutcome:
        show(f"{outcome.experiment.name}: {outcome.problem or f'ran in {outcome.seconds:.1f} s'}")
        return outcome

    def stop() -> Deferred[None]:
        nonlocal is_stopping
        is_stopping = True
        for run in runs:
            run.cancel()
        return stopped

    waiting = [places.run(begin, experiment).addCallback(show_end) for experiment in experiments]
    trigger = reactor.addSystemEventTrigger("before", "shutdown", stop)
    outcomes: list[RunOutcome] = []
    failures: list[Exception] = []
    with priority():
        for one in waiting:
            try:
                outcomes.append(await one)
            except Exception as error:  # noqa: BLE001, it is raised below, when all have stopped
                failures.append(error)
                stop()
    stopped.callback(None)
    if failures:
        for outcome in outcomes:
            outcome.discard()
        raise failures[0]
    reactor.removeSystemEventTrigger(trigger)
    try:
        finished = [
            finish(outcome, batch.commands.get(outcome.experiment.name)) for outcome in outcomes
        ]
    finally:
        for outcome in outcomes:
            outcome.discard()
    write_index(batch.folder)
    return finished


def finish(outcome: RunOutcome, command: str | None = None) -> Finished:
    """
    Judge a run, write its results, and put them where they are to go. The run's own folder is
    removed.

    @param command: the command line that runs it again; None where nobody typed one.
    @raise OSError: a result cannot be written.
    """
    try:
        with (
            ResultsFolder(outcome.results.parent) as out,
            out.inside(outcome.results.name) as place,
            place.inside(FILES) as files,
        ):
            left_out = files.keep_tree(outcome.folder / FILES)
            finished = _finish(outcome, command, left_out)
            place.keep(outcome.folder, RESULTS)
        return finished
    finally:
        outcome.discard()


def _finish(outcome: RunOutcome, command: str | None, left_out: int) -> Finished:
    """
    Write the results into the run's own folder.

    @param left_out: how many of its programs' files are not kept.
    """
    experiment, folder = outcome.experiment, outcome.folder
    output = list(outcome.output)
    if left_out:
        text = f"{left_out} of its files are left out: too many, too large, or no regular ones."
        output.append(OutputLine(time.time_ns(), Side.CLIENT, "the laboratory", text))
    write_output(folder, output)
    judgement = None
    if outcome.isolation is Isolation.NONE:
        write_trace(folder, outcome.passages)
    else:
        judgement = judge_run(experiment, folder)
        write_reports(experiment, folder)
    write_verdict(
        folder,
        experiment,
        judgement,
        problem=outcome.problem,
        isolation=outcome.isolation.value,
        seconds=outcome.seconds,
        lateness=outcome.lateness,
        command=command,
    )
    return Finished(outcome, judgement)
