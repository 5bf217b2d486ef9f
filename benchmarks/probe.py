"""
How long a small request takes: one connection, one request at a time, with pauses between.

    python benchmarks/probe.py PORT PATH SECONDS

prints the 99th percentile in microseconds, how many answers there were, and whether this process
had the processor whenever it wanted. It runs by itself so that nothing else holds its interpreter,
and before all other programs where it may (root), so that it times the server and not the queue
for the processor that it shares with the load.
"""

from __future__ import annotations

import os
import socket
import statistics
import sys
import time
from typing import Final

_PAUSE_SECONDS: Final = 0.001


def main() -> None:
    """
    Measure, and print.
    """
    port, path, seconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    is_first = _run_before_others()
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    taken: list[float] = []
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            begun = time.perf_counter()
            client.send(request)
            if not client.recv(65536).startswith(b"HTTP/1.1 200 "):
                sys.exit("probe: a small request was not answered")
            taken.append(time.perf_counter() - begun)
            time.sleep(_PAUSE_SECONDS)
    percentile = statistics.quantiles(taken, n=100)[98]
    print(f"{percentile * 1e6:.1f} {len(taken)} {int(is_first)}")


def _run_before_others() -> bool:
    """
    Take a real-time priority.

    @return: whether that was allowed.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        return False
    return True


if __name__ == "__main__":
    main()
