"""
The command line of C{twistd netlab-http}, and how the values on it are read.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.python.usage import UsageError

from netlab.demonstration import demonstration_root
from netlab.http1.accesslog.logfile import AppendedFile
from netlab.http1.passwords.authentication import PasswordCheck, PasswordFile, parse_htpasswd
from netlab.http1.resources.beneath import OutsideRoot, Root, check_names
from netlab.http1.resources.faults import FaultyFileError
from netlab.http1.resources.hostguard import read_name
from netlab.http1.resources.redirects import RedirectRule, RedirectRules, parse_redirects
from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.forwarded import TrustedNetwork, parse_trusted
from netlab.http1.sansio.grammar import ABSOLUTE_FORM, is_authority
from netlab.http1.twistd.bounds import (
    ADMISSION_BOUNDS,
    CACHE_BOUNDS,
    LIMIT_BOUNDS,
    TIMEOUT_BOUNDS,
)
from netlab.http1.twistd.fieldoption import parse_field_option
from netlab.http1.twistd.programs import ProgramMount, ProgramOption, read_mount
from netlab.http1.twistd.tlsoptions import TLS_PARAMETERS, names_tls, read_tls_options
from netlab.options import ListeningOptions, count, seconds
from netlab.service import STOP_GRACE_SECONDS
from netlab.transport.certificates import Renewable

_SHARED_PLACE = re.compile(r"(?:haproxy:)?(?:tcp6?|systemd):|ssl:")

_REFERENCE_REDIRECT = "/redirect=/result.html"

_Value = TypeVar("_Value")


def _password_check() -> PasswordCheck:
    # Not at the top: most servers need no bcrypt.
    from bcrypt import checkpw

    return checkpw


def _log_format(text: str) -> str:
    if text not in ("combined", "json"):
        raise UsageError(f"--access-log-format {text!a}: not a format; write combined or json")
    return text


class Options(ListeningOptions):
    """
    The command line of C{twistd netlab-http}.
    """

    synopsis = "[netlab-http options]"
    longdesc = (
        "A strict HTTP/1.1 server for a folder of files. It serves the demonstration pages on "
        "tcp:8080 unless --root and --listen say otherwise. Sizes are bytes, or such as 64k and "
        "1M. Behind HAProxy, with its send-proxy: --listen haproxy:tcp:8081:interface=127.0.0.1. "
        "SIGHUP reads certificates again, SIGUSR1 opens the access log anew. See docs/running.md."
    )
    default_listen = "tcp:8080"

    optParameters = [  # noqa: RUF012
        ["root", "r", None, "Serve the files of this folder. [default: the demonstration pages]"],
        ["access-log", "l", None, "Append a line for each answer to this file."],
        ["access-log-format", None, "combined", "combined or json.", _log_format],
        [
            "admin",
            None,
            None,
            "Show /metrics and /health there, such as at tcp:9090:interface=127.0.0.1.",
        ],
        ["not-found", None, None, "The content of every 404: a file, named from the root down."],
        *TLS_PARAMETERS,
        ["basic-auth", None, None, "Ask for a password of this file, made by htpasswd -B."],
        ["redirects", None, None, "Redirect by the rules of this file: FROM TO [STATUS] per line."],
        ["cache-control", None, None, "The Cache-Control of everything but HTML."],
        ["html-cache-control", None, "no-cache", "The Cache-Control of HTML."],
        [
            "drain-timeout",
            None,
            STOP_GRACE_SECONDS,
            "On SIGTERM, let running answers finish for this many seconds.",
            seconds("--drain-timeout", at_least=0),
        ],
        [
            "workers",
            "w",
            0,
            "Serve by this many processes; 0: by this one.",
            count("--workers", at_most=1024),
        ],
        [
            "threads",
            None,
            20,
            "How many calls of WSGI programs may run at the same time, for each worker.",
            count("--threads", at_least=1, at_most=1024),
        ],
        [
            "stop-delay",
            None,
            0.0,
            "On SIGTERM, keep serving for this many seconds while /health already says 503.",
            seconds("--stop-delay", at_least=0),
        ],
        *(
            [bound.option, bound.short, bound.default, bound.text, bound.reader]
            for bound in (*TIMEOUT_BOUNDS, *LIMIT_BOUNDS, *ADMISSION_BOUNDS, *CACHE_BOUNDS)
        ),
    ]
    optFlags = [  # noqa: RUF012
        ["bare-headers", "b", "Answer with the reference's bytes: no Date, no type, no page."],
        ["show-requests", "s", "Log each request head, control bytes escaped."],
        ["hidden", None, "Also serve files whose names begin with a dot."],
        ["listing", None, "Show what is in a folder that has no index.html."],
        ["single-page", None, "Serve the root's index.html for pages that do not exist."],
    ]

    #: Whether this is the command line of a worker process.
    is_worker: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        #: What was parsed, and where: for the workers.
        self.arguments: list[str] = []
        self.directory = os.getcwd()
        self.routes: dict[tuple[bytes, ...], bytes] = {}
        self.field_lines: list[tuple[bytes, bytes]] = []
        self.origins: list[bytes] = []
        self.admin_hosts: set[str] = set()
        self.trusted: list[TrustedNetwork] = []
        self.mounts: list[ProgramMount] = []
        self._program_options: list[ProgramOption] = []
        self["tls-cert"] = self["tls-key"] = None

    # The docstrings of opt_ methods are shown by --help.
    def opt_redirect(self, rule: str) -> None:
        """
        Answer a path with a 301: PATH=LOCATION. Repeatable. [default: /redirect=/result.html]
        """
        path, equals, location = rule.partition("=")
        read = _reader("--redirect", rule, "write a rule such as /from=/to")
        rules = read(lambda: _only_rule(f"{path} {location}".encode()))
        if " " in rule or not equals or len(rules) != 1 or rules[0].is_prefix:
            raise UsageError(f"--redirect {rule!a}: not a rule; write one such as /from=/to")
        self.routes[rules[0].segments] = rules[0].redirection((), None).location

    def opt_header(self, line: str) -> None:
        """
        Add a field line to every answer: "Name: value". Repeatable.
        """
        read = _reader("--header", line, "write a line such as 'Name: value'")
        self.field_lines.append(read(lambda: parse_field_option(os.fsencode(line))))

    def opt_admin_host(self, name: str) -> None:
        """
        A name by which --admin is asked for, beside localhost and addresses. Repeatable.
        """
        try:
            self.admin_hosts.add(read_name(name))
        except ValueError as error:
            text = f"--admin-host {name!a}: {error}; write one such as web1.example"
            raise UsageError(text) from error

    def opt_resource(self, name: str) -> None:
        """
        Answer by a resource, package.module:name, or what its class or function there makes.
        """
        self._program_options.append(ProgramOption("--resource", name, f"/=resource:{name}"))

    def opt_wsgi(self, name: str) -> None:
        """
        Answer by a WSGI application, package.module:name.
        """
        self._program_options.append(ProgramOption("--wsgi", name, f"/=wsgi:{name}"))

    def opt_asgi(self, name: str) -> None:
        """
        Answer by an ASGI application, package.module:name.
        """
        self._program_options.append(ProgramOption("--asgi", name, f"/=asgi:{name}"))

    def opt_mount(self, mount: str) -> None:
        """
        Answer at and below a path by a program: /PATH=asgi:NAME (wsgi:, resource:). Repeatable.
        """
        self._program_options.append(ProgramOption("--mount", mount, mount))

    def opt_tls_cert(self, path: str) -> None:
        """
        A certificate (PEM) for TCP places, or ssl: ones if any. Repeatable: chosen by server name.
        """
        self["tls-cert"] = [*(self["tls-cert"] or ()), path]

    def opt_tls_key(self, path: str) -> None:
        """
        Its key (PEM); as often as --tls-cert. [default: in the same file]
        """
        self["tls-key"] = [*(self["tls-key"] or ()), path]

    def opt_trusted_proxy(self, proxy: str) -> None:
        """
        Believe X-Forwarded-For of this network; NET=forwarded: its Forwarded. Repeatable.
        """
        read = _reader("--trusted-proxy", proxy, "write one such as 10.0.0.0/8")
        self.trusted.append(read(lambda: parse_trusted(proxy)))

    def opt_cors(self, origin: str) -> None:
        """
        Let pages of this origin read answers, such as https://app.example or *. Repeatable.
        """
        match = ABSOLUTE_FORM.fullmatch(origin.encode("ascii", "replace"))
        if origin != "*" and (match is None or match[3] or not is_authority(match[2])):
            raise UsageError(f"--cors {origin!a}: not an origin; write https://HOST or *")
        self.origins.append(origin.encode("ascii"))

    def tls_for(self, option: str) -> dict[str, Any]:
        """
        Say how the places of an option speak TLS.
        """
        if self.tls is None:
            return {}
        # Where a place asks for TLS by name, plain ones are meant to be plain.
        is_secured = self["tls-cert"] is not None and not names_tls(self._descriptions)
        return {"tls": self.tls, "secures_tcp": is_secured and option == "--listen"}

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Remember the words.
        """
        self.arguments = list(sys.argv[1:] if options is None else options)
        super().parseOptions(self.arguments)

    def postOptions(self) -> None:
        """
        Check what depends on the file system, and open it: a daemon changes its folder.
        """
        # First: an ASGI application chooses the reactor, which endpoints need.
        self.mounts = [read_mount(option, self.directory) for option in self._program_options]
        self._check_mounts()
        self.tls = read_tls_options(self, self._descriptions or [self.default_listen])
        super().postOptions()
        if self["workers"]:
            for description, _ in self.endpoints:
                if _SHARED_PLACE.match(description) is None or "domain=UNIX" in description:
                    raise UsageError(
                        f"--listen {description!a}: workers cannot share it; listen on TCP, or "
                        "leave --workers out"
                    )
        if not self.routes and not any(not mount.segments for mount in self.mounts):
            self.opt_redirect(_REFERENCE_REDIRECT)
        root = demonstration_root() if self["root"] is None else self["root"]
        self.root = _reader("--root", root, "name a folder that can be read")(lambda: Root(root))
        self.not_found = None if self["not-found"] is None else self._not_found(self["not-found"])
        self.cache_control = _field_value("--cache-control", self["cache-control"])
        self.html_cache_control = _field_value("--html-cache-control", self["html-cache-control"])
        self.rules = RedirectRules(())
        if (path := self["redirects"]) is not None:
            read = _reader("--redirects", path, "mend the file")
            self.rules = read(lambda: parse_redirects(Path(path).read_bytes()))
        self.passwords: PasswordFile | None = None
        if (path := self["basic-auth"]) is not None:
            read = _reader("--basic-auth", path, "mend the file; htpasswd -B makes one")
            hashes = read(lambda: parse_htpasswd(Path(path).read_bytes()))
            self.passwords = PasswordFile(hashes, _password_check(), os.urandom(32))
        self.log_file = None
        if (path := self["access-log"]) is not None:
            read = _reader("--access-log", path, "name a file that can be written")
            self.log_file = read(lambda: AppendedFile(path))
        self.admin_endpoint: tuple[str, IStreamServerEndpoint] | None = None
        if (description := self["admin"]) is not None:
            endpoint = self.endpoint("--admin", description)
            self.admin_endpoint = (description, endpoint)

    def renewable(self) -> list[tuple[str, Renewable]]:
        """
        List the endpoints whose certificate can be renewed.
        """
        endpoints = [*self.endpoints, *filter(None, [self.admin_endpoint])]
        return [
            (description, endpoint)
            for description, endpoint in endpoints
            if isinstance(endpoint, Renewable)
        ]

    def _check_mounts(self) -> None:
        """
        Refuse two answers for one path.
        """
        seen: dict[tuple[bytes, ...], ProgramMount] = {}
        for mount in self.mounts:
            other = seen.setdefault(mount.segments, mount)
            if other is not mount:
                raise UsageError(
                    f"{mount.option} {mount.text!a}: {other.option} {other.text!a} is at the same "
                    "path; give each another one by --mount /PATH=…"
                )
        if () in seen and self["root"] is not None:
            raise UsageError(
                f"{seen[()].option} {seen[()].text!a}: answers for all paths, so that nothing of "
                "--root would be served; give the program a path by --mount /PATH=…"
            )

    def _not_found(self, path: str) -> tuple[bytes, ...]:
        read = _reader("--not-found", path, "name a file beneath the root, such as 404.html")
        names = tuple(path.removeprefix("/").encode().split(b"/"))

        def check() -> tuple[bytes, ...]:
            check_names(names, shows_hidden=True)
            self.root.status(names)
            return names

        return read(check)


def _only_rule(line: bytes) -> tuple[RedirectRule, ...]:
    """
    Read redirect rules that come from no file, so that a fault has no number of a line.
    """
    try:
        return parse_redirects(line).rules
    except FaultyFileError as error:
        raise ValueError(error.faults[0].explanation) from error


def _field_value(option: str, value: str | None) -> bytes | None:
    """
    Read the value of a field line; an empty one stands for no such line.
    """
    if not value:
        return None
    read = _reader(option, value, "write a value such as 'public, max-age=3600'")
    return read(lambda: parse_field_option(b"Cache-Control: " + os.fsencode(value)))[1]


def _reader(option: str, text: object, advice: str) -> Callable[[Callable[[], _Value]], _Value]:
    """
    Make what calls something that may refuse an option's value, and turns that into one line.
    """

    def read(call: Callable[[], _Value]) -> _Value:
        try:
            return call()
        except FaultyFileError as error:
            problem = "; ".join(str(fault) for fault in error.faults)
        except OSError as error:
            problem = error.strerror or str(error)
        except OutsideRoot:
            problem = "not a path beneath the root"
        except (ValueError, RemoteProtocolError) as error:
            problem = str(error)
        raise UsageError(f"{option} {str(text)!a}: {problem}; {advice}")

    return read
