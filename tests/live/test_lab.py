"""
The laboratory: real hosts, a real wire, real programs.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from netlab.lab.api.sides import Side
from netlab.lab.hosts.hosts import best_isolation
from netlab.lab.hosts.settings import Isolation
from netlab.lab.results.catalogue import REFERENCE, load, names
from netlab.lab.runs.programs import OutputLine
from netlab.lab.runs.run import start
from netlab.lab.wire.places import capture_path
from netlab.lab.wire.wire import Crossing
from tests.live.conftest import RunNetlab
from tests.live.hosts import NEEDS_HOSTS, WAYS
from tests.live.processes import TOP, Completed, Program, spawn
from tests.live.unprivileged import NOBODY

#: What a run must leave for each experiment.
RESULTS = {
    "client.pcapng",
    "files",
    "output.txt",
    "report-server.html",
    "report-server.json",
    "report-server.md",
    "report.html",
    "report.json",
    "report.md",
    "server.pcapng",
    "thumbnail.svg",
    "verdict.json",
}

REPORTS_OF_THE_SERVER = {name for name in RESULTS if name.startswith("report-server.")}

#: Where private folders of runs are made, in the folder for results.
TEMPORARY = "tmp"

WAITS_FOR_EVER = """
from netlab.lab.api.experiment import Experiment

async def perform(lab):
    await lab.server.serve("netlab-echo")
    lab.client.start("sleep", "1000")
    print("everything runs", flush=True)
    await lab.pause(1000)

EXPERIMENT = Experiment(
    name="waits", question="?", programs="", look_for="", explanation="", perform=perform,
    patience=2000,
)
"""

FAILS = """
from netlab.lab.api.experiment import Experiment

def fail():
    raise SystemExit("no luck")

async def perform(lab):
    await lab.server.serve("netlab-echo")
    lab.client.start("sleep", "1000")
    await lab.client.run_function(fail)

EXPERIMENT = Experiment(
    name="fails", question="?", programs="", look_for="", explanation="", perform=perform
)
"""


MISTAKEN = """
from netlab.lab.api.experiment import Experiment

async def perform(lab):
    1 / 0

EXPERIMENT = Experiment(
    name="mistaken", question="?", programs="", look_for="", explanation="", perform=perform
)
"""

# Not malformed, and both checksums good, is: "", "1", "1".
VALIDITY = ("_ws.malformed", "ip.checksum.status", "tcp.checksum.status", "tcp.checksum")


def is_valid(frame: list[str]) -> bool:
    """
    Tell by L{VALIDITY} whether a frame is as it was sent. A sum of zero has two forms (RFC 1624),
    of which Linux sends 0xffff once in 65,536 segments: a receiver takes it, tshark calls it bad.
    """
    malformed, of_ip, of_tcp, checksum = frame[: len(VALIDITY)]
    return (malformed, of_ip) == ("", "1") and (of_tcp == "1" or checksum == "0xffff")


# What one must know of a frame that is not so.
IDENTITY = (
    *("frame.number", "ip.src", "tcp.flags", "tcp.seq_raw", "tcp.ack_raw", "tcp.len"),
    "tcp.payload",
)


#: Not beside one another: on a busy machine frames come late.
pytestmark = pytest.mark.xdist_group("lab")


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """
    Give a folder for results, with one for temporary files in it.
    """
    with tempfile.TemporaryDirectory(prefix="netlab-lab-") as name:
        temporary = Path(name) / TEMPORARY
        temporary.mkdir()
        temporary.chmod(0o1777)
        monkeypatch.setenv("TMPDIR", str(temporary))
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        yield Path(name)


def tshark(capture: Path, *fields: str, display_filter: str = "") -> list[list[str]]:
    """
    Read fields of each frame with somebody else's dissector.
    """
    options = [option for field in fields for option in ("-e", field)]
    options += ["-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"]
    done = subprocess.run(
        ["tshark", "-n", "-r", capture, "-Y", display_filter, "-T", "fields", *options],
        check=True,
        capture_output=True,
        text=True,
    )
    return [line.split("\t") for line in done.stdout.splitlines()]


def verdicts(out: Path) -> dict[str, dict[str, Any]]:
    """
    Read all verdicts.
    """
    found = (json.loads(path.read_text()) for path in out.glob("*/verdict.json"))
    return {verdict["name"]: verdict for verdict in found}


def leftovers(mark: Path) -> list[str]:
    """
    List what is left of laboratories that worked in a folder: processes that have it in their
    environment or command line, mounts, devices.
    """
    found = []
    needle = os.fsencode(mark)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if needle in text and int(process.name) != os.getpid():
            found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    found += [line for line in Path("/proc/mounts").read_text().splitlines() if str(mark) in line]
    found += [name for name in os.listdir("/sys/class/net") if name.startswith("wire")]
    return found


async def run_as(
    way: str, reactor: Any, programs: list[Program], out: Path, *arguments: str
) -> Completed:
    """
    Run C{netlab} as root, or as a user without any privilege.
    """
    command = ["-m", "netlab.cli", *arguments]
    if way == "user" and os.geteuid() == 0:
        os.chown(out, NOBODY, NOBODY)
        command = ["-m", "tests.live.unprivileged", sys.executable, *command]
    program = Program(reactor)
    spawn(reactor, program, command, out)
    programs.append(program)
    return await program.ended()


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
async def test_every_experiment(way: str, reactor: Any, programs: list[Program], out: Path) -> None:
    """
    Every experiment shows what it should, some at a time, as root and without privilege; tshark
    reads the captures of both ends without a malformed frame or a wrong checksum; in the reports
    of the reference exchanges every equation holds; nothing is left.

    On a machine that is busy with other things a frame may come late and have effects of its own,
    so what was not as expected at first gets a second chance, alone.
    """
    run = ("lab", "run", "--out", str(out), "--isolation", way)
    done = await run_as(way, reactor, programs, out, *run, "--all", "--jobs", "8")
    first = verdicts(out)
    assert set(first) == set(names()), done
    again = [name for name, verdict in first.items() if not verdict["is_met"]]
    if again:
        done = await run_as(way, reactor, programs, out, *run, *again)
        assert (done.status, done.err) == (0, ""), done.out
    for name, verdict in verdicts(out).items():
        assert verdict["is_met"], verdict
        assert verdict["isolation"] == way
        assert verdict["results"], name
        found = {path.name for path in (out / name).iterdir()}
        assert found == (RESULTS if has_arrived(out / name) else RESULTS - REPORTS_OF_THE_SERVER)
    page = (out / "index.html").read_text()
    assert f"{len(first)} of {len(first)} experiments as expected" in page
    assert leftovers(out) == []
    await deferToThread(check_with_tshark, out)
    check_equations(out)


def has_arrived(folder: Path) -> bool:
    """
    Tell whether the server's end has seen a frame: there is no report of none.
    """
    return bool(tshark(capture_path(folder, Side.SERVER), "frame.number"))


def check_with_tshark(out: Path) -> None:
    """
    Have tshark read all captures. Sections of pcapng can stand one behind the other in a file, so
    it need start only once for each end.
    """
    for side in Side:
        every = out / f"{side.value}.pcapng"
        captures = [capture_path(out / name, side) for name in names()]
        every.write_bytes(b"".join(capture.read_bytes() for capture in captures))
        frames = tshark(every, *VALIDITY, "frame.comment", *IDENTITY)
        assert len(frames) > 1000
        # Empty: no wrong frame. Otherwise pytest shows which, with its bytes.
        assert [frame for frame in frames if not is_valid(frame)] == []
        assert all(frame[len(VALIDITY)] for frame in frames)
    echo = capture_path(out / "echo", Side.CLIENT)
    fins = tshark(echo, "ip.src", "tcp.ack", display_filter="tcp.flags.fin == 1")
    assert sorted(fins) == [["10.0.0.1", "54"], ["10.0.0.2", "54"]]


def check_equations(out: Path) -> None:
    """
    See to it that in the reports of the reference exchanges no equation fails, and that every
    acknowledgement number is explained.
    """
    for name in REFERENCE:
        for stem in ("report", "report-server"):
            report = json.loads((out / name / f"{stem}.json").read_text())
            end = "server" if stem == "report-server" else "client"
            assert f"Captured at the {end}'s end of the wire." in json.dumps(report)
            for frame in report["frames"]:
                found = {finding["rule"]: finding["verdict"] for finding in frame["findings"]}
                assert set(found.values()) <= {"PASS", "NOTED"}, (name, frame["number"], found)
                assert "ACK" not in frame["flags"] or found["acknowledgement"] == "PASS"


@NEEDS_HOSTS
@pytest.mark.slow
async def test_not_as_expected(netlab: RunNetlab, out: Path) -> None:
    """
    An experiment that does not show what it should says so, and what it shows instead.
    """
    run = ("lab", "run", "lost_request", "--out", str(out))
    done = await netlab(*run, "--rule", "drop server rst 1")
    assert done.status == 1
    assert "lost_request: NOT as expected, 11 of 12" in done.out
    assert "but nothing is sent again" in done.out
    (verdict,) = verdicts(out).values()
    (missed,) = [result for result in verdict["results"] if not result["is_met"]]
    assert (missed["end"], missed["name"]) == ("client", "client-timer")
    assert "0 of 1 experiment as expected" in (out / "index.html").read_text()


@NEEDS_HOSTS
@pytest.mark.slow
async def test_same_seed_same_segments(netlab: RunNetlab, out: Path) -> None:
    """
    A scripted impairment comes out the same each time: the same segments in the same order at both
    ends, times and ports and initial sequence numbers apart.
    """
    scripted = ("lost_request", "selective_ack", "echo")

    async def run(attempt: str) -> None:
        seeded = ("--seed", "7", "--jobs", "3", "--out", str(out / attempt))
        done = await netlab("lab", "run", *scripted, *seeded)
        assert (done.status, done.err) == (0, ""), done.out

    await gatherResults([Deferred.fromCoroutine(run(attempt)) for attempt in ("one", "two")])
    # Whether an ACK waits for company, and where a burst ends (PSH), is the hosts' affair.
    fields = ("ip.src", "tcp.flags.syn", "tcp.flags.fin", "tcp.seq", "tcp.len")
    chosen = "tcp.len > 0 || tcp.flags.syn == 1 || tcp.flags.fin == 1"
    for side in Side:
        seen = []
        for attempt in ("one", "two"):
            every = out / attempt / "every.pcapng"
            captures = [capture_path(out / attempt / name, side) for name in scripted]
            every.write_bytes(b"".join(capture.read_bytes() for capture in captures))
            seen.append(tshark(every, *fields, display_filter=chosen))
        assert len(seen[0]) > 80
        assert seen[0] == seen[1]


@NEEDS_HOSTS
@pytest.mark.slow
async def test_own_experiment(netlab: RunNetlab, out: Path) -> None:
    """
    The tutorial's experiment runs as it stands there, from any folder, in about 30 lines.
    """
    text = (TOP / "docs" / "lab.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (source,) = [block for block in blocks if "EXPERIMENT = " in block]
    assert len(source.splitlines()) <= 40
    (out / "mine.py").write_text(source)
    mine = str(out / "mine.py")
    done = await netlab(
        "lab", "run", mine, "--rule", "", "--delay", "2ms", "--output-dir", str(out)
    )
    assert (done.status, done.err) == (0, ""), done.out
    (verdict,) = verdicts(out).values()
    assert verdict["is_met"]
    assert shlex.split(verdict["command"]) == [
        *("netlab", "lab", "run", mine, "--delay", "2ms", "--rule", "")
    ]
    assert verdict["results"]


@pytest.mark.slow
async def test_without_hosts(netlab: RunNetlab, out: Path) -> None:
    """
    Where no hosts can be made the programs run on loopback, and a relay tells what it reads, which
    is not called a capture. An experiment that needs a wire says so.
    """
    done = await netlab("lab", "run", "echo", "nagle", "--isolation", "none", "--out", str(out))
    assert done.status == 1
    assert "echo: not checked: there is no capture" in done.out
    assert "nagle: FAILED: this experiment needs hosts of its own" in done.out
    trace = (out / "echo" / "trace.txt").read_text()
    assert trace.startswith("An application-level trace, not a capture")
    assert "server: 33 bytes: b'A MESSAGE OF THIRTY-THREE LETTERS'" in trace
    assert not (out / "echo" / "client.pcapng").exists()
    assert leftovers(out) == []


@pytest.fixture
def start_waiting(reactor: Any, programs: list[Program], out: Path) -> Callable[[], Program]:
    """
    Start an experiment that never ends.
    """

    def begin() -> Program:
        (out / "waits.py").write_text(WAITS_FOR_EVER)
        program = Program(reactor)
        command = ["-m", "netlab.cli", "lab", "run", str(out / "waits.py"), "--out", str(out)]
        spawn(reactor, program, command, out)
        programs.append(program)
        return program

    return begin


@NEEDS_HOSTS
@pytest.mark.slow
async def test_nothing_left_after_ctrl_c(start_waiting: Callable[[], Program], out: Path) -> None:
    """
    Ctrl-C ends the hosts with everything on them, and the command with the status of an interrupt.
    """
    program = start_waiting()
    await program.line("everything runs")
    assert leftovers(out) != []
    done = await program.stop(signal.SIGINT)
    assert (done.status, done.err) == (130, "")
    assert [*leftovers(out), *(out / TEMPORARY).iterdir()] == []


@NEEDS_HOSTS
@pytest.mark.slow
async def test_nothing_left_after_kill(
    reactor: Any, start_waiting: Callable[[], Program], out: Path
) -> None:
    """
    If the laboratory is killed, the kernel ends the hosts and everything on them.
    """
    program = start_waiting()
    await program.line("everything runs")
    done = await program.stop(signal.SIGKILL)
    assert done.status == -signal.SIGKILL
    for _ in range(500):
        if not leftovers(out):
            break
        # The kernel takes its time to bury what it has killed.
        await deferLater(reactor, 0.01)
    assert leftovers(out) == []


@NEEDS_HOSTS
@pytest.mark.slow
async def test_mistakes(netlab: RunNetlab, out: Path) -> None:
    """
    A mistake in an experiment, or a folder that cannot be written, is told in one line.
    """
    source = MISTAKEN.strip() + "\n"
    (out / "mistaken.py").write_text(source)
    done = await netlab("lab", "run", str(out / "mistaken.py"), "--out", str(out))
    assert (done.status, done.err) == (1, "")
    where = f"(line 4 of {out}/mistaken.py)"
    assert f"mistaken: FAILED: ZeroDivisionError: division by zero {where}" in done.out
    done = await netlab("lab", "run", "echo", "--out", str(out / "mistaken.py"))
    assert done.status == 1
    assert done.err.startswith("netlab lab: cannot write results: ")
    assert done.err.count("\n") == 1


@NEEDS_HOSTS
@pytest.mark.slow
async def test_nothing_left_after_failure(netlab: RunNetlab, out: Path) -> None:
    """
    An experiment that fails says why, and leaves nothing either.
    """
    (out / "fails.py").write_text(FAILS)
    done = await netlab("lab", "run", str(out / "fails.py"), "--out", str(out))
    assert done.status == 1
    assert "fails: FAILED: fail() ended with status 1: no luck" in done.out
    assert [*leftovers(out), *(out / TEMPORARY).iterdir()] == []


@NEEDS_HOSTS
@pytest.mark.slow
async def test_observer_and_cancel(reactor: Any, out: Path) -> None:
    """
    Whoever starts a run sees each frame twice, as it leaves and as it arrives, and each line of the
    programs, in the order of time; a run that is cancelled leaves nothing.
    """
    isolation, reason = await best_isolation(reactor)
    assert isolation is not Isolation.NONE, reason
    seen: list[Any] = []
    outcome = await start(
        reactor, load("refused"), out / "refused", isolation=isolation, observer=seen.append
    ).result
    assert outcome.problem == ""
    outcome.discard()
    crossings = [one for one in seen if isinstance(one, Crossing)]
    assert [(one.end, one.sender) for one in crossings] == [
        (Side.CLIENT, Side.CLIENT),
        (Side.SERVER, Side.CLIENT),
        (Side.SERVER, Side.SERVER),
        (Side.CLIENT, Side.SERVER),
    ]
    assert [one.text for one in seen if isinstance(one, OutputLine)] == ["Connection refused"]
    times = [one.time_ns for one in seen]
    assert times == sorted(times)

    def cancel(observation: object) -> None:
        if isinstance(observation, Crossing):
            reactor.callLater(0, run.cancel)
            reactor.callLater(0, run.cancel)

    run = start(
        reactor, load("zero_window"), out / "cancelled", isolation=isolation, observer=cancel
    )
    with pytest.raises(CancelledError):
        await run.result
    assert [*leftovers(out), *(out / TEMPORARY).iterdir()] == []


@NEEDS_HOSTS
@pytest.mark.slow
async def test_two_laboratories(netlab: RunNetlab, out: Path) -> None:
    """
    Two laboratories run at once without knowing of each other.
    """

    async def run(name: str) -> Completed:
        return await netlab("lab", "run", "echo", "--out", str(out / name))

    both = [Deferred.fromCoroutine(run(name)) for name in ("one", "two")]
    for done in await gatherResults(both):
        assert (done.status, done.err) == (0, ""), done.out
