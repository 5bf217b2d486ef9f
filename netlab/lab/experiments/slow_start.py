"""
A sender finds out how much the way can carry.
"""

from __future__ import annotations

from netlab.lab.api.expected import (
    Who,
    answers,
    connections,
    grows_in_flight,
    has_no_reset,
    opens,
    retransmits_at_once,
)
from netlab.lab.api.experiment import HTTP_PORT, Experiment, Impairment, Laboratory, WireSettings
from netlab.lab.api.sockets import connect, receive_to_end, say

SERVED_BYTES = 300_000

#: Each way: a round trip of 100 ms, so that each flight stands alone in the capture.
DELAY_SECONDS = 0.05


def ask(address: str) -> None:
    """
    Ask for the file.
    """
    with connect(address, HTTP_PORT) as connection:
        connection.sendall(b"GET /file.bin HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n")
        say(f"{len(receive_to_end(connection)):,} bytes came.")


async def perform(lab: Laboratory) -> None:
    """
    Serve a file over a long way.
    """
    root = lab.folder / "root"
    root.mkdir(exist_ok=True)
    (root / "file.bin").write_bytes(bytes(SERVED_BYTES))
    await lab.server.serve("netlab-http", "--root", str(root))
    await lab.client.run_function(ask, lab.server.address)


EXPERIMENT = Experiment(
    name="slow_start",
    question="Why does a large answer begin slowly, on a way that could carry all of it?",
    programs="twistd netlab-http with a file of 300,000 bytes; a script asks for it, 50 ms away.",
    look_for=(
        "Flights of 10, 20, 40 and more segments, a round trip of 100 ms apart: the bytes in "
        "flight double each time."
    ),
    explanation=(
        "A new connection knows nothing about the way. It begins with ten segments (RFC 6928) and "
        "sends two for each that is acknowledged (RFC 5681 section 3.1), so each flight is twice "
        "as large as the one before. The short answers of the other experiments fit into the "
        "first flight."
    ),
    perform=perform,
    expectations=(
        connections(1),
        opens(),
        answers(0, 0, 200, SERVED_BYTES),
        retransmits_at_once(0, Who.SERVER, 0),
        has_no_reset(0),
    ),
    # Four times the first flight of ten segments.
    server_expectations=(grows_in_flight(0, Who.SERVER, 40 * 1460),),
    wire=WireSettings(Impairment(delay=DELAY_SECONDS), Impairment(delay=DELAY_SECONDS)),
    needs_wire=True,
)
