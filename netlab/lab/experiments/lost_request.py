"""
A single segment gets lost: only a timer can tell.
"""

from __future__ import annotations

from netlab.lab.api.expected import (
    Who,
    closes_both,
    connections,
    has_no_reset,
    opens,
    retransmits_at_once,
    retransmits_by_timer,
    says,
)
from netlab.lab.api.experiment import (
    ECHO_PORT,
    Drop,
    Experiment,
    Kind,
    Laboratory,
    Rule,
    Side,
    WireSettings,
)
from netlab.lab.experiments.echo import MESSAGES


async def perform(lab: Laboratory) -> None:
    """
    Exchange two messages, the first of which is lost once.
    """
    await lab.server.serve("netlab-echo", "--exchanges", "0")
    await lab.client.run("netlab", "echo", lab.server.address, str(ECHO_PORT), *MESSAGES)


EXPERIMENT = Experiment(
    name="lost_request",
    question="How is a lost segment noticed when no other follows it?",
    programs="twistd netlab-echo --exchanges 0 on the server, netlab echo on the client.",
    look_for=(
        "At the client: the first data segment, some 200 ms of silence, and the same segment "
        "again. At the server only the second of them is there."
    ),
    explanation=(
        "A timer of the client's runs out: the retransmission timer (RFC 6298) or, where both "
        "ends know SACK, a tail loss probe (RFC 8985). The frames look the same. Its length "
        "follows the measured round trip, but Linux waits at least 200 ms for a segment that "
        "travels alone; RFC 6298 would even have it wait a second. Compare fast_retransmit, where "
        "the loss is noticed by what follows."
    ),
    perform=perform,
    expectations=(
        connections(1),
        opens(),
        says(0, (33, 33, 20, 20)),
        closes_both(0),
        has_no_reset(0),
    ),
    client_expectations=(retransmits_by_timer(0, Who.CLIENT),),
    server_expectations=(retransmits_at_once(0, Who.CLIENT, 0),),
    wire=WireSettings(rules=[Rule(Drop(), Side.CLIENT, Kind.DATA)]),
    needs_wire=True,
)
