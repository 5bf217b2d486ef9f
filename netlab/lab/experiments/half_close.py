"""
A client that has said all it will say, and still listens.
"""

from __future__ import annotations

import socket

from netlab.lab.api.expected import (
    Who,
    closes_first,
    connections,
    has_no_reset,
    hears_after_fin,
    opens,
    statuses,
)
from netlab.lab.api.experiment import HTTP_PORT, Experiment, Impairment, Laboratory, WireSettings
from netlab.lab.api.sockets import (
    SCRIPT_ANSWER_BYTES,
    SCRIPT_REQUEST,
    connect,
    receive_to_end,
    say_head,
)


def ask(address: str) -> None:
    """
    Shut the write side right after the request, and read the answer.
    """
    with connect(address, HTTP_PORT) as connection:
        connection.sendall(SCRIPT_REQUEST)
        connection.shutdown(socket.SHUT_WR)
        say_head(receive_to_end(connection))


async def perform(lab: Laboratory) -> None:
    """
    Ask with a half-closed connection.
    """
    await lab.server.serve("netlab-http", "--bare-headers")
    await lab.client.run_function(ask, lab.server.address)


EXPERIMENT = Experiment(
    name="half_close",
    question="Can a client get an answer after it has closed its side?",
    programs="twistd netlab-http on the server; a script on the client that shuts its write side.",
    look_for="The client's FIN comes before the answer; 274 bytes still come down after it.",
    explanation=(
        "A FIN ends one direction only: the other stays open for as long as it is needed (RFC "
        "9293 section 3.6). The client waits in FIN-WAIT-2, the server in CLOSE-WAIT, until the "
        "answer is through. A server that took the FIN for a hang-up would lose this client."
    ),
    perform=perform,
    expectations=(
        connections(1),
        opens(),
        statuses(0, (200,)),
        hears_after_fin(0, Who.CLIENT, SCRIPT_ANSWER_BYTES),
        closes_first(0, Who.CLIENT),
        has_no_reset(0),
    ),
    # So that the FIN is on its way before the answer is.
    wire=WireSettings(Impairment(delay=0.005), Impairment(delay=0.005)),
    needs_wire=True,
)
