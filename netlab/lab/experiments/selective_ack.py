"""
Two of many segments get lost: SACK tells exactly which.
"""

from __future__ import annotations

from netlab.lab.api.expected import (
    Mark,
    Who,
    answers,
    connections,
    has_marked,
    has_no_reset,
    opens,
    retransmits_at_once,
    selectively_acknowledges,
)
from netlab.lab.api.experiment import (
    Drop,
    Experiment,
    Impairment,
    Kind,
    Rule,
    Side,
    WireSettings,
)
from netlab.lab.experiments.fast_retransmit import (
    CONSTANT_WINDOW,
    DELAY_SECONDS,
    SERVED_BYTES,
    SERVER_SYSCTLS,
    perform,
)

EXPERIMENT = Experiment(
    name="selective_ack",
    question="What does a sender send again when it lacks two acknowledgements in a row of many?",
    programs="twistd netlab-http with a file of 100,000 bytes on the server; a script asks for it.",
    look_for=(
        "Duplicate ACKs with two SACK blocks, and between them the gap of the second lost "
        "segment. The server sends again exactly two segments, although others were in flight."
    ),
    explanation=(
        "An acknowledgement number alone only tells of the first gap. The SACK option (RFC 2018) "
        "lists up to three or four blocks that have come behind it, so the sender repairs all "
        "gaps within one round trip and sends nothing twice (RFC 6675). Try --sysctl "
        "net.ipv4.tcp_sack=0 to see the repair take a round trip for each gap (RFC 6582)."
    ),
    perform=perform,
    expectations=(
        connections(1),
        opens(),
        answers(0, 0, 200, SERVED_BYTES),
        has_marked(0, Who.CLIENT, Mark.DUPLICATE_ACK, "duplicate-acks", "duplicate ACK", least=3),
        selectively_acknowledges(0, Who.CLIENT, 2),
        has_no_reset(0),
    ),
    client_expectations=(retransmits_at_once(0, Who.SERVER, 0),),
    server_expectations=(retransmits_at_once(0, Who.SERVER, 2),),
    wire=WireSettings(
        Impairment(delay=DELAY_SECONDS),
        Impairment(delay=DELAY_SECONDS),
        rules=[Rule(Drop(), Side.SERVER, Kind.DATA, nth, nth) for nth in (3, 6)],
    ),
    client_sysctls={"net.ipv4.tcp_rmem": CONSTANT_WINDOW},
    server_sysctls=SERVER_SYSCTLS,
    needs_wire=True,
)
