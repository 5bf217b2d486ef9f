"""
What answers requests: a request head goes in, a response comes out, now or later.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from twisted.internet.defer import Deferred

from netlab.http1.messages import RequestHead
from netlab.http1.responses import Pages, Response, refuse_method
from netlab.http1.target import TargetForm

Answer: TypeAlias = Response | Deferred[Response] | Coroutine[Deferred[Any], Any, Response]
"""A response, now or later."""


class Resource(Protocol):
    """
    Anything that can answer a request::

        class Greeting:
            def respond(self, head: RequestHead) -> Response:
                return Response(200, Fields([(b"Content-Type", b"text/plain")]), b"Hello!")
    """

    def respond(self, head: RequestHead) -> Answer:
        """
        Answer a request.

        It may raise or fail with anything: the log then has the traceback, and the peer a 500
        without detail.

        @param head: a request head that is valid in all its parts; C{head.target.segments} are the
            segments of the path, decoded.
        """


@dataclass(frozen=True, slots=True)
class Redirect:
    """
    A resource that sends everyone elsewhere.

    @ivar location: a URI reference in ASCII.
    @ivar status: 301, 302, 303, 307 or 308.
    @ivar pages: writes the page with the link.
    """

    location: bytes
    status: int = 301
    pages: Pages = Pages()  # noqa: RUF009, it is frozen

    def respond(self, head: RequestHead) -> Response:
        """
        Answer GET and HEAD with the redirection.
        """
        refusal = refuse_method(head, self.pages)
        return self.pages.redirection(self.location, self.status) if refusal is None else refusal


@dataclass(frozen=True, slots=True)
class Router:
    """
    Chooses the resource by the path, compared as a whole; everything else is another resource's.

    C{OPTIONS *} asks about the server as a whole and is answered here.

    @ivar routes: resources by decoded path segments, as in C{Target.segments}.
    @ivar otherwise: answers all other paths.
    @ivar pages: writes error pages.
    """

    routes: Mapping[tuple[bytes, ...], Resource]
    otherwise: Resource
    pages: Pages

    def respond(self, head: RequestHead) -> Answer:
        """
        Answer, or let another resource do it.
        """
        if head.target.form in (TargetForm.ASTERISK, TargetForm.AUTHORITY):
            refusal = refuse_method(head, self.pages)
            assert refusal is not None, "only OPTIONS and CONNECT have such targets"
            return refusal
        return self.routes.get(head.target.segments, self.otherwise).respond(head)
