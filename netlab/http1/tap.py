"""
C{twistd netlab-http}: options to a service.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twisted.application.service import IService
from twisted.python.usage import UsageError

from netlab.demonstration import demonstration_root
from netlab.http1.beneath import Root
from netlab.http1.bounds import ADMISSION_BOUNDS, LIMIT_BOUNDS, TIMEOUT_BOUNDS, values
from netlab.http1.errors import RemoteProtocolError
from netlab.http1.limits import Admission, Limits, Timeouts
from netlab.http1.log import AccessLog
from netlab.http1.protocol import SERVER_NAME, HTTPServerFactory
from netlab.http1.resource import Redirect, Resource, Router
from netlab.http1.responses import Pages
from netlab.http1.serverconnection import ServerSettings
from netlab.http1.static import StaticFiles, StaticSettings
from netlab.http1.target import parse_target
from netlab.options import ListeningOptions
from netlab.service import ListeningService

_REFERENCE_REDIRECT = "/redirect=/result.html"


class Options(ListeningOptions):
    """
    The command line of C{twistd netlab-http}.
    """

    synopsis = "[netlab-http options]"
    longdesc = (
        "A strict HTTP/1.1 server for a folder of files. It serves the demonstration pages on "
        "tcp:8080 unless --root and --listen say otherwise."
    )
    default_listen = "tcp:8080"

    optParameters = [  # noqa: RUF012
        ["root", "r", None, "Serve the files of this folder. [default: the demonstration pages]"],
        ["access-log", "l", None, "Append a line for each answer to this file."],
        *(
            [bound.option, bound.short, bound.default, bound.text, bound.reader]
            for bound in (*TIMEOUT_BOUNDS, *LIMIT_BOUNDS, *ADMISSION_BOUNDS)
        ),
    ]
    optFlags = [  # noqa: RUF012
        ["bare-headers", "b", "Answer with the reference's bytes: no Date, no type, no page."],
        ["show-requests", "s", "Log each request head, control bytes escaped."],
        ["hidden", None, "Also serve files whose names begin with a dot."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self.redirects: list[tuple[str, str]] = []

    def opt_redirect(self, rule: str) -> None:
        """
        Answer PATH with a 301 to LOCATION: PATH=LOCATION. May be given more than once; the first
        one replaces the reference's /redirect=/result.html.
        """
        path, equals, location = rule.partition("=")
        if not equals or not path.startswith("/") or not location:
            raise UsageError(f"--redirect {rule!a}: not a rule; write /from=/to")
        self.redirects.append((path, location))

    def postOptions(self) -> None:
        """
        Check what depends on the file system, and make paths absolute: a daemon changes its folder.
        """
        super().postOptions()
        if not self.redirects:
            self.opt_redirect(_REFERENCE_REDIRECT)
        root = self["root"] if self["root"] is not None else demonstration_root()
        try:
            self.root = Root(root)
        except OSError as error:
            raise UsageError(
                f"--root {os.fspath(root)!a}: {error.strerror}; name a folder that can be read"
            ) from error
        self.access_log = None
        if self["access-log"] is not None:
            path = Path(self["access-log"]).absolute()
            try:
                self.access_log = path.open("ab", buffering=0)
            except OSError as error:
                raise UsageError(
                    f"--access-log {str(path)!a}: {error.strerror}; name a file that can be written"
                ) from error


def makeService(options: Options, reactor: Any = None) -> IService:
    """
    Make the HTTP server's service.

    @param options: the parsed command line.
    @param reactor: measures time; twistd passes none, which means the global one.
    @return: the service, which opens its ports when it starts.
    """
    if reactor is None:
        from twisted.internet import reactor
    is_bare = bool(options["bare-headers"])
    files = StaticFiles(
        options.root,
        reactor.seconds,
        StaticSettings(shows_hidden=bool(options["hidden"]), is_bare=is_bare),
    )
    pages = Pages(is_bare)
    routes: dict[tuple[bytes, ...], Resource] = {}
    for path, location in options.redirects:
        routes[_segments(path)] = Redirect(location.encode("ascii"), pages=pages)
    factory = HTTPServerFactory(
        Router(routes, files, pages),
        reactor,
        ServerSettings(
            Limits(**values(LIMIT_BOUNDS, options)),
            Timeouts(**values(TIMEOUT_BOUNDS, options)),
            is_bare=is_bare,
        ),
        None if options.access_log is None else AccessLog(options.access_log, reactor),
        admission=Admission(**values(ADMISSION_BOUNDS, options)),
        shows_requests=bool(options["show-requests"]),
    )
    return ListeningService(reactor, SERVER_NAME, factory, options.endpoints, factory.connections)


def _segments(path: str) -> tuple[bytes, ...]:
    try:
        return parse_target(b"GET", path.encode("ascii")).segments
    except (UnicodeEncodeError, RemoteProtocolError) as error:
        raise UsageError(f"--redirect {path!a}: not a path; {error}") from error
