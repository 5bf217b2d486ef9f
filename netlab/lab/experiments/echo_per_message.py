"""
Variant 1 of the echo exchange: a connection for each message.
"""

from __future__ import annotations

from netlab.lab.api.expected import (
    answers_in_capitals,
    closes_both,
    connections,
    has_no_reset,
    opens,
    says,
)
from netlab.lab.api.experiment import ECHO_PORT, Experiment, Laboratory
from netlab.lab.experiments.echo import MESSAGES


async def perform(lab: Laboratory) -> None:
    """
    Send each message on a connection of its own.
    """
    await lab.server.serve("netlab-echo", "--exchanges", "1")
    for message in MESSAGES:
        await lab.client.run("netlab", "echo", lab.server.address, str(ECHO_PORT), message)


EXPERIMENT = Experiment(
    name="echo_per_message",
    question="What does a connection for each message cost?",
    programs="twistd netlab-echo --exchanges 1 on the server, netlab echo twice on the client.",
    look_for="Two handshakes and two closes around one exchange each; two source ports.",
    explanation=(
        "Every connection begins with a handshake, one round trip before the first byte, and ends "
        "with a FIN each way (RFC 9293 sections 3.5 and 3.6): of some twenty segments four carry "
        "data. Two messages on one connection need a dozen."
    ),
    perform=perform,
    expectations=(
        connections(2),
        *(
            expectation
            for number, length in enumerate((33, 20))
            for expectation in (
                opens(number),
                says(number, (length, length)),
                answers_in_capitals(number),
                closes_both(number),
                has_no_reset(number),
            )
        ),
    ),
)
