"""
Load on a server, and proof that what came back was right.

wrk counts answers, bytes and answers of a status of 400 and above. Every answer to a request has
the same length, so the count of bytes says whether all were whole and of the right kind; and
before and after each run a client of our own asks for the same and compares status, length and a
hash of the content.

Where no request may be like another, L{UNSEEN} stands in it, and becomes sixteen digits that no
other request of this run has.
"""

from __future__ import annotations

import hashlib
import os
import resource
import secrets
import socket
import ssl
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.machine import CLIENT_CORE

_LUA = Path(__file__).with_name("load.lua")

UNSEEN: Final = "NETLAB_UNSEEN_ID"
"""Stands where each request has sixteen hexadecimal digits of its own; as long as these."""

#: Servers add a Connection field to the last answer of a connection that has had its share.
_LAST_ANSWER_MORE_BYTES = 64
_SHARE_AT_LEAST = 1000


class WrongAnswerError(Exception):
    """
    A server did not answer as it should have; its figures mean nothing.
    """


@dataclass(frozen=True, slots=True)
class Requests:
    """
    What is asked of a server, and how.

    @ivar path: of the file below the root; C{%05d} is replaced by a number.
    @ivar paths: how many numbers there are, asked for at random.
    @ivar lines: field lines besides Host.
    @ivar connections: how many at once.
    @ivar depth: how many requests are sent at a time on each.
    @ivar is_closing: whether each connection serves one request.
    @ivar status: of each answer.
    @ivar first: the part of the file that each answer has: the first byte,
    @ivar last: and the last; None stands for the file's.
    @ivar posted: the content of each request, a POST then.
    @ivar program: what a program must answer, of the digits for L{UNSEEN} and the content that it
        was sent; None for files.
    @ivar is_encrypted: whether by TLS.
    """

    path: str
    paths: int = 1
    lines: tuple[str, ...] = ()
    connections: int = 64
    depth: int = 1
    is_closing: bool = False
    status: int = 200
    first: int = 0
    last: int | None = None
    posted: str = ""
    program: Callable[[str, bytes], bytes] | None = None
    is_encrypted: bool = False

    @property
    def is_unseen(self) -> bool:
        """
        Whether no two requests are alike.
        """
        return any(UNSEEN in text for text in (self.path, self.posted, *self.lines))

    @property
    def field_lines(self) -> tuple[str, ...]:
        """
        All field lines besides Host.
        """
        return (*self.lines, "Connection: close") if self.is_closing else self.lines

    def numbered(self, number: int) -> str:
        """
        Return one of the paths.
        """
        return self.path % number if self.paths > 1 else self.path

    def bytes_for(self, target: str) -> bytes:
        """
        Write the request as it is sent.
        """
        lines = ["Host: 127.0.0.1", *self.field_lines]
        if self.posted:
            lines.append(f"Content-Length: {len(self.posted)}")
        fields = "".join(f"{line}\r\n" for line in lines)
        method = "POST" if self.posted else "GET"
        return f"{method} {target} HTTP/1.1\r\n{fields}\r\n{self.posted}".encode()

    def content(self, root: Path, number: int, digits: str = "") -> bytes:
        """
        Return the content that an answer must have.

        @param digits: what the request had for L{UNSEEN}.
        """
        if self.program is not None:
            return self.program(digits, self.posted.replace(UNSEEN, digits).encode())
        if self.status == 304:
            return b""
        whole = (root / self.numbered(number)).read_bytes()
        return whole[self.first : None if self.last is None else self.last + 1]


@dataclass(frozen=True, slots=True)
class Counts:
    """
    What came of a run.

    @ivar cpu_ns: what wrk itself took.
    """

    answers: int
    seconds: float
    cpu_ns: int


def verify(port: int, prefix: str, root: Path, requests: Requests, samples: int = 20) -> int:
    """
    Ask for files one by one, and compare.

    @return: how many bytes an answer has, head and content.
    @raise WrongAnswerError: when one answer is wrong.
    """
    lengths = set()
    step = max(1, requests.paths // samples)
    for number in range(0, requests.paths, step):
        digits = secrets.token_hex(8)
        path = requests.numbered(number)
        sent = requests.bytes_for(f"{prefix}/{path}").replace(UNSEEN.encode(), digits.encode())
        head, content, length = ask(port, sent, is_encrypted=requests.is_encrypted)
        status = int(head.split(b" ", 2)[1])
        expected = requests.content(root, number, digits)
        if status != requests.status:
            raise WrongAnswerError(f"{path}: status {status} in place of {requests.status}")
        if hashlib.sha256(content).digest() != hashlib.sha256(expected).digest():
            raise WrongAnswerError(
                f"{path}: {len(content)} bytes that are not the {len(expected)} expected"
            )
        lengths.add(length)
    if len(lengths) != 1:
        raise WrongAnswerError(f"answers of different lengths: {sorted(lengths)}")
    return lengths.pop()


def ask(port: int, sent: bytes, *, is_encrypted: bool = False) -> tuple[bytes, bytes, int]:
    """
    Send one request on a connection of its own.

    @return: head with its empty line, content, and how many bytes the answer had in all.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        client = encrypted(connection) if is_encrypted else connection
        client.sendall(sent)
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += _some(client)
        head, rest = received[: end + 4], received[end + 4 :]
        length = _content_length(head)
        if length is None:
            return head, *_chunked(client, head, rest)
        pieces, left = [rest], length - len(rest)
        while left > 0:
            pieces.append(_some(client))
            left -= len(pieces[-1])
        return head, b"".join(pieces), len(head) + length


def encrypted(connection: socket.socket) -> ssl.SSLSocket:
    """
    Shake hands in full, with whom it may be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(connection)


def cipher_of(port: int) -> tuple[str, str]:
    """
    Find out what a TLS server chooses.

    @return: the version of TLS and the cipher suite.
    """
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as connection,
        encrypted(connection) as client,
    ):
        chosen = client.cipher()
        assert chosen is not None
        return chosen[1], chosen[0]


def _chunked(client: socket.socket, head: bytes, rest: bytes) -> tuple[bytes, int]:
    """
    Read chunked content, without trailers.
    """
    while not rest.endswith(b"0\r\n\r\n"):
        rest += _some(client)
    content, begin = b"", 0
    while size := int(rest[begin : (end := rest.index(b"\r\n", begin))], 16):
        content += rest[end + 2 : end + 2 + size]
        begin = end + 2 + size + 2
    return content, len(head) + len(rest)


def _some(client: socket.socket) -> bytes:
    data = client.recv(1 << 18)
    if not data:
        raise WrongAnswerError("the connection ended within an answer")
    return data


def _content_length(head: bytes) -> int | None:
    if head.split(b" ", 2)[1] == b"304":
        return 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
        if name.lower() == b"transfer-encoding":
            return None
    raise WrongAnswerError("an answer without a Content-Length")


def wrk(port: int, prefix: str, requests: Requests, seconds: int, answer_bytes: int) -> Counts:
    """
    Load a server.

    @param answer_bytes: how many bytes each answer must have.
    @raise WrongAnswerError: when an answer was wrong.
    """
    command = [
        *("taskset", "-c", str(CLIENT_CORE), "wrk", "-t1", f"-c{requests.connections}"),
        f"-d{seconds}s",
        *(part for line in requests.field_lines for part in ("-H", line)),
        *("--timeout", "10s", "-s", str(_LUA)),
        f"{'https' if requests.is_encrypted else 'http'}://127.0.0.1:{port}{prefix}/{requests.path}",
    ]
    environment = {
        **os.environ,
        "NETLAB_PATTERN": f"{prefix}/{requests.path}",
        "NETLAB_PATHS": str(requests.paths),
        "NETLAB_DEPTH": str(requests.depth),
    }
    if requests.is_unseen:
        environment["NETLAB_UNSEEN"] = secrets.token_hex(4)
        # Not by wrk's own means: it shuffles the field lines, anew for each run.
        target = f"{prefix}/{requests.path}"
        environment["NETLAB_REQUEST"] = requests.bytes_for(target).decode()
    before = _children_ns()
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    used = _children_ns() - before
    found = [line.split()[1:] for line in run.stdout.splitlines() if line.startswith("counts ")]
    if run.returncode or not found:
        raise WrongAnswerError(f"wrk ended with {run.returncode}: {run.stdout} {run.stderr}")
    answers, received, microseconds, wrong, broken, late = map(int, found[0])
    if wrong or late or (broken and not requests.is_closing):
        raise WrongAnswerError(f"{wrong} wrong answers, {broken} failures, {late} too late")
    if not answers:
        raise WrongAnswerError("no answer at all")
    under_way = requests.connections * requests.depth * answer_bytes
    more = (answers // _SHARE_AT_LEAST + requests.connections) * _LAST_ANSWER_MORE_BYTES
    if not answers * answer_bytes <= received <= answers * answer_bytes + under_way + more:
        raise WrongAnswerError(
            f"{answers} answers of {answer_bytes} bytes each were {received} bytes"
        )
    return Counts(answers, microseconds / 1e6, used)


def _children_ns() -> int:
    """
    Add up the CPU time of all processes that were waited for.
    """
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return round((usage.ru_utime + usage.ru_stime) * 1e9)
