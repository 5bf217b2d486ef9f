"""
A hundred bytes out of the middle of a large file.
"""

from __future__ import annotations

from netlab.lab.api.expected import answers, connections, has_no_reset, opens, statuses
from netlab.lab.api.experiment import HTTP_PORT, Experiment, Laboratory
from netlab.lab.api.sockets import connect, receive_to_end, say_head

FILE_BYTES = 10_000_000
FIRST, LAST = 5_000_000, 5_000_099


def ask(address: str) -> None:
    """
    Ask for the range, and then for one behind the end.
    """
    for text in (f"{FIRST}-{LAST}", f"{FILE_BYTES}-"):
        with connect(address, HTTP_PORT) as connection:
            connection.sendall(
                b"GET /film.bin HTTP/1.1\r\nHost: server\r\nConnection: close\r\n"
                b"Range: bytes=" + text.encode() + b"\r\n\r\n"
            )
            say_head(receive_to_end(connection))


async def perform(lab: Laboratory) -> None:
    """
    Serve a file of 10 MB.
    """
    root = lab.folder / "root"
    root.mkdir(exist_ok=True)
    with (root / "film.bin").open("wb") as file:
        file.truncate(FILE_BYTES)
    await lab.server.serve("netlab-http", "--root", str(root))
    await lab.client.run_function(ask, lab.server.address)


EXPERIMENT = Experiment(
    name="range_request",
    question="Must a client take a whole file to see a part of it?",
    programs="twistd netlab-http with a file of 10,000,000 bytes; a script that asks for 100.",
    look_for=(
        "206 with Content-Range and 100 bytes of content, in one segment; then 416 for a range "
        "that begins behind the end."
    ),
    explanation=(
        "A range request (RFC 9110 section 14) names the bytes that are wanted, and the answer "
        "says which they are, of how many. That is how a film is wound forward and a download "
        "resumed. A server may ignore the field and send everything with 200."
    ),
    perform=perform,
    expectations=(
        connections(2),
        opens(),
        answers(0, 0, 206, LAST - FIRST + 1),
        has_no_reset(0),
        opens(1),
        statuses(1, (416,)),
        has_no_reset(1),
    ),
)
