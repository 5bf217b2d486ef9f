"""
Request heads as they travelled: one that breaks a rule is a request all the same.

Our own server refuses such a request, and so do others; an explanation of the wire has to name
it together with the rule that it breaks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.fields import NO_FIELDS, Fields, parse_fields
from netlab.http1.sansio.framing import NO_BODY, Framing, request_framing
from netlab.http1.sansio.heads import RequestParser
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.receivebuffer import NOT_YET, ReceiveBuffer
from netlab.http1.sansio.target import PATH_WITH_NUL, TWO_DOTS, Target, parse_target

_LINE: Final = re.compile(rb"([!-~]{1,32}) ([^\r\n]{0,16384}?) ?HTTP/1\.([01])")
#: A request line that a reader may still hope for: a method and no control byte.
_BEGINS: Final = re.compile(rb"[!-~]{1,32}(?: [^\x00-\x08\x0a-\x1f\x7f]*)?")
_BLANK: Final = b"\r\n"
_RULE_BROKEN: Final = 400
#: What our server refuses out of caution, though HTTP and URIs allow it.
_ALLOWED: Final = frozenset({TWO_DOTS, PATH_WITH_NUL})
_NO_TARGET: Final[Target] = parse_target(b"OPTIONS", b"*")


@dataclass(frozen=True, slots=True)
class RequestRead:
    """
    A request head that was read.

    @ivar head: as far as it can be understood; of a target that cannot, only C{head.raw} tells.
    @ivar framing: how its body is delimited; none where that cannot be understood.
    @ivar fault: the rule that it breaks, a short clause; empty where it breaks none.
    """

    head: RequestHead
    framing: Framing
    fault: str


class LenientRequestReader:
    """
    Finds the end of a request head and reads it, whether or not it obeys all rules.
    """

    __slots__ = ("_head_max_bytes", "_parser", "_searched")

    def __init__(self, parser: RequestParser) -> None:
        """
        @param parser: what reads a head by the rules.
        """
        self._parser = parser
        limits = parser.limits
        self._head_max_bytes = limits.start_line_max_bytes + limits.header_section_max_bytes
        self._searched = 0

    def read(self, buffer: ReceiveBuffer) -> RequestRead | None:
        """
        Take the next head out of the buffer.

        @return: the head, or None to wait for more.
        @raise RemoteProtocolError: it is no HTTP request.
        """
        while not self._searched and buffer.peek(2) == _BLANK:
            buffer.take(2)
        if buffer.peek(2) in (b"", b"\r"):
            return None
        end = buffer.locate(b"\r\n\r\n", max(self._searched - 3, 0), self._head_max_bytes)
        if end == NOT_YET:
            self._check_beginning(buffer)
            self._searched = len(buffer)
            return None
        self._searched = 0
        raw = buffer.take(end + 4)
        try:
            parsed = self._parser.parse(raw)
        except RemoteProtocolError as fault:
            return _understood(raw, fault, self._parser.limits.field_lines_max)
        return RequestRead(parsed.head, parsed.framing, "")

    def _check_beginning(self, buffer: ReceiveBuffer) -> None:
        """
        Give up early what cannot become a request head.
        """
        if len(buffer) >= self._head_max_bytes:
            raise RemoteProtocolError(431, "the request head is too long")
        if self._searched > 64:
            return
        line, _, _ = buffer.peek(64).partition(_BLANK)
        if _BEGINS.fullmatch(line.removesuffix(b"\r")) is None:
            raise RemoteProtocolError(400, "it does not begin with a request line")


def _understood(raw: bytes, fault: RemoteProtocolError, lines_max: int) -> RequestRead:
    """
    Understand a head that breaks a rule, as far as it goes.

    @raise RemoteProtocolError: it has no request line.
    """
    line_end = raw.index(_BLANK)
    match = _LINE.fullmatch(raw[:line_end])
    if match is None:
        raise fault
    method, raw_target, minor = match[1], match[2], match[3]
    try:
        target = parse_target(method, raw_target)
    except RemoteProtocolError:
        target = _NO_TARGET
    fields = _fields(raw[line_end + 2 : -2], lines_max)
    head = RequestHead(method, target, (1, int(minor)), fields, raw)
    try:
        framing = request_framing(head)
    except RemoteProtocolError:
        framing = NO_BODY
    # Any other status is a limit of ours, or something that we do not do.
    is_broken = fault.status == _RULE_BROKEN and fault.explanation not in _ALLOWED
    return RequestRead(head, framing, fault.explanation if is_broken else "")


def _fields(section: bytes, lines_max: int) -> Fields:
    """
    Read the field lines that can be read.
    """
    try:
        return parse_fields(section, lines_max)
    except RemoteProtocolError:
        lines: list[tuple[bytes, bytes]] = []
        for line in section.split(_BLANK)[:lines_max]:
            try:
                lines.extend(parse_fields(line + _BLANK, 1))
            except RemoteProtocolError:
                continue
        return Fields(lines) if lines else NO_FIELDS
