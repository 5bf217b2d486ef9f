"""
Variant 4 of the echo exchange: messages that wait for a server become one.
"""

from __future__ import annotations

import socket
import time

from netlab.lab.api.expected import (
    Who,
    answers_in_capitals,
    closes_first,
    connections,
    has_no_reset,
    opens,
    says,
    says_in_segments,
)
from netlab.lab.api.experiment import ECHO_PORT, Experiment, Laboratory
from netlab.lab.api.sockets import connect, receive_to_end, say
from netlab.lab.experiments.echo import MESSAGES

SLEEPING_SECONDS = 1.0


def serve(listening: socket.socket) -> None:
    """
    Sleep before the first read.
    """
    connection, peer = listening.accept()
    with connection:
        say(f"Connection from:  {peer}")
        time.sleep(SLEEPING_SECONDS)
        received = connection.recv(100)
        say(f"Received:  {received!r}")
        connection.sendall(received.upper())


def talk(address: str) -> None:
    """
    Send two messages without waiting for an answer.
    """
    with connect(address, ECHO_PORT) as connection:
        for message in MESSAGES:
            connection.sendall(message.encode())
            time.sleep(SLEEPING_SECONDS / 5)
        say(f"Server sent:  {receive_to_end(connection)!r}")


async def perform(lab: Laboratory) -> None:
    """
    Send two messages to a sleeping server.
    """
    await lab.server.serve_function(serve, port=ECHO_PORT)
    await lab.client.run_function(talk, lab.server.address)


EXPERIMENT = Experiment(
    name="echo_coalesced",
    question="Does a server receive the messages that a client sends?",
    programs="A server that sleeps before it reads; a client that sends two messages meanwhile.",
    look_for="Two segments up, of 33 and 20 bytes, each acknowledged; one answer of 53 bytes.",
    explanation=(
        "The server's kernel acknowledges and keeps what arrives; the program asleep knows "
        "nothing of it. Its first read returns everything: TCP has no messages, only a stream of "
        "bytes (RFC 9293 section 2.2). A protocol must say itself where a message ends."
    ),
    perform=perform,
    expectations=(
        connections(1),
        opens(),
        says_in_segments(0, Who.CLIENT, (33, 20)),
        says(0, (53, 53)),
        answers_in_capitals(),
        closes_first(0, Who.SERVER),
        has_no_reset(0),
    ),
)
