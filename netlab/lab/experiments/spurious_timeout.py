"""
Segments are held up for longer than the sender waits: it repeats what was never lost.
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
    selectively_acknowledges,
)
from netlab.lab.api.experiment import (
    Experiment,
    Hold,
    Impairment,
    Kind,
    Rule,
    Side,
    WireSettings,
)
from netlab.lab.experiments.fast_retransmit import CONSTANT_WINDOW, SERVED_BYTES, perform

HELD_SECONDS = 0.6

EXPERIMENT = Experiment(
    name="spurious_timeout",
    question="What if a segment is only late, and is sent again?",
    programs="twistd netlab-http with a file of 100,000 bytes on the server; a script asks for it.",
    look_for=(
        "From its twentieth segment on all that the server sends is held up for 0.6 s. Its timer "
        "ends and it sends again. When all has arrived the client reports in a SACK block what it "
        "got twice: a D-SACK, below the ACK number."
    ),
    explanation=(
        "A timer cannot tell late from lost. The receiver says which bytes it has got twice in the "
        "first SACK block (RFC 2883), so the sender learns that its retransmission was for "
        "nothing; it takes back that it had slowed down (RFC 3708, and Linux by timestamps, RFC "
        "3522)."
    ),
    perform=perform,
    expectations=(
        connections(1),
        opens(),
        answers(0, 0, 200, SERVED_BYTES),
        # Nothing was lost, so that a SACK block can only be a D-SACK.
        selectively_acknowledges(0, Who.CLIENT, 1),
        has_no_reset(0),
    ),
    server_expectations=(
        has_marked(0, Who.SERVER, Mark.RETRANSMISSION, "sent-again", "retransmission"),
    ),
    wire=WireSettings(
        Impairment(delay=0.01),
        Impairment(delay=0.01),
        rules=[Rule(Hold(HELD_SECONDS), Side.SERVER, Kind.DATA, 20, 20)],
    ),
    client_sysctls={"net.ipv4.tcp_rmem": CONSTANT_WINDOW},
    server_sysctls={"net.ipv4.tcp_wmem": "4096 1048576 4194304"},
    needs_wire=True,
)
