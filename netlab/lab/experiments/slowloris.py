"""
A client that never finishes its request.
"""

from __future__ import annotations

import time

from netlab.lab.api.expected import (
    Who,
    answers_after,
    closes_first,
    connections,
    cuts_into,
    opens,
    statuses,
)
from netlab.lab.api.experiment import HTTP_PORT, Experiment, Laboratory
from netlab.lab.api.sockets import connect, receive_to_end, say_head

HEAD_TIMEOUT_SECONDS = 1.5
BYTE_SECONDS = 0.2


def drip(address: str) -> None:
    """
    Send a head byte by byte, as long as it is listened to.
    """
    head = b"GET / HTTP/1.1\r\nHost: server\r\nX-Slow: " + b"z" * 1000
    with connect(address, HTTP_PORT) as connection:
        connection.setblocking(False)
        for at in range(len(head)):
            connection.send(head[at : at + 1])
            time.sleep(BYTE_SECONDS)
            try:
                answer = connection.recv(65536)
            except BlockingIOError:
                continue
            say_head(answer)
            break
        connection.setblocking(True)
        receive_to_end(connection)


async def perform(lab: Laboratory) -> None:
    """
    Drip a request into the server.
    """
    timeout = str(HEAD_TIMEOUT_SECONDS)
    await lab.server.serve("netlab-http", "--head-timeout", timeout)
    await lab.client.run_function(drip, lab.server.address)


EXPERIMENT = Experiment(
    name="slowloris",
    question="How long does a server wait for a request that never ends?",
    programs="twistd netlab-http --head-timeout 1.5; a script that sends a byte every 0.2 s.",
    look_for=(
        "Segments of one byte, and 1.5 s after the first of them 408 and the server's FIN, "
        "although the client never paused for long."
    ),
    explanation=(
        "A server that only waits for silence can be held open for ever by a byte now and then: "
        "the attack called Slowloris. So the head as a whole has a deadline, which a byte does "
        "not extend; then comes 408 (RFC 9110 section 15.5.9) and the close."
    ),
    perform=perform,
    expectations=(
        connections(1),
        opens(),
        cuts_into(0, Who.CLIENT, lambda lengths: set(lengths) == {1}, "segments of one byte"),
        answers_after(0, HEAD_TIMEOUT_SECONDS - 0.1, HEAD_TIMEOUT_SECONDS + 1),
        statuses(0, (408,)),
        closes_first(0, Who.SERVER),
    ),
)
