"""
Three requests at once.
"""

from __future__ import annotations

from netlab.lab.api.expected import (
    Who,
    closes_first,
    connections,
    cuts_into,
    has_no_reset,
    opens,
    pipelines,
    statuses,
)
from netlab.lab.api.experiment import HTTP_PORT, Experiment, Laboratory
from netlab.lab.api.sockets import SCRIPT_REQUEST, connect, receive_to_end, say


def ask(address: str) -> None:
    """
    Send three requests in one write, and count the answers.
    """
    last = SCRIPT_REQUEST.replace(b"keep-alive", b"close")
    with connect(address, HTTP_PORT) as connection:
        connection.sendall(SCRIPT_REQUEST * 2 + last)
        say(f"{receive_to_end(connection).count(b'HTTP/1.1 200')} answers")


async def perform(lab: Laboratory) -> None:
    """
    Ask three times at once.
    """
    await lab.server.serve("netlab-http", "--bare-headers")
    await lab.client.run_function(ask, lab.server.address)


EXPERIMENT = Experiment(
    name="pipelining",
    question="May a client send its next request before it has an answer?",
    programs="twistd netlab-http on the server; a script that sends three requests in one write.",
    look_for="One segment up with three requests; three answers down, in order.",
    explanation=(
        "A server must answer pipelined requests in their order (RFC 9112 section 9.3.2). Here "
        "they even share a segment: where one message ends says the message, not TCP. Browsers "
        "have given pipelining up, since one slow answer holds up all behind it; HTTP/2 gives "
        "each exchange a stream of its own instead."
    ),
    perform=perform,
    expectations=(
        connections(1),
        opens(),
        cuts_into(0, Who.CLIENT, lambda lengths: len(lengths) == 1, "one segment"),
        pipelines(0, 3),
        statuses(0, (200, 200, 200)),
        closes_first(0, Who.SERVER),
        has_no_reset(0),
    ),
)
