"""
C{twistd netlab-lab}: options to a service.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any, Final

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger
from twisted.python.usage import UsageError

from netlab.http1.resources.hostguard import Names, read_name
from netlab.http1.sansio.limits import Admission, Limits
from netlab.http1.sansio.serversettings import ServerSettings
from netlab.http1.server.factory import HTTPServerFactory
from netlab.lab.hosts.settings import Isolation
from netlab.lab.live.guards import is_loopback_only
from netlab.lab.live.order import ORDER_MAX_BYTES
from netlab.lab.live.service import SERVER_NAME, LiveLaboratory
from netlab.lab.live.site import make_site
from netlab.lab.results.folder import ResultsFolder
from netlab.options import ListeningOptions
from netlab.service import ListeningService
from netlab.terminal.steadyoutput import make_output_steady

#: A few pages, each with the six connections that a browser opens at most.
_CONNECTIONS_MAX: Final = 128

_log = Logger(namespace=SERVER_NAME)


class Options(ListeningOptions):
    """
    The command line of C{twistd netlab-lab}.
    """

    synopsis = "[netlab-lab options]"
    longdesc = (
        "A page on which experiments are run and watched, segment by segment. It listens on "
        "tcp:8081:interface=127.0.0.1 unless --listen says otherwise: anyone who can open the page "
        "can run experiments."
    )
    default_listen = "tcp:8081:interface=127.0.0.1"

    optParameters = [  # noqa: RUF012
        ["out", "o", None, "Keep the results in this folder. [default: until the end only]"],
        [
            "isolation",
            None,
            None,
            "How hosts are made: root, user, simulated or none. [default: the best]",
        ],
    ]
    optFlags = [  # noqa: RUF012
        ["expose", None, "Let --listen name places that other machines can reach."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self.out: Path | None = None
        self.isolation: Isolation | None = None
        self.hosts: set[str] = set()

    # The docstrings of opt_ methods are shown by --help.
    def opt_listen(self, description: str) -> None:
        """
        Where to listen, such as tcp:127.0.0.1:8081. Repeatable.
        """
        super().opt_listen(description)

    def opt_host(self, name: str) -> None:
        """
        A name by which browsers may ask for the page, beside localhost. Repeatable.
        """
        try:
            self.hosts.add(read_name(name))
        except ValueError as error:
            text = f"--host {name!a}: {error}; write one such as lab.example"
            raise UsageError(text) from error

    def postOptions(self) -> None:
        """
        Check what is given; a daemon changes its folder.
        """
        super().postOptions()
        for description, _ in self.endpoints:
            if not self["expose"] and not is_loopback_only(description):
                raise UsageError(
                    f"--listen {description!a}: others could reach it, and run experiments; write "
                    "tcp:127.0.0.1:PORT, or add --expose"
                )
        if self["out"] is not None:
            self.out = Path(self["out"]).absolute()
            try:
                with ResultsFolder(self.out):
                    pass
            except OSError as error:
                raise UsageError(
                    f"--out {self['out']!a}: cannot be used ({error.strerror}); name a folder, or "
                    "a new one where you may write"
                ) from error
        if self["isolation"] is not None:
            if self["isolation"] not in list(Isolation):
                text = self["isolation"]
                raise UsageError(
                    f"--isolation {text!a}: no such way; write one of {', '.join(Isolation)}"
                )
            self.isolation = Isolation(self["isolation"])


def makeService(options: Options, reactor: Any = None) -> LiveLaboratory:
    """
    Make the live laboratory's service.

    @param options: the parsed command line.
    @param reactor: what everything runs on; twistd passes none, which means the global one.
    @return: the service, which opens its ports when it starts.
    """
    if reactor is None:
        from twisted.internet import reactor

        # The log goes there (twistd -n), and a reader that hangs must not stop the server.
        make_output_steady()
    laboratory = LiveLaboratory(reactor, options.out, options.isolation)
    site = make_site(
        laboratory.bench,
        laboratory.feed,
        laboratory.folder,
        reactor.seconds,
        Names(frozenset(options.hosts), takes_addresses=bool(options["expose"])),
        secrets.token_urlsafe(32),
    )
    factory = HTTPServerFactory(
        site,
        reactor,
        ServerSettings(Limits(content_max_bytes=ORDER_MAX_BYTES)),
        admission=Admission(connections_max=_CONNECTIONS_MAX),
    )
    server = ListeningService(
        reactor,
        SERVER_NAME,
        factory,
        options.endpoints,
        factory.connections,
        option="--listen tcp:127.0.0.1:PORT",
        opened=_name_page,
        hears_signals=True,
    )
    laboratory.serve(server)
    return laboratory


def _name_page(port: IListeningPort) -> None:
    """
    Say where the page is.
    """
    match port.getHost():
        case IPv4Address(host="0.0.0.0", port=number):
            place = f"localhost:{number}"
        case IPv4Address(host=host, port=number):
            place = f"{host}:{number}"
        case IPv6Address(host=host, port=number):
            place = f"[{host}]:{number}"
        case _:
            return
    _log.info("Open http://{place}/ in a browser", place=place)
