"""
Two small writes: Nagle's algorithm waits for an ACK that the receiver delays.
"""

from __future__ import annotations

import socket

from netlab.lab.api.expected import (
    Who,
    connections,
    has_no_reset,
    opens,
    waits_for_ack,
    waits_for_no_ack,
)
from netlab.lab.api.experiment import ECHO_PORT, Experiment, Laboratory
from netlab.lab.api.sockets import connect, receive, say

HALVES = (b"the first half ", b"and the second.")
MESSAGE_BYTES = 30
ROUNDS = 3


def serve(listening: socket.socket) -> None:
    """
    Answer each whole message; acknowledge late, as hosts in the middle of a dialogue do.
    """
    for _ in range(2):
        connection, _ = listening.accept()
        with connection:
            for _ in range(ROUNDS):
                # A new connection acknowledges at once for a while; Linux calls it quick ACK.
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
                connection.sendall(receive(connection, MESSAGE_BYTES).upper())
            connection.recv(1)


def talk(address: str) -> None:
    """
    Write each message in two halves: with Nagle's algorithm, then without.
    """
    for has_no_delay in (0, 1):
        with connect(address, ECHO_PORT) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, has_no_delay)
            for _ in range(ROUNDS):
                for half in HALVES:
                    connection.sendall(half)
                say(f"Server sent:  {receive(connection, MESSAGE_BYTES)!r}")


async def perform(lab: Laboratory) -> None:
    """
    Talk in halves.
    """
    await lab.server.serve_function(serve, port=ECHO_PORT)
    await lab.client.run_function(talk, lab.server.address)


EXPERIMENT = Experiment(
    name="nagle",
    question="Why do two small writes take 40 ms, and one takes none?",
    programs="A server that answers whole messages; a client that writes them in two halves.",
    look_for=(
        "On the first connection the second half of a message leaves only when the first half is "
        "acknowledged, which takes the server some 40 ms. On the second connection, with "
        "TCP_NODELAY, both halves leave at once."
    ),
    explanation=(
        "Nagle's algorithm holds back a small segment while another is unacknowledged (RFC 9293 "
        "section 3.7.4); the receiver delays its ACK in the hope of an answer to send it with "
        "(section 3.8.6.3). Each waits for the other until the receiver's timer ends it: 40 ms on "
        "Linux, up to 500 ms by the RFC. Write a message in one call, or switch Nagle off."
    ),
    perform=perform,
    expectations=(
        connections(2),
        opens(),
        waits_for_ack(0, Who.CLIENT),
        has_no_reset(0),
        opens(1),
        waits_for_no_ack(1, Who.CLIENT),
        has_no_reset(1),
    ),
    needs_wire=True,
)
