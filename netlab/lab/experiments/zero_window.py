"""
A client that asks for much and does not read.
"""

from __future__ import annotations

import socket
import time

from netlab.lab.api.expected import (
    Who,
    answers,
    closes_first,
    connections,
    has_no_reset,
    opens,
    probes_zero_window,
)
from netlab.lab.api.experiment import HTTP_PORT, Experiment, Laboratory
from netlab.lab.api.sockets import TIMEOUT_SECONDS, receive_to_end, say

SERVED_BYTES = 400_000
RECEIVE_BUFFER_BYTES = 20_000

#: Long enough for the first three probes: 0.2, 0.4 and 0.8 s apart.
NOT_READING_SECONDS = 2.0


def ask(address: str) -> None:
    """
    Ask, do nothing for a while, and then read everything.
    """
    with socket.socket() as connection:
        connection.settimeout(TIMEOUT_SECONDS)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        connection.connect((address, HTTP_PORT))
        connection.sendall(b"GET /large.bin HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n")
        time.sleep(NOT_READING_SECONDS)
        say(f"{len(receive_to_end(connection)):,} bytes came after all.")


async def perform(lab: Laboratory) -> None:
    """
    Serve a file that is larger than all buffers on the way.
    """
    root = lab.folder / "root"
    root.mkdir(exist_ok=True)
    (root / "large.bin").write_bytes(bytes(SERVED_BYTES))
    await lab.server.serve("netlab-http", "--root", str(root))
    await lab.client.run_function(ask, lab.server.address)


EXPERIMENT = Experiment(
    name="zero_window",
    question="What becomes of data that the receiver does not read?",
    programs="twistd netlab-http with a file of 400,000 bytes; a client that reads after 2 s.",
    look_for=(
        "The client's window shrinks to 0; then the server sends nothing but probes, at growing "
        "intervals, each answered with window 0; when the client reads, a window update."
    ),
    explanation=(
        "The window field tells how much the receiver can still take (RFC 9293 section 3.8.6). "
        "At zero the sender stops, and asks now and then with a segment that is just outside the "
        "window, because the update could get lost (section 3.8.6.1). The interval doubles each "
        "time, as that of a retransmission does."
    ),
    perform=perform,
    expectations=(
        connections(1),
        opens(),
        probes_zero_window(0, Who.CLIENT),
        answers(0, 0, 200, SERVED_BYTES),
        closes_first(0, Who.SERVER),
        has_no_reset(0),
    ),
    server_sysctls={"net.ipv4.tcp_wmem": "4096 16384 65536"},
    needs_wire=True,
)
