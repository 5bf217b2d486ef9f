"""
What answers requests: a request head goes in, a response comes out, now or later.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol, TypeAlias

from twisted.internet.defer import Deferred

from netlab.http1.resources.connectionfacts import Binder, ConnectionFacts, binder_of, rebinding
from netlab.http1.resources.receiving import RequestContent
from netlab.http1.resources.redirects import RedirectRules
from netlab.http1.resources.responses import Pages, Response, refuse_method
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.target import TargetForm

Answer: TypeAlias = Response | Deferred[Response] | Coroutine[Deferred[Any], Any, Response]
"""A response, now or later."""


Receiver: TypeAlias = Callable[[RequestHead, RequestContent], Answer]
"""Answers a request with content, which it reads."""


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


class ReceivingResource(Resource, Protocol):
    """
    A resource that wants the content of some requests::

        class Length:
            def respond(self, head: RequestHead) -> Response:
                return Response(405, Fields([(b"Allow", b"POST")]))

            def receiver(self, head: RequestHead) -> Receiver | None:
                return self.measure if head.method == b"POST" else None

            async def measure(self, head: RequestHead, content: RequestContent) -> Response:
                length = 0
                async for piece in content:
                    length += len(piece)
                return Response(200, content=b"%d bytes" % length)

    A resource in front of another one passes the question on by L{receiver_of}. One that does not
    is on the safe side: its C{respond} answers, and the content is thrown away.
    """

    def receiver(self, head: RequestHead) -> Receiver | None:
        """
        Say what answers this request and reads its content. It is asked for each request that has
        content, and for each whose method is neither GET nor HEAD.

        @return: None where C{respond} is to answer, and nobody wants the content.
        """


class ConnectedResource(Protocol):
    """
    A resource that wants to know what surrounds a request: it is made for each connection. A
    resource in front of another one passes that on by
    L{rebinding<netlab.http1.resources.connectionfacts.rebinding>}.
    """

    def for_connection(self, facts: ConnectionFacts) -> Resource:
        """
        Make what answers the requests of one connection.
        """


def receiver_of(resource: Resource, head: RequestHead) -> Receiver | None:
    """
    Ask a resource who wants this request's content; most resources never do.
    """
    ask: Callable[[RequestHead], Receiver | None] | None = getattr(resource, "receiver", None)
    return None if ask is None else ask(head)


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
class Nothing:
    """
    A resource where there is nothing.

    @ivar pages: writes the page that says so.
    """

    pages: Pages

    def respond(self, head: RequestHead) -> Response:
        """
        Answer 404.
        """
        refusal = refuse_method(head, self.pages)
        return self.pages.error(404) if refusal is None else refusal


@dataclass(frozen=True, slots=True)
class Redirected:
    """
    Sends elsewhere what the rules cover, and leaves the rest to another resource.

    @ivar rules: from a file of redirects.
    @ivar otherwise: answers all other paths.
    @ivar pages: writes the pages with the links.
    """

    rules: RedirectRules
    otherwise: Resource
    pages: Pages

    def respond(self, head: RequestHead) -> Answer:
        """
        Answer, or let the other resource do it.
        """
        redirection = self.rules.lookup(head.target.segments, head.target.query)
        if redirection is None:
            return self.otherwise.respond(head)
        return Redirect(redirection.location, redirection.status, self.pages).respond(head)

    def receiver(self, head: RequestHead) -> Receiver | None:
        """
        Let the other resource say.
        """
        redirection = self.rules.lookup(head.target.segments, head.target.query)
        return receiver_of(self.otherwise, head) if redirection is None else None

    @property
    def for_connection(self) -> Binder[Resource] | None:
        """
        Be made anew where the other resource is.
        """
        return rebinding(self.otherwise, lambda otherwise: replace(self, otherwise=otherwise))


@dataclass(frozen=True, slots=True)
class WithFields:
    """
    Adds the same field lines to every answer of another resource, in place of its own fields of
    those names.

    @ivar resource: the other one.
    @ivar lines: the field lines.
    """

    resource: Resource
    lines: tuple[tuple[bytes, bytes], ...]
    _replaced: frozenset[bytes] = field(init=False)

    def __post_init__(self) -> None:
        """
        Find the names of the fields that give way; Vary is a list, and grows.
        """
        names = frozenset(name.lower() for name, _value in self.lines)
        object.__setattr__(self, "_replaced", names - {b"vary"})

    def respond(self, head: RequestHead) -> Answer:
        """
        Let the other resource answer, and add to that.
        """
        return _add_fields(self.resource.respond(head), self.lines, self._replaced)

    def receiver(self, head: RequestHead) -> Receiver | None:
        """
        Let the other resource say, and add to what it answers.
        """
        receiver = receiver_of(self.resource, head)
        return receiver and _adding_fields(receiver, self.lines, self._replaced)

    @property
    def for_connection(self) -> Binder[Resource] | None:
        """
        Be made anew where the other resource is.
        """
        return rebinding(self.resource, lambda resource: replace(self, resource=resource))


@dataclass(frozen=True, slots=True)
class CrossOrigin:
    """
    Lets pages of other origins read the answers of another resource (Fetch standard, "CORS
    protocol"); never with credentials.

    @ivar resource: the other one.
    @ivar origins: as browsers send them in Origin; C{*} stands for all.
    """

    resource: Resource
    origins: tuple[bytes, ...]

    def respond(self, head: RequestHead) -> Answer:
        """
        Answer a preflight, or let the other resource answer and add to that.
        """
        lines = self._lines(head)
        if _is_preflight(head):
            return Response(204, Fields.known((*lines, *_PREFLIGHT_LINES)))
        return _add_fields(self.resource.respond(head), (*lines, _EXPOSE_LINE))

    def receiver(self, head: RequestHead) -> Receiver | None:
        """
        Let the other resource say, and add to what it answers.
        """
        receiver = None if _is_preflight(head) else receiver_of(self.resource, head)
        return receiver and _adding_fields(receiver, (*self._lines(head), _EXPOSE_LINE))

    @property
    def for_connection(self) -> Binder[Resource] | None:
        """
        Be made anew where the other resource is.
        """
        return rebinding(self.resource, lambda resource: replace(self, resource=resource))

    def _lines(self, head: RequestHead) -> tuple[tuple[bytes, bytes], ...]:
        if b"*" in self.origins:
            return ((b"Access-Control-Allow-Origin", b"*"),)
        vary = (b"Vary", b"Origin")
        origin = head.fields.get(b"origin")
        if origin is not None and origin in self.origins:
            return (vary, (b"Access-Control-Allow-Origin", origin))
        return (vary,)


def _is_preflight(head: RequestHead) -> bool:
    fields = head.fields
    return (
        head.method == b"OPTIONS"
        and b"origin" in fields
        and b"access-control-request-method" in fields
    )


_PREFLIGHT_LINES: Final = (
    (b"Access-Control-Allow-Methods", b"GET, HEAD"),
    (b"Access-Control-Allow-Headers", b"*"),
    (b"Access-Control-Max-Age", b"86400"),
)
_EXPOSE_LINE: Final = (
    b"Access-Control-Expose-Headers",
    b"Accept-Ranges, Content-Encoding, Content-Length, Content-Range, ETag",
)


def _add_fields(
    answer: Answer,
    lines: tuple[tuple[bytes, bytes], ...],
    replaced: frozenset[bytes] = frozenset(),
) -> Answer:
    """
    Add field lines to a response that is here or will come.

    @param replaced: lower-case names of fields that it loses.
    """

    def add(response: Response) -> Response:
        kept = (line for line in response.fields if line[0].lower() not in replaced)
        return replace(response, fields=Fields.known((*kept, *lines)))

    if isinstance(answer, Response):
        return add(answer)
    later = answer if isinstance(answer, Deferred) else Deferred.fromCoroutine(answer)
    return later.addCallback(add)


def _adding_fields(
    receiver: Receiver,
    lines: tuple[tuple[bytes, bytes], ...],
    replaced: frozenset[bytes] = frozenset(),
) -> Receiver:
    """
    Make a receiver that adds field lines to what another answers; the rest as L{_add_fields}.
    """

    def receive(head: RequestHead, content: RequestContent) -> Answer:
        return _add_fields(receiver(head, content), lines, replaced)

    return receive


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
    #: By paths that are just the segments, joined.
    _by_path: Mapping[bytes, Resource] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """
        Join paths.
        """
        by_path = {
            b"/" + b"/".join(segments): resource
            for segments, resource in self.routes.items()
            if not any(b"/" in segment for segment in segments)
        }
        object.__setattr__(self, "_by_path", by_path)

    @property
    def for_connection(self) -> Binder[Resource] | None:
        """
        Be made anew where one of the resources behind it is.
        """
        if all(binder_of(one) is None for one in (*self.routes.values(), self.otherwise)):
            return None

        def bind(facts: ConnectionFacts) -> Router:
            def bound(resource: Resource) -> Resource:
                binder = binder_of(resource)
                return resource if binder is None else binder(facts)

            routes = {segments: bound(resource) for segments, resource in self.routes.items()}
            return replace(self, routes=routes, otherwise=bound(self.otherwise))

        return bind

    def respond(self, head: RequestHead) -> Answer:
        """
        Answer, or let another resource do it.
        """
        target = head.target
        if target.form is TargetForm.ORIGIN and target.decoded is None:
            # As it came, the path says what its segments would.
            return self._by_path.get(target.path, self.otherwise).respond(head)
        if target.form in (TargetForm.ASTERISK, TargetForm.AUTHORITY):
            refusal = refuse_method(head, self.pages)
            assert refusal is not None, "only OPTIONS and CONNECT have such targets"
            return refusal
        return self.routes.get(head.target.segments, self.otherwise).respond(head)

    def receiver(self, head: RequestHead) -> Receiver | None:
        """
        Let the chosen resource say.
        """
        if head.target.form in (TargetForm.ASTERISK, TargetForm.AUTHORITY):
            return None
        return receiver_of(self.routes.get(head.target.segments, self.otherwise), head)
