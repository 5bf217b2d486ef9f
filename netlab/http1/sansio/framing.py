"""
Message framing: how long a body is (RFC 9112 section 6).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, TypeAlias

from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.grammar import is_token, parse_decimal
from netlab.http1.sansio.messages import HTTP_1_1, RequestHead, ResponseHead
from netlab.http1.sansio.statuses import forbids_content

LENGTH_MAX_BYTES: Final = (1 << 63) - 1
"""A longer body is none: other readers keep its length in 64 bits with a sign."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """
    A body of exactly this many bytes, from Content-Length; 0 where there is none.
    """

    length: int


class Delimited(Enum):
    """
    The two framings without a length.
    """

    CHUNKED = auto()
    UNTIL_CLOSE = auto()


Framing: TypeAlias = Fixed | Delimited
NO_BODY: Final = Fixed(0)


def request_framing(head: RequestHead) -> Framing:
    """
    Find the framing of a request's body (RFC 9112 section 6.3).

    Where two readers of the same bytes could find different lengths, the second one would run the
    rest as a request of its own (request smuggling), so each doubt is an error.

    @raise RemoteProtocolError: 400, or 501 for transfer codings that we do not know.
    """
    fields = head.fields
    if b"transfer-encoding" in fields.index:
        if head.version < HTTP_1_1:
            raise RemoteProtocolError(400, "an HTTP/1.0 request has a Transfer-Encoding")
        if b"content-length" in fields:
            raise RemoteProtocolError(
                400, "the request has both a Content-Length and a Transfer-Encoding"
            )
        _check_codings(fields)
        return Delimited.CHUNKED
    length = _content_length(fields)
    return NO_BODY if not length else Fixed(length)


def response_framing(method: bytes, head: ResponseHead) -> Framing:
    """
    Find the framing of a response's body (RFC 9112 section 6.3).

    @param method: the method of the request that it answers.
    @raise RemoteProtocolError: when the length is in doubt.
    """
    fields = head.fields
    if forbids_content(head.status) or method == b"HEAD":
        return NO_BODY
    if b"transfer-encoding" in fields:
        if b"content-length" in fields:
            raise RemoteProtocolError(
                400, "the response has both a Content-Length and a Transfer-Encoding"
            )
        if head.version < HTTP_1_1:
            raise RemoteProtocolError(400, "an HTTP/1.0 response has a Transfer-Encoding")
        _check_codings(fields)
        return Delimited.CHUNKED
    length = _content_length(fields)
    return Delimited.UNTIL_CLOSE if length is None else Fixed(length)


def _content_length(fields: Fields) -> int | None:
    """
    Read Content-Length: one line with one number (RFC 9110 section 8.6).

    Equal duplicates, which a recipient may merge, are refused too: who sends them is in doubt.
    """
    values = fields.index.get(b"content-length")
    if values is None:
        return None
    if len(values) > 1:
        raise RemoteProtocolError(400, "there is more than one Content-Length")
    length = parse_decimal(values[0])
    if length is None or length > LENGTH_MAX_BYTES:
        raise RemoteProtocolError(400, "the Content-Length is not a number of bytes")
    return length


def _check_codings(fields: Fields) -> None:
    """
    Accept C{Transfer-Encoding: chunked}, once, and nothing else.

    Codings that we do not know get 501, before chunked or in its place (RFC 9112 section 6.1; it is
    what other servers say, too). Where chunked is there but not the last, or twice, or disguised as
    no token, nobody can know the length: 400 (section 6.3 item 4). An empty list element, which RFC
    9110 section 5.6.1.2 lets pass elsewhere, is a doubt here.
    """
    codings = [
        coding.strip(b" \t").lower()
        for value in fields.get_all(b"transfer-encoding")
        for coding in value.split(b",")
    ]
    if codings == [b"chunked"]:
        return
    if b"" in codings:
        raise RemoteProtocolError(400, "the Transfer-Encoding has an empty element")
    if b"chunked" in codings[:-1]:
        raise RemoteProtocolError(400, "chunked is not the last transfer coding, or is repeated")
    if not all(map(is_token, codings)):
        raise RemoteProtocolError(400, "the Transfer-Encoding is not a list of transfer codings")
    raise RemoteProtocolError(501, "only the transfer coding chunked is known here")
