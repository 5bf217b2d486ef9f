"""
An answer whose length nobody knows when it begins.
"""

from __future__ import annotations

import socket
import time

from netlab.lab.api.expected import (
    Who,
    answers,
    answers_in_chunks,
    closes_both,
    connections,
    cuts_into,
    has_no_reset,
    opens,
)
from netlab.lab.api.experiment import HTTP_PORT, Experiment, Laboratory
from netlab.lab.api.sockets import connect, receive_to_end, receive_until, say

#: Between chunks: long enough for each to have a segment of its own.
COMPUTING_SECONDS = 0.05

PIECES = (b"one, ", b"two, ", b"and that is all.")


def serve(listening: socket.socket) -> None:
    """
    Answer piece by piece.
    """
    connection, _ = listening.accept()
    with connection:
        receive_until(connection, b"\r\n\r\n")
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        )
        for piece in PIECES:
            time.sleep(COMPUTING_SECONDS)
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")


async def perform(lab: Laboratory) -> None:
    """
    Ask for something that is computed while it is sent.
    """
    await lab.server.serve_function(serve, port=HTTP_PORT)
    await lab.client.run_function(ask, lab.server.address)


def ask(address: str) -> None:
    """
    Ask, and show the bytes as they came.
    """
    with connect(address, HTTP_PORT) as connection:
        connection.sendall(b"GET /story HTTP/1.1\r\nHost: server\r\n\r\n")
        say(repr(receive_to_end(connection)))


EXPERIMENT = Experiment(
    name="chunked",
    question="How does a client know that an answer is complete if its length was not announced?",
    programs="A server that computes its answer piece by piece; a script on the client.",
    look_for=(
        "After the head three segments with a chunk each: its size in hexadecimal, CRLF, the "
        "bytes, CRLF; then the chunk of size 0, which ends the message."
    ),
    explanation=(
        "With the chunked transfer coding (RFC 9112 section 7.1) each piece announces its own "
        "length, and an empty one is the end. So a connection that breaks is not mistaken for a "
        "complete answer, as it would be with content that ends with the stream. Here each chunk "
        "has a segment of its own only because the server pauses between them."
    ),
    perform=perform,
    expectations=(
        connections(1),
        opens(),
        answers_in_chunks(0),
        answers(0, 0, 200, sum(map(len, PIECES))),
        cuts_into(0, Who.SERVER, lambda lengths: len(lengths) >= 4, "four segments and more"),
        closes_both(0),
        has_no_reset(0),
    ),
)
