"""
Responses as values, and those that every resource needs: error pages and redirections.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass
from html import escape
from typing import Final, Protocol

from netlab.http1.sansio.fields import NO_FIELDS, Fields
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.statuses import REASON_PHRASES


class ContentSource(Protocol):
    """
    Content that is not at hand as bytes: its length is known, its pieces are asked for.
    """

    @property
    def length(self) -> int:
        """
        How many bytes there are in all.
        """

    def read(self, count: int) -> bytes:
        """
        Return the next piece.

        @param count: the most bytes it may have, at least 1.
        @return: at least one byte; none says that the content has become shorter than L{length}.
        @raise OSError: when it cannot be read.
        """

    def close(self) -> None:
        """
        Give back what reading needs; called exactly once, whether or not all was read.
        """


class SwitchedProtocol(Protocol):
    """
    A Twisted protocol that can be closed in order.
    """

    def close(self) -> None:
        """
        Send what is still to be sent, then close. Harmless when repeated or too late.
        """

    def abort(self) -> None:
        """
        Close now. Harmless when repeated or too late.
        """


@dataclass(frozen=True, slots=True)
class Upgrade:
    """
    In place of content, with the status 101: from now on another protocol is spoken on the
    connection (RFC 9110 section 7.8). The fields say which, in Upgrade and Connection.

    @ivar protocol: a Twisted protocol; it is given the transport when the 101 has been sent.
    """

    protocol: SwitchedProtocol


@dataclass(frozen=True, slots=True)
class Response:
    """
    An answer. The connection adds Date, Connection and the framing: none of these may be among the
    fields.

    @ivar status: 200 to 999; 101 with an L{Upgrade}.
    @ivar fields: the header section.
    @ivar content: the content; it is left out, but counted, in the answer to HEAD. An asynchronous
        iterator is content of unknown length: it is sent as it comes, chunked to HTTP/1.1 and up to
        the close of the connection to HTTP/1.0.
    @ivar closes: end the connection after this answer.
    @ivar repeat_seconds: for how long from now on the same request head may be answered by the
        same bytes without asking again. The answer must then depend on nothing but the request
        head.
    @ivar renew: asked when C{repeat_seconds} are over; returns for how many seconds more the same
        bytes may be sent, 0 where they may not. None: ask for the answer anew.
    @ivar reason: the reason phrase; None takes the registered one.
    @ivar content_length: of an asynchronous iterator, where it is known: how many bytes it yields,
        but for an answer that has no content. It is sent then as Content-Length; other content says
        itself how long it is.
    """

    status: int = 200
    fields: Fields = NO_FIELDS
    content: bytes | ContentSource | AsyncIterable[bytes] | Upgrade = b""
    closes: bool = False
    repeat_seconds: float = 0.0
    renew: Callable[[], float] | None = None
    reason: bytes | None = None
    content_length: int | None = None


KNOWN_METHODS: Final = frozenset(
    (b"CONNECT", b"DELETE", b"GET", b"HEAD", b"OPTIONS", b"PATCH", b"POST", b"PUT", b"TRACE")
)
"""RFC 9110 section 9 and RFC 5789; any other method is 501."""

_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{status} {reason}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 15vh auto; max-width: 34rem; padding: 1rem }}
</style>
</head>
<body>
<h1>{status} {reason}</h1>
<p>{explanation}</p>
</body>
</html>
"""

_EXPLANATIONS: Final[dict[int, str]] = {
    401: "This address is for those who know a password.",
    403: "This server may not read what this address stands for.",
    404: "There is nothing at this address.",
    405: "This address does not do what was asked of it.",
    408: "The request took too long to arrive.",
    412: "What is here now does not meet the conditions of the request.",
    416: "The range asked for lies outside of what is here.",
    421: "This address begins with https, which is spoken over TLS only.",
    500: "The server has made a mistake; its log says which.",
    501: "The server does not know this method.",
    503: "The server is busy. Please try again in a while.",
}


_PAGE_FIELDS: Final = (
    (b"Content-Type", b"text/html; charset=utf-8"),
    (b"X-Content-Type-Options", b"nosniff"),
)


@dataclass(frozen=True, slots=True)
class Pages:
    """
    Writes the answers that are no file: what is wrong, and where else to look.

    @ivar is_bare: as the reference did: a status line, the fields given and C{Connection: close}.
    """

    is_bare: bool = False

    def error(
        self,
        status: int,
        explanation: str | None = None,
        fields: Fields = NO_FIELDS,
        *,
        closes: bool = False,
    ) -> Response:
        """
        Write an error page.

        @param status: 400 or above; 404 always closes the connection, as the reference did.
        @param explanation: a sentence for a person; None takes the usual one.
        @param fields: what else the header section has.
        @param closes: end the connection after the answer.
        """
        if self.is_bare:
            return Response(status, fields, closes=True)
        reason = REASON_PHRASES.get(status, b"Error").decode("ascii")
        sentence = _EXPLANATIONS.get(status, "") if explanation is None else explanation
        page = _PAGE.format(status=status, reason=reason, explanation=escape(sentence))
        return Response(
            status,
            Fields.known([*fields.lines, *_PAGE_FIELDS]),
            page.encode(),
            closes=closes or status == 404,
        )

    def redirection(self, location: bytes, status: int = 301) -> Response:
        """
        Write a redirection with a link for a person; 301 always closes the connection, as the
        reference did.

        @param location: the Location field's value: a URI reference in ASCII.
        @param status: 301, 302, 303, 307 or 308.
        """
        field = (b"Location", location)
        if self.is_bare:
            return Response(status, Fields([field]), closes=True)
        link = escape(location.decode("ascii"))
        page = _PAGE.format(
            status=status,
            reason=REASON_PHRASES[status].decode("ascii"),
            explanation=f'It is <a href="{link}">over there</a>.',
        )
        return Response(status, Fields([field, *_PAGE_FIELDS]), page.encode(), closes=status == 301)


def refuse_method(
    head: RequestHead, pages: Pages, allowed: tuple[bytes, ...] = (b"GET", b"HEAD")
) -> Response | None:
    """
    Answer for a resource that has only some methods: 501 for a method that nobody knows, 405 with
    Allow for one that is not allowed here, and what is allowed for OPTIONS.

    @param allowed: the methods that the resource answers itself, besides OPTIONS.
    @return: None where the resource is to answer.
    """
    if head.method in allowed:
        return None
    allow = Fields.known([(b"Allow", b", ".join((*allowed, b"OPTIONS")))])
    if head.method == b"OPTIONS":
        return Response(204, allow)
    if head.method not in KNOWN_METHODS:
        return pages.error(501)
    # Behind CONNECT a client may already send what is meant for the tunnel, not for us.
    return pages.error(405, fields=allow, closes=head.method == b"CONNECT")
