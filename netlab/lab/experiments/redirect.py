"""
The reference's redirect, by a script that sends a browser's requests.
"""

from __future__ import annotations

import time

from netlab.lab.api.expected import EXCHANGES, says
from netlab.lab.api.experiment import HTTP_PORT, Experiment, Laboratory
from netlab.lab.api.sockets import browser_request, connect, receive_to_end, say_head

#: The lengths of the browser's two requests in the reference.
FIRST_BYTES, SECOND_BYTES = 449, 452

#: From the server's second FIN to the client's; in the reference 1.35 s.
LINGERING_SECONDS = 0.5


def browse(address: str) -> None:
    """
    Follow a redirect as a browser does.
    """
    host = f"{address}:{HTTP_PORT}".encode()
    for path, length, pause in (
        (b"/redirect", FIRST_BYTES, 0.0),
        (b"/result.html", SECOND_BYTES, LINGERING_SECONDS),
    ):
        with connect(address, HTTP_PORT) as connection:
            connection.sendall(browser_request(path, host, length))
            say_head(receive_to_end(connection))
            time.sleep(pause)


async def perform(lab: Laboratory) -> None:
    """
    Serve the demonstration pages in the reference's bytes, and browse.
    """
    await lab.server.serve("netlab-http", "--bare-headers")
    await lab.client.run_function(browse, lab.server.address)


EXPERIMENT = Experiment(
    name="redirect",
    question="How does a browser get from a redirect to the page, segment by segment?",
    programs="twistd netlab-http on the server; on the client a script with a browser's requests.",
    look_for=(
        "449 bytes up, 77 down with the 301, the server's FIN at once; a new connection with 452 "
        "bytes up and 127 down, and the server's FIN after a second."
    ),
    explanation=(
        "The 301 says Connection: close and has no Content-Length: its content ends with the "
        "stream (RFC 9112 section 6.3), so the server's FIN follows at once. An analyser that "
        "prints the status only there does not mean that it travelled there: it came with the 77 "
        "bytes before. The page itself comes on a second connection, which the server's idle "
        "timeout ends."
    ),
    perform=perform,
    expectations=(
        *EXCHANGES["redirect"].expectations,
        says(0, (FIRST_BYTES, 77)),
        says(1, (SECOND_BYTES, 127)),
    ),
)
