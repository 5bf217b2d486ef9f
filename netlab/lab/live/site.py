"""
The site: the page, its events, what it can ask for, and the results.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from netlab.http1.resources.beneath import Root
from netlab.http1.resources.hostguard import Names
from netlab.http1.resources.receiving import RequestContent
from netlab.http1.resources.resource import Answer, Receiver, Resource, Router, WithFields
from netlab.http1.resources.responses import Pages, Response, refuse_method
from netlab.http1.resources.serverevents import EVENT_STREAM
from netlab.http1.resources.static import StaticFiles
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.messages import RequestHead
from netlab.lab.api.knobs import KNOBS
from netlab.lab.api.script import rule_text
from netlab.lab.live.bench import Bench, RefusedError
from netlab.lab.live.feed import Feed, TooManyListenersError
from netlab.lab.live.guards import Guarded
from netlab.lab.live.order import ORDER_MAX_BYTES, OrderError, read_order
from netlab.lab.results.catalogue import REFERENCE, load, names
from netlab.lab.results.description import wire_lines
from netlab.lab.wire.places import RESULTS

_PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

#: A report is a page of its own: it needs nothing of ours, and shall reach nothing of ours.
_REPORT_POLICY: Final = "sandbox allow-scripts allow-downloads; frame-ancestors 'none'"

_FIELDS: Final = (
    (b"Cache-Control", b"no-store"),
    (b"Cross-Origin-Opener-Policy", b"same-origin"),
    (b"Cross-Origin-Resource-Policy", b"same-origin"),
    (b"Referrer-Policy", b"no-referrer"),
    (b"X-Content-Type-Options", b"nosniff"),
)

#: The page's script, and the modules that it imports.
_SCRIPTS: Final = (
    "live.js",
    "bench.js",
    "detail.js",
    "dom.js",
    "ladder.js",
    "playback.js",
    "result.js",
)

_RETRY: Final = (b"Retry-After", b"5")


def make_site(
    bench: Bench,
    feed: Feed,
    folder: Callable[[], Path],
    seconds: Callable[[], float],
    names: Names,
    token: str,
) -> Resource:
    """
    Put the site together.

    @param folder: tells where the results are, once there may be some.
    @param seconds: tells the time in seconds since the epoch.
    @param names: by what names it may be asked for.
    @param token: what only the page knows.
    """
    pages = Pages()
    report = files("netlab.report") / "templates" / "report.css"
    assets = files("netlab.lab.live") / "templates"
    page = _render_page(token).encode()
    policy = (b"Content-Security-Policy", _PAGE_POLICY.encode())
    routes: dict[tuple[bytes, ...], Resource] = {
        (b"",): _Asset(page, b"text/html; charset=utf-8", (policy,)),
        (b"report.css",): _Asset(report.read_bytes(), b"text/css; charset=utf-8"),
        (b"live.css",): _Asset((assets / "live.css").read_bytes(), b"text/css; charset=utf-8"),
        (b"events",): Events(feed, pages),
        (b"run",): Action(lambda data: _begin(bench, data), pages),
        (b"stop",): Action(lambda _: _stop(bench), pages),
    }
    for name in _SCRIPTS:
        script = (assets / name).read_bytes()
        routes[name.encode(),] = _Asset(script, b"text/javascript; charset=utf-8")
    site = Router(routes, Results(folder, seconds, pages), pages)
    return WithFields(Guarded(site, names, token.encode(), pages), _FIELDS)


class _Asset:
    """
    One of the page's own files.
    """

    def __init__(
        self, content: bytes, media_type: bytes, lines: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        self._response = Response(200, Fields([(b"Content-Type", media_type), *lines]), content)

    def respond(self, head: RequestHead) -> Response:
        return refuse_method(head, Pages()) or self._response


class Events:
    """
    Shows the feed to every open page.
    """

    def __init__(self, feed: Feed, pages: Pages) -> None:
        """
        @param feed: what is shown.
        @param pages: writes error pages.
        """
        self._feed = feed
        self._pages = pages

    def respond(self, head: RequestHead) -> Response:
        """
        Answer with events, for as long as the client stays.
        """
        refusal = refuse_method(head, self._pages)
        if refusal is not None:
            return refusal
        if head.method == b"HEAD":
            return Response(200, EVENT_STREAM)
        try:
            listener = self._feed.listen(head.fields.get(b"last-event-id"))
        except TooManyListenersError:
            return _problem(503, "too many pages look on already; close one", _RETRY)
        return Response(200, EVENT_STREAM, listener)


class Action:
    """
    Does something that the page asks for by POST.
    """

    def __init__(self, act: Callable[[bytes], dict[str, Any]], pages: Pages) -> None:
        """
        @param act: is given the request's content, and returns what is answered as JSON. Its
            L{OrderError} becomes a 400, its L{RefusedError} a 409.
        @param pages: writes error pages.
        """
        self._act = act
        self._pages = pages

    def respond(self, head: RequestHead) -> Response:
        """
        Answer for all other methods.
        """
        refusal = refuse_method(head, self._pages, (b"POST",))
        assert refusal is not None, "POST has a receiver"
        return refusal

    def receiver(self, head: RequestHead) -> Receiver | None:
        """
        Read what comes by POST.
        """
        return self._receive if head.method == b"POST" else None

    async def _receive(self, head: RequestHead, content: RequestContent) -> Response:
        data = await content.read(ORDER_MAX_BYTES)
        try:
            return _json(202, self._act(data))
        except OrderError as error:
            return _problem(400, str(error))
        except RefusedError as error:
            return _problem(409, str(error))


class Results:
    """
    The files of runs: of each experiment those that a run is known to leave, and nothing else.
    """

    def __init__(
        self, folder: Callable[[], Path], seconds: Callable[[], float], pages: Pages
    ) -> None:
        """
        @param folder: tells where they are; it exists when it is first asked.
        @param seconds: tells the time in seconds since the epoch.
        @param pages: writes error pages.
        """
        self._folder = folder
        self._seconds = seconds
        self._pages = pages
        self._experiments = frozenset(name.encode() for name in names())
        self._files = frozenset(name.encode() for name in RESULTS)
        self._static: StaticFiles | None = None

    def respond(self, head: RequestHead) -> Answer:
        """
        Answer with a file.
        """
        refusal = refuse_method(head, self._pages)
        if refusal is not None:
            return refusal
        match head.target.segments:
            case (b"results", name, file) if name in self._experiments and file in self._files:
                return self._file(head, name, file)
            case _:
                return self._pages.error(404)

    def _file(self, head: RequestHead, name: bytes, file: bytes) -> Response:
        if self._static is None:
            self._static = StaticFiles(Root(self._folder()), self._seconds)
        target = replace(head.target, path=b"/%b/%b" % (name, file), decoded=(name, file))
        response = self._static.respond(replace(head, target=target))
        lines = [*response.fields.lines, (b"Content-Security-Policy", _REPORT_POLICY.encode())]
        # A run may replace it at any time.
        return replace(response, fields=Fields.known(lines), repeat_seconds=0.0, renew=None)


def _begin(bench: Bench, data: bytes) -> dict[str, Any]:
    order = read_order(data)
    return {"run": bench.begin(order.experiment, order.knobs)}


def _stop(bench: Bench) -> dict[str, Any]:
    bench.stop()
    return {}


def _json(status: int, data: dict[str, Any], *lines: tuple[bytes, bytes]) -> Response:
    fields = Fields([(b"Content-Type", b"application/json"), *lines])
    return Response(status, fields, json.dumps(data).encode())


def _problem(status: int, text: str, *lines: tuple[bytes, bytes]) -> Response:
    return _json(status, {"problem": text}, *lines)


def _render_page(token: str) -> str:
    """
    Write the page.
    """
    environment = Environment(
        loader=PackageLoader("netlab.lab.live"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    experiments = [load(name) for name in names()]
    described = [
        {
            "name": each.name,
            "question": each.question,
            "programs": each.programs,
            "look_for": each.look_for,
            "explanation": each.explanation,
            "wire": wire_lines(each.wire),
            "rules": [rule_text(rule) for rule in each.wire.rules],
            "seed": each.wire.seed,
            "is_reference": each.name in REFERENCE,
            "missing": [name for name in each.commands if shutil.which(name) is None],
        }
        for each in experiments
    ]
    # An attribute of an element, and so escaped like any other text.
    catalogue = json.dumps({each["name"]: each for each in described})
    return environment.get_template("live.html.j2").render(
        token=token, catalogue=catalogue, experiments=described, knobs=KNOBS
    )
