"""
The twistd plugins: names and strings only, so that listing them imports no server.
"""

from twisted.application.service import ServiceMaker

netlab_echo = ServiceMaker(
    "netlab echo",
    "netlab.echo.tap",
    "An upper-casing TCP echo server: a few exchanges with each client, then the close.",
    "netlab-echo",
)

netlab_http = ServiceMaker(
    "netlab HTTP",
    "netlab.http1.twistd.tap",
    "A strict HTTP/1.1 server for a folder of files.",
    "netlab-http",
)

netlab_lab = ServiceMaker(
    "netlab laboratory",
    "netlab.lab.live.tap",
    "A page on which experiments between two hosts are run and watched, segment by segment.",
    "netlab-lab",
)
