"""
The reference's first HTTP capture: one connection, two requests, closed by the server's timeout.
"""

from __future__ import annotations

import time

from netlab.lab.api.expected import EXCHANGES
from netlab.lab.api.experiment import HTTP_PORT, Experiment, Laboratory
from netlab.lab.api.sockets import (
    SCRIPT_ANSWER_BYTES,
    SCRIPT_REQUEST,
    connect,
    receive,
    receive_to_end,
    say_head,
)

#: Between the two requests, as in the reference.
THINKING_SECONDS = 0.1

#: From the server's FIN to the client's; in the reference 3.99 s.
LINGERING_SECONDS = 1.5


def browse(address: str) -> None:
    """
    Ask twice on one connection, and notice late that the server has closed it.
    """
    with connect(address, HTTP_PORT) as connection:
        for pause in (THINKING_SECONDS, 0):
            connection.sendall(SCRIPT_REQUEST)
            say_head(receive(connection, SCRIPT_ANSWER_BYTES))
            time.sleep(pause)
        receive_to_end(connection)
        time.sleep(LINGERING_SECONDS)


async def perform(lab: Laboratory) -> None:
    """
    Serve the demonstration pages in the reference's bytes, and browse.
    """
    await lab.server.serve("netlab-http", "--bare-headers")
    await lab.client.run_function(browse, lab.server.address)


EXPERIMENT = Experiment(
    name="single_fin",
    question="Who closes a persistent connection that nobody uses any more, and when?",
    programs="twistd netlab-http on the server; on the client a script that asks twice.",
    look_for=(
        "Two requests of 59 bytes and two answers of 274 on one connection, a second of silence, "
        "the server's FIN, and much later the client's."
    ),
    explanation=(
        "HTTP/1.1 keeps the connection open after an answer (RFC 9112 section 9.3). The server "
        "waits one second for another request and then closes its side: the wait is its own idle "
        "timeout, not something the client asked for. The client stays in CLOSE-WAIT until its "
        "program closes too; until then the server is in FIN-WAIT-2."
    ),
    perform=perform,
    expectations=(*EXCHANGES["single_fin"].expectations,),
)
