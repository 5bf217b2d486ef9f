"""
A connection to a port where nobody listens.
"""

from __future__ import annotations

from netlab.lab.api.expected import connections, refuses
from netlab.lab.api.experiment import ECHO_PORT, Experiment, Laboratory
from netlab.lab.api.sockets import connect, say


def knock(address: str) -> None:
    """
    Try to connect.
    """
    try:
        connect(address, ECHO_PORT).close()
    except ConnectionRefusedError as error:
        say(f"{error.strerror}")


async def perform(lab: Laboratory) -> None:
    """
    Knock where nobody is.
    """
    await lab.client.run_function(knock, lab.server.address)


EXPERIMENT = Experiment(
    name="refused",
    question="How does a host say that nobody listens on a port?",
    programs="Nothing on the server; a script on the client tries to connect.",
    look_for="Two segments: the SYN, and RST with ACK, whose number is the SYN's plus one.",
    explanation=(
        "A segment for which there is no connection is answered by a reset (RFC 9293 section "
        "3.5.2, group 1). Its acknowledgement covers the SYN, so that the client knows which of "
        "its attempts has failed. A firewall that drops the SYN instead would leave it waiting."
    ),
    perform=perform,
    expectations=(connections(1), refuses(0)),
)
