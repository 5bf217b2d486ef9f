"""
The reference's echo exchange, with both ends closing at the same time.
"""

from __future__ import annotations

from netlab.lab.api.expected import EXCHANGES, closes_simultaneously
from netlab.lab.api.experiment import (
    ECHO_PORT,
    Experiment,
    HoldUntil,
    Kind,
    Laboratory,
    Rule,
    Side,
    WireSettings,
)

MESSAGES = ("a message of thirty-three letters", "and one of 20 bytes.")


async def perform(lab: Laboratory) -> None:
    """
    Exchange two messages.
    """
    await lab.server.serve("netlab-echo")
    await lab.client.run("netlab", "echo", lab.server.address, str(ECHO_PORT), *MESSAGES)


EXPERIMENT = Experiment(
    name="echo",
    question="What does it look like when both ends close a connection at the same moment?",
    programs="twistd netlab-echo on the server, netlab echo on the client.",
    look_for=(
        "Three handshake segments, 33 bytes and 20 bytes each way, then two FINs that cross: the "
        "ACK number of each does not yet cover the other."
    ),
    explanation=(
        "The server closes after its second answer, the client when it has read it. The wire "
        "holds each FIN back until the other host has sent its own, so that they cross: a "
        "simultaneous close (RFC 9293 section 3.6, case 3). Both ends go from "
        "FIN-WAIT-1 by way of CLOSING to TIME-WAIT."
    ),
    perform=perform,
    expectations=(*EXCHANGES["echo"].expectations, closes_simultaneously(0)),
    wire=WireSettings(rules=[Rule(HoldUntil(Kind.FIN), side, Kind.FIN) for side in Side]),
)
