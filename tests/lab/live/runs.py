"""
Runs that go as a test says, and wires whose crossings are observed.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from netlab.lab.api.experiment import Experiment
from netlab.lab.api.impairment import WireSettings
from netlab.lab.api.knobs import Knobs
from netlab.lab.api.sides import Side
from netlab.lab.hosts.settings import Isolation
from netlab.lab.live.bench import Bench
from netlab.lab.live.feed import Feed
from netlab.lab.results.catalogue import load
from netlab.lab.runs.batch import Finished
from netlab.lab.runs.run import Observer, Run, RunOutcome
from netlab.lab.wire.wire import Wire

START_NS = 1_700_000_000_000_000_000


class Runs:
    """
    Stands in for the laboratory: a run ends when the test says so.

    @ivar clock: everyone's.
    @ivar feed: what is told.
    @ivar bench: under test.
    @ivar started: experiment, folder, isolation and knobs of each run.
    @ivar cancelled: how often the last one was cancelled.
    @ivar finished: outcomes that wait for their results to be written.
    """

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self.clock = Clock() if clock is None else clock
        self._how: RunOutcome | Exception | None = None
        self.feed = Feed(self.clock)
        self.started: list[tuple[Experiment, Path, Isolation, Knobs | None]] = []
        self.cancelled = 0
        self.finished: list[tuple[RunOutcome, Deferred[Finished]]] = []
        self.folder = folder
        self.bench = Bench(self.clock, self.feed, lambda: folder, self.start, self.finish)

    def start(
        self,
        reactor: Any,
        experiment: Experiment,
        folder: Path,
        *,
        isolation: Isolation,
        knobs: Knobs | None,
        observer: Observer | None,
    ) -> Run:
        """
        Start one.
        """
        self.started.append((experiment, folder, isolation, knobs))
        assert observer is not None
        self.observer = observer
        self._how = None
        return Run(Deferred.fromCoroutine(self._go()))

    async def _go(self) -> RunOutcome:
        """
        Go on until the test says so: who cancels a run has to wait until all is cleaned up.
        """
        while self._how is None:
            self._waiting: Deferred[None] = Deferred()
            try:
                await self._waiting
            except CancelledError:
                self.cancelled += 1
        if isinstance(self._how, Exception):
            raise self._how
        return self._how

    def end(self, how: RunOutcome | Exception) -> None:
        """
        End the run.
        """
        self._how = how
        self._waiting.callback(None)

    def finish(self, outcome: RunOutcome) -> Deferred[Finished]:
        """
        Take a run's results, and let the bench wait.
        """
        done: Deferred[Finished] = Deferred()
        self.finished.append((outcome, done))
        return done

    def outcome(self, problem: str = "") -> RunOutcome:
        """
        Make the outcome of the last run.
        """
        experiment, folder, isolation, _ = self.started[-1]
        return RunOutcome(experiment, folder, folder, isolation, problem, 0.5, 0.0, [])

    def begin(self, name: str = "echo") -> int:
        """
        Order a run.
        """
        return self.bench.begin(load(name), Knobs())

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """
        Read the log of the feed.
        """
        found, run, place = [], self.feed.run, 0
        while True:
            pieces, run, place = self.feed.since(run, place)
            if not pieces:
                break
            for piece in pieces:
                match = re.fullmatch(r"event: (\w+)\nid: \S+\ndata: (.*)\n\n", piece.decode())
                assert match is not None
                found.append((match[1], json.loads(match[2])))
        return found

    def named(self, name: str) -> list[dict[str, Any]]:
        """
        Give the data of all events of one type.
        """
        return [data for each, data in self.events() if each == name]


def observed_wire(clock: Clock, observer: Observer, settings: WireSettings | None = None) -> Wire:
    """
    Make a wire whose hosts do nothing.
    """
    wire = Wire(clock, settings or WireSettings(), lambda: START_NS + round(clock.rightNow * 1e9))
    for side in Side:
        wire.attach(side, lambda _: None)
    wire.observers.append(observer)
    return wire
