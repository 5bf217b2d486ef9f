"""
A SYN that is never answered.
"""

from __future__ import annotations

import socket

from netlab.lab.api.expected import Mark, Who, connections, has_marked, has_no_reset
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
from netlab.lab.api.sockets import say

RETRIES = 2


def call(address: str) -> None:
    """
    Try to connect, for as long as TCP itself does.
    """
    with socket.socket() as connection:
        try:
            connection.connect((address, ECHO_PORT))
        except OSError as error:
            say(f"{error.strerror}")


async def perform(lab: Laboratory) -> None:
    """
    Call a server whose host never hears of it.
    """
    await lab.server.serve("netlab-echo")
    await lab.client.run_function(call, lab.server.address)


EXPERIMENT = Experiment(
    name="syn_retries",
    question="How long does it take to find out that nobody answers?",
    programs="A client whose SYNs are all lost on the wire.",
    look_for=(
        "The same SYN again after 1 s and after 2 s more; 4 s later connect fails with a timeout. "
        "The server's end shows nothing."
    ),
    explanation=(
        "Before there is any round trip to measure the timeout is 1 s, and doubles with each try "
        f"(RFC 6298 section 2). Linux sends a SYN again 6 times, which takes 127 s; here it is "
        f"{RETRIES}. A host that is there and does not want would answer with RST, at once: "
        "silence means a filter, a wrong address or a broken way."
    ),
    perform=perform,
    client_expectations=(
        connections(1),
        has_marked(0, Who.CLIENT, Mark.RETRANSMISSION, "sent-again", "repeated SYN", least=RETRIES),
        has_no_reset(0),
    ),
    wire=WireSettings(rules=[Rule(Drop(), Side.CLIENT, Kind.SYN, 1, None)]),
    client_sysctls={"net.ipv4.tcp_syn_retries": str(RETRIES)},
    patience=40.0,
    settle=0.0,
    needs_wire=True,
)
