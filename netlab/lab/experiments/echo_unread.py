"""
Variant 2 of the echo exchange: the server closes with unread bytes.
"""

from __future__ import annotations

from netlab.lab.api.expected import Who, connections, is_reset, opens, says
from netlab.lab.api.experiment import ECHO_PORT, Experiment, Laboratory
from netlab.lab.api.sockets import connect, receive_to_end, say
from netlab.lab.experiments.echo import MESSAGES


def talk(address: str) -> None:
    """
    Send a message, and read what comes of it.
    """
    with connect(address, ECHO_PORT) as connection:
        connection.sendall(MESSAGES[0].encode())
        try:
            say(f"Server sent:  {receive_to_end(connection)!r}")
        except ConnectionResetError:
            say("The server reset the connection.")


async def perform(lab: Laboratory) -> None:
    """
    Have the server read 5 of 33 bytes.
    """
    await lab.server.serve("netlab-echo", "--exchanges", "1", "--max-bytes", "5")
    await lab.client.run_function(talk, lab.server.address)


EXPERIMENT = Experiment(
    name="echo_unread",
    question="What if a server closes a connection without having read everything?",
    programs="twistd netlab-echo --max-bytes 5 --exchanges 1; a script on the client.",
    look_for="33 bytes up, 5 down, and then RST instead of FIN from the server.",
    explanation=(
        "Bytes that were acknowledged but that no program will ever read are lost. So the server's "
        "kernel tells the client: it answers the close with a reset (RFC 1122 section 4.2.2.13; "
        "RFC 2525 section 2.17). The client may even lose the 5 bytes that had already come."
    ),
    perform=perform,
    expectations=(connections(1), opens(), says(0, (33, 5)), is_reset(0, Who.SERVER)),
)
