"""
The reference's echo exchange, with both ends closing at the same time.
"""

from __future__ import annotations

from netlab.lab.experiment import (
    ECHO_PORT,
    Experiment,
    Hold,
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
        "holds the server's FIN back for 50 ms, so the client's FIN leaves before the server's "
        "arrives: a simultaneous close (RFC 9293 section 3.6, case 3). Both ends go from "
        "FIN-WAIT-1 by way of CLOSING to TIME-WAIT."
    ),
    perform=perform,
    wire=WireSettings(rules=[Rule(Hold(0.05), Side.SERVER, Kind.FIN)]),
)
