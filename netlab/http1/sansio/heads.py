"""
Message heads: where one ends, and what it says (RFC 9112 sections 2 to 5).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import filterfalse, repeat
from operator import itemgetter
from typing import Final, TypeAlias

from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.fields import Fields, parse_fields
from netlab.http1.sansio.framing import NO_BODY, Framing, request_framing
from netlab.http1.sansio.grammar import (
    FIELD_LINE,
    MISPLACED_BYTE,
    PLAIN_REQUEST_LINE,
    START_LINE_VERSION,
    STATUS_LINE,
    is_authority,
    is_token,
    split_list,
)
from netlab.http1.sansio.limits import Limits
from netlab.http1.sansio.messages import HTTP_1_0, HTTP_1_1, RequestHead, ResponseHead, Version
from netlab.http1.sansio.receivebuffer import FORBIDDEN, NOT_YET, ReceiveBuffer
from netlab.http1.sansio.target import Target, TargetForm, parse_target

LINES_MAX: Final = 1024
"""How many field lines are remembered: those of a hundred browsers."""

LINE_MAX_BYTES: Final = 256
"""The longest line that is remembered; a browser's User-Agent and Accept have up to 150 bytes."""

REMEMBERED_FIELDS: Final = frozenset(
    (
        b"accept",
        b"accept-charset",
        b"accept-encoding",
        b"accept-language",
        b"cache-control",
        b"connection",
        b"content-type",
        b"dnt",
        b"host",
        b"keep-alive",
        b"origin",
        b"pragma",
        b"priority",
        b"sec-ch-ua",
        b"sec-ch-ua-mobile",
        b"sec-ch-ua-platform",
        b"sec-fetch-dest",
        b"sec-fetch-mode",
        b"sec-fetch-site",
        b"sec-fetch-user",
        b"sec-gpc",
        b"te",
        b"upgrade-insecure-requests",
        b"user-agent",
        b"x-forwarded-host",
        b"x-forwarded-proto",
    )
)
"""
Fields whose lines are remembered. Whatever may be a secret, or tells what somebody has read, is
none of them: not Authorization, Proxy-Authorization, Cookie, Set-Cookie, Referer, validators or
fields that an application has made up, such as X-Api-Key.
"""

_ReadLine: TypeAlias = tuple[bytes, tuple[bytes, ...]]
#: For each line that is not known: no field has an empty name.
_UNKNOWN: Final[repeat[_ReadLine]] = repeat((b"", ()))
_KEEP_ALIVE: Final = (b"keep-alive",)

_OBS_FOLD: Final = re.compile(rb"(?<![ \t])[ \t]*+\r\n[ \t]++")


_HEAD_BEGINS: Final = b"HEAD "


@dataclass(slots=True)
class ParsedRequest:
    """
    A request head with all that the connection must know of it.

    @ivar head: the request head.
    @ivar framing: how its body is delimited.
    @ivar is_persistent: whether the peer's version and Connection field let the connection live on
        after the answer (RFC 9112 section 9.3).
    @ivar expects_continue: whether the peer waits for 100 before it sends the content
        (RFC 9110 section 10.1.1); never where it has no content to send.
    @ivar content: of a request that has come whole.
    """

    head: RequestHead
    framing: Framing
    is_persistent: bool
    expects_continue: bool
    content: bytes = b""


class FieldLineMemory:
    """
    What has been read of field lines that come again and again, in heads that differ.

    It is safe against what peers may do with it:

      - Only fields in L{REMEMBERED_FIELDS} are remembered. None of them carries a secret, and a
        client sends the same line with each request. Cookie, Authorization and every field that is
        not named there leave nothing behind.
      - Only lines of at most L{LINE_MAX_BYTES}, and L{LINES_MAX} of them: when it is full it begins
        anew. A flood of different lines costs their reading, and never more memory.

    @ivar known: by the line: the field name in lower case, and the field value in a tuple, as
        L{Fields.index<netlab.http1.sansio.fields.Fields>} has it. For reading only.
    """

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known: dict[bytes, _ReadLine] = {}

    def read(self, line: bytes) -> _ReadLine | None:
        """
        Read a line that is not known, and remember it if it may be.

        @param line: without its CRLF.
        @return: as in C{known}; None where it is no field line.
        """
        match = FIELD_LINE.fullmatch(line)
        if match is None:
            return None
        name, value = match.groups()
        read = (name.lower(), (value.strip(b" \t"),))
        if len(line) <= LINE_MAX_BYTES and read[0] in REMEMBERED_FIELDS:
            if len(self.known) >= LINES_MAX:
                self.known.clear()
            self.known[line] = read
        return read


class RequestParser:
    """
    Parses request heads; one of them serves any number of connections.

    Parsing is a pure function of the bytes. Heads differ from request to request, but most of
    their lines do not: L{FieldLineMemory} knows those.
    """

    def __init__(self, limits: Limits) -> None:
        """
        @param limits: the bounds of a head.
        """
        self.limits: Final = limits
        self._memory = FieldLineMemory()
        # The Host that was found valid last: most of a server's requests have the same one.
        self._host: bytes | None = None

    def parse(self, raw: bytes) -> ParsedRequest:
        """
        Parse one request head.

        @param raw: from the request line to the empty line, inclusive.
        @raise RemoteProtocolError: with the status that says what is wrong.
        """
        lines = raw[:-4].split(b"\r\n")
        request_line = lines.pop(0)
        limits = self.limits
        match = PLAIN_REQUEST_LINE.fullmatch(request_line)
        version: Version
        if match is None or len(request_line) > limits.start_line_max_bytes:
            method, raw_target, version = self.parse_request_line(request_line)
            target = parse_target(method, raw_target)
        else:
            method, path, query, minor = match.groups()
            if b"/." in path or method == b"CONNECT":
                target = parse_target(method, request_line.split(b" ")[1])
            else:
                target = Target(TargetForm.ORIGIN, path, query)
            version = HTTP_1_1 if minor == b"1" else HTTP_1_0
        if len(raw) - len(request_line) - 4 > limits.header_section_max_bytes:
            raise RemoteProtocolError(431, "the header section is too long")
        known = self._memory.known
        index = dict(map(known.get, lines, _UNKNOWN))
        if b"" in index:
            del index[b""]
            for line in filterfalse(known.__contains__, lines):
                read = self._memory.read(line)
                if read is None:
                    break
                index[read[0]] = read[1]
        if len(index) != len(lines) or len(lines) > limits.field_lines_max:
            # A field of several lines; or something is wrong.
            fields = parse_fields(raw[len(request_line) + 2 : -2], limits.field_lines_max)
            index = fields.index
        else:
            fields = Fields.__new__(Fields)
            fields.received = lines
            fields.index = index
        head = RequestHead(method, target, version, fields, raw)
        hosts = index.get(b"host")
        if hosts is None or len(hosts) > 1 or hosts[0] != self._host:
            _check_host(fields, version)
            if hosts is not None and len(hosts[0]) <= LINE_MAX_BYTES:
                self._host = hosts[0]
        framing: Framing = NO_BODY
        if b"content-length" in index or b"transfer-encoding" in index:
            framing = request_framing(head)
        connection = index.get(b"connection")
        if connection is None:
            is_persistent = version >= HTTP_1_1
        elif connection == _KEEP_ALIVE:
            is_persistent = True
        else:
            options = fields.tokens(b"connection")
            is_persistent = b"close" not in options and (
                version >= HTTP_1_1 or b"keep-alive" in options
            )
        expects_continue = b"expect" in index and _expects_continue(fields, version, framing)
        return ParsedRequest(head, framing, is_persistent, expects_continue)

    def parse_request_line(self, line: bytes) -> tuple[bytes, bytes, Version]:
        """
        Take a request line apart: C{method SP request-target SP HTTP-version}, RFC 9112 section 3.

        The lenient splitting that section 3 also allows (any white space) lets two readers
        disagree, so it is refused.

        @param line: without its CRLF.
        @return: method, request target, version; the target is checked by L{parse_target}.
        @raise RemoteProtocolError: 400, 414 or 505.
        """
        if len(line) > self.limits.start_line_max_bytes:
            raise RemoteProtocolError(414, "the request line is too long")
        parts = line.split(b" ")
        if len(parts) != 3:
            raise RemoteProtocolError(
                400, "the request line is not a method, a target and a version"
            )
        method, target, version_bytes = parts
        if not is_token(method):
            raise RemoteProtocolError(400, "the method is not a token")
        match = START_LINE_VERSION.fullmatch(version_bytes)
        if match is None:
            raise RemoteProtocolError(400, "the request line does not end in an HTTP version")
        if match[1] != b"1":
            raise RemoteProtocolError(505, "only HTTP/1.0 and HTTP/1.1 are spoken here")
        if not target:
            raise RemoteProtocolError(400, "the request target is empty")
        return method, target, HTTP_1_0 if match[2] == b"0" else (1, int(match[2]))


def _expects_continue(fields: Fields, version: Version, framing: Framing) -> bool:
    """
    Read Expect (RFC 9110 section 10.1.1).
    """
    expectations = {e.lower() for e in split_list(fields.get_all(b"expect"))}
    if version < HTTP_1_1:
        # An expectation of 100 from an HTTP/1.0 client is ignored.
        expectations.discard(b"100-continue")
    if expectations - {b"100-continue"}:
        raise RemoteProtocolError(417, "the only expectation known here is 100-continue")
    return bool(expectations) and framing != NO_BODY


def _check_host(fields: Fields, version: Version) -> None:
    """
    RFC 9112 section 3.2: exactly one Host, which is valid; HTTP/1.0 may do without.
    """
    hosts = fields.get_all(b"host")
    if not hosts:
        if version >= HTTP_1_1:
            raise RemoteProtocolError(400, "the request has no Host")
    elif len(hosts) > 1:
        raise RemoteProtocolError(400, "the request has more than one Host")
    elif not is_authority(hosts[0]):
        raise RemoteProtocolError(400, "the Host is not a host with an optional port")


class RequestHeadReader:
    """
    Finds the end of a request head in what has been received, and refuses early what can no
    longer become one: a peer that sends half of a wrong head is answered now, not at a deadline.

    Where a head has several faults, the one reported is the one met first when the bytes come one
    at a time, so that it does not depend on where the deliveries are cut.

    @ivar has_skipped_line: whether the empty line that may precede a request line has come.
    @ivar is_head: after a fault, whether the faulty head begins as a HEAD does, whose answer has no
        content even so (RFC 9110 section 9.3.2).
    """

    __slots__ = ("_line_length", "_line_searched", "_parser", "has_skipped_line", "is_head")

    def __init__(self, parser: RequestParser) -> None:
        """
        @param parser: what parses the heads that are found.
        """
        self._parser = parser
        self._line_length = NOT_YET
        self._line_searched = 0
        self.has_skipped_line = False
        self.is_head = False

    def read(self, buffer: ReceiveBuffer) -> ParsedRequest | None:
        """
        Take the next head out of the buffer.

        @return: the head, or None to wait for more.
        @raise RemoteProtocolError: with the status that says what is wrong.
        """
        while self._line_length == NOT_YET and buffer.peek(2) == b"\r\n":
            # RFC 9112 section 2.2: one empty line before the request line is ignored.
            if self.has_skipped_line:
                raise RemoteProtocolError(400, "there is more than one empty line before a request")
            buffer.take(2)
            self.has_skipped_line = True
        end = buffer.find(b"\r\n\r\n", MISPLACED_BYTE)
        if end < 0:
            if end == FORBIDDEN or self._is_doomed(buffer):
                fault = self._first_fault(buffer.peek(len(buffer)))
                assert fault is not None
                self.give_up(buffer)
                raise fault
            return None
        raw = buffer.take(end + 4)
        self._line_length = NOT_YET
        self._line_searched = 0
        self.has_skipped_line = False
        try:
            return self._parser.parse(raw)
        except RemoteProtocolError as fault:
            self.is_head = raw.startswith(_HEAD_BEGINS)
            # All but its last byte is what the head was when it was not yet one.
            raise self._first_fault(raw[:-1]) or fault from None

    def give_up(self, buffer: ReceiveBuffer) -> None:
        """
        The head that has begun in the buffer will never be complete.
        """
        self.is_head = buffer.peek(len(_HEAD_BEGINS)) == _HEAD_BEGINS

    def _is_doomed(self, buffer: ReceiveBuffer) -> bool:
        """
        Say whether the beginning of a head is too long already, or has a wrong request line.
        """
        limits = self._parser.limits
        if self._line_length == NOT_YET:
            # The searched part grows with the buffer, so no byte is looked at again and again.
            self._line_length = buffer.locate(
                b"\r\n", self._line_searched, limits.start_line_max_bytes + 2
            )
            if self._line_length == NOT_YET:
                self._line_searched = max(0, len(buffer) - 1)
                return len(buffer) > limits.start_line_max_bytes + 1
            if self._line_fault(buffer.peek(self._line_length)) is not None:
                return True
        return len(buffer) - self._line_length - 2 > limits.header_section_max_bytes + 1

    def _line_fault(self, line: bytes) -> RemoteProtocolError | None:
        try:
            method, target, _version = self._parser.parse_request_line(line)
            parse_target(method, target)
        except RemoteProtocolError as fault:
            return fault
        return None

    def _first_fault(self, begun: bytes) -> RemoteProtocolError | None:
        """
        Find the fault in the beginning of a head that is met first, byte by byte.
        """
        limits = self._parser.limits
        faults: list[tuple[int, RemoteProtocolError]] = []
        misplaced = MISPLACED_BYTE.search(begun)
        if misplaced is not None:
            # That a CR is bare is known when another byte than LF follows it.
            met = misplaced.end() + (misplaced[0] == b"\r")
            explanation = "the head holds a control byte or a bare CR or LF"
            faults.append((met, RemoteProtocolError(400, explanation)))
        line_length = begun.find(b"\r\n", 0, limits.start_line_max_bytes + 2)
        if line_length < 0:
            met = limits.start_line_max_bytes + 2
            faults.append((met, RemoteProtocolError(414, "the request line is too long")))
        else:
            line_fault = self._line_fault(begun[:line_length])
            if line_fault is not None:
                faults.append((line_length + 2, line_fault))
            met = line_length + 2 + limits.header_section_max_bytes + 2
            faults.append((met, RemoteProtocolError(431, "the header section is too long")))
        met, fault = min(faults, key=itemgetter(0))
        return fault if met <= len(begun) else None


def parse_response_head(raw: bytes, limits: Limits) -> ResponseHead:
    """
    Parse one response head.

    Obsolete line folding becomes a space, as RFC 9112 section 5.2 asks of a user agent.

    @param raw: from the status line to the empty line, inclusive.
    @raise RemoteProtocolError: when it is none; the status is of no meaning to a client.
    """
    line_end = raw.index(b"\r\n")
    match = STATUS_LINE.fullmatch(raw[:line_end])
    if match is None:
        raise RemoteProtocolError(400, "the answer does not begin with a status line")
    if match[1] != b"1":
        raise RemoteProtocolError(400, "the answer is not HTTP/1.0 or HTTP/1.1")
    section = raw[line_end + 2 : -2]
    if b"\r\n " in raw or b"\r\n\t" in raw:
        section = _OBS_FOLD.sub(b" ", section)
    return ResponseHead(
        status=int(match[3]),
        fields=parse_fields(section, limits.field_lines_max),
        reason=match[4] or b"",
        version=(1, int(match[2])),
        raw=raw,
    )


class ResponseHeadReader:
    """
    Finds the end of a response head in what has been received.
    """

    __slots__ = ("_limits",)

    def __init__(self, limits: Limits) -> None:
        """
        @param limits: the bounds of a head.
        """
        self._limits = limits

    def read(self, buffer: ReceiveBuffer) -> ResponseHead | None:
        """
        Take the next head out of the buffer.

        @return: the head, or None to wait for more.
        @raise RemoteProtocolError: when it is none, or too long.
        """
        limits = self._limits
        end = buffer.find(b"\r\n\r\n", MISPLACED_BYTE)
        if end == FORBIDDEN:
            raise RemoteProtocolError(400, "the answer's head holds a control byte")
        most = limits.start_line_max_bytes + limits.header_section_max_bytes
        if end > most or (end < 0 and len(buffer) > most + 3):
            raise RemoteProtocolError(431, "the answer's head is too long")
        if end < 0:
            return None
        return parse_response_head(buffer.take(end + 4), limits)
