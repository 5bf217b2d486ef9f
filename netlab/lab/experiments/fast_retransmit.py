"""
One of many segments gets lost: the duplicate acknowledgements tell.
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
    HTTP_PORT,
    Drop,
    Experiment,
    Impairment,
    Kind,
    Laboratory,
    Rule,
    Side,
    WireSettings,
)
from netlab.lab.api.sockets import connect, receive_to_end, say

SERVED_BYTES = 100_000

#: Each way. The round trip of 40 ms is far below the 200 ms of a retransmission timer.
DELAY_SECONDS = 0.02

#: A receive buffer that does not grow, so that duplicate ACKs announce the same window.
CONSTANT_WINDOW = "4096 65536 65536"

#: No RACK; and a send buffer that takes the whole file at once, so that what is sent when does not
#: depend on how fast the server's program is.
SERVER_SYSCTLS = {"net.ipv4.tcp_recovery": "0", "net.ipv4.tcp_wmem": "4096 1048576 4194304"}


def ask(address: str) -> None:
    """
    Ask for the file.
    """
    with connect(address, HTTP_PORT) as connection:
        connection.sendall(b"GET /file.bin HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n")
        say(f"{len(receive_to_end(connection)):,} bytes came.")


async def perform(lab: Laboratory) -> None:
    """
    Serve a file of some 70 segments.
    """
    root = lab.folder / "root"
    root.mkdir(exist_ok=True)
    (root / "file.bin").write_bytes(bytes(SERVED_BYTES))
    await lab.server.serve("netlab-http", "--root", str(root))
    await lab.client.run_function(ask, lab.server.address)


EXPERIMENT = Experiment(
    name="fast_retransmit",
    question="How is a lost segment noticed when others follow it?",
    programs="twistd netlab-http with a file of 100,000 bytes on the server; a script asks for it.",
    look_for=(
        "At the client: a gap, and an ACK with the same number for each segment behind it, each "
        "with a SACK block that grows. At the server: the lost segment again, after the third "
        "duplicate ACK, one round trip after it was first sent and without any timer."
    ),
    explanation=(
        "The receiver acknowledges each segment out of order at once, with the number of the gap "
        "(RFC 5681 section 3.2), and says in SACK blocks what it has got beyond it (RFC 2018). "
        "After three such duplicates the sender retransmits: fast retransmit. RACK (RFC 8985), "
        "which Linux would use instead, is switched off here: it would wait for a quarter of a "
        "round trip rather than count to three."
    ),
    perform=perform,
    expectations=(
        connections(1),
        opens(),
        answers(0, 0, 200, SERVED_BYTES),
        has_marked(0, Who.CLIENT, Mark.DUPLICATE_ACK, "duplicate-acks", "duplicate ACK", least=3),
        selectively_acknowledges(0, Who.CLIENT, 1),
        has_no_reset(0),
    ),
    client_expectations=(retransmits_at_once(0, Who.SERVER, 0),),
    server_expectations=(retransmits_at_once(0, Who.SERVER, 1),),
    wire=WireSettings(
        Impairment(delay=DELAY_SECONDS),
        Impairment(delay=DELAY_SECONDS),
        rules=[Rule(Drop(), Side.SERVER, Kind.DATA, 5, 5)],
    ),
    client_sysctls={"net.ipv4.tcp_rmem": CONSTANT_WINDOW},
    server_sysctls=SERVER_SYSCTLS,
    needs_wire=True,
)
