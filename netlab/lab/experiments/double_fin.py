"""
The reference's second HTTP capture: a client that comes back too late needs a new connection.
"""

from __future__ import annotations

import time

from netlab.lab.api.expected import EXCHANGES
from netlab.lab.api.experiment import HTTP_PORT, Experiment, Laboratory
from netlab.lab.api.sockets import SCRIPT_ANSWER_BYTES, SCRIPT_REQUEST, connect, receive, say_head

#: The client wakes up after the server's idle timeout of one second.
SLEEPING_SECONDS = 2.0


def browse(address: str) -> None:
    """
    Ask, sleep too long, and ask again on a new connection, which this end closes.
    """
    for pause in (SLEEPING_SECONDS, 0):
        with connect(address, HTTP_PORT) as connection:
            connection.sendall(SCRIPT_REQUEST)
            say_head(receive(connection, SCRIPT_ANSWER_BYTES))
            time.sleep(pause)


async def perform(lab: Laboratory) -> None:
    """
    Serve the demonstration pages in the reference's bytes, and browse.
    """
    await lab.server.serve("netlab-http", "--bare-headers")
    await lab.client.run_function(browse, lab.server.address)


EXPERIMENT = Experiment(
    name="double_fin",
    question="What happens when a client wants to reuse a connection that has timed out?",
    programs="twistd netlab-http on the server; on the client a script that sleeps for 2 s.",
    look_for=(
        "Two connections with four FINs in all. The first is closed by the server after a second "
        "without a request, the second by the client at once. The second has another source port "
        "and other initial sequence numbers."
    ),
    explanation=(
        "The first connection ends by the server's idle timeout: when the client wakes up, it "
        "finds the end of the stream, closes its side and connects again (RFC 9112 section 9.6). "
        "The second one ends because the client has all that it wanted. The two ends swap roles: "
        "who closes first is the one that stays in TIME-WAIT."
    ),
    perform=perform,
    expectations=(*EXCHANGES["double_fin"].expectations,),
)
