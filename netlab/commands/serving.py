"""
Both servers in one process, in the foreground: what C{make run} starts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from twisted.application.service import IService, MultiService
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IListeningPort
from twisted.logger import globalLogBeginner, textFileLogObserver

from netlab.echo import tap as echo_tap
from netlab.errors import KnownError
from netlab.http1.twistd import tap as http_tap
from netlab.options import tcp_description
from netlab.service import ListenError, place

#: For each server, the option and make's variable that choose another port.
_PORT_OPTIONS = {
    "netlab-echo": "--echo-port PORT (make run ECHO_PORT=PORT)",
    "netlab-http": "--http-port PORT (make run HTTP_PORT=PORT)",
}

_HOST_OPTION = "--host ADDRESS (make run HOST=ADDRESS)"


def serve(
    host: str,
    echo_port: int,
    http_port: int,
    root: str | None,
    *,
    reactor: Any,
    show: Callable[[str], object],
    command: str = "netlab",
) -> int:
    """
    Serve until a signal says stop.

    @param host: The numeric address to listen on.
    @param echo_port: The echo server's port; 0 lets the system choose.
    @param http_port: The HTTP server's port; 0 lets the system choose.
    @param root: The folder that the HTTP server serves; C{None} for its own choice.
    @param reactor: Runs them.
    @param show: Is called with some lines about where they are, once they listen.
    @param command: How this command is called from here, for those lines.
    @return: The exit status.
    @raise KnownError: A port cannot be opened.
    @raise UsageError: The HTTP server refuses its folder.
    """
    folder = [] if root is None else ["--root", root]
    echo = _make_service(echo_tap, ["--listen", tcp_description(host, echo_port)])
    http = _make_service(
        http_tap, ["--show-requests", "--listen", tcp_description(host, http_port), *folder]
    )
    both = MultiService()
    for service in (echo, http):
        IService(service).setServiceParent(both)

    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stdout)], redirectStandardIO=False)
    try:
        both.privilegedStartService()
        both.startService()
    except ListenError as error:
        option = _PORT_OPTIONS.get(error.server, "--echo-port PORT or --http-port PORT")
        raise KnownError(error.explanation(option, _HOST_OPTION)) from error
    reactor.addSystemEventTrigger("before", "shutdown", both.stopService)
    show(_introduction(echo, http, command))
    reactor.run()
    return 0


class _Server(Protocol):
    """
    The service of a server, as its tap makes it.
    """

    @property
    def ports(self) -> Sequence[IListeningPort]:
        """
        The ports that are open.
        """
        ...


def _make_service(tap: Any, arguments: Sequence[str]) -> _Server:
    """
    Make a server's service as twistd would.

    @param tap: The server's C{tap} module.
    @param arguments: The command line for it.
    """
    options = tap.Options()
    options.parseOptions(arguments)
    service: _Server = tap.makeService(options)
    return service


def _introduction(echo: _Server, http: _Server, command: str) -> str:
    """
    Say where the servers are and what to try next.
    """
    echo_address, http_address = (service.ports[0].getHost() for service in (echo, http))
    echo_host, echo_port = _reachable(echo_address)
    http_host, http_port = _reachable(http_address)
    url_host = f"[{http_host}]" if ":" in http_host else http_host
    url = f"http://{url_host}:{http_port}/"
    return "\n".join(
        [
            "",
            f"The echo server listens on {place(echo_address)}. To try it, in another terminal:",
            f'    {command} echo {echo_host} {echo_port} "hello there" "and goodbye"',
            f"The HTTP server listens on {place(http_address)}. To try it:",
            f"    curl -i {url}",
            f"    {command} get {url}   (saves it as index.html)",
            f"    or open {url} in a browser",
            "Ctrl-C stops both.",
            "",
        ]
    )


def _reachable(address: object) -> tuple[str, int]:
    """
    Turn an address that is listened on into one that a client on this machine can connect to.
    """
    assert isinstance(address, IPv4Address | IPv6Address)
    unspecified = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    return unspecified.get(address.host, address.host), address.port
