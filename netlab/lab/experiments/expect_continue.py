"""
A client that asks before it sends.
"""

from __future__ import annotations

import socket

from netlab.lab.api.expected import (
    connections,
    continues,
    has_no_reset,
    opens,
    statuses,
    withholds_content,
)
from netlab.lab.api.experiment import ECHO_PORT, HTTP_PORT, Experiment, Laboratory
from netlab.lab.api.sockets import connect, receive, receive_to_end, receive_until, say, say_head

CONTENT = b"x" * 5000


def serve(listening: socket.socket) -> None:
    """
    Want the content: say so, take it, and answer.
    """
    connection, _ = listening.accept()
    with connection:
        receive_until(connection, b"\r\n\r\n")
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        received = receive(connection, len(CONTENT))
        say(f"{len(received):,} bytes came.")
        connection.sendall(
            b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )


def put(address: str) -> None:
    """
    Ask both servers whether they want the content.
    """
    head = (
        b"PUT /page HTTP/1.1\r\nHost: server\r\nExpect: 100-continue\r\n"
        b"Content-Length: %d\r\n\r\n" % len(CONTENT)
    )
    for port in (ECHO_PORT, HTTP_PORT):
        with connect(address, port) as connection:
            connection.sendall(head)
            answer = receive_until(connection, b"\r\n\r\n")
            say_head(answer)
            if answer.startswith(b"HTTP/1.1 100 "):
                connection.sendall(CONTENT)
            say_head(receive_to_end(connection))


async def perform(lab: Laboratory) -> None:
    """
    Offer content to a server that wants it and to one that does not.
    """
    await lab.server.serve_function(serve, port=ECHO_PORT)
    await lab.server.serve("netlab-http")
    await lab.client.run_function(put, lab.server.address)


EXPERIMENT = Experiment(
    name="expect_continue",
    question="How does a client find out whether its content is wanted before it sends it?",
    programs="A server that takes content, and twistd netlab-http, which does not; a script.",
    look_for=(
        "On the first connection the head goes up, 100 Continue comes down, and only then the "
        "content goes up. On the second the answer to the head is final: no content is sent."
    ),
    explanation=(
        "With Expect: 100-continue the client waits for an interim answer (RFC 9110 section "
        "10.1.1). A server that would refuse anyway gives its final answer at once and spares "
        "both the content. It must then close the connection or read the content after all, "
        "because it cannot know whether the client will send it."
    ),
    perform=perform,
    expectations=(
        connections(2),
        opens(),
        continues(0),
        statuses(0, (201,)),
        has_no_reset(0),
        opens(1),
        withholds_content(1),
        statuses(1, (405,)),
        has_no_reset(1),
    ),
)
