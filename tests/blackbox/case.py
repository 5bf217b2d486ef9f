"""
What a case is: bytes that a client sends, and what RFC 9110 and RFC 9112 let a server do then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

ETAG: Final = b"<<ETAG>>"
"""Stands in a request for the entity tag of /text.txt, which each server makes in its own way."""

MODIFIED: Final = b"<<MODIFIED>>"
"""Stands in a request for the Last-Modified of /text.txt."""

PROBE: Final = b"GET /probe.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
"""Goes behind a case: whether it is answered shows whether the connection lives on, and whether
the server knows where the request before it has ended."""


class After(Enum):
    """
    What becomes of the connection after the answers, and so of the request behind.
    """

    PERSISTS = auto()
    """The request behind is answered."""

    CLOSES = auto()
    """The request behind is not answered: the connection is closed, and nothing behind is run."""

    EITHER = auto()
    """No rule says: the server may answer it or close."""

    SILENT = auto()
    """Nothing is put behind: the client waits for the server to close."""

    SHUT = auto()
    """The client shuts its side after its bytes; the server answers what is whole and closes."""


@dataclass(frozen=True, slots=True)
class Case:
    """
    One exchange on a connection of its own.

    @ivar name: what is special about it.
    @ivar rule: the RFC and its section, such as "9112-6.1".
    @ivar sends: the client's bytes; L{ETAG} and L{MODIFIED} in them are replaced.
    @ivar statuses: what the first final answer may be: ours is the first of them, and the rule, or
        its silence, allows the others too.
    @ivar after: what becomes of the connection.
    @ivar then: the statuses of the answers after the first one.
    @ivar fields: what the first answer's fields must match as a whole (regular expressions), by
        lower-case name; None for one that must not be there. Looked at where the status is ours.
    @ivar content: the first answer's content, if it matters; where the status is ours.
    @ivar after_100: sent when an interim answer has come.
    """

    name: str
    rule: str
    sends: bytes
    statuses: tuple[int, ...]
    after: After
    then: tuple[int, ...] = ()
    fields: Mapping[bytes, bytes | None] = field(default_factory=dict)
    content: bytes | None = None
    after_100: bytes = b""

    @property
    def method(self) -> bytes:
        """
        The method of the first request, as far as there is one.
        """
        return self.sends.lstrip(b"\r\n").split(b" ", 1)[0]


@dataclass(frozen=True, slots=True)
class Group:
    """
    Cases for one way of running the server.

    @ivar name: what they are about.
    @ivar cases: them.
    @ivar options: the server's command line besides --root and --listen.
    """

    name: str
    cases: Sequence[Case]
    options: tuple[str, ...] = ()


def request(
    target: bytes = b"/text.txt",
    *lines: bytes,
    method: bytes = b"GET",
    version: bytes = b"HTTP/1.1",
    host: bytes | None = b"localhost",
    body: bytes = b"",
) -> bytes:
    """
    Write a request.

    @param lines: field lines without their CRLF.
    @param host: the value of Host; None leaves it out.
    """
    first = () if host is None else (b"Host: " + host,)
    head = b"".join(line + b"\r\n" for line in (*first, *lines))
    return b"%b %b %b\r\n%b\r\n%b" % (method, target, version, head, body)


def refused(name: str, rule: str, sends: bytes, *statuses: int) -> Case:
    """
    Make a case that must be answered with an error and the end of the connection.

    @param statuses: 400 without any.
    """
    return Case(name, rule, sends, statuses or (400,), After.CLOSES)


def answered(
    name: str,
    rule: str,
    sends: bytes,
    *statuses: int,
    after: After = After.PERSISTS,
    then: tuple[int, ...] = (),
    fields: Mapping[bytes, bytes | None] | None = None,
    content: bytes | None = None,
) -> Case:
    """
    Make a case that must be answered, and after which the connection lives on.

    @param statuses: 200 without any.
    """
    return Case(name, rule, sends, statuses or (200,), after, then, fields or {}, content)
