"""
Probes on a connection on which nobody says anything.
"""

from __future__ import annotations

import socket
import time

from netlab.lab.api.expected import (
    Mark,
    Who,
    closes_first,
    connections,
    has_marked,
    has_no_reset,
    opens,
    says,
)
from netlab.lab.api.experiment import ECHO_PORT, Experiment, Laboratory
from netlab.lab.api.sockets import connect, receive, say

IDLE_SECONDS = 2.6


def talk(address: str) -> None:
    """
    Exchange one message, and leave the connection alone with keep-alive on.
    """
    with connect(address, ECHO_PORT) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL):
            connection.setsockopt(socket.IPPROTO_TCP, option, 1)
        connection.sendall(b"still there?")
        say(f"Server sent:  {receive(connection, 12)!r}")
        time.sleep(IDLE_SECONDS)


async def perform(lab: Laboratory) -> None:
    """
    Leave a connection idle.
    """
    await lab.server.serve("netlab-echo", "--exchanges", "0")
    await lab.client.run_function(talk, lab.server.address)


EXPERIMENT = Experiment(
    name="keep_alive",
    question="How does a host find out whether a silent peer is still there?",
    programs="twistd netlab-echo --exchanges 0; a client with keep-alive after one idle second.",
    look_for=(
        "A second after the last exchange a segment of the client's without data, whose sequence "
        "number is one too low, and the server's ACK to it; and again a second later."
    ),
    explanation=(
        "A keep-alive probe repeats a number that is acknowledged already, so the peer must "
        "answer with an ACK (RFC 9293 section 3.8.4). A peer that has forgotten the connection "
        "answers with a reset, one that has gone not at all. Without setting anything the first "
        "probe would leave after two hours. HTTP's keep-alive is something else altogether."
    ),
    perform=perform,
    expectations=(
        connections(1),
        opens(),
        says(0, (12, 12)),
        has_marked(0, Who.CLIENT, Mark.KEEP_ALIVE, "probes", "keep-alive probe", least=2, most=2),
        has_marked(0, Who.SERVER, Mark.KEEP_ALIVE_ACK, "answers", "answer to a probe", least=2),
        closes_first(0, Who.CLIENT),
        has_no_reset(0),
    ),
    needs_wire=True,
)
