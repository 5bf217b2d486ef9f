"""
A segment is overtaken by two others: nothing is lost, and nothing is sent again.
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
    DelayFrames,
    Experiment,
    Impairment,
    Kind,
    Rule,
    Side,
    WireSettings,
)
from netlab.lab.experiments.fast_retransmit import (
    CONSTANT_WINDOW,
    SERVED_BYTES,
    SERVER_SYSCTLS,
    perform,
)

EXPERIMENT = Experiment(
    name="reordering",
    question="Does a segment that arrives late look like one that is lost?",
    programs="twistd netlab-http with a file of 100,000 bytes on the server; a script asks for it.",
    look_for=(
        "At the client one segment comes after the two that were sent behind it. The client "
        "answers these two with duplicate ACKs, one fewer than would make the server send again."
    ),
    explanation=(
        "The receiver cannot know whether a gap is a loss or only a delay, so it sends duplicate "
        "ACKs for both. The sender waits for the third (RFC 5681 section 3.2) because networks do "
        "reorder a little. Try --rule 'delay server data 5 4frames': it is sent again for nothing."
    ),
    perform=perform,
    expectations=(
        connections(1),
        opens(),
        answers(0, 0, 200, SERVED_BYTES),
        selectively_acknowledges(0, Who.CLIENT, 1),
        retransmits_at_once(0, Who.SERVER, 0),
        has_no_reset(0),
    ),
    client_expectations=(
        has_marked(0, Who.SERVER, Mark.OUT_OF_ORDER, "overtaken", "overtaken segment"),
    ),
    wire=WireSettings(
        Impairment(delay=0.01),
        Impairment(delay=0.01),
        rules=[Rule(DelayFrames(2), Side.SERVER, Kind.DATA, 5, 5)],
    ),
    client_sysctls={"net.ipv4.tcp_rmem": CONSTANT_WINDOW},
    server_sysctls=SERVER_SYSCTLS,
    needs_wire=True,
)
