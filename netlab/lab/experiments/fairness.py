"""
Two transfers share a bottleneck.
"""

from __future__ import annotations

import socket

from netlab.lab.api.expected import connections, has_no_reset, opens
from netlab.lab.api.experiment import Experiment, Impairment, Laboratory, WireSettings
from netlab.lab.api.sockets import connect, receive_to_end, say

PORT = 8081

BULK_BYTES = 2_000_000
HEAD_START_SECONDS = 0.5


def serve(listening: socket.socket) -> None:
    """
    Send much to the one client.
    """
    connection, _ = listening.accept()
    with connection:
        connection.sendall(bytes(BULK_BYTES))


def fetch(address: str, port: int) -> None:
    """
    Read all of it.
    """
    with connect(address, port) as connection:
        say(f"{len(receive_to_end(connection)):,} bytes came.")


async def perform(lab: Laboratory) -> None:
    """
    Fetch twice at once, the second one a little later.
    """
    for port in (PORT, PORT + 1):
        await lab.server.serve_function(serve, port=port)
    first = lab.client.start_function(fetch, lab.server.address, PORT)
    await lab.pause(HEAD_START_SECONDS)
    second = lab.client.start_function(fetch, lab.server.address, PORT + 1)
    await first.ended()
    await second.ended()


EXPERIMENT = Experiment(
    name="fairness",
    question="How do two connections come to share a path?",
    programs="Two transfers of 2 MB over one bottleneck; the second begins half a second later.",
    look_for=(
        "The rates of both: the first has all until the second comes, and gives way by and by. "
        "Their windows end up about as large, though neither knows of the other."
    ),
    explanation=(
        "Both lose something when the queue is full, and both halve their window: the larger one "
        "gives up more. Then both grow by one segment each round trip. So additive increase with "
        "multiplicative decrease draws them together (RFC 5681 section 3.1; Chiu and Jain 1989). "
        "With unequal round trips the shorter one gets more: try the same with --congestion cubic."
    ),
    perform=perform,
    expectations=(
        connections(2),
        opens(0),
        opens(1),
        has_no_reset(0),
        has_no_reset(1),
    ),
    wire=WireSettings(
        Impairment(delay=0.01),
        Impairment(delay=0.01, rate=10_000_000, queue=25),
    ),
    server_sysctls={
        "net.ipv4.tcp_congestion_control": "reno",
        "net.ipv4.tcp_wmem": "4096 4194304 8388608",
    },
    client_sysctls={"net.ipv4.tcp_rmem": "4096 4194304 8388608"},
    patience=60.0,
    needs_wire=True,
)
