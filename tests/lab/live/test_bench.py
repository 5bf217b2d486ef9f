"""
Tests for L{netlab.lab.live.bench}.
"""

from __future__ import annotations

import itertools
from pathlib import Path

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.expectations.expectations import Expectation, Result, Shown
from netlab.lab.api.sides import Side
from netlab.lab.hosts.hosts import HostError
from netlab.lab.hosts.settings import Isolation
from netlab.lab.live.bench import TRANSITIONS, Cue, RefusedError, RunPhase
from netlab.lab.live.feed import EVENTS_MAX
from netlab.lab.results.judgement import Judgement
from netlab.lab.runs.batch import Finished
from netlab.lab.runs.programs import OutputLine
from tests.lab.live.runs import START_NS, Runs, observed_wire
from tests.lab.segments import frame


class BenchTests(SynchronousTestCase):
    """
    One run at a time.
    """

    def setUp(self) -> None:
        """
        Prepare a bench.
        """
        self.runs = Runs(Path(self.mktemp()))
        self.bench = self.runs.bench
        self.bench.prepared(Isolation.USER, "Two hosts.")

    def phases(self) -> list[str]:
        """
        Give the phases that were told since the run began.
        """
        return [data["phase"] for data in self.runs.named("phase")]

    def end(self) -> dict[str, object]:
        """
        Give what was told of the end.
        """
        (end,) = self.runs.named("end")
        return end

    def test_preparing(self) -> None:
        """
        Before it is known how hosts can be made nothing runs; then the page is told how they are.
        """
        runs = Runs(Path(self.mktemp()))
        error = self.assertRaises(RefusedError, runs.begin)
        self.assertIn("being prepared", str(error))
        self.assertEqual(runs.named("place"), [])
        runs.bench.prepared(Isolation.NONE, "No hosts.")
        self.assertEqual(runs.named("place"), [{"isolation": "none", "text": "No hosts."}])
        runs.begin()
        self.assertIs(runs.started[0][2], Isolation.NONE)

    def test_a_run(self) -> None:
        """
        A run is started, ends, is judged and explained; then another may begin.
        """
        self.assertEqual(self.runs.begin(), 1)
        experiment, folder, isolation, _ = self.runs.started[0]
        self.assertEqual((experiment.name, isolation), ("echo", Isolation.USER))
        self.assertEqual(folder, self.runs.folder / "echo")
        folder.mkdir(parents=True)
        (folder / "client.pcapng").touch()
        (folder / "secret").touch()
        outcome = self.runs.outcome()
        self.runs.end(outcome)
        self.assertIs(self.bench.phase, RunPhase.REPORTING)
        ((given, done),) = self.runs.finished
        self.assertIs(given, outcome)
        result = Result(
            Expectation("x", "It opens", lambda _: Shown(is_met=True, detail="")),
            Shown(True, "SYN"),
        )
        judgement = Judgement({Side.CLIENT: [result]}, {Side.CLIENT: 3})
        done.callback(Finished(outcome, judgement))
        self.assertEqual(self.phases(), ["running", "reporting", "idle"])
        end = self.end()
        self.assertEqual(
            (end["problem"], end["is_stopped"], end["is_judged"], end["is_met"]),
            ("", False, True, True),
        )
        self.assertEqual(
            end["results"],
            [{"end": "client", "expected": "It opens", "is_met": True, "found": "SYN"}],
        )
        self.assertEqual(end["files"], ["client.pcapng"])
        self.assertEqual(self.runs.begin("single_fin"), 2)
        self.assertEqual(self.runs.named("begin")[0]["name"], "single_fin")

    def test_one_at_a_time(self) -> None:
        """
        Until a run is over a second one is refused, with what is going on, and nothing is started.
        """
        self.runs.begin()
        self.assertIn("echo is running", str(self.assertRaises(RefusedError, self.runs.begin)))
        self.bench.stop()
        self.assertIn("just ending", str(self.assertRaises(RefusedError, self.runs.begin)))
        self.runs.end(self.runs.outcome())
        self.assertIn("just ending", str(self.assertRaises(RefusedError, self.runs.begin)))
        self.assertEqual(len(self.runs.started), 1)

    def test_stop(self) -> None:
        """
        Stop cancels the run, which is over when everything of it is gone.
        """
        self.runs.begin()
        self.bench.stop()
        self.bench.stop()
        self.assertEqual(self.runs.cancelled, 2)
        self.assertIs(self.bench.phase, RunPhase.STOPPING)
        self.runs.end(CancelledError())
        self.assertEqual(self.phases(), ["running", "stopping", "stopping", "idle"])
        self.assertTrue(self.end()["is_stopped"])
        self.assertEqual(self.end()["problem"], "")

    def test_stop_without_a_run(self) -> None:
        """
        Where nothing runs, nothing can be stopped.
        """
        self.assertRaises(RefusedError, self.bench.stop)
        self.runs.begin()
        self.runs.end(self.runs.outcome())
        self.assertRaises(RefusedError, self.bench.stop)

    def test_failures(self) -> None:
        """
        A run that cannot be made says why in one line, and the bench is free again.
        """
        for error, words in (
            (HostError("no namespaces here"), "no namespaces here"),
            (OSError(28, "No space left on device", "/tmp/x"), "No space left on device: /tmp/x"),
            (ValueError("secret detail"), "a mistake of ours"),
        ):
            self.runs.begin()
            self.runs.end(error)
            self.assertIn(words, str(self.end()["problem"]))
            self.assertNotIn("secret", str(self.end()["problem"]))
            self.assertIs(self.bench.phase, RunPhase.IDLE)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_results_that_cannot_be_written(self) -> None:
        """
        A failure while judging and reporting is told, and the bench is free again.
        """
        self.runs.begin()
        self.runs.end(self.runs.outcome())
        self.runs.finished[0][1].errback(OSError(28, "No space left on device", "report.html"))
        self.assertEqual(self.end()["problem"], "No space left on device: report.html")
        self.assertIs(self.bench.phase, RunPhase.IDLE)

    def test_idle(self) -> None:
        """
        At the end of the laboratory a run is stopped and waited for.
        """
        self.successResultOf(self.bench.idle())
        self.runs.begin()
        idle = self.bench.idle()
        self.assertNoResult(idle)
        self.assertEqual(self.runs.cancelled, 1)
        self.runs.end(CancelledError())
        self.successResultOf(idle)
        self.runs.begin()
        self.runs.end(self.runs.outcome())
        reporting = self.bench.idle()
        self.assertNoResult(reporting)
        outcome, done = self.runs.finished[-1]
        done.callback(Finished(outcome, None))
        self.successResultOf(reporting)

    def test_observations(self) -> None:
        """
        What is seen is told a moment later, outside of the wire's own call, and all of it before
        the end.
        """
        self.runs.begin()
        wire = observed_wire(self.runs.clock, self.runs.observer)
        wire.send(Side.CLIENT, frame(Side.CLIENT))
        self.assertEqual(self.runs.named("sent"), [])
        self.runs.clock.advance(0.02)
        self.assertEqual(len(self.runs.named("sent")), 1)
        for _ in range(120):
            wire.send(Side.CLIENT, frame(Side.CLIENT))
        self.runs.end(self.runs.outcome())
        self.assertEqual(len(self.runs.named("sent")), 121)
        self.assertEqual(self.runs.clock.getDelayedCalls(), [])

    def test_a_flood(self) -> None:
        """
        Of a flood of observations only so many wait or are kept, and the end says that there were
        more.
        """
        self.runs.begin()
        line = OutputLine(START_NS, Side.SERVER, "flood", "x")
        for _ in range(EVENTS_MAX + 5000):
            self.runs.observer(line)
        self.assertEqual(self.bench.untold, EVENTS_MAX)
        self.runs.end(self.runs.outcome())
        outcome, done = self.runs.finished[0]
        done.callback(Finished(outcome, None))
        self.assertLessEqual(len(self.runs.feed), EVENTS_MAX)
        self.assertGreaterEqual(int(str(self.end()["left_out"])), 5000)
        self.assertEqual(self.phases()[-1], "idle")

    def test_table(self) -> None:
        """
        From every phase the bench finds back to idle, and no run begins but from there.
        """
        reached = {phase: {phase} for phase in RunPhase}
        for _ in RunPhase:
            for (before, _cue), after in TRANSITIONS.items():
                reached[before] |= reached[after]
        for phase, cue in itertools.product(RunPhase, Cue):
            self.assertIn(RunPhase.IDLE, reached[phase])
            if cue is Cue.START:
                self.assertEqual((phase, cue) in TRANSITIONS, phase is RunPhase.IDLE)
