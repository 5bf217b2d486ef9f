"""
The servers that are compared, how each is started, and what each is called.
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self

from benchmarks.machine import SERVER_CORE

_HERE: Final = Path(__file__).parent
APPS: Final = _HERE / "apps"
BENCH_PYTHON: Final = _HERE.parent / ".venv-bench" / "bin" / "python"
"""The Python with the peers that are Python packages; `make bench` installs them."""

_START_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where a server works.

    @ivar root: the folder whose files it serves.
    @ivar port: where it listens, on 127.0.0.1.
    @ivar scratch: a folder for what it writes.
    """

    root: Path
    port: int
    scratch: Path

    @property
    def certificate(self) -> Path:
        """
        The folder with C{cert.pem} and C{key.pem}, which all servers of a run share.
        """
        return self.root.parent / "certificate"


@dataclass(frozen=True, slots=True)
class Peer:
    """
    A server that can be started.

    @ivar name: as it stands in tables.
    @ivar command: makes the command line.
    @ivar version_command: prints the version.
    @ivar prefix: what stands before the path of a file.
    @ivar environment: makes more variables.
    @ivar needs: an option that not every version of ours has.
    """

    name: str
    command: Callable[[Place], Sequence[str]]
    version_command: Sequence[str]
    prefix: str = ""
    environment: Callable[[Place], dict[str, str]] = field(default=lambda _place: {})
    needs: str = ""

    @property
    def is_ours(self) -> bool:
        """
        Whether another version of netlab may take its place.
        """
        return self.version_command is VERSION_OF_OURS

    def why_absent(self) -> str | None:
        """
        Return why this server cannot be started here, or None.
        """
        program = self.version_command[0]
        if shutil.which(program) is None:
            return f"no {Path(program).name} here"
        if self.version() is None:
            return "not installed"
        if self.needs and self.needs not in _help_of_ours():
            return f"no {self.needs} yet"
        return None

    def version(self) -> str | None:
        """
        Ask for the version.

        @return: None when the answer has none.
        """
        run = subprocess.run(self.version_command, capture_output=True, text=True, check=False)
        found = re.search(r"\d+\.\d[\w.]*", run.stdout + run.stderr)
        return found[0] if found and not run.returncode else None


class Running:
    """
    A server that runs, pinned to its core, until the end of a C{with}.

    @ivar peer: what it is.
    @ivar port: where it listens.
    @ivar pid: its first process.
    """

    def __init__(
        self, peer: Peer, root: Path, scratch: Path, *, core: int | None = SERVER_CORE
    ) -> None:
        """
        @param root: the folder whose files it serves.
        @param scratch: an empty folder for what it writes.
        @param core: where it runs; None: on any.
        """
        self.peer = peer
        self.port = _free_port()
        self._place = Place(root, self.port, scratch)
        self._core = core

    def __enter__(self) -> Self:
        place = self._place
        place.scratch.mkdir(parents=True)
        pinned = [] if self._core is None else ["taskset", "-c", str(self._core)]
        self._output = (place.scratch / "output").open("w+b")
        self._process = subprocess.Popen(
            [*pinned, *self.peer.command(place)],
            cwd=place.scratch,
            env={**os.environ, **self.peer.environment(place)},
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )
        self.pid = self._process.pid
        end = time.monotonic() + _START_SECONDS
        while not _accepts(self.port):
            if self._process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                said = (place.scratch / "output").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self.peer.name} did not start:\n{said}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()

    def forget_logs(self) -> None:
        """
        Empty what the server has logged: all of them append.
        """
        for path in self._place.scratch.iterdir():
            if path.is_file() and path.name.endswith("log"):
                os.truncate(path, 0)


def _accepts(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# Ours


def twistd(*options: str) -> list[str]:
    """
    Make a command line of twistd.
    """
    program = str(Path(sys.executable).with_name("twistd"))
    return [program, "--nodaemon", "--pidfile=", "--logfile=twistd.log", *options]


def _netlab(*options: str, listen: str = "tcp:{port}") -> Callable[[Place], Sequence[str]]:
    def command(place: Place) -> Sequence[str]:
        endpoint = listen.format(port=place.port, folder=place.certificate)
        return twistd(
            "netlab-http",
            f"--listen={endpoint}:interface=127.0.0.1",
            f"--root={place.root}",
            f"--access-log={place.scratch / 'access.log'}",
            *options,
        )

    return command


def _help_of_ours() -> str:
    return subprocess.run(
        twistd("netlab-http", "--help"), capture_output=True, text=True, check=False
    ).stdout


VERSION_OF_OURS: Final = (
    sys.executable,
    "-c",
    "import importlib.metadata as m; print(m.version('netlab'), 'Twisted', m.version('twisted'))",
)


def netlab(name: str = "netlab", *options: str) -> Peer:
    """
    Make our server, with more options.
    """
    return Peer(name, _netlab(*options), VERSION_OF_OURS)


NETLAB: Final = netlab()
"""As a user starts it: all guards and deadlines, and an access log."""

NETLAB_PATIENT: Final = netlab("netlab", "--idle-timeout=3600")
"""Idle connections stay, as long as those of the peers beside it."""

NETLAB_HTTPS: Final = Peer(
    "netlab",
    _netlab(listen="ssl:{port}:privateKey={folder}/key.pem:certKey={folder}/cert.pem"),
    VERSION_OF_OURS,
)

NETLAB_FORGETFUL: Final = replace(netlab("netlab", "--answer-cache=0"), needs="--answer-cache")
"""Works each answer out anew."""

NETLAB_DEFERRED: Final = netlab("netlab --defer-accept", "--defer-accept=5")
"""Not as a user starts it, who sees also connections that ask for nothing."""

NETLAB_TWO_WORKERS: Final = replace(netlab("netlab", "--workers=2"), needs="--workers")

NETLAB_ECHO: Final = Peer(
    "netlab-echo",
    lambda place: twistd(
        "netlab-echo",
        f"--listen=tcp:{place.port}:interface=127.0.0.1",
        "--exchanges=0",
        "--quiet",
    ),
    VERSION_OF_OURS,
)


def _bare(
    script: str, *arguments: Callable[[Place], object], name: str = "bare epoll loop"
) -> Peer:
    """
    Make a loop that does the least that Python can do: the floor under any server of ours.
    """
    return Peer(
        name,
        lambda place: [
            *(sys.executable, str(APPS / script)),
            *(str(argument(place)) for argument in (*arguments, lambda place: place.port)),
        ],
        (sys.executable, "--version"),
    )


BARE_ECHO: Final = _bare("bare_echo.py")
BARE_FILE: Final = _bare("bare_file.py", lambda place: place.root / "small.html")
BARE_HANDSHAKES: Final = _bare(
    "bare_handshakes.py",
    lambda place: place.root / "small.html",
    lambda place: place.certificate,
    name="bare ssl loop",
)
BARE_REACTOR: Final = _bare(
    "bare_reactor.py", lambda place: place.root / "small.html", name="bare reactor loop"
)
BARE_SENDFILE: Final = _bare("bare_sendfile.py", lambda place: place.root / "10m.bin")

# Others


def nginx(name: str, cache: str = "", workers: int = 1, *, is_encrypted: bool = False) -> Peer:
    """
    Make nginx.

    @param cache: the directive for open files.
    @param is_encrypted: whether by TLS.
    """

    def command(place: Place) -> Sequence[str]:
        configuration = place.scratch / "nginx.conf"
        text = (_HERE / "nginx.conf").read_text()
        values = {
            "PORT": place.port,
            "ROOT": place.root,
            "CACHE": cache,
            "WORKERS": workers,
            # With several workers, each takes its share of the connections only in this way.
            "MULTI_ACCEPT": "on" if workers == 1 else "off",
            "LISTEN": "ssl" if is_encrypted else "" if workers == 1 else "reuseport",
            "TLS": _TLS.format(folder=place.certificate) if is_encrypted else "",
            "USER": pwd.getpwuid(os.getuid()).pw_name,
            "GROUP": grp.getgrgid(os.getgid()).gr_name,
        }
        for key, value in values.items():
            text = text.replace(f"@{key}@", str(value))
        configuration.write_text(text)
        return ["nginx", "-p", str(place.scratch), "-c", str(configuration), "-e", "error.log"]

    return Peer(name, command, ("nginx", "-v"))


_TLS: Final = (
    "ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem; "
    "ssl_protocols TLSv1.2 TLSv1.3;"
)
_CACHE: Final = "open_file_cache max=20000 inactive=1h;"

NGINX: Final = nginx("nginx", _CACHE)
"""With open_file_cache: what all ratios refer to."""

NGINX_HTTPS: Final = nginx("nginx", _CACHE, is_encrypted=True)

NGINX_UNCACHED: Final = nginx("nginx, no open_file_cache")

TWISTD_WEB: Final = Peer(
    "twistd web",
    lambda place: twistd(
        "web",
        f"--listen=tcp:{place.port}:interface=127.0.0.1",
        f"--path={place.root}",
        f"--logfile={place.scratch / 'access.log'}",
    ),
    (sys.executable, "-c", "import twisted; print(twisted.__version__)"),
)


def version_of(package: str) -> tuple[str, ...]:
    """
    Make a command that prints the version of a package of the peers' Python.
    """
    return (
        str(BENCH_PYTHON),
        "-c",
        f"import importlib.metadata as m; print(m.version('{package}'))",
    )


GRANIAN: Final = Peer(
    "granian",
    lambda place: [
        *(str(BENCH_PYTHON), "-m", "granian", "--interface", "asgi", "--host", "127.0.0.1"),
        *("--port", str(place.port), "--workers", "1", "--no-access-log", "--log-level", "error"),
        *("--static-path-route", "/static", "--static-path-mount", str(place.root)),
        *("--working-dir", str(APPS), "granian_static:application"),
    ],
    version_of("granian"),
    prefix="/static",
)

AIOHTTP: Final = Peer(
    "aiohttp on uvloop",
    lambda place: [
        *(str(BENCH_PYTHON), str(APPS / "aiohttp_static.py")),
        *(str(place.root), str(place.port)),
    ],
    version_of("aiohttp"),
)

UVICORN: Final = Peer(
    "uvicorn + starlette",
    lambda place: [
        *(str(BENCH_PYTHON), "-m", "uvicorn", "--host", "127.0.0.1", "--port", str(place.port)),
        *("--no-access-log", "--log-level", "error", "--app-dir", str(APPS)),
        "starlette_static:application",
    ],
    version_of("uvicorn"),
    environment=lambda place: {"NETLAB_BENCH_ROOT": str(place.root)},
)


def of_environment(peer: Peer, environment: Path) -> Peer:
    """
    Make another version of one of our servers.

    @param environment: the virtual environment in which it is installed.
    """

    def command(place: Place) -> Sequence[str]:
        program, *arguments = peer.command(place)
        return [str(environment / "bin" / Path(program).name), *arguments]

    python = str(environment / "bin" / "python")
    return replace(
        peer,
        name=f"{peer.name} before",
        command=command,
        version_command=(python, *peer.version_command[1:]),
    )


def with_workers(peer: Peer, count: int) -> Peer:
    """
    Make our server, or nginx, with a number of worker processes.
    """
    if peer.name == NGINX.name:
        return nginx(peer.name, _CACHE, count)
    return netlab(peer.name, *([f"--workers={count}"] if count > 1 else []))
