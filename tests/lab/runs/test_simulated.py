"""
Tests for L{netlab.lab.runs.simulated}: experiments on simulated hosts.
"""

from __future__ import annotations

import dataclasses
import shutil
import signal
import tempfile
import threading
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.api.experiment import ECHO_PORT, Experiment, Laboratory
from netlab.lab.api.impairment import Impairment, WireSettings
from netlab.lab.api.knobs import Knobs
from netlab.lab.api.sides import Side
from netlab.lab.results.catalogue import load, names
from netlab.lab.results.judgement import judge_run
from netlab.lab.runs.programs import OutputLine
from netlab.lab.runs.run import RunOutcome
from netlab.lab.wire.places import capture_path
from netlab.lab.wire.wire import Crossing
from netlab.simulation.clock import EPOCH_NS
from tests.lab.runs.simulations import simulate

#: Those about a program that is not netlab's.
FOREIGN = {name for name in names() if load(name).commands}


_INSTEAD = "run the experiment with --isolation root or user"
_REFUSED = (
    "netlab echo: 10.0.0.2 port 12345 refused the connection: nothing listens there; "
    "twistd -n netlab-echo starts a server"
)
_REQUIRED = "the following arguments are required: PORT, MESSAGE"


def made(perform: Any, **settings: Any) -> Experiment:
    """
    Make an experiment of what it does.
    """
    return Experiment("made", "", "", "", "", perform, **settings)


class SimulatedLaboratoryTests(SynchronousTestCase):
    """
    Tests for L{netlab.lab.runs.simulated.SimulatedLaboratory}.
    """

    def setUp(self) -> None:
        """
        Make a folder for results.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="netlab-test-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def run_one(self, experiment: Experiment, **options: Any) -> RunOutcome:
        """
        Run an experiment.
        """
        outcome = simulate(experiment, self.folder, **options)
        self.addCleanup(outcome.discard)
        return outcome

    def captured(self, outcome: RunOutcome) -> list[bytes]:
        """
        Read both captures.
        """
        return [capture_path(outcome.folder, side).read_bytes() for side in Side]

    def test_every_experiment_shows_what_it_should(self) -> None:
        """
        Every experiment but those about a browser comes out as its expectations say, and leaves no
        thread behind.
        """
        before = threading.active_count()
        for name in names():
            if name in FOREIGN:
                continue
            experiment = load(name)
            outcome = self.run_one(experiment)
            self.assertEqual(outcome.problem, "", name)
            judgement = judge_run(experiment, outcome.folder)
            failures = [
                (side.value, result.expectation.sentence, result.shown.detail)
                for side, result in judgement.failures
            ]
            self.assertEqual(failures, [], name)
        self.assertEqual(threading.active_count(), before)

    def test_same_seed_same_run(self) -> None:
        """
        The same seed gives the same captures, byte for byte, and the same output; another seed
        gives others. On the way there are losses, corruption, jitter and timers.
        """
        knobs = Knobs(
            {"loss": 0.05, "jitter": 0.005, "delay": 0.01, "corruption": 0.02},
            {"loss": 0.05, "reordering": 0.05, "delay": 0.01, "duplication": 0.02},
        )
        experiment = load("fast_retransmit")
        one, two = (self.run_one(experiment, knobs=knobs) for _ in range(2))
        self.assertEqual((one.problem, two.problem), ("", ""))
        self.assertEqual(self.captured(one), self.captured(two))
        self.assertEqual(one.output, two.output)
        other = self.run_one(experiment, knobs=dataclasses.replace(knobs, seed=2))
        self.assertNotEqual(self.captured(one), self.captured(other))

    def test_files_have_the_time_of_the_simulation(self) -> None:
        """
        What a server says of its files does not depend on when they were made.
        """
        outcome = self.run_one(load("http_versions"))
        lines = {line.text for line in outcome.output if line.text.startswith("Last-Modified")}
        self.assertEqual(lines, {"Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT"})

    def test_browser_is_refused_in_one_line(self) -> None:
        """
        An experiment about a program that is not netlab's says that it cannot be simulated, and
        what to do; none of it is run.
        """
        self.assertEqual(FOREIGN, {"notfound_browser", "redirect_browser"})
        for name in FOREIGN:
            outcome = self.run_one(load(name))
            self.assertEqual(
                outcome.problem,
                "it cannot be simulated: chromium runs on Linux's TCP alone; "
                "run it with --isolation root or user",
            )
            self.assertEqual(outcome.output, [])

    def test_observer(self) -> None:
        """
        An observer sees each frame where it leaves and where it arrives, and each line, in the
        order of virtual time.
        """
        seen: list[Any] = []
        self.run_one(load("refused"), observer=seen.append)
        crossings = [(one.end, one.sender) for one in seen if isinstance(one, Crossing)]
        client, server = Side.CLIENT, Side.SERVER
        wanted = [(client, client), (server, client), (server, server), (client, server)]
        self.assertEqual(crossings, wanted)
        lines = [one.text for one in seen if isinstance(one, OutputLine)]
        self.assertEqual(lines, ["Connection refused"])
        times = [one.time_ns for one in seen]
        self.assertEqual(times, sorted(times))
        self.assertLess(times[0] - EPOCH_NS, 10_000)

    def test_paced(self) -> None:
        """
        Paced, a simulated second takes a second: not everything happens in the first turns.
        """
        times: list[int] = []
        experiment = load("http_versions")

        def observe(observation: Any) -> None:
            times.append(observation.time_ns)

        outcome = self.run_one(experiment, observer=observe, is_paced=True, step=0.05)
        self.assertEqual(outcome.problem, "")
        self.assertGreater(times[-1] - times[0], 1_000_000_000)

    def test_patience_is_virtual(self) -> None:
        """
        An experiment that takes too long is stopped when its patience is over, by the virtual
        clock.
        """

        async def perform(lab: Laboratory) -> None:
            await lab.pause(1000)

        outcome = self.run_one(made(perform, patience=500, settle=0))
        self.assertEqual(outcome.problem, "not done after 500 seconds")

    def test_command(self) -> None:
        """
        A command of netlab's prints, fails and is refused as it would as a process.
        """

        async def perform(lab: Laboratory) -> None:
            for words in (
                ("netlab", "echo", lab.server.address, str(ECHO_PORT), "hello"),
                ("netlab", "echo", "10.0.0.2", "0", "hello"),
                ("netlab", "echo", "10.0.0.2"),
                ("netlab", "serve"),
                ("netlab", "echo", "10.0.0.2", "7", "-"),
                ("curl", "http://10.0.0.2/"),
            ):
                await lab.client.start(*words).ended()

        outcome = self.run_one(made(perform, settle=0))
        self.assertEqual(
            [line.text for line in outcome.output],
            [
                _REFUSED,
                "netlab echo: PORT '0': not a TCP port; write a number from 1 to 65535",
                f"netlab echo: {_REQUIRED}; see netlab echo --help",
                "netlab serve cannot be simulated; run it with --isolation root or user",
                "netlab echo: its standard input cannot be simulated; name what it would read",
                f"curl cannot be simulated: it is no part of netlab; {_INSTEAD}",
            ],
        )

    def test_get(self) -> None:
        """
        C{netlab get} fetches a page on a simulated host and saves it in the programs' folder.
        """
        folders: list[Path] = []

        async def perform(lab: Laboratory) -> None:
            folders.append(lab.folder)
            await lab.server.serve("netlab-http")
            await lab.client.run("netlab", "get", "http://server:8080/")

        outcome = self.run_one(made(perform))
        self.assertEqual(outcome.problem, "")
        self.assertIn("HTTP/1.1 200 OK", [line.text for line in outcome.output])
        self.assertIn(b"<html", (folders[0] / "index.html").read_bytes().lower())

    def test_server_that_cannot_start(self) -> None:
        """
        A server whose command line makes no sense, or whose port is taken, ends with its line.
        """

        async def perform(lab: Laboratory) -> None:
            await lab.server.serve("netlab-echo")
            await lab.server.serve("netlab-http", port=ECHO_PORT)

        outcome = self.run_one(made(perform))
        self.assertIn("netlab-http ended before it printed", outcome.problem)
        self.assertIn("port 12345 on 10.0.0.2 is taken by another program", outcome.problem)

    def test_signal_ends_a_server_in_order(self) -> None:
        """
        SIGTERM lets a server close its connections and end with status 0; what this process does
        on a signal stays as it was.
        """
        statuses: list[int] = []

        async def perform(lab: Laboratory) -> None:
            server = await lab.server.serve("netlab-echo")
            server.signal(15)
            statuses.append(await server.ended())

        before = signal.getsignal(signal.SIGTERM)
        outcome = self.run_one(made(perform, settle=0))
        self.assertEqual((outcome.problem, statuses), ("", [0]))
        self.assertIs(signal.getsignal(signal.SIGTERM), before)

    def test_observers_mistake_ends_the_run(self) -> None:
        """
        What an observer raises is not lost: the run fails with it.
        """

        def observe(observation: object) -> None:
            if isinstance(observation, Crossing):
                raise ZeroDivisionError

        try:
            simulate(load("refused"), self.folder, observer=observe)
        except ZeroDivisionError:
            return
        self.fail("nothing was raised")

    def test_knobs(self) -> None:
        """
        The wire treats frames as it is told: with a delay of 100 ms a round trip takes 200.
        """
        experiment = dataclasses.replace(load("refused"), wire=WireSettings())
        slow = dataclasses.asdict(Impairment(delay=0.1))
        times: list[int] = []

        def observe(observation: Any) -> None:
            if isinstance(observation, Crossing):
                times.append(observation.time_ns)

        self.run_one(experiment, knobs=Knobs(slow, slow), observer=observe)
        self.assertEqual(round((times[-1] - times[0]) / 1e6), 200)

    def test_function_that_never_waits(self) -> None:
        """
        A function that a simulated program cannot run is refused where it asks for it.
        """
        path = self.folder / "mine.py"
        path.write_text(
            "from netlab.lab.api.experiment import Experiment\n"
            "def work():\n    import threading\n"
            "async def perform(lab):\n    await lab.client.run_function(work)\n"
            "EXPERIMENT = Experiment(name='mine', question='?', programs='', look_for='',\n"
            "    explanation='', perform=perform, settle=0)\n"
        )
        outcome = self.run_one(load(str(path)))
        self.assertIn("the module threading cannot be simulated", outcome.problem)
        self.assertNotIn("\n", outcome.problem)

    def test_own_file(self) -> None:
        """
        An experiment in a file of one's own prints, reads the clock, defines dataclasses and uses
        what the laboratory offers.
        """
        path = self.folder / "own.py"
        path.write_text(
            "from __future__ import annotations\n"
            "import time\n"
            "from dataclasses import dataclass\n"
            "from typing import ClassVar\n"
            "from netlab.lab.api import sockets\n"
            "from netlab.lab.api.experiment import Experiment\n"
            "from netlab.lab.experiments.echo import MESSAGES\n"
            "@dataclass\n"
            "class Pair:\n    one: int\n    two: ClassVar[int] = 2\n"
            "def work(text):\n"
            "    time.sleep(3600)\n"
            "    year = time.strftime('%Y', time.gmtime(time.time()))\n"
            "    print(text, Pair(1), len(MESSAGES), year)\n"
            "    sockets.say('said')\n"
            "async def perform(lab):\n    await lab.client.run_function(work, ['json'])\n"
            "EXPERIMENT = Experiment(name='own', question='?', programs='', look_for='',\n"
            "    explanation='', perform=perform, settle=0, patience=4000)\n"
        )
        outcome = self.run_one(load(str(path)))
        self.assertEqual(outcome.problem, "")
        lines = [line.text for line in outcome.output]
        self.assertEqual(lines, ["['json'] Pair(one=1) 2 2026", "said"])
