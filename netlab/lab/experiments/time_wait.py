"""
Who may use a pair of ports again, and when.
"""

from __future__ import annotations

import socket
import time

from netlab.lab.api.expected import Who, closes_first, connections, opens, reuses_ports, says
from netlab.lab.api.experiment import ECHO_PORT, Experiment, Laboratory
from netlab.lab.api.sockets import TIMEOUT_SECONDS, receive_to_end, say

#: The client's ports: of the connection that the server closes first, and of the other.
SERVER_CLOSES_PORT = 50001
CLIENT_CLOSES_PORT = 50002

LAST_ACK_SECONDS = 0.1


def open_from(address: str, port: int) -> socket.socket:
    """
    Connect from a certain port.
    """
    connection = socket.socket()
    connection.settimeout(TIMEOUT_SECONDS)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    connection.bind(("", port))
    connection.connect((address, ECHO_PORT))
    return connection


def talk(address: str) -> None:
    """
    Connect twice from each port.
    """
    for _ in range(2):
        with open_from(address, SERVER_CLOSES_PORT) as connection:
            connection.sendall(b"you close")
            say(f"Server sent:  {receive_to_end(connection)!r}")
        # Until the server's ACK of the FIN has come, this end is in LAST-ACK and keeps the port.
        time.sleep(LAST_ACK_SECONDS)
    with open_from(address, CLIENT_CLOSES_PORT) as connection:
        connection.shutdown(socket.SHUT_RDWR)
    try:
        open_from(address, CLIENT_CLOSES_PORT).close()
    except OSError as error:
        say(f"The second connection from port {CLIENT_CLOSES_PORT}: {error.strerror}")


async def perform(lab: Laboratory) -> None:
    """
    Use ports again.
    """
    await lab.server.serve("netlab-echo", "--exchanges", "1")
    await lab.client.run_function(talk, lab.server.address)


EXPERIMENT = Experiment(
    name="time_wait",
    question="Can a connection's ports be used again right after it was closed?",
    programs="twistd netlab-echo --exchanges 1; a client that connects from ports of its choice.",
    look_for=(
        "Port 50001 opens two connections, one right after the other: the second SYN has a higher "
        "sequence number than all before. Port 50002 opens one; the second attempt fails in the "
        "client's own kernel, and no SYN leaves it."
    ),
    explanation=(
        "The end that closes first stays in TIME-WAIT for 2 MSL, in Linux 60 s, so that a late "
        "segment of the old connection cannot get into a new one (RFC 9293 section 3.6). From port "
        "50001 the server closed first: it may accept a SYN whose sequence number is beyond the "
        "old ones (section 3.6.1; RFC 6191). From port 50002 the client closed first, and its own "
        "kernel keeps the pair of ports."
    ),
    perform=perform,
    expectations=(
        connections(3),
        opens(),
        says(0, (9, 9)),
        closes_first(0, Who.SERVER),
        reuses_ports(),
        opens(1),
        says(1, (9, 9)),
        closes_first(1, Who.SERVER),
        opens(2),
        closes_first(2, Who.CLIENT),
    ),
    needs_wire=True,
)
