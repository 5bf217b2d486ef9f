"""
Variant 3 of the echo exchange: an answer of many segments, and a client that reads once.
"""

from __future__ import annotations

import socket

from netlab.lab.api.expected import Who, connections, cuts_into, is_reset, opens
from netlab.lab.api.experiment import ECHO_PORT, Experiment, Impairment, Laboratory, WireSettings
from netlab.lab.api.sockets import connect, say
from netlab.lab.experiments.echo import MESSAGES

REPETITIONS = 1000
READ_BYTES = 1000


def serve(listening: socket.socket) -> None:
    """
    Answer one message with a thousand copies of it.
    """
    connection, peer = listening.accept()
    with connection:
        say(f"Connection from:  {peer}")
        connection.sendall(connection.recv(100).upper() * REPETITIONS)


def talk(address: str) -> None:
    """
    Read once, and close.
    """
    with connect(address, ECHO_PORT) as connection:
        connection.sendall(MESSAGES[0].encode())
        say(f"One read returned {len(connection.recv(READ_BYTES)):,} bytes.")


async def perform(lab: Laboratory) -> None:
    """
    Ask for 33,000 bytes and read the first of them.
    """
    await lab.server.serve_function(serve, port=ECHO_PORT)
    await lab.client.run_function(talk, lab.server.address)


EXPERIMENT = Experiment(
    name="echo_large",
    question="How does an answer travel that does not fit into one segment?",
    programs="A server that answers with the text 1000 times; a client that reads once and closes.",
    look_for=(
        "Segments of 1460 bytes, the MSS of the handshake; the client reads 1000 bytes of the "
        "first ten segments, and closes: RST instead of FIN."
    ),
    explanation=(
        "TCP carries a stream of bytes: what was one write becomes many segments (RFC 9293 "
        "section 3.7), and one read returns what is there, or as much of it as was asked for. The "
        "client closes while bytes wait unread, so its kernel resets the connection (RFC 1122 "
        "section 4.2.2.13)."
    ),
    perform=perform,
    expectations=(
        connections(1),
        opens(),
        cuts_into(0, Who.CLIENT, lambda lengths: lengths == [33], "one segment"),
        cuts_into(
            0,
            Who.SERVER,
            lambda lengths: len(lengths) >= 10 and max(lengths) == 1460,
            "ten segments and more of at most 1460 bytes",
        ),
        is_reset(0, Who.CLIENT),
    ),
    # A round trip of 10 ms, so that the second flight comes after the client has read and closed.
    wire=WireSettings(Impairment(delay=0.005), Impairment(delay=0.005)),
)
