"""
A strict reader of answers that shares nothing with netlab's own: what it cannot read is a fault.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

_HEAD = re.compile(
    rb"HTTP/1\.([01]) ([1-9][0-9]{2}) ([\t\x20-\x7e]*)\r\n"
    rb"((?:[!#-'*+\-.^_`|~0-9A-Za-z]+:[^\r\n\x00]*\r\n)*)\r\n"
)
_DATE = re.compile(rb"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
_CHUNK = re.compile(rb"([0-9a-fA-F]+)\r\n")


class BadAnswer(Exception):
    """
    The bytes are no answer.
    """


@dataclass
class Answer:
    """
    A final answer.

    @ivar status: its status code.
    @ivar fields: its fields by lower-case name; several lines are joined with a comma.
    @ivar content: its content.
    @ivar faults: what RFC 9110 and RFC 9112 forbid, yet can be read.
    """

    status: int
    fields: dict[bytes, bytes]
    content: bytes = b""
    faults: list[str] = field(default_factory=list)

    @property
    def says_close(self) -> bool:
        """
        Whether it ends the connection.
        """
        return b"close" in [
            o.strip().lower() for o in self.fields.get(b"connection", b"").split(b",")
        ]


def read_answers(data: bytes, methods: list[bytes], *, is_ended: bool) -> tuple[list[Answer], int]:
    """
    Read all answers of a connection.

    @param methods: those of the requests, as far as they are known.
    @param is_ended: whether the server has closed.
    @return: the final answers, and how many interim answers there were.
    @raise BadAnswer: when there is something else, or less.
    """
    answers: list[Answer] = []
    interim = 0
    at = 0
    while at < len(data):
        match = _HEAD.match(data, at)
        if match is None:
            raise BadAnswer(f"no head: {data[at : at + 80]!r}")
        at = match.end()
        status = int(match[2])
        fields: dict[bytes, bytes] = {}
        for line in match[4].splitlines():
            name, _, value = line.partition(b":")
            lowered = name.lower()
            value = value.strip(b" \t")
            fields[lowered] = fields[lowered] + b", " + value if lowered in fields else value
        if status < 200:
            interim += 1
            continue
        answer = Answer(status, fields)
        if match[1] == b"0":
            answer.faults.append("the answer's version is HTTP/1.0 (RFC 9110 section 2.5)")
        method = methods[len(answers)] if len(answers) < len(methods) else b"GET"
        answers.append(answer)
        answer.faults += _faults(answer)
        if method == b"HEAD" or status in (204, 304):
            continue
        if b"transfer-encoding" in fields:
            at = _read_chunks(answer, data, at)
        elif b"content-length" in fields:
            length = int(fields[b"content-length"])
            answer.content = data[at : at + length]
            at += length
            if len(answer.content) < length:
                raise BadAnswer(f"{len(answer.content)} of {length} bytes of content")
        elif is_ended:
            answer.content = data[at:]
            at = len(data)
        else:
            raise BadAnswer("content without an end")
    return answers, interim


def _read_chunks(answer: Answer, data: bytes, at: int) -> int:
    while True:
        match = _CHUNK.match(data, at)
        if match is None:
            raise BadAnswer("no chunk size")
        size = int(match[1], 16)
        at = match.end()
        answer.content += data[at : at + size]
        at += size
        if data[at : at + 2] != b"\r\n":
            raise BadAnswer("no CRLF behind a chunk")
        at += 2
        if size == 0:
            return at


def _faults(answer: Answer) -> list[str]:
    fields, status = answer.fields, answer.status
    faults = []
    date = fields.get(b"date")
    if date is None and status < 500:
        faults.append("no Date (RFC 9110 section 6.6.1)")
    elif date is not None and (
        _DATE.fullmatch(date) is None or not parsedate_to_datetime(date.decode())
    ):
        faults.append(f"Date: {date!r} (section 5.6.7)")
    if b"transfer-encoding" in fields and b"content-length" in fields:
        faults.append("Transfer-Encoding beside Content-Length (RFC 9112 section 6.2)")
    if status == 204 and fields.keys() & {b"content-length", b"transfer-encoding"}:
        faults.append("204 with a length (RFC 9110 section 8.6)")
    if status == 405 and b"allow" not in fields:
        faults.append("405 without Allow (section 15.5.6)")
    if status == 401 and b"www-authenticate" not in fields:
        faults.append("401 without WWW-Authenticate (section 15.5.2)")
    if status in (301, 302, 303, 307, 308) and b"location" not in fields:
        faults.append("a redirection without Location (section 15.4)")
    if (
        status == 206
        and b"content-range" not in fields
        and b"multipart/byteranges" not in fields.get(b"content-type", b"")
    ):
        faults.append("206 without Content-Range (section 15.3.7)")
    if b"content-length" in fields and not fields[b"content-length"].isdigit():
        faults.append(f"Content-Length: {fields[b'content-length']!r}")
    return faults
