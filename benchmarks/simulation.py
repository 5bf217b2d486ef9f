"""
What simulated hosts cost: segments a CPU-second, and the CPU time of each experiment.

    .venv/bin/python -m benchmarks.simulation

Segments are counted once each, where they leave; their price includes both TCPs, the frames around
them, and the laboratory's wire, which decodes each where it leaves and where it arrives.
"""

from __future__ import annotations

import shutil
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from benchmarks import machine
from netlab.lab.api.impairment import Impairment, WireSettings
from netlab.lab.api.sides import Side
from netlab.lab.results.catalogue import load, names
from netlab.lab.results.judgement import judge_run
from netlab.lab.wire.wire import Crossing, Wire
from netlab.simulation.kernelsocket import KernelSocket
from netlab.simulation.network import SimulatedNetwork
from netlab.simulation.process import Process
from tests.lab.runs.simulations import simulate

_BYTES: Final = 5_000_000
_PORT: Final = 80
_ROUNDS: Final = 5


def main() -> int:
    """
    Measure and print.

    @return: the exit status: 1 if an experiment does not show what it should.
    """
    print(machine.description())
    for loss in (0.0, 0.01):
        rates = [_segments_a_second(loss) for _ in range(_ROUNDS)]
        print(
            f"segments a CPU-second, {_BYTES / 1e6:g} MB, 10 ms, {loss:.0%} loss, n={_ROUNDS}: "
            f"median {statistics.median(rates):,.0f}, from {min(rates):,.0f} to {max(rates):,.0f}",
            flush=True,
        )
    failures = 0
    # What the first would pay for all: imports.
    _experiment("echo")
    times = {}
    for name in names():
        if load(name).commands:
            continue
        times[name], is_good = _experiment(name)
        failures += not is_good
    slowest = sorted(times, key=lambda name: -times[name])[:5]
    print(f"{len(times)} experiments, run and judged: {sum(times.values()):.2f} s of CPU time")
    for name in slowest:
        print(f"    {name}: {times[name]:.3f} s")
    return 1 if failures else 0


def _segments_a_second(loss: float) -> float:
    """
    Send bytes from one host to another.
    """
    network = SimulatedNetwork()
    clock = network.clock
    impairment = Impairment(delay=0.005, loss=loss)
    wire = Wire(clock, WireSettings(impairment, impairment), clock.time_ns)
    kernels = {
        Side.CLIENT: network.host("client", "10.0.0.1"),
        Side.SERVER: network.host("server", "10.0.0.2"),
    }
    for side, kernel in kernels.items():
        _attach(wire, side, kernel)
    segments = 0

    def count(crossing: Crossing) -> None:
        nonlocal segments
        segments += crossing.end is crossing.sender

    wire.observers.append(count)
    listening = Process(kernels[Side.SERVER], "server").open_socket(socket.AF_INET)
    listening.bind(("", _PORT))
    listening.listen()
    sending = Process(kernels[Side.CLIENT], "client").open_socket(socket.AF_INET)
    sending.connect_ex(("10.0.0.2", _PORT))
    network.run_for(30)
    receiving, _ = listening.accept()
    segments = 0
    began = time.process_time()
    _transfer(network, sending, receiving)
    return segments / (time.process_time() - began)


def _attach(wire: Wire, side: Side, kernel: Any) -> None:
    kernel.interface.attach(lambda frame: wire.send(side, frame))
    wire.attach(side, kernel.interface.frame_arrives)


def _transfer(network: SimulatedNetwork, sending: KernelSocket, receiving: KernelSocket) -> None:
    data = bytes(65536)
    left, received = _BYTES, 0

    def write() -> None:
        nonlocal left
        while left and sending.is_writable:
            try:
                left -= sending.send(data[:left])
            except BlockingIOError:
                return

    def read() -> None:
        nonlocal received
        while receiving.is_readable:
            received += len(receiving.recv(1 << 20))

    sending.changed, receiving.changed = write, read
    write()
    while received < _BYTES and network.clock.step():
        pass


def _experiment(name: str) -> tuple[float, bool]:
    """
    Run and judge an experiment.

    @return: the CPU time in seconds, and whether it showed what it should.
    """
    experiment = load(name)
    folder = Path(tempfile.mkdtemp(prefix="netlab-bench-"))
    began = time.process_time()
    outcome = simulate(experiment, folder)
    try:
        judgement = judge_run(experiment, outcome.folder)
        seconds = time.process_time() - began
    finally:
        outcome.discard()
        shutil.rmtree(folder)
    is_good = not outcome.problem and judgement.is_met
    if not is_good:
        print(f"{name}: does not show what it should", file=sys.stderr)
    return seconds, is_good


if __name__ == "__main__":
    sys.exit(main())
