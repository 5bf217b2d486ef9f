"""
How many segments two of our TCP machines exchange in a second of CPU time, back to back::

    python benchmarks/tcp_machines.py [MEGABYTES] [ROUNDS]

No link, no clock, no frames: what one machine sends the other is given, each segment by itself, and
both are drained after each. Each round is a connection of its own; printed are the median
and the spread of the rounds' rates, in segments of both directions.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from statistics import median

from netlab.tcp.settings import Settings
from netlab.tcp.stack import Stack
from netlab.tcp.timers import MILLISECOND

SPACING = MILLISECOND // 100
"""Of virtual time between two segments."""

CLIENT, SERVER, PORT = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2)), 80


def transfer(size: int) -> tuple[int, float]:
    """
    Send so many bytes from the server to the client.

    @return: how many segments there were, and the CPU seconds that they took.
    """
    client = Stack([CLIENT], Settings(), b"c" * 16, lambda: 0.5)
    server = Stack([SERVER], Settings(), b"s" * 16, lambda: 0.5)
    now = 1000 * MILLISECOND
    listener = server.listen(now, (SERVER, PORT), 1)
    reader = client.connect(now, (SERVER, PORT))
    writer = None
    piece = bytes(65536)
    sent = got = segments = 0
    begin = time.process_time()
    under_way = deque((server, packet) for packet in client.packets_to_send(now))
    while under_way:
        target, packet = under_way.popleft()
        now += SPACING
        segments += 1
        target.packet_arrives(now, packet.source, packet.destination, packet.segment)
        if target is client:
            got += len(reader.read(now, 1 << 20))
        else:
            writer = writer or listener.accept()
            while writer is not None and sent < size and (taken := writer.write(now, piece)):
                sent += taken
        # What an adapter asks after each call.
        peer = client if target is server else server
        under_way.extend((peer, answer) for answer in target.packets_to_send(now))
        if target.deadline is None and not under_way and got < size:
            raise RuntimeError(f"it stopped after {got} bytes")
    return segments, time.process_time() - begin


def main() -> None:
    """
    Print the figures.
    """
    megabytes, rounds = (int(word) for word in [*sys.argv[1:], "20", "5"][:2])
    rates = []
    segments = 0
    for _ in range(rounds):
        segments, seconds = transfer(megabytes * 1_000_000)
        rates.append(segments / seconds)
    print(
        f"{megabytes} MB, {segments} segments: {median(rates):,.0f} segments a CPU second "
        f"({min(rates):,.0f} to {max(rates):,.0f}, {rounds} rounds)"
    )


if __name__ == "__main__":
    main()
