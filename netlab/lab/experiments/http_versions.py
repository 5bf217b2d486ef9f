"""
HTTP/1.0 against HTTP/1.1: whose connections end by themselves.
"""

from __future__ import annotations

from netlab.lab.api.expected import (
    Who,
    closes_at_once,
    closes_idle,
    connections,
    has_no_reset,
    opens,
    statuses,
)
from netlab.lab.api.experiment import HTTP_PORT, Experiment, Laboratory
from netlab.lab.api.sockets import connect, receive_to_end, say_head


def ask(address: str) -> None:
    """
    Ask in both versions, each on a connection of its own.
    """
    for version in (b"1.0", b"1.1"):
        with connect(address, HTTP_PORT) as connection:
            connection.sendall(b"GET / HTTP/" + version + b"\r\nHost: server\r\n\r\n")
            say_head(receive_to_end(connection))


async def perform(lab: Laboratory) -> None:
    """
    Ask without a word about the connection.
    """
    await lab.server.serve("netlab-http")
    await lab.client.run_function(ask, lab.server.address)


EXPERIMENT = Experiment(
    name="http_versions",
    question="Who closes the connection when nobody says a word about it?",
    programs="twistd netlab-http on the server; a script that asks in HTTP/1.0 and in HTTP/1.1.",
    look_for=(
        "After the answer to HTTP/1.0 the server's FIN follows at once; after the one to HTTP/1.1 "
        "only after its idle timeout of a second."
    ),
    explanation=(
        "In HTTP/1.0 a connection ends with its answer unless both agree on keep-alive; in "
        "HTTP/1.1 it persists unless one says close (RFC 9112 section 9.3). The server answers "
        "with its own version, 1.1, in both cases (RFC 9110 section 2.5)."
    ),
    perform=perform,
    expectations=(
        connections(2),
        opens(),
        statuses(0, (200,)),
        closes_at_once(0, Who.SERVER),
        has_no_reset(0),
        opens(1),
        statuses(1, (200,)),
        closes_idle(1, Who.SERVER),
        has_no_reset(1),
    ),
)
