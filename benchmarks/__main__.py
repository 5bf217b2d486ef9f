"""
Measure our servers beside others: see README.md in this folder.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import capture, explain, machine, peers
from benchmarks.certificate import make_certificate
from benchmarks.load import WrongAnswerError
from benchmarks.measurements import FILES
from benchmarks.peers import Peer
from benchmarks.report import Result, as_json, write
from benchmarks.workload import Settings, Workload
from benchmarks.workloads import WORKLOADS

_SMALL_BYTES = 210
#: All files are as old, so that all validators are as long.
_MODIFIED = 1_700_000_000
_CAPTURES = "captures"
_FRAMES = 200_000
_QUICK_FRAMES = 50_000
_DESCRIPTORS_NEEDED = 10_300


def main() -> int:
    """
    Measure what the command line names, all by default.

    @return: the exit status: 1 when a server gave a wrong answer or did not start.
    """
    options = _options()
    if options.workloads == [_CAPTURES]:
        print(*_captures(options), sep="\n")
        return 0
    for tool in ("wrk", "taskset"):
        if shutil.which(tool) is None:
            sys.exit(
                f"benchmarks: no {tool} here; on Debian and Ubuntu: apt install wrk util-linux"
            )
    if machine.raise_descriptor_limit() < _DESCRIPTORS_NEEDED:
        print(f"ulimit -n is below {_DESCRIPTORS_NEEDED}: 10,000 connections will fail")
    chosen = [
        workload
        for workload in WORKLOADS
        if (workload.name in options.workloads if options.workloads else True)
        and (workload.is_quick or not options.quick)
    ]
    begun = time.monotonic()
    print(machine.description(), flush=True)
    if not machine.HAS_TWO_CORES:
        print("one core: server and load share it")
    about = {
        "machine": machine.description(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    versions: dict[str, str] = {}
    failures = 0
    with tempfile.TemporaryDirectory(prefix="netlab-bench-") as folder:
        settings = Settings(_make_root(Path(folder)), Path(folder), options.rounds, options.seconds)
        for workload in chosen:
            try:
                result = _run(workload, settings, versions, options)
            except (WrongAnswerError, RuntimeError, OSError) as error:
                print(f"{workload.name}: FAILED: {error}", flush=True)
                failures += 1
                continue
            print("\n".join(result.lines()), flush=True)
            if options.json:
                # At once: the next workload may be cut short.
                write(
                    options.json,
                    as_json(result, options.seconds, about | {"versions": versions}),
                )
    print("versions:", ", ".join(f"{name} {version}" for name, version in versions.items()))
    if not options.workloads or _CAPTURES in options.workloads:
        print(*_captures(options), sep="\n")
    print(f"{time.monotonic() - begun:.0f} s, load average {os.getloadavg()[0]:.1f} at the end")
    return 1 if failures else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = [*(workload.name for workload in WORKLOADS), _CAPTURES]
    parser.add_argument("workloads", nargs="*", choices=[[], *names], help="all by default")
    parser.add_argument("--quick", action="store_true", help="fewer workloads and rounds")
    parser.add_argument("--rounds", type=int, help="turns of each server [5; quick: 3]")
    parser.add_argument("--seconds", type=int, help="how long a turn is [2; quick: 1]")
    parser.add_argument("--servers", help="only these, with commas between")
    parser.add_argument(
        "--before", type=Path, help="also measure the netlab of this virtual environment"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 5)
    options.seconds = options.seconds or (1 if options.quick else 2)
    return options


def _captures(options: argparse.Namespace) -> Iterable[str]:
    """
    Measure reading, analysing and explaining captures, and lay it out as one table.
    """
    figures = capture.measure_made(_QUICK_FRAMES if options.quick else _FRAMES, options.rounds)
    yield from ("", *capture.table(figures | explain.measure_all(options.rounds)), "")
    yield from (*capture.ratios(figures), "")


def _run(
    workload: Workload, settings: Settings, versions: dict[str, str], options: argparse.Namespace
) -> Result:
    present: list[Peer] = []
    absent: dict[str, str] = {}
    for peer in _servers(workload, options):
        why = peer.why_absent()
        if why is None:
            present.append(peer)
            versions.setdefault(peer.name, peer.version() or "")
        else:
            absent[peer.name] = why
    return Result(workload, workload.run(workload, present, settings), absent)


def _servers(workload: Workload, options: argparse.Namespace) -> Iterable[Peer]:
    """
    Choose the servers: as the workload has them, but for what the command line says.
    """
    for peer in workload.servers:
        if options.servers is None or peer.name in options.servers.split(","):
            yield peer
        if options.before is not None and peer.is_ours:
            yield peers.of_environment(peer, options.before)


def _make_root(folder: Path) -> Path:
    """
    Make the files that are asked for.
    """
    root = folder / "root"
    (root / "many").mkdir(parents=True)
    _make_file(root / "small.html", os.urandom(_SMALL_BYTES))
    _make_file(root / "100k.bin", os.urandom(100 << 10))
    _make_file(root / "10m.bin", os.urandom(10 << 20))
    for number in range(FILES):
        _make_file(root / f"many/{number:05d}.html", os.urandom(_SMALL_BYTES))
    make_certificate(folder / "certificate")
    return root


def _make_file(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    os.utime(path, (_MODIFIED, _MODIFIED))


sys.exit(main())
