"""
Experiments on simulated hosts: by the command, beside Linux's own, in other interpreters, and on
the live page.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.threads import deferToThread

from netlab.lab.api.sides import Side
from netlab.lab.results.catalogue import load, names
from netlab.lab.wire.places import capture_path
from tests.live.conftest import RunNetlab, StartServer
from tests.live.hosts import NEEDS_HOSTS, WAYS
from tests.live.processes import TOP
from tests.live.sockets import socket_to
from tests.live.test_lab import RESULTS, VALIDITY, is_valid, tshark, verdicts
from tests.live.test_live_lab import read_events, token_of

#: All but those about a browser.
SIMULATED = [name for name in names() if not load(name).commands]

#: TLS draws its own random numbers.
REPEATABLE = [name for name in SIMULATED if name != "https"]

#: What is tried with one end of ours: each of another kind.
AGAINST_LINUX = [
    *("echo", "echo_large", "fast_retransmit", "half_close", "host_crash", "https"),
    *("keep_alive", "nagle", "refused", "time_wait", "zero_window"),
]

#: Runs experiments where what only Linux has cannot be imported by any module of netlab's.
WITHOUT_LINUX = """
import builtins, os, socket, sys

FOREIGN = {"_posixsubprocess", "fcntl", "grp", "prctl", "pwd", "resource", "termios", "tty"}
ordinary = builtins.__import__

def guarded(name, globals=None, locals=None, fromlist=(), level=0):
    importer = (globals or {}).get("__name__", "")
    if importer.startswith("netlab") and name.partition(".")[0] in FOREIGN:
        raise ImportError(f"{importer} imports {name}")
    return ordinary(name, globals, locals, fromlist, level)

builtins.__import__ = guarded
import twisted.internet.reactor
del socket.AF_UNIX, os.getpriority, os.setpriority
from netlab.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def out() -> Iterator[Path]:
    """
    Give a folder for results.
    """
    with tempfile.TemporaryDirectory(prefix="netlab-simulated-") as name:
        yield Path(name)


def shown(folder: Path) -> dict[tuple[str, str, str], bool]:
    """
    Read what each experiment has shown: by its name, the end, and what was expected there.
    """
    return {
        (name, result["end"], result["expected"]): result["is_met"]
        for name, verdict in verdicts(folder).items()
        for result in verdict["results"]
    }


@NEEDS_HOSTS
@pytest.mark.slow
@pytest.mark.xdist_group("lab")
async def test_verdicts_equal_those_on_linux(netlab: RunNetlab, out: Path) -> None:
    """
    Whatever runs on both, each expectation of it is met, or not, on simulated hosts as it is on
    Linux's; also where a knob makes some fail.
    """
    batches: list[tuple[list[str], list[str]]] = [
        (SIMULATED, ["--jobs", "8"]),
        (["selective_ack"], ["--sysctl", "net.ipv4.tcp_sack=0"]),
        (["fast_retransmit"], ["--rule", ""]),
        (["lost_request"], ["--rule", "drop client data 1-2"]),
    ]
    for number, (wanted, options) in enumerate(batches):
        ours, linux = out / f"simulated-{number}", out / f"linux-{number}"
        run = ("lab", "run", *options, "--isolation")
        await netlab(*run, "simulated", "--out", str(ours), *wanted)
        simulated = shown(ours)
        assert {name for name, _, _ in simulated} == set(wanted)
        await netlab(*run, WAYS[0], "--out", str(linux), *wanted)
        different = sorted({place[0] for place, _ in simulated.items() ^ shown(linux).items()})
        for name in different:
            # Frames come late on a machine that is busy: a second chance, alone.
            await netlab(*run, WAYS[0], "--out", str(linux), name)
        assert simulated == shown(linux)


@NEEDS_HOSTS
@pytest.mark.slow
@pytest.mark.xdist_group("lab")
@pytest.mark.parametrize("side", ["client", "server"])
async def test_against_linux(netlab: RunNetlab, out: Path, side: str) -> None:
    """
    With our TCP at one end of the wire and Linux's at the other, handshakes, dialogues, all kinds
    of closes, windows, probes and timers are as expected at both ends, and no frame is malformed.
    """
    run = ("lab", "run", f"--{side}-stack", "netlab", "--isolation", WAYS[0], "--out", str(out))
    await netlab(*run, *AGAINST_LINUX, "--jobs", "4")
    again = [name for name, verdict in verdicts(out).items() if not verdict["is_met"]]
    if again:
        # Frames come late on a machine that is busy: a second chance, alone.
        await netlab(*run, *again)
    found = verdicts(out)
    assert {name: verdict["is_met"] for name, verdict in found.items()} == dict.fromkeys(
        AGAINST_LINUX, True
    )
    for name in AGAINST_LINUX:
        assert f"--{side}-stack netlab" in found[name]["command"]
        for end in Side:
            frames = await deferToThread(tshark, capture_path(out / name, end), *VALIDITY)
            assert frames
            assert [frame for frame in frames if not is_valid(frame)] == []


async def test_all_simulated(netlab: RunNetlab, out: Path) -> None:
    """
    Every experiment but those about a browser comes out as expected, with all results as ever;
    somebody else's dissector finds no wrong frame in the captures. A browser is refused.
    """
    words = ("lab", "run", "--isolation", "simulated", "--out", str(out))
    done = await netlab(*words, *SIMULATED, "--jobs", "4")
    assert (done.status, done.err) == (0, ""), done.out
    found = verdicts(out)
    assert set(found) == set(SIMULATED)
    for name, verdict in found.items():
        assert (verdict["is_met"], verdict["isolation"]) == (True, "simulated"), verdict
        # A long capture's server end has no report of its own.
        missing = RESULTS - {path.name for path in (out / name).iterdir()}
        assert all(file.startswith("report-server.") for file in missing), (name, missing)

    def check() -> None:
        for side in Side:
            every = out / f"{side.value}.pcapng"
            captures = [capture_path(out / name, side) for name in SIMULATED]
            every.write_bytes(b"".join(capture.read_bytes() for capture in captures))
            frames = tshark(every, *VALIDITY)
            assert len(frames) > 1000
            assert [frame for frame in frames if not is_valid(frame)] == []

    await deferToThread(check)
    done = await netlab(*words, "notfound_browser")
    assert done.status == 1
    assert "notfound_browser: FAILED: it cannot be simulated: chromium runs on Linux's" in done.out


async def test_same_bytes_in_other_interpreters(out: Path) -> None:
    """
    The same seed gives the same captures and the same output, byte for byte, in interpreters whose
    hashes differ, alone and beside others.
    """

    def run(seed: str, *words: str) -> None:
        subprocess.run(
            [sys.executable, "-P", "-m", "netlab.cli", "lab", "run", *words],
            check=True,
            capture_output=True,
            cwd=out,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(TOP), "TZ": f"UTC{seed}"},
        )

    common = ("--isolation", "simulated", *REPEATABLE, "--out")
    await deferToThread(run, "1", *common, "one")
    await deferToThread(run, "2", *common, "two", "--jobs", "8")
    for name in REPEATABLE:
        for file in ("client.pcapng", "server.pcapng", "output.txt"):
            one, two = (out / folder / name / file for folder in ("one", "two"))
            assert one.read_bytes() == two.read_bytes(), (name, file)


async def test_without_what_only_linux_has(out: Path) -> None:
    """
    Simulated hosts need no module, and no kind of socket, that only Linux or Unix has.
    """

    def run() -> subprocess.CompletedProcess[str]:
        words = ("echo", "single_fin", "zero_window", "--isolation", "simulated")
        return subprocess.run(
            [sys.executable, "-P", "-c", WITHOUT_LINUX, "lab", "run", *words, "--out", str(out)],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(TOP)},
        )

    done = await deferToThread(run)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


async def test_chosen_where_there_are_no_hosts(out: Path) -> None:
    """
    Where the kernel gives no hosts they are simulated, which is said, with how to get others.
    """
    # A user without rights in a namespace without users: nobody may make one there.
    words = [sys.executable, "-P", "-c", _NO_HOSTS, "lab", "run", "refused", "--out", str(out)]

    def run() -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(TOP)}
        return subprocess.run(words, check=False, capture_output=True, text=True, env=environment)

    done = await deferToThread(run)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "There can be no hosts of this machine's kernel: this is not Linux." in done.stdout
    assert "They are simulated instead" in done.stdout
    assert verdicts(out)["refused"]["isolation"] == "simulated"


#: The command, on a system that is not Linux as far as the laboratory can see.
_NO_HOSTS = """
import sys
from netlab.lab.hosts import hosts
hosts._likely_ways = lambda: []
from netlab.cli import main
sys.exit(main(sys.argv[1:]))
"""


async def test_live_page(twistd: StartServer, tmp_path: Path) -> None:
    """
    The live page runs simulated experiments, whose time passes as fast as real time, and shows
    their segments.
    """
    server = await twistd("netlab-lab", "--isolation", "simulated", "--out", str(tmp_path / "out"))

    def run() -> list[tuple[str, dict[str, Any]]]:
        token = token_of(server)
        host = f"Host: localhost:{server.port}"
        order = '{"experiment":"http_versions"}'
        with socket_to(server.host, server.port) as client:
            client.sendall(f"GET /events HTTP/1.1\r\n{host}\r\n\r\n".encode())
            with socket_to(server.host, server.port) as other:
                other.sendall(
                    f"POST /run HTTP/1.1\r\n{host}\r\nX-Netlab-Token: {token}\r\n"
                    f"Content-Type: application/json\r\nContent-Length: {len(order)}\r\n\r\n"
                    f"{order}".encode()
                )
                assert re.match(rb"HTTP/1.1 20[0-9] ", other.recv(65536))
            return read_events(client, "end")

    events = await deferToThread(run)
    (place,) = {data["text"] for name, data in events if name == "place"}
    assert "simulated" in place
    sent = [data for name, data in events if name == "sent"]
    assert len(sent) > 10
    # Its server closes an idle connection after a second.
    assert sent[-1]["t"] > 1_000_000_000
    (end,) = (data for name, data in events if name == "end")
    assert end["is_met"], json.dumps(end)
    assert end["seconds"] >= 1


@NEEDS_HOSTS
@pytest.mark.slow
@pytest.mark.xdist_group("lab")
async def test_random_transfers() -> None:
    """
    Random transfers between our TCP and Linux's, over wires that lose, are right to the byte.
    """

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tests.interoperation", "1", "16"],
            check=False,
            capture_output=True,
            text=True,
            cwd=TOP,
        )

    done = await deferToThread(run)
    assert (done.returncode, done.stdout) == (0, "16 transfers, 16 right\n"), done.stderr
