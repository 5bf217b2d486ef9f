"""
One bulk transfer through a bottleneck: the congestion window grows, fills the queue, and is halved.
"""

from __future__ import annotations

from netlab.lab.api.expected import Mark, Who, answers, connections, has_marked, has_no_reset, opens
from netlab.lab.api.experiment import (
    HTTP_PORT,
    Experiment,
    Impairment,
    Laboratory,
    WireSettings,
)
from netlab.lab.api.sockets import connect, receive_to_end, say

SERVED_BYTES = 4_000_000

DELAY_SECONDS = 0.01

#: 10 Mbit/s and 20 ms there and back hold 25,000 bytes: some 17 segments. The queue holds as many.
RATE = 10_000_000
QUEUE_FRAMES = 17


def ask(address: str) -> None:
    """
    Ask for the file.
    """
    with connect(address, HTTP_PORT) as connection:
        connection.sendall(b"GET /file.bin HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n")
        say(f"{len(receive_to_end(connection)):,} bytes came.")


async def perform(lab: Laboratory) -> None:
    """
    Serve a file that takes some seconds.
    """
    root = lab.folder / "root"
    root.mkdir(exist_ok=True)
    (root / "file.bin").write_bytes(bytes(SERVED_BYTES))
    await lab.server.serve("netlab-http", "--root", str(root))
    await lab.client.run_function(ask, lab.server.address)


EXPERIMENT = Experiment(
    name="congestion",
    question="How does a sender find out how fast it may send?",
    programs="twistd netlab-http with a file of 4 MB on the server; a script asks for it.",
    look_for=(
        "The congestion window doubles each round trip until the queue before the bottleneck "
        "overflows; then it is halved, grows by a segment each round trip, and is halved again: a "
        "sawtooth. Simulated hosts show it (--isolation simulated); of Linux's only what is in "
        "flight can be seen."
    ),
    explanation=(
        "Nobody tells a sender how fast the path is. It raises its congestion window, by a segment "
        "for each ACK in slow start and by one each round trip in congestion avoidance, until "
        "something is lost; a loss means a full queue, and Reno halves the window (RFC 5681 "
        "section 3). The path of 10 Mbit/s and 20 ms holds 17 segments, the queue another 17: so "
        "the window swings between about 17 and 34. With --congestion cubic (RFC 9438) it falls to "
        "70 % only and grows along a cubic curve; --congestion FILE takes a class of your own."
    ),
    perform=perform,
    expectations=(
        connections(1),
        opens(),
        answers(0, 0, 200, SERVED_BYTES),
        has_no_reset(0),
    ),
    server_expectations=(
        has_marked(0, Who.SERVER, Mark.RETRANSMISSION, "sent-again", "retransmission", least=2),
    ),
    wire=WireSettings(
        Impairment(delay=DELAY_SECONDS),
        Impairment(delay=DELAY_SECONDS, rate=RATE, queue=QUEUE_FRAMES),
    ),
    server_sysctls={
        "net.ipv4.tcp_congestion_control": "reno",
        "net.ipv4.tcp_wmem": "4096 4194304 8388608",
    },
    client_sysctls={"net.ipv4.tcp_rmem": "4096 4194304 8388608"},
    patience=60.0,
    needs_wire=True,
)
