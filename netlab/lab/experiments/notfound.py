"""
The reference's missing page with a spare connection, by a script that sends a browser's bytes.
"""

from __future__ import annotations

from netlab.lab.api.expected import EXCHANGES, says
from netlab.lab.api.experiment import HTTP_PORT, Experiment, Laboratory
from netlab.lab.api.sockets import browser_request, connect, receive_to_end, say_head

#: The length of the browser's request in the reference.
REQUEST_BYTES = 478


def browse(address: str) -> None:
    """
    Ask for a page that is not there, with a connection to spare.
    """
    host = f"{address}:{HTTP_PORT}".encode()
    with connect(address, HTTP_PORT) as used, connect(address, HTTP_PORT) as spare:
        used.sendall(browser_request(b"/missing.html", host, REQUEST_BYTES))
        say_head(receive_to_end(used))
        used.close()
        receive_to_end(spare)


async def perform(lab: Laboratory) -> None:
    """
    Serve the demonstration pages in the reference's bytes, and browse.
    """
    await lab.server.serve("netlab-http", "--bare-headers")
    await lab.client.run_function(browse, lab.server.address)


EXPERIMENT = Experiment(
    name="notfound",
    question="Why does a browser open a second connection that carries nothing?",
    programs="twistd netlab-http on the server; on the client a script with a browser's request.",
    look_for=(
        "One connection with 478 bytes up and 45 down, the 404, closed by the server at once; "
        "another one without a single byte, closed by the server after a second."
    ),
    explanation=(
        "Browsers open a spare connection, so that a second request would not have to wait for a "
        "handshake. Here there is no second request: the server's idle timeout ends it. The 404 "
        "says Connection: close and ends with the stream."
    ),
    perform=perform,
    expectations=(*EXCHANGES["notfound"].expectations, says(0, (REQUEST_BYTES, 45))),
)
