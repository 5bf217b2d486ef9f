"""
One client too many.
"""

from __future__ import annotations

from netlab.lab.api.expected import Who, closes_at_once, connections, has_no_reset, opens, statuses
from netlab.lab.api.experiment import HTTP_PORT, Experiment, Laboratory
from netlab.lab.api.sockets import SCRIPT_REQUEST, connect, receive_to_end, receive_until, say_head


def crowd(address: str) -> None:
    """
    Occupy both places, and ask for a third.
    """
    with connect(address, HTTP_PORT) as first, connect(address, HTTP_PORT) as second:
        for connection in (first, second):
            connection.sendall(SCRIPT_REQUEST)
            say_head(receive_until(connection, b"</html>"))
        with connect(address, HTTP_PORT) as third:
            third.sendall(SCRIPT_REQUEST)
            say_head(receive_to_end(third))


async def perform(lab: Laboratory) -> None:
    """
    Serve two connections at most.
    """
    await lab.server.serve("netlab-http", "--max-connections", "2")
    await lab.client.run_function(crowd, lab.server.address)


EXPERIMENT = Experiment(
    name="connection_limit",
    question="What does a client see that comes when the server is full?",
    programs="twistd netlab-http --max-connections 2; a script that opens three connections.",
    look_for="Two connections with 200 each; a third one with 503 and the server's FIN.",
    explanation=(
        "A server that takes any number of connections can be made to run out of memory or "
        "descriptors. This one says 503 (RFC 9110 section 15.6.4) to those beyond its limit and "
        "closes, so that the client knows that it may try again later; not accepting the "
        "connection would leave it in the dark."
    ),
    perform=perform,
    expectations=(
        connections(3),
        opens(),
        statuses(0, (200,)),
        opens(1),
        statuses(1, (200,)),
        opens(2),
        statuses(2, (503,)),
        closes_at_once(2, Who.SERVER),
        has_no_reset(2),
    ),
)
