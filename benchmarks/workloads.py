"""
What is measured: one object for each row of the table, with the goals of issues 4 and 11.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from functools import partial
from typing import Final

from benchmarks import peers, programs
from benchmarks.load import UNSEEN, Requests
from benchmarks.measurements import (
    FILES,
    IDLE_CONNECTIONS,
    client,
    cpu_a_request,
    echo,
    growth,
    handshake,
    idle_cpu,
    memory,
    tail,
    workers,
)
from benchmarks.workload import SMALL, Goal, Workload

_BROWSER_LINES: Final = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: en-GB,en;q=0.7,de;q=0.3",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Referer: http://127.0.0.1/index.html",
    "Connection: keep-alive",
    "Upgrade-Insecure-Requests: 1",
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Site: same-origin",
    "Priority: u=0, i",
)

#: With Host, nine, as browsers send them; one is of this request alone.
_UNSEEN_LINES: Final = (
    *_BROWSER_LINES[:5],
    f"Cookie: session={UNSEEN}; theme=light",
    *_BROWSER_LINES[5:7],
)

#: Longer than the heads whose answers are remembered, shorter than nginx's buffer for a line.
_LONG_COOKIE: Final = "; ".join(f"name{number:03d}=value{number:03d}" for number in range(300))

_LARGE: Final = Requests("10m.bin", connections=8)
_UNSEEN: Final = replace(SMALL, lines=_UNSEEN_LINES)

_POSTED_BYTES: Final = 1024


def _path_shown(digits: str, _content: bytes) -> bytes:
    """
    Say what the program answers to a GET.
    """
    return f"You asked for /items/{digits}\n".encode()


def _checksum_shown(_digits: str, content: bytes) -> bytes:
    """
    Say what the program answers to a POST.
    """
    return b"%08x\n" % zlib.crc32(content)


_PYTHON_PEERS: Final = (peers.TWISTD_WEB, peers.GRANIAN, peers.AIOHTTP, peers.UVICORN)
_NGINX_PAIR: Final = (peers.NETLAB, peers.NGINX)
_HTTPS_PAIR: Final = (peers.NETLAB_HTTPS, peers.NGINX_HTTPS)

WORKLOADS: Final = (
    Workload(
        "unseen",
        "small file, each head different, nine field lines",
        "µs CPU a request",
        (*_NGINX_PAIR, peers.TWISTD_WEB, peers.GRANIAN, peers.AIOHTTP),
        (Goal("netlab", 1.8, "nginx"),),
        cpu_a_request,
        requests=_UNSEEN,
        is_quick=True,
    ),
    Workload(
        "unseen-cacheless",
        "small file, the same nine field lines again, our answer cache off",
        "µs CPU a request",
        (peers.NETLAB_FORGETFUL, peers.NGINX),
        (Goal("netlab", 1.8, "nginx"),),
        cpu_a_request,
        requests=replace(
            SMALL, lines=tuple(line.replace(UNSEEN, "0123456789abcdef") for line in _UNSEEN_LINES)
        ),
    ),
    Workload(
        "program",
        "a program that answers with the path, each head and path different",
        "µs CPU a request",
        (
            programs.NETLAB,
            programs.NETLAB_LOGGING,
            programs.UVICORN,
            programs.GRANIAN,
            programs.AIOHTTP,
            programs.SANIC,
            programs.TWISTED_WEB,
            programs.TWISTED_WEB_LOGGING,
        ),
        (
            Goal("netlab", 1.0, "uvicorn"),
            Goal("netlab", 1.0, "granian"),
            Goal("netlab", 0.65, "aiohttp"),
            Goal("netlab", 0.6, "sanic"),
            Goal("netlab with a log", 0.3, "twisted.web with a log"),
        ),
        cpu_a_request,
        requests=Requests(f"items/{UNSEEN}", lines=_UNSEEN_LINES, program=_path_shown),
        is_quick=True,
    ),
    Workload(
        "post",
        "a program that reads 1 KiB of content, each head and content different",
        "µs CPU a request",
        (
            programs.NETLAB,
            programs.NETLAB_LOGGING,
            programs.UVICORN,
            programs.AIOHTTP,
            programs.TWISTED_WEB,
        ),
        (Goal("netlab", 1.3, "uvicorn"),),
        cpu_a_request,
        requests=Requests(
            "items",
            lines=(*_UNSEEN_LINES, "Content-Type: application/octet-stream"),
            posted=UNSEEN.ljust(_POSTED_BYTES, "x"),
            program=_checksum_shown,
        ),
    ),
    Workload(
        "https",
        "HTTPS, small hot file, 64 persistent connections",
        "µs CPU a request",
        _HTTPS_PAIR,
        (Goal("netlab", 1.3, "nginx"),),
        cpu_a_request,
        requests=replace(SMALL, is_encrypted=True),
        is_quick=True,
    ),
    Workload(
        "https-unseen",
        "HTTPS, small file, each head different, nine field lines",
        "µs CPU a request",
        _HTTPS_PAIR,
        (Goal("netlab", 2.2, "nginx"),),
        cpu_a_request,
        requests=replace(_UNSEEN, is_encrypted=True),
    ),
    Workload(
        "https-100k",
        "HTTPS, 100 KiB file",
        "µs CPU a request",
        _HTTPS_PAIR,
        (Goal("netlab", 1.3, "nginx"),),
        cpu_a_request,
        requests=Requests("100k.bin", is_encrypted=True),
    ),
    Workload(
        "https-10m",
        "HTTPS, 10 MiB file, 8 connections",
        "µs CPU a request",
        _HTTPS_PAIR,
        (Goal("netlab", 1.2, "nginx"),),
        cpu_a_request,
        requests=replace(_LARGE, is_encrypted=True),
    ),
    Workload(
        "https-connect",
        "HTTPS, a new connection and a full handshake for each request",
        "µs CPU a request",
        (*_HTTPS_PAIR, peers.BARE_HANDSHAKES),
        (Goal("netlab", 1.3, "nginx"),),
        handshake,
        requests=replace(SMALL, is_closing=True, is_encrypted=True),
    ),
    Workload(
        "https-resumed",
        "HTTPS, a new connection for each request, resumed where the server offers that",
        "µs CPU a request",
        _HTTPS_PAIR,
        (),
        cpu_a_request,
        requests=replace(SMALL, is_closing=True, is_encrypted=True),
    ),
    Workload(
        "client",
        "clients: a small file again and again on one connection",
        "µs CPU a request",
        (programs.NETLAB_CLIENT, programs.TREQ, programs.AIOHTTP_CLIENT),
        (Goal("netlab", 0.3, "treq"), Goal("netlab", 0.7, "aiohttp")),
        client,
    ),
    Workload(
        "small",
        "small hot file, 64 persistent connections",
        "µs CPU a request",
        (*_NGINX_PAIR, peers.NGINX_UNCACHED, peers.BARE_FILE, *_PYTHON_PEERS),
        (
            Goal("netlab", 0.70, "nginx"),
            Goal("netlab", 1 / 16, "twistd web"),
            Goal("netlab", 1 / 5, "granian"),
        ),
        cpu_a_request,
        is_quick=True,
    ),
    Workload(
        "browser",
        "the same with a browser's field lines",
        "µs CPU a request",
        (*_NGINX_PAIR, peers.BARE_FILE),
        (Goal("netlab", 0.70, "nginx"),),
        cpu_a_request,
        requests=replace(SMALL, lines=_BROWSER_LINES),
    ),
    Workload(
        "pipelined",
        "small hot file, 16 requests at a time",
        "µs CPU a request",
        _NGINX_PAIR,
        (Goal("netlab", 1 / 8, "nginx"),),
        cpu_a_request,
        requests=replace(SMALL, depth=16),
        is_quick=True,
    ),
    Workload(
        "many",
        "10,000 files at random",
        "µs CPU a request",
        _NGINX_PAIR,
        (Goal("netlab", 1.5, "nginx"),),
        cpu_a_request,
        requests=Requests("many/%05d.html", paths=FILES),
        is_quick=True,
    ),
    Workload(
        "100k",
        "100 KiB file",
        "µs CPU a request",
        _NGINX_PAIR,
        (Goal("netlab", 1.2, "nginx"),),
        cpu_a_request,
        requests=Requests("100k.bin"),
        is_quick=True,
    ),
    Workload(
        "10m",
        "10 MiB file, 8 connections",
        "µs CPU a request",
        (*_NGINX_PAIR, peers.BARE_SENDFILE, peers.TWISTD_WEB),
        (Goal("netlab", 1.1, "nginx"),),
        cpu_a_request,
        requests=_LARGE,
        is_quick=True,
    ),
    Workload(
        "10m-both",
        "10 MiB file, 8 connections, server and wrk together",
        "µs CPU a request",
        (*_NGINX_PAIR, peers.BARE_SENDFILE),
        (),
        partial(cpu_a_request, is_of_both_ends=True),
        requests=_LARGE,
    ),
    Workload(
        "connect",
        "a new connection for each request",
        "µs CPU a request",
        (*_NGINX_PAIR, peers.NETLAB_DEFERRED, peers.BARE_FILE, peers.TWISTD_WEB),
        (Goal("netlab", 1.1, "nginx"),),
        cpu_a_request,
        requests=replace(SMALL, is_closing=True),
        is_quick=True,
    ),
    Workload(
        "304",
        "conditional GET of a small hot file",
        "µs CPU a request",
        (*_NGINX_PAIR, peers.BARE_FILE),
        (Goal("netlab", 1.0, "nginx"),),
        cpu_a_request,
        requests=replace(SMALL, lines=("If-None-Match: @ETAG@",), status=304),
        is_quick=True,
    ),
    Workload(
        "206",
        "range of a small hot file",
        "µs CPU a request",
        _NGINX_PAIR,
        (Goal("netlab", 1.0, "nginx"),),
        cpu_a_request,
        requests=replace(SMALL, lines=("Range: bytes=10-99",), status=206, first=10, last=99),
        is_quick=True,
    ),
    Workload(
        "single",
        "small hot file, one connection",
        "µs CPU a request",
        (*_NGINX_PAIR, peers.BARE_FILE, peers.BARE_REACTOR),
        (Goal("netlab", 1.0, "nginx"),),
        cpu_a_request,
        requests=replace(SMALL, connections=1),
    ),
    Workload(
        "growth",
        "small hot file, more and more connections",
        "µs CPU a request",
        (peers.NETLAB_PATIENT, peers.NGINX, peers.BARE_FILE),
        (
            Goal("1,000 connections", 1.3, "64 connections"),
            Goal("10,000 connections", 1.3, "64 connections"),
        ),
        growth,
    ),
    Workload(
        "memory",
        f"{IDLE_CONNECTIONS:,} idle connections",
        "bytes each",
        (peers.NETLAB_PATIENT, peers.NGINX, peers.TWISTD_WEB),
        (Goal("netlab", 1.2 * 1024),),
        memory,
        is_quick=True,
    ),
    Workload(
        "idle",
        f"{IDLE_CONNECTIONS:,} idle connections",
        "ms CPU a second",
        (peers.NETLAB_PATIENT, peers.NGINX),
        (Goal("netlab", 1.0),),
        idle_cpu,
    ),
    Workload(
        "tail",
        "99th percentile of a small request, beside big files ÷ alone",
        "ratio",
        _NGINX_PAIR,
        (Goal("netlab", 5.0),),
        tail,
    ),
    Workload(
        "echo",
        "echo exchange, 64 connections",
        "µs CPU a round trip",
        (peers.NETLAB_ECHO, peers.BARE_ECHO),
        (Goal("netlab-echo", 1.3, "bare epoll loop"),),
        echo,
        is_quick=True,
    ),
    Workload(
        "workers",
        "requests with long heads a second, two processes ÷ one",
        "ratio",
        (peers.NETLAB_TWO_WORKERS, peers.NGINX),
        (Goal("netlab", 1.7, is_least=True),),
        workers,
        requests=replace(SMALL, lines=(f"Cookie: {_LONG_COOKIE}",)),
    ),
)
