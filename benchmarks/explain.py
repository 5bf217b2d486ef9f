"""
Prints what explaining a capture costs: CPU time and the highest memory of the process.

    .venv/bin/python benchmarks/explain.py [RUNS]

Two captures are made up: 200 000 frames of HTTP on one connection, told in summary (with
C{--summary} no frame is told), and 9 990 of the same kind, told one by one. Each run is a process
of its own; memory counts all of it, Python and what it imports included.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))

from benchmarks.capture import table  # noqa: E402 -- from this tree
from tests.captures.frames import ACK, PSH  # noqa: E402 -- from this tree
from tests.captures.talk import Talk  # noqa: E402

SEGMENT_BYTES = 1460
_MAKE = "--make-a-capture"
CASES = (
    (200_000, "terminal --summary"),
    (200_000, "terminal"),
    (200_000, "json --summary"),
    (200_000, "json"),
    (9_990, "html"),
    (9_990, "json"),
)


def capture(frames: int) -> bytes:
    """
    Make up requests and answers of one to seven segments, seeded.

    @param frames: About how many frames.
    """
    chance = random.Random(1)
    talk = Talk().open()
    while len(talk.frames) < frames - 12:
        talk.send("c", PSH | ACK, b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % len(talk.frames))
        talk.send("s", ACK, after_ms=0.1)
        length = chance.randrange(1, 8) * SEGMENT_BYTES
        data = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length + bytes(length)
        for at in range(0, len(data), SEGMENT_BYTES):
            talk.send("s", PSH | ACK, data[at : at + SEGMENT_BYTES], after_ms=0.05)
        talk.send("c", ACK, after_ms=0.02)
    talk.close("s", after_ms=1000)
    return talk.pcap()


def measure(path: Path, form: str) -> tuple[float, float]:
    """
    Explain a capture once.

    @return: CPU seconds and MiB.
    """
    command = [sys.executable, "-m", "netlab.cli", "explain", str(path), "--format", *form.split()]
    with subprocess.Popen([*command, "-o", os.devnull], cwd=TOP) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure_all(rounds: int) -> dict[str, list[tuple[float, float]]]:
    """
    Explain each capture in each form, in turns.

    @return: for each, microseconds of CPU time a frame and MiB, round by round.
    """
    figures: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for frames, form in CASES:
                path = Path(folder, f"{frames}.pcap")
                if not path.exists():
                    # In a process of its own: a child begins with its parent's highest memory.
                    command = [sys.executable, __file__, _MAKE, str(frames), path]
                    subprocess.run(command, check=True)
                seconds, memory = measure(path, form)
                name = f"explain {frames:,} --format {form}"
                figures.setdefault(name, []).append((seconds / frames * 1e6, memory))
    return figures


def main() -> int:
    """
    Print a line for each case.

    @return: the exit status.
    """
    if sys.argv[1:2] == [_MAKE]:
        Path(sys.argv[3]).write_bytes(capture(int(sys.argv[2])))
        return 0
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"Python {sys.version.split()[0]}, {rounds} rounds")
    print(*table(measure_all(rounds)), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
