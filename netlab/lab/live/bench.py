"""
The laboratory's bench: one experiment at a time, from the order to the results.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from netlab.errors import KnownError
from netlab.lab.api.experiment import Experiment
from netlab.lab.api.knobs import Knobs
from netlab.lab.hosts.settings import Isolation
from netlab.lab.live.feed import EVENTS_MAX, Feed
from netlab.lab.live.narrator import Narrator
from netlab.lab.results.description import wire_lines
from netlab.lab.runs.batch import Finished
from netlab.lab.runs.run import Observation, Observer, Run, RunOutcome
from netlab.lab.wire.places import RESULTS

#: Observations wait this long, and then are sent together: the wire is not to wait in its own
#: call.
_TELL_SECONDS: Final = 0.02

#: How many are sent before others have their turn: about a millisecond's work
#: (benchmarks/telling.py).
_BATCH: Final = 10

_log = Logger(namespace="netlab-lab")


class RunPhase(enum.Enum):
    """
    What the bench does.
    """

    PREPARING = "preparing"
    """It finds out how hosts can be made here."""

    IDLE = "idle"
    RUNNING = "running"
    STOPPING = "stopping"
    """Somebody has pressed stop; what the run has made is being taken away."""

    REPORTING = "reporting"
    """The run is over, and is being judged and explained."""


class Cue(enum.Enum):
    """
    What moves it on.
    """

    PREPARED = "prepared"
    START = "start"
    STOP = "stop"
    ENDED = "ended"
    FAILED = "failed"
    REPORTED = "reported"


TRANSITIONS: Final = {
    (RunPhase.PREPARING, Cue.PREPARED): RunPhase.IDLE,
    (RunPhase.IDLE, Cue.START): RunPhase.RUNNING,
    (RunPhase.RUNNING, Cue.STOP): RunPhase.STOPPING,
    (RunPhase.RUNNING, Cue.ENDED): RunPhase.REPORTING,
    (RunPhase.RUNNING, Cue.FAILED): RunPhase.IDLE,
    (RunPhase.STOPPING, Cue.STOP): RunPhase.STOPPING,
    (RunPhase.STOPPING, Cue.ENDED): RunPhase.REPORTING,
    (RunPhase.STOPPING, Cue.FAILED): RunPhase.IDLE,
    (RunPhase.REPORTING, Cue.REPORTED): RunPhase.IDLE,
}
"""What each cue leads to. Where there is no entry, it is refused."""


class RefusedError(KnownError):
    """
    What was asked for cannot be done now: the text says why, in one line.
    """


class StartRun(Protocol):
    """
    Starts an experiment: L{netlab.lab.runs.run.start}.
    """

    def __call__(
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
        Start it.
        """


Finish = Callable[[RunOutcome], Finished | Deferred[Finished]]


class Bench:
    """
    Runs experiments one at a time, and tells a feed about it.

    @ivar phase: what it does now.
    """

    def __init__(
        self,
        reactor: Any,
        feed: Feed,
        folder: Callable[[], Path],
        start: StartRun,
        finish: Finish,
    ) -> None:
        """
        @param reactor: passed on to the run; of it only the clock is used here.
        @param feed: receives what happens.
        @param folder: tells where results go, a folder of its own for each experiment.
        @param start: starts a run.
        @param finish: judges a run and writes its results; may take its time.
        """
        self.phase = RunPhase.PREPARING
        self._reactor = reactor
        self._clock: IReactorTime = reactor
        self._feed = feed
        self._folder = folder
        self._start = start
        self._finish = finish
        self._isolation = Isolation.NONE
        self._place = ""
        self._name = ""
        self._run: Run | None = None
        self._narrator: Narrator | None = None
        self._untold: deque[Observation] = deque()
        self._observed = 0
        self._telling: IDelayedCall | None = None
        self._over: list[Deferred[None]] = []
        self._tell_phase()

    @property
    def untold(self) -> int:
        """
        How many observations wait to be told.
        """
        return len(self._untold)

    def prepared(self, isolation: Isolation, place: str) -> None:
        """
        It is known how hosts can be made.

        @param place: the same as a sentence or two for the user.
        """
        self._isolation = isolation
        self._place = place
        self._tell_place()
        self._move(Cue.PREPARED)

    def begin(self, experiment: Experiment, knobs: Knobs) -> int:
        """
        Start an experiment.

        @return: the number of the run.
        @raise RefusedError: it is not the time.
        """
        self._check(Cue.START)
        self._name = experiment.name
        number = self._feed.begin()
        self._narrator = Narrator(self._feed.add)
        self._observed = 0
        self._tell_place()
        changed = knobs.apply(experiment)
        self._feed.add(
            "begin",
            {
                "run": number,
                "name": experiment.name,
                "question": experiment.question,
                "wire": wire_lines(changed.wire),
                "is_changed": knobs.has_changes,
            },
        )
        self._move(Cue.START)
        self._run = self._start(
            self._reactor,
            experiment,
            self._folder() / experiment.name,
            isolation=self._isolation,
            knobs=knobs,
            observer=self._observe,
        )
        self._run.result.addCallbacks(self._ended, self._failed).addErrback(self._broken)
        return number

    def stop(self) -> None:
        """
        Stop the run. It is over some moments later.

        @raise RefusedError: there is none.
        """
        self._check(Cue.STOP)
        self._move(Cue.STOP)
        assert self._run is not None
        self._run.cancel()

    def idle(self) -> Deferred[None]:
        """
        Stop whatever runs, and wait until nothing is left of it.
        """
        over: Deferred[None] = Deferred()
        if (self.phase, Cue.STOP) in TRANSITIONS:
            self.stop()
        if self.phase in (RunPhase.IDLE, RunPhase.PREPARING):
            over.callback(None)
        else:
            self._over.append(over)
        return over

    def _check(self, cue: Cue) -> None:
        if (self.phase, cue) in TRANSITIONS:
            return
        if cue is Cue.STOP:
            raise RefusedError("nothing runs that could be stopped")
        match self.phase:
            case RunPhase.PREPARING:
                raise RefusedError("the laboratory is being prepared; try again in a moment")
            case RunPhase.STOPPING | RunPhase.REPORTING:
                raise RefusedError(f"{self._name} is just ending; try again in a moment")
            case _:
                raise RefusedError(f"{self._name} is running; wait for its end, or stop it")

    def _move(self, cue: Cue) -> None:
        self.phase = TRANSITIONS[self.phase, cue]
        self._tell_phase()
        if self.phase is RunPhase.IDLE:
            over, self._over = self._over, []
            for one in over:
                one.callback(None)

    def _tell_phase(self) -> None:
        data = {"phase": self.phase.value, "name": self._name}
        self._feed.add("phase", data, is_last=True)

    def _tell_place(self) -> None:
        self._feed.add("place", {"isolation": self._isolation.value, "text": self._place})

    # What is seen of a run

    def _observe(self, observation: Observation) -> None:
        if self._observed >= EVENTS_MAX or self._feed.is_full:
            self._observed += 1
            return
        self._observed += 1
        self._untold.append(observation)
        if self._telling is None:
            self._telling = self._clock.callLater(_TELL_SECONDS, self._tell_some)

    def _tell_some(self) -> None:
        self._telling = None
        assert self._narrator is not None
        for _ in range(min(_BATCH, len(self._untold))):
            self._narrator.observe(self._untold.popleft())
        if self._untold:
            self._telling = self._clock.callLater(0, self._tell_some)

    def _tell_rest(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        assert self._narrator is not None
        while self._untold:
            self._narrator.observe(self._untold.popleft())

    # How it ends

    def _ended(self, outcome: RunOutcome) -> Deferred[None]:
        self._tell_rest()
        was_stopped = self.phase is RunPhase.STOPPING
        self._move(Cue.ENDED)

        def report(finished: Finished) -> None:
            self._tell_end(outcome.problem, finished, is_stopped=was_stopped)
            self._move(Cue.REPORTED)

        def fail(failure: Failure) -> None:
            self._tell_end(_reason(failure))
            self._move(Cue.REPORTED)

        return maybeDeferred(self._finish, outcome).addCallbacks(report, fail)

    def _failed(self, failure: Failure) -> None:
        self._tell_rest()
        if isinstance(failure.value, CancelledError):
            self._tell_end("", is_stopped=True)
        else:
            self._tell_end(_reason(failure))
        self._move(Cue.FAILED)

    def _broken(self, failure: Failure) -> None:
        """
        A mistake of ours on the way; nobody is to wait for ever.
        """
        _log.failure("The end of a run failed", failure)
        self.phase = RunPhase.REPORTING
        self._move(Cue.REPORTED)

    def _tell_end(
        self, problem: str, finished: Finished | None = None, *, is_stopped: bool = False
    ) -> None:
        assert self._narrator is not None
        judgement = None if finished is None else finished.judgement
        folder = self._folder() / self._name
        self._feed.add(
            "end",
            {
                "problem": problem,
                "is_stopped": is_stopped,
                "seconds": 0 if finished is None else round(finished.outcome.seconds, 2),
                "is_judged": judgement is not None,
                "is_met": finished is not None and finished.is_good,
                "results": [
                    {
                        "end": side.value,
                        "expected": result.expectation.sentence,
                        "is_met": result.shown.is_met,
                        "found": result.shown.detail,
                    }
                    for side, results in (judgement.results.items() if judgement else ())
                    for result in results
                ],
                "files": [name for name in RESULTS if (folder / name).is_file()],
                "name": self._name,
                "left_out": max(0, self._observed - EVENTS_MAX) or int(self._feed.is_full),
            },
            is_last=True,
        )


def _reason(failure: Failure) -> str:
    """
    Say in one line why a run failed.
    """
    match failure.value:
        case KnownError() as error:
            return str(error)
        case OSError() as error:
            return f"{error.strerror or error}: {error.filename or 'a result'}"
        case _:
            _log.failure("A run failed by a mistake of ours", failure)
            return "a mistake of ours; the log of the laboratory has more"
