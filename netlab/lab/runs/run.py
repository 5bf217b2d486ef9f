"""
Run one experiment from beginning to end.

L{start} is what everything else uses: the command line, the live page and the tests.
"""

from __future__ import annotations

import contextlib
import inspect
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as PatienceError
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure

from netlab.errors import KnownError
from netlab.lab.api.experiment import Experiment
from netlab.lab.api.knobs import Knobs
from netlab.lab.api.sides import Side
from netlab.lab.hosts.settings import Isolation
from netlab.lab.results.folder import ResultsFolder
from netlab.lab.runs.laboratory import NamespaceLaboratory
from netlab.lab.runs.loopback import LoopbackLaboratory, NoWireError
from netlab.lab.runs.programs import OutputLine
from netlab.lab.runs.relay import RelayedPassage
from netlab.lab.runs.simulated import NotSimulatedError, SimulatedLaboratory
from netlab.lab.wire.lateness import Lateness
from netlab.lab.wire.places import FILES, RESULTS
from netlab.lab.wire.recorder import Recorder
from netlab.lab.wire.wire import Crossing, Wire
from netlab.simulation.clock import VirtualClock

#: How many passages of a relay are kept.
_PASSAGES_MAX: Final = 10_000

#: How long after the last connection has closed frames may still come: an ACK sent again, say.
_QUIET_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """
    How a run went.

    @ivar experiment: as it was run, with the user's changes.
    @ivar folder: where everything is: a private one, which L{discard} removes.
    @ivar results: where it is to go from there.
    @ivar isolation: how the hosts were made.
    @ivar problem: why the run itself failed: one line; empty if it did not.
    @ivar seconds: how long it took.
    @ivar lateness: by how many seconds the laboratory itself was late at worst.
    @ivar output: what the programs printed.
    @ivar passages: without hosts, what the relay between the programs noticed.
    """

    experiment: Experiment
    folder: Path
    results: Path
    isolation: Isolation
    problem: str
    seconds: float
    lateness: float
    output: Sequence[OutputLine]
    passages: Sequence[RelayedPassage] = ()

    def discard(self) -> None:
        """
        Remove what the run has left, as far as it was not taken over.
        """
        shutil.rmtree(self.folder, ignore_errors=True)


class Run:
    """
    A run under way.

    @ivar result: fires with the L{RunOutcome}, once nothing of the run is left; fails with
        L{HostError} if there can be no hosts, with C{OSError} if the folder cannot be written, and
        with C{CancelledError} after L{cancel}.
    """

    def __init__(self, result: Deferred[RunOutcome]) -> None:
        self.result = result

    def cancel(self) -> None:
        """
        Stop it. L{result} fires when everything is cleaned up.
        """
        self.result.cancel()


_AnyLaboratory: TypeAlias = NamespaceLaboratory | SimulatedLaboratory | LoopbackLaboratory

Observation = Crossing | OutputLine | RelayedPassage
Observer = Callable[[Observation], None]


def start(
    reactor: Any,
    experiment: Experiment,
    folder: Path,
    *,
    isolation: Isolation,
    knobs: Knobs | None = None,
    observer: Observer | None = None,
    is_paced: bool = False,
    own_stacks: Collection[Side] = (),
) -> Run:
    """
    Start an experiment.

    @param folder: where its results will go; it is made if need be, and what it holds of an earlier
        run is removed. Until they are finished everything is in a private folder: programs never
        work in a place that somebody else may have prepared.
    @param knobs: the user's changes.
    @param isolation: how to make the hosts, see L{netlab.lab.hosts.hosts.best_isolation}.
    @param is_paced: whether a simulated second is to take a second.
    @param own_stacks: hosts that have our own TCP although the others are the kernel's.
    @param observer: is called with each frame as it leaves one end of the wire and as it arrives at
        the other, and with each line that a program prints, in the order of their times; without
        hosts with what the relay notices instead of frames.
    """
    changed = (knobs or Knobs()).apply(experiment)
    running = _run(
        reactor, changed, folder, isolation, observer, is_paced=is_paced, own_stacks=own_stacks
    )
    return Run(Deferred.fromCoroutine(running))


async def _run(
    reactor: Any,
    experiment: Experiment,
    folder: Path,
    isolation: Isolation,
    observer: Observer | None,
    *,
    is_paced: bool,
    own_stacks: Collection[Side],
) -> RunOutcome:
    # In threads, here and below: on a busy disk these wait, and other runs' wires must not.
    await _in_thread(reactor, _clear, folder)
    private = Path(tempfile.mkdtemp(prefix="netlab-run-"))
    try:
        return await _run_in(
            reactor,
            experiment,
            private,
            folder,
            isolation,
            observer,
            is_paced=is_paced,
            own_stacks=own_stacks,
        )
    except BaseException:
        await uncancelled(_in_thread(reactor, shutil.rmtree, private))
        raise


async def _run_in(
    reactor: Any,
    experiment: Experiment,
    private: Path,
    results: Path,
    isolation: Isolation,
    observer: Observer | None,
    *,
    is_paced: bool,
    own_stacks: Collection[Side],
) -> RunOutcome:
    """
    Run an experiment in a private folder.
    """
    began = time.monotonic()
    scratch, work = private / "scratch", private / FILES
    for path in (scratch, work):
        path.mkdir()
    output: list[OutputLine] = []
    passages: list[RelayedPassage] = []

    def on_line(line: OutputLine) -> None:
        output.append(line)
        if observer is not None:
            observer(line)

    def on_passage(passage: RelayedPassage) -> None:
        if len(passages) < _PASSAGES_MAX:
            passages.append(passage)
        if observer is not None:
            observer(passage)

    recorder: Recorder | None = None
    laboratory: _AnyLaboratory
    if isolation is Isolation.NONE:
        laboratory = LoopbackLaboratory(reactor, scratch, work, on_line, on_passage)
    else:
        recorder = Recorder(private)
        if isolation is Isolation.SIMULATED:
            clock = VirtualClock()
            wire = Wire(clock, experiment.wire, clock.time_ns)
            laboratory = SimulatedLaboratory(
                reactor, clock, experiment, wire, work, on_line, is_paced=is_paced
            )
        else:
            wire = Wire(reactor, experiment.wire)
            laboratory = NamespaceLaboratory(
                reactor,
                experiment,
                wire,
                isolation,
                scratch,
                work,
                on_line,
                own_stacks=own_stacks,
            )
        recorder.sender_note = laboratory.note_of
        wire.observers.append(recorder.observe)
        if observer is not None:
            wire.observers.append(observer)
    problem = ""
    lateness = Lateness(reactor)
    try:
        await laboratory.start()
        if isolation is not Isolation.SIMULATED:
            lateness.start()
        if isolation is Isolation.NONE and experiment.needs_wire:
            problem = str(NoWireError("this experiment"))
        elif isolation is Isolation.SIMULATED and experiment.commands:
            problem = str(NotSimulatedError(experiment.commands))
        else:
            problem = await _perform(experiment, laboratory)
    finally:
        lateness.stop()
        # A second cancel is not to cut the cleaning up short.
        await uncancelled(laboratory.stop())
        if recorder is not None:
            recorder.close()
        await uncancelled(_in_thread(reactor, shutil.rmtree, scratch))
    seconds = time.monotonic() - began
    return RunOutcome(
        experiment,
        private,
        results,
        isolation,
        problem,
        seconds,
        lateness.worst,
        output,
        passages,
    )


def _mistake(experiment: Experiment, error: Exception) -> str:
    """
    Tell what an experiment raised, and on which line of its file.
    """
    path = inspect.getsourcefile(experiment.perform)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == path]
    where = f" (line {lines[-1]} of {path})" if lines else ""
    return f"{type(error).__name__}: {error}{where}"


def _clear(folder: Path) -> None:
    """
    Remove the results of an earlier run, and nothing else.
    """
    with ResultsFolder(folder.parent) as out, out.inside(folder.name) as place:
        place.remove(RESULTS)


async def _in_thread(reactor: Any, work: Callable[..., None], *arguments: Any) -> None:
    await deferToThreadPool(reactor, reactor.getThreadPool(), work, *arguments)


async def uncancelled(work: Coroutine[Deferred[Any], Any, None]) -> None:
    """
    Wait for something that must be done to its end, however often it is cancelled.
    """
    results: list[object] = []
    waiting: list[Deferred[None]] = []

    def finish(result: object) -> None:
        results.append(result)
        while waiting:
            waiting.pop().callback(None)

    Deferred.fromCoroutine(work).addBoth(finish)
    while not results:
        waiting.append(Deferred(waiting.remove))
        with contextlib.suppress(CancelledError):
            await waiting[-1]
    if isinstance(results[0], Failure):
        results[0].raiseException()


async def _perform(experiment: Experiment, laboratory: _AnyLaboratory) -> str:
    """
    Do what the experiment says, and wait for the connections to close.

    @return: what went wrong, or nothing.
    """

    async def do() -> None:
        await experiment.perform(laboratory)

    clock = laboratory.clock
    performing = Deferred.fromCoroutine(do())
    if not isinstance(laboratory, LoopbackLaboratory):
        laboratory.on_failure = performing.cancel
    try:
        await performing.addTimeout(experiment.patience, clock)
    except CancelledError:
        if not isinstance(laboratory, LoopbackLaboratory) and laboratory.failure is not None:
            laboratory.failure.raiseException()
        raise
    except PatienceError:
        return f"not done after {experiment.patience:g} seconds"
    except KnownError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001, the author made the mistake, and gets its place
        return _mistake(experiment, error)
    if not isinstance(laboratory, LoopbackLaboratory):
        laboratory.on_failure = lambda: None
    if experiment.settle:
        closing = Deferred.fromCoroutine(laboratory.all_closed())
        # Some experiments leave connections open on purpose; the expectations will tell.
        with contextlib.suppress(PatienceError):
            await closing.addTimeout(experiment.settle, clock)
        await laboratory.pause(_QUIET_SECONDS)
    if not isinstance(laboratory, LoopbackLaboratory) and laboratory.failure is not None:
        laboratory.failure.raiseException()
    return ""
