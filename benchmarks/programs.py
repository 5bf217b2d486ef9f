"""
The servers that run the same small program, and the clients: our own and those of others.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from benchmarks.peers import APPS, BENCH_PYTHON, VERSION_OF_OURS, Peer, Place, twistd, version_of

Command = Callable[[Place], Sequence[str]]


def _script(name: str) -> Command:
    return lambda place: [str(BENCH_PYTHON), str(APPS / name), str(place.port)]


def _ours(name: str, *, has_log: bool) -> Peer:
    def environment(place: Place) -> dict[str, str]:
        log = {"NETLAB_BENCH_LOG": str(place.scratch / "access.log")} if has_log else {}
        return {"NETLAB_BENCH_PORT": str(place.port), **log}

    return Peer(
        name,
        lambda _place: twistd("--python", str(APPS / "netlab_program.py")),
        VERSION_OF_OURS,
        environment=environment,
    )


NETLAB: Final = _ours("netlab", has_log=False)
"""Without an access log, as all beside it."""

NETLAB_LOGGING: Final = _ours("netlab with a log", has_log=True)

UVICORN: Final = Peer(
    "uvicorn",
    lambda place: [
        *(str(BENCH_PYTHON), "-m", "uvicorn", "--host", "127.0.0.1", "--port", str(place.port)),
        *("--http", "httptools", "--loop", "uvloop", "--lifespan", "off"),
        *("--no-access-log", "--log-level", "error", "--app-dir", str(APPS)),
        "asgi_program:application",
    ],
    version_of("uvicorn"),
)
"""Its fastest parts, and an application without a framework."""

GRANIAN: Final = Peer(
    "granian",
    lambda place: [
        *(str(BENCH_PYTHON), "-m", "granian", "--interface", "asgi", "--host", "127.0.0.1"),
        *("--port", str(place.port), "--workers", "1", "--no-access-log", "--log-level", "error"),
        *("--loop", "uvloop", "--working-dir", str(APPS), "asgi_program:application"),
    ],
    version_of("granian"),
)

AIOHTTP: Final = Peer("aiohttp", _script("aiohttp_program.py"), version_of("aiohttp"))
SANIC: Final = Peer("sanic", _script("sanic_program.py"), version_of("sanic"))


def _twisted_web(name: str, *, has_log: bool) -> Peer:
    return Peer(
        name,
        lambda place: [
            *(sys.executable, str(APPS / "twisted_program.py"), str(place.port)),
            *([str(place.scratch / "access.log")] if has_log else []),
        ],
        (sys.executable, "-c", "import twisted; print(twisted.__version__)"),
    )


TWISTED_WEB: Final = _twisted_web("twisted.web", has_log=False)
TWISTED_WEB_LOGGING: Final = _twisted_web("twisted.web with a log", has_log=True)

# Clients: the place's port is that of the server that they ask.


def _client(script: str, python: Path, path: str = "small.html") -> Command:
    return lambda place: [
        *(str(python), str(APPS / script)),
        *(str(place.port), str(place.root), path),
    ]


NETLAB_CLIENT: Final = Peer(
    "netlab", _client("client_netlab.py", Path(sys.executable)), VERSION_OF_OURS
)
TREQ: Final = Peer("treq", _client("client_treq.py", BENCH_PYTHON), version_of("treq"))
AIOHTTP_CLIENT: Final = Peer(
    "aiohttp", _client("client_aiohttp.py", BENCH_PYTHON), version_of("aiohttp")
)
