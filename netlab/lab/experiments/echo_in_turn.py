"""
The echo exchange, closed by one end after the other.
"""

from __future__ import annotations

from netlab.lab.api.expected import EXCHANGES, Who, closes_first, closes_second
from netlab.lab.api.experiment import ECHO_PORT, Experiment, Laboratory
from netlab.lab.api.sockets import connect, receive, receive_to_end, say
from netlab.lab.experiments.echo import MESSAGES


def talk(address: str) -> None:
    """
    Exchange the messages, and close when the server has.
    """
    with connect(address, ECHO_PORT) as connection:
        for message in MESSAGES:
            connection.sendall(message.encode())
            say(f"Server sent:  {receive(connection, len(message))!r}")
        receive_to_end(connection)


async def perform(lab: Laboratory) -> None:
    """
    Exchange two messages.
    """
    await lab.server.serve("netlab-echo")
    await lab.client.run_function(talk, lab.server.address)


EXPERIMENT = Experiment(
    name="echo_in_turn",
    question="What does the close look like when the client waits for the server's?",
    programs="twistd netlab-echo on the server; on the client a script that reads to the end.",
    look_for=(
        "The server's FIN, then one segment of the client's that both acknowledges it and carries "
        "its own FIN, then the server's ACK: three segments, not four."
    ),
    explanation=(
        "The client closes only when it has read the end of the stream. Its FIN leaves together "
        "with the ACK of the server's, since there is nothing left to send. The server, which "
        "closed first, stays in TIME-WAIT (RFC 9293 section 3.6, case 2)."
    ),
    perform=perform,
    expectations=(
        *EXCHANGES["echo"].expectations,
        closes_first(0, Who.SERVER),
        closes_second(0, Who.CLIENT),
    ),
)
