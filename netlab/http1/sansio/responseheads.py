"""
How a server writes the heads of its responses. Their framing, Date and Connection are for it to
choose, not for the resource.
"""

from __future__ import annotations

from typing import Final

from netlab.http1.sansio.errors import LocalProtocolError
from netlab.http1.sansio.framing import NO_BODY, Delimited, Fixed, Framing
from netlab.http1.sansio.grammar import CONTROL_BYTE
from netlab.http1.sansio.messages import HTTP_1_1, RequestHead, ResponseHead
from netlab.http1.sansio.serversettings import ServerSettings
from netlab.http1.sansio.statuses import STATUS_LINES, forbids_content

_CLOSE_LINE: Final = b"Connection: close\r\n"
_KEEP_ALIVE_LINE: Final = b"Connection: keep-alive\r\n"
_OUR_FIELDS: Final = frozenset((b"connection", b"content-length", b"date", b"transfer-encoding"))


def interim_head(head: ResponseHead, request: RequestHead | None) -> bytes:
    """
    Write the head of an interim response.

    @param request: what it is about; None where no request could be read.
    @raise LocalProtocolError: there can be no such response.
    """
    if request is None or request.version < HTTP_1_1:
        raise LocalProtocolError("no interim response to HTTP/1.0 (RFC 9110 section 15.2)")
    for name in (b"content-length", b"transfer-encoding"):
        if name in head.fields:
            raise LocalProtocolError(f"an interim response has no {name.decode()}")
    return _status_line(head) + head.fields.serialise() + b"\r\n"


def final_head(
    head: ResponseHead,
    request: RequestHead | None,
    content_length: int | None,
    now: float,
    settings: ServerSettings,
    *,
    is_persistent: bool,
) -> tuple[bytes, Framing]:
    """
    Write the head of a final response.

    @param request: what it answers; None where no request could be read.
    @param content_length: how many bytes of content it has; None where that is not known.
    @param now: for the Date field, in seconds since the epoch.
    @param is_persistent: whether another exchange may follow, as far as is known.
    @return: the head, and the framing that it announces: until close means that none follows.
    @raise LocalProtocolError: there can be no such response.
    """
    fields = head.fields
    if not fields.is_disjoint(_OUR_FIELDS):
        ours = ", ".join(name.decode() for name in _OUR_FIELDS if name in fields)
        raise LocalProtocolError(f"the field {ours} is the connection's to send")
    if not 200 <= head.status <= 999:
        raise LocalProtocolError(f"{head.status} is not the status of a final response")
    status_line = _status_line(head)
    is_bare = settings.is_bare
    framing: Framing
    if forbids_content(head.status):
        framing, framing_line = NO_BODY, b""
    elif not is_persistent and not content_length and is_bare:
        # The reference's 301 and 404: nothing says how long they are, the close does.
        framing, framing_line = Delimited.UNTIL_CLOSE, b""
    else:
        framing, framing_line = _framing(content_length, request)
    if not is_persistent or request is None or framing is Delimited.UNTIL_CLOSE:
        connection_line = _CLOSE_LINE
    else:
        connection_line = _connection_line(request, is_bare=is_bare)
    field_lines = fields.serialise()
    if is_bare:
        parts = [status_line, connection_line, field_lines, framing_line, b"\r\n"]
    else:
        date_line = settings.date.line(now)
        parts = [status_line, date_line, field_lines, framing_line, connection_line, b"\r\n"]
    return b"".join(parts), framing


def _framing(content_length: int | None, request: RequestHead | None) -> tuple[Framing, bytes]:
    """
    Choose the framing of content, and write the field line that says so.
    """
    if content_length is not None:
        if content_length < 0:
            raise LocalProtocolError(f"content of {content_length} bytes")
        return Fixed(content_length), b"Content-Length: %d\r\n" % content_length
    if request is not None and request.version >= HTTP_1_1:
        return Delimited.CHUNKED, b"Transfer-Encoding: chunked\r\n"
    return Delimited.UNTIL_CLOSE, b""


def _connection_line(request: RequestHead, *, is_bare: bool) -> bytes:
    """
    Write that the connection persists, where that has to be said.
    """
    if is_bare:
        said = request.fields.get(b"connection")
        if said is not None and said.lower() == b"keep-alive":
            return b"Connection: %b\r\n" % said
        return _KEEP_ALIVE_LINE
    # HTTP/1.1 persists without a word; HTTP/1.0 asked for it and must be told.
    return b"" if request.version >= HTTP_1_1 else _KEEP_ALIVE_LINE


def _status_line(head: ResponseHead) -> bytes:
    """
    Write a status line.

    @raise LocalProtocolError: when the status has not three digits, or the reason phrase could end
        its line (response splitting).
    """
    if head.reason is None:
        line = STATUS_LINES.get(head.status)
        if line is not None:
            return line
    if not 100 <= head.status <= 999:
        raise LocalProtocolError(f"not a status code: {head.status}")
    if head.reason is not None and CONTROL_BYTE.search(head.reason):
        raise LocalProtocolError(f"not a reason phrase: {head.reason!r}")
    return b"HTTP/1.1 %d %b\r\n" % (head.status, head.reason or b"")
