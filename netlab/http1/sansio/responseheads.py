"""
How a server writes the heads of its responses. Their framing, Date and Connection are for it to
choose, not for the resource.
"""

from __future__ import annotations

from typing import Final, Protocol

from netlab.http1.sansio.errors import LocalProtocolError
from netlab.http1.sansio.fields import CONNECTIONS_OWN, Fields
from netlab.http1.sansio.framing import NO_BODY, Delimited, Framing
from netlab.http1.sansio.grammar import CONTROL_BYTE
from netlab.http1.sansio.messages import HTTP_1_1, RequestHead, ResponseHead
from netlab.http1.sansio.serversettings import ServerSettings
from netlab.http1.sansio.statuses import STATUS_LINES

_CLOSE_LINE: Final = b"Connection: close\r\n"
_KEEP_ALIVE_LINE: Final = b"Connection: keep-alive\r\n"
#: Of final responses; forbids_content says it of all.
_WITHOUT_CONTENT: Final = frozenset((204, 304))


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
    return _status_line(head) + head.fields.serialised + b"\r\n"


class FinalHead(Protocol):
    """
    What is written of a response: a L{ResponseHead} has it, and so has a resource's answer.
    """

    @property
    def status(self) -> int:
        """
        200 to 999.
        """

    @property
    def fields(self) -> Fields:
        """
        The header section, but for what is the connection's to send.
        """

    @property
    def reason(self) -> bytes | None:
        """
        The reason phrase; None takes the registered one.
        """


def final_head(
    head: FinalHead,
    request: RequestHead | None,
    content_length: int | None,
    now: float,
    settings: ServerSettings,
    *,
    is_persistent: bool,
) -> tuple[list[bytes], Framing | None]:
    """
    Write the head of a final response.

    @param request: what it answers; None where no request could be read.
    @param content_length: how many bytes of content it has; None where that is not known.
    @param now: for the Date field, by the clock of the connection.
    @param is_persistent: whether another exchange may follow, as far as is known.
    @return: the pieces of the head, and the framing that it announces: until close means that no
        exchange follows. None stands for content of the given length.
    @raise LocalProtocolError: there can be no such response.
    """
    fields = head.fields
    status = head.status
    if fields.frames:
        ours = ", ".join(name.decode() for name in CONNECTIONS_OWN if name in fields)
        raise LocalProtocolError(f"the field {ours} is the connection's to send")
    if not 200 <= status <= 999:
        raise LocalProtocolError(f"{status} is not the status of a final response")
    status_line = STATUS_LINES.get(status) if head.reason is None else None
    if status_line is None:
        status_line = _status_line(head)
    is_bare = settings.is_bare
    framing: Framing | None = None
    if status in _WITHOUT_CONTENT:
        framing, framing_line = NO_BODY, b""
    elif not is_persistent and not content_length and is_bare:
        # The reference's 301 and 404: nothing says how long they are, the close does.
        framing, framing_line = Delimited.UNTIL_CLOSE, b""
    elif content_length is not None:
        if content_length < 0:
            raise LocalProtocolError(f"content of {content_length} bytes")
        framing_line = b"Content-Length: %d\r\n" % content_length
    else:
        framing, framing_line = _framing(request)
    if not is_persistent or request is None or framing is Delimited.UNTIL_CLOSE:
        connection_line = _CLOSE_LINE
    elif is_bare:
        connection_line = _bare_connection_line(request)
    else:
        # HTTP/1.1 persists without a word; HTTP/1.0 asked for it and must be told.
        connection_line = b"" if request.version >= HTTP_1_1 else _KEEP_ALIVE_LINE
    if is_bare:
        parts = [status_line, connection_line, fields.serialised, framing_line, b"\r\n"]
    else:
        date = settings.date
        second = int(now + date.offset)
        if second != date.second:
            date.render(second)
        date_line = date.line
        parts = [
            status_line, date_line, fields.serialised, framing_line, connection_line, b"\r\n"
        ]  # fmt: skip
    return parts, framing


def _framing(request: RequestHead | None) -> tuple[Framing, bytes]:
    """
    Choose the framing of content of unknown length, and write the field line that says so.
    """
    if request is not None and request.version >= HTTP_1_1:
        return Delimited.CHUNKED, b"Transfer-Encoding: chunked\r\n"
    return Delimited.UNTIL_CLOSE, b""


def _bare_connection_line(request: RequestHead) -> bytes:
    """
    Write that the connection persists, in the words of the request where it has any.
    """
    said = request.fields.get(b"connection")
    if said is not None and said.lower() == b"keep-alive":
        return b"Connection: %b\r\n" % said
    return _KEEP_ALIVE_LINE


def _status_line(head: FinalHead) -> bytes:
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
