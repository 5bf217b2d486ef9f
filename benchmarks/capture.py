"""
Measure how fast captures are read, decoded and analysed, beside tshark and scapy.

    python benchmarks/capture.py [--frames N] [--rounds N] [FILE]

Without FILE a capture of HTTP-like exchanges is made, the same each time. Each round measures each
workload once, in a process of its own; what counts is its CPU time, user and system, for each
frame, start of the process not included where it is ours. Printed are medians with the lowest and
highest of the rounds, and the most memory that the process had.

tshark prints the fields that the analysis computes. scapy, from .venv-bench or where it is
installed, only reads and dissects. What is not there is named as absent.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from netlab.analysis.tcp.analyser import Analyser
from netlab.analysis.tcp.limits import STREAMING
from netlab.capture.decode import Decoder
from netlab.capture.opening import open_capture
from netlab.capture.records import LinkType
from netlab.capture.segments import Segment
from netlab.capture.writing import PcapWriter

FIELDS = [
    "frame.number",
    "frame.time_epoch",
    "tcp.stream",
    "ip.src",
    "ip.dst",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.flags",
    "tcp.seq_raw",
    "tcp.ack_raw",
    "tcp.seq",
    "tcp.ack",
    "tcp.len",
    "tcp.nxtseq",
    "tcp.window_size_value",
    "tcp.window_size",
    "tcp.completeness",
    "tcp.analysis.flags",
    "tcp.analysis.bytes_in_flight",
    "tcp.analysis.ack_rtt",
    "tcp.analysis.acks_frame",
]

SCAPY = """
import sys, time
from scapy.all import PcapReader, conf
begin = time.process_time()
count = sum(1 for packet in PcapReader(sys.argv[1]))
print(count, time.process_time() - begin)
"""

_TOP = Path(__file__).resolve().parent.parent

OURS = ("read", "decode", "analyse", "figures")


# The capture: exchanges of a browser with a server, fifty at a time.


def exchange(dice: random.Random, port: int) -> Iterator[bytes]:
    """
    Make the frames of one connection: handshake, requests and answers, close; with timestamps.
    """
    isn = [dice.getrandbits(32), dice.getrandbits(32)]
    hosts = (bytes([10, 0, dice.randrange(8), dice.randrange(1, 250)]), bytes([10, 1, 0, 1]))
    ports = (port, 80)
    clock = 0

    def frame(direction: int, flags: int, payload: bytes = b"", options: bytes = b"") -> bytes:
        nonlocal clock
        clock += 1
        options += b"\x01\x01\x08\x0a" + struct.pack(">II", clock, clock)
        there = 1 - direction
        tcp = struct.pack(
            ">HHIIHHHH",
            ports[direction],
            ports[there],
            isn[direction],
            isn[there] if flags & 0x10 else 0,
            (5 + len(options) // 4) << 12 | flags,
            502,
            0,
            0,
        )
        isn[direction] = (isn[direction] + len(payload) + bool(flags & 3)) & 0xFFFFFFFF
        size = 20 + len(tcp) + len(options) + len(payload)
        ip = struct.pack(">BBHHHBBH", 0x45, 0, size, clock, 0x4000, 64, 6, 0)
        return (
            bytes(12) + b"\x08\0" + ip + hosts[direction] + hosts[there] + tcp + options + payload
        )

    syn = b"\x02\x04\x05\xb4\x04\x02\x01\x03\x03\x07\0\0"
    yield frame(0, 0x02, options=syn)
    yield frame(1, 0x12, options=syn)
    yield frame(0, 0x10)
    for _ in range(dice.randrange(1, 8)):
        yield frame(0, 0x18, bytes(300))
        yield frame(1, 0x10)
        for _ in range(dice.randrange(1, 6)):
            yield frame(1, 0x10, bytes(1448))
            yield frame(1, 0x18, bytes(1448))
            yield frame(0, 0x10)
    yield frame(0, 0x11)
    yield frame(1, 0x11)
    yield frame(0, 0x10)


def make_capture(path: Path, frames: int) -> None:
    """
    Write a capture of so many frames.
    """
    dice = random.Random(1)
    writer = PcapWriter(LinkType.ETHERNET)
    running: list[Iterator[bytes]] = []
    port = 20000
    count = 0
    with path.open("wb") as file:
        file.write(writer.begin())
        while count < frames:
            while len(running) < 50:
                port = port + 1 if port < 60000 else 20000
                running.append(exchange(dice, port))
            index = dice.randrange(len(running))
            for _ in range(dice.randrange(1, 4)):
                frame = next(running[index], None)
                if frame is None:
                    running.pop(index)
                    break
                file.write(writer.packet(1_700_000_000_000_000_000 + count * 20_000, frame))
                count += 1


# Ours: each in a process of its own.


def measure_ours(workload: str, path: str) -> None:
    """
    Do a workload, and print how many frames there were and what CPU time they took.
    """
    count = 0
    begin = time.process_time()
    with open_capture(path) as reader:
        decode = Decoder().decode
        analyse = Analyser(STREAMING).analyse
        for record in reader:
            count += 1
            if workload == "read":
                continue
            found = decode(record)
            if workload == "decode" or not isinstance(found, Segment):
                continue
            analysed = analyse(found)
            if workload == "figures":
                analysed.figures()
    print(count, time.process_time() - begin)


def run(command: list[str], frames: int | None = None) -> tuple[float, float]:
    """
    Run a process.

    @param command: prints the number of frames and the CPU time, unless C{frames} is given: then
        what the process took as a whole counts.
    @return: microseconds of CPU time a frame, and MiB of memory at most.
    """
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    output = b""
    while piece := process.stdout.read(1 << 20):
        output = piece if frames is None else b""
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed with status {process.returncode}")
    if frames is None:
        count, seconds = output.split()
        return float(seconds) / int(count) * 1e6, usage.ru_maxrss / 1024
    return (usage.ru_utime + usage.ru_stime) / frames * 1e6, usage.ru_maxrss / 1024


def find_scapy() -> str | None:
    """
    Find a Python that has scapy.
    """
    for python in (str(_TOP / ".venv-bench/bin/python"), sys.executable):
        if shutil.which(python) and not subprocess.call(
            [python, "-c", "import scapy"], stderr=subprocess.DEVNULL
        ):
            return python
    return None


def workloads(path: str, frames: int) -> dict[str, tuple[list[str], int | None]]:
    """
    Say what is run: commands, and the number of frames where they do not count themselves.
    """
    found: dict[str, tuple[list[str], int | None]] = {
        name: ([sys.executable, __file__, "--workload", name, path], None) for name in OURS
    }
    if shutil.which("tshark"):
        fields = [word for field in FIELDS for word in ("-e", field)]
        for name, options in [("tshark", []), ("tshark -2", ["-2"])]:
            command = ["tshark", *options, "-n", "-r", path, "-T", "fields", *fields]
            found[name] = (command, frames)
    else:
        print("tshark is absent")
    scapy = find_scapy()
    if scapy is None:
        print("scapy is absent: .venv-bench/bin/python -m pip install scapy")
    else:
        found["scapy"] = ([scapy, "-c", SCAPY, path], None)
    return found


Runs = dict[str, list[tuple[float, float]]]
"""For each workload microseconds a frame and MiB, as L{run} gives them, round by round."""


def measure(path: str, rounds: int) -> Runs:
    """
    Measure every workload with a capture, in turns.
    """
    with open_capture(path) as reader:
        frames = sum(1 for _ in reader)
    print(f"{frames} frames, {os.path.getsize(path) >> 20} MiB")
    print(f"CPython {platform.python_version()}, {platform.machine()}, {rounds} rounds")
    commands = workloads(path, frames)
    figures: Runs = {name: [] for name in commands}
    for _ in range(rounds):
        for name, (command, count) in commands.items():
            figures[name].append(run(command, count))
    return figures


def measure_made(frames: int, rounds: int) -> Runs:
    """
    Measure every workload with a capture that is made, the same each time.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.pcap"
        make_capture(path, frames)
        return measure(str(path), rounds)


def table(figures: Runs) -> Iterator[str]:
    """
    Lay figures out, a line each: medians with the lowest and highest, and the most memory.
    """
    wide = max(map(len, figures))
    yield f"{'workload':<{wide}}  µs a frame (lowest to highest)   frames a CPU-second    MiB"
    for name, runs in figures.items():
        costs = sorted(cost for cost, _ in runs)
        middle = statistics.median(costs)
        yield (
            f"{name:<{wide}} {middle:9.2f} {f'({costs[0]:.2f} to {costs[-1]:.2f})':<21}"
            f"{1e6 / middle:>20,.0f} {max(memory for _, memory in runs):>6.0f}"
        )


def ratios(figures: Runs) -> Iterator[str]:
    """
    Say how many times as fast as the others all figures are, round by round.
    """
    for name in ("tshark", "tshark -2", "scapy"):
        if name in figures:
            found = [
                theirs / ours
                for (theirs, _), (ours, _) in zip(figures[name], figures["figures"], strict=True)
            ]
            yield (
                f"all figures: {statistics.median(found):.1f} times as fast as {name} "
                f"({min(found):.1f} to {max(found):.1f})"
            )


def main() -> None:
    """
    Measure and print.
    """
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("file", nargs="?", help="the capture; by default one is made")
    parser.add_argument("--frames", type=int, default=200_000, help="of the made capture")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workload", choices=OURS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.workload:
        measure_ours(options.workload, options.file)
        return
    if options.file is None:
        figures = measure_made(options.frames, options.rounds)
    else:
        figures = measure(options.file, options.rounds)
    print("", *table(figures), "", *ratios(figures), sep="\n")


if __name__ == "__main__":
    main()
