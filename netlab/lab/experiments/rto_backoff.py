"""
The wire is cut in the middle of a connection: the sender tries again and again, then gives up.
"""

from __future__ import annotations

import sys

from netlab.lab.api.expected import Mark, Who, connections, has_marked, has_no_reset, opens
from netlab.lab.api.experiment import ECHO_PORT, Experiment, Laboratory
from netlab.lab.api.sockets import connect, receive, say

#: Linux gives up after about as long as this many doublings of the shortest timeout take.
RETRIES = 4


def talk(address: str) -> None:
    """
    Exchange a message, wait until the wire is cut, and send another one.
    """
    with connect(address, ECHO_PORT) as connection:
        connection.sendall(b"hello")
        say(f"Server sent:  {receive(connection, 5)!r}")
        sys.stdin.readline()
        connection.settimeout(60)
        connection.sendall(b"still there?")
        try:
            receive(connection, 12)
        except OSError as error:
            say(f"{error.strerror}")


async def perform(lab: Laboratory) -> None:
    """
    Cut the wire while the client is silent.
    """
    await lab.server.serve("netlab-echo", "--exchanges", "0")
    client = lab.client.start_function(talk, lab.server.address)
    await client.line("Server sent")
    lab.wire.cut()
    client.send(b"go on\n")
    await client.ended()


EXPERIMENT = Experiment(
    name="rto_backoff",
    question="How long does a sender try when nothing comes back any more?",
    programs="twistd netlab-echo on a wire that is cut; a client that sends before and after.",
    look_for=(
        "At the client: the same bytes again and again, each time after twice as long, and then "
        "nothing. Its program learns that the connection has timed out. The server's end shows "
        "none of it."
    ),
    explanation=(
        "Without an ACK the retransmission timer ends; the segment is sent again and the timeout "
        "doubled (RFC 6298 section 5.5), so that a network in trouble is not flooded. After "
        "tcp_retries2 doublings the connection is given up: no RST is sent, since nobody would "
        f"get it. Linux takes 15, some 15 minutes; here it is {RETRIES}."
    ),
    perform=perform,
    expectations=(connections(1), opens(), has_no_reset(0)),
    client_expectations=(
        has_marked(
            0, Who.CLIENT, Mark.RETRANSMISSION, "sent-again", "retransmission", least=RETRIES - 1
        ),
    ),
    client_sysctls={"net.ipv4.tcp_retries2": str(RETRIES)},
    patience=40.0,
    settle=0.0,
    needs_wire=True,
)
