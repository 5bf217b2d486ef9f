"""
A host loses its power in the middle of a connection, and comes back.
"""

from __future__ import annotations

import sys

from netlab.lab.api.expected import Who, connections, cuts_into, is_reset, opens
from netlab.lab.api.experiment import ECHO_PORT, Experiment, Laboratory, Side
from netlab.lab.api.sockets import connect, receive, say


def talk(address: str) -> None:
    """
    Exchange a message, wait to be told, and send another one.
    """
    with connect(address, ECHO_PORT) as connection:
        connection.sendall(b"hello")
        say(f"Server sent:  {receive(connection, 5)!r}")
        sys.stdin.readline()
        connection.sendall(b"still there?")
        try:
            receive(connection, 12)
        except ConnectionResetError as error:
            say(f"{error.strerror}")


async def perform(lab: Laboratory) -> None:
    """
    Crash and reboot the server while the client is silent.
    """
    await lab.server.serve("netlab-echo", "--exchanges", "0")
    client = lab.client.start_function(talk, lab.server.address)
    await client.line("Server sent")
    await lab.crash(Side.SERVER)
    await lab.reboot(Side.SERVER)
    client.send(b"go on\n")
    await client.ended()


EXPERIMENT = Experiment(
    name="host_crash",
    question="How does a client learn that its server was switched off and on again?",
    programs="twistd netlab-echo on a host that crashes; a client that sends before and after.",
    look_for=(
        "No FIN and no RST when the server vanishes: the connection is half-open. The client's "
        "next data is answered by RST."
    ),
    explanation=(
        "A host without power sends nothing, so the client cannot know. After the reboot the "
        "server has forgotten the connection, and answers a segment of it as any segment for "
        "which there is no connection: with a reset (RFC 9293 sections 3.5.1 and 3.10.7.1). A "
        "capture alone does not show why the server has forgotten: it might have reset the "
        "connection unseen. If the server had stayed off, the client would only time out."
    ),
    perform=perform,
    expectations=(
        connections(1),
        opens(),
        cuts_into(0, Who.CLIENT, lambda lengths: lengths == [5, 12], "segments of 5 and 12 bytes"),
        is_reset(0, Who.SERVER),
    ),
    needs_wire=True,
)
