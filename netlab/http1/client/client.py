"""
An HTTP client: persistent connections, reconnecting, redirects::

    async with HTTPClient(reactor) as client:
        response = await client.get("http://localhost:8080/")
        print(response.status, await response.read())
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import (
    ConnectError,
    ConnectingCancelledError,
    DNSLookupError,
)
from twisted.internet.error import (
    ConnectionRefusedError as RefusedError,
)
from twisted.internet.error import (
    TimeoutError as ConnectTimeoutError,
)
from twisted.internet.interfaces import IAddress, IStreamClientEndpoint

from netlab.factories import Factory
from netlab.http1.client.clientprotocol import HTTPClientProtocol
from netlab.http1.client.clientresponse import ClientResponse, ConnectionEnded, RequestError
from netlab.http1.sansio.clientconnection import ClientSettings
from netlab.http1.sansio.fields import NO_FIELDS, Fields
from netlab.http1.sansio.messages import RequestHead, ResponseHead
from netlab.http1.sansio.url import URL, URLError, parse_url, resolve
from netlab.transport.client import connecting_reactor

_Origin: TypeAlias = tuple[str, str, int]

REDIRECTS_MAX: Final = 10
"""How many redirects are followed for one request. Browsers 20, curl 50, RFC 2068 said 5."""

_IDLE_CONNECTIONS_MAX: Final = 16
_URLS_MAX: Final = 64
_CLOSING_SECONDS: Final = 2.0
_DISCARDING_SECONDS: Final = 2.0

_OF_THE_ORIGIN: Final = (b"host", b"authorization", b"cookie", b"proxy-authorization")
"""Fields of a request that are not repeated to another origin (RFC 9110 section 15.4)."""

_OF_THE_CONTENT: Final = (
    b"content-encoding",
    b"content-language",
    b"content-length",
    b"content-location",
    b"content-type",
    b"transfer-encoding",
)


#: Programs ask for the same again: what follows from a URL alone is worked out once.
_parsed: Final = lru_cache(_URLS_MAX)(parse_url)


@lru_cache(_URLS_MAX)
def _plain_get(url: URL) -> RequestHead:
    """
    Write the head of a GET with no field but Host.
    """
    return RequestHead(b"GET", url.request_target, fields=Fields([(b"Host", url.authority)]))


@dataclass(frozen=True, slots=True)
class Request:
    """
    What is asked for.

    @ivar fields: the header section without Content-Length. Where it has no Host, one is put first.
    """

    method: bytes
    url: URL
    fields: Fields = NO_FIELDS
    content: bytes = b""

    def head(self) -> RequestHead:
        """
        Write the head.
        """
        if self.method == b"GET" and not self.fields and not self.content:
            return _plain_get(self.url)
        lines = list(self.fields)
        if b"host" not in self.fields:
            lines.insert(0, (b"Host", self.url.authority))
        if self.content or self.method in (b"POST", b"PUT", b"PATCH"):
            # RFC 9110 section 8.6: these say so even where there is none.
            lines.append((b"Content-Length", b"%d" % len(self.content)))
        return RequestHead(self.method, self.url.request_target, fields=Fields(lines))


def redirected(request: Request, head: ResponseHead) -> Request | None:
    """
    Find the request that a redirect asks for (RFC 9110 section 15.4).

    @return: None where this answer is no redirect that can be followed: it is the answer.
    @raise RequestError: the redirect is one that must not be followed.
    """
    if head.status not in (301, 302, 303, 307, 308):
        return None
    locations = head.fields.get_all(b"location")
    if not locations:
        return None
    if len(locations) > 1:
        raise RequestError(f"{request.url}: the redirect names more than one location")
    try:
        url = resolve(request.url, locations[0])
    except URLError as error:
        raise RequestError(f"{request.url}: the redirect leads nowhere: {error}") from error
    if request.url.scheme == "https" and url.scheme == "http":
        raise RequestError(f"{request.url}: not redirected from https to http: {url}")
    method, content = request.method, request.content
    dropped: set[bytes] = set()
    if (head.status == 303 and method != b"HEAD") or (
        head.status in (301, 302) and method == b"POST"
    ):
        method, content = b"GET", b""
        dropped.update(_OF_THE_CONTENT)
    if url.origin != request.url.origin:
        dropped.update(_OF_THE_ORIGIN)
    kept = Fields.known([line for line in request.fields if line[0].lower() not in dropped])
    return Request(method, url, kept, content)


class _ClientFactory(Factory[HTTPClientProtocol]):
    """
    Makes the protocol of one connection.
    """

    noisy = False

    def __init__(
        self,
        reactor: Any,
        settings: ClientSettings,
        release: Callable[[HTTPClientProtocol], None],
    ) -> None:
        self._arguments = (reactor, settings, release)

    def buildProtocol(self, addr: IAddress | None) -> HTTPClientProtocol:
        return HTTPClientProtocol(*self._arguments)


class HTTPClient:
    """
    Asks servers, and keeps one idle connection to each for the next request.

    A request that finds its connection closed by the server's idle timeout is sent once more, on a
    new connection, if its method is idempotent and no byte of an answer has come.
    """

    def __init__(
        self,
        reactor: Any,
        settings: ClientSettings | None = None,
        connect_timeout: float = 30.0,
        trust_root: Any = None,
        endpoint_for: Callable[[URL], IStreamClientEndpoint] | None = None,
    ) -> None:
        """
        @param reactor: connects, tells the time and calls later.
        @param settings: the bounds and timeouts of each connection.
        @param connect_timeout: seconds to find the server and to connect.
        @param trust_root: whom to believe that a server is who it says (Twisted's
            C{IOpenSSLTrustRoot}); None takes the system's certificates.
        @param endpoint_for: where to connect for a URL; None takes its host and port, by IPv4 or
            IPv6, with TLS for https.
        """
        self._reactor = reactor
        self._settings = settings or ClientSettings()
        self._connect_timeout = connect_timeout
        self._trust_root = trust_root
        self._endpoint_for = endpoint_for or self._endpoint
        self._idle: dict[_Origin, HTTPClientProtocol] = {}
        self._open: set[HTTPClientProtocol] = set()
        self._is_closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def get(
        self, url: str | URL, fields: Fields = NO_FIELDS, redirects_max: int = REDIRECTS_MAX
    ) -> ClientResponse:
        """
        Ask with GET, and follow redirects.

        @param fields: besides Host, which is added.
        @param redirects_max: 0 follows none: the redirect is the answer.
        @return: the response, of any status, as soon as its head has come.
        @raise RequestError: there is no answer.
        @raise URLError: this is no URL.
        """
        at = _parsed(url) if isinstance(url, str) else url
        return await self.request(Request(b"GET", at, fields), redirects_max)

    async def request(
        self,
        request: Request,
        redirects_max: int = 0,
        on_redirect: Callable[[ClientResponse], None] | None = None,
    ) -> ClientResponse:
        """
        Ask for anything.

        @param on_redirect: is called with each answer that is followed, before its content is
            thrown away.
        @return: the response, of any status, as soon as its head has come.
        @raise RequestError: there is no answer.
        @raise LocalProtocolError: this is no request that may be sent.
        """
        way = [request]
        while True:
            response = await self._ask(request)
            following = redirected(request, response.head) if redirects_max else None
            if following is None:
                return response
            if on_redirect is not None:
                on_redirect(response)
            await self.discard(response)
            request = following
            if any((step.method, step.url) == (request.method, request.url) for step in way):
                steps = " to ".join(str(step.url) for step in (*way, request))
                raise RequestError(f"{way[0].url}: the redirects go round in a circle: {steps}")
            if len(way) > redirects_max:
                raise RequestError(f"{way[0].url}: more than {redirects_max} redirects")
            way.append(request)

    async def discard(self, response: ClientResponse) -> None:
        """
        Throw the rest of an answer's content away; for a moment only, so that a server that has
        nothing more to say that matters cannot keep us.
        """
        rest = Deferred.fromCoroutine(response.discard())
        await rest.addTimeout(_DISCARDING_SECONDS, self._reactor)

    async def close(self) -> None:
        """
        Close all connections, in order where no answer is outstanding, and wait until they are
        gone. What is still being asked for fails; nothing can be asked for any more.
        """
        self._is_closed = True
        for connection in list(self._open):
            # One that is not idle may have given its answer whole, and be told so just now. A RST
            # would tell its server that the answer has not arrived.
            if connection.is_waiting:
                connection.abort()
            else:
                connection.close()
        self._idle.clear()
        if self._open:
            # A TLS peer that does not answer our goodbye would keep us for ever.
            late = self._reactor.callLater(_CLOSING_SECONDS, self._abort_all)
            await DeferredList([connection.lost for connection in self._open])
            if late.active():
                late.cancel()

    def _abort_all(self) -> None:
        for connection in list(self._open):
            connection.abort()

    async def _ask(self, request: Request) -> ClientResponse:
        """
        Ask once, or twice where the first time was in vain.
        """
        name = request.url
        head = request.head()
        self._check_open(request.url)
        connection = self._idle.pop(request.url.origin, None)
        if connection is not None and connection.is_ready:
            try:
                return await connection.request(head, request.content, name)
            except ConnectionEnded as error:
                if not error.may_repeat:
                    raise
        connection = await self._connect(request.url)
        return await connection.request(head, request.content, name)

    async def _connect(self, url: URL) -> HTTPClientProtocol:
        timeout = self._connect_timeout
        origin = url.origin

        def release(connection: HTTPClientProtocol) -> None:
            self._release(origin, connection)

        factory = _ClientFactory(self._reactor, self._settings, release)
        try:
            connecting = self._endpoint_for(url).connect(factory)
            connection = await connecting.addTimeout(timeout, self._reactor)
        except RefusedError as error:
            raise RequestError(f"{url}: connection refused: nothing listens there") from error
        except DNSLookupError as error:
            raise RequestError(f"{url}: unknown host: {url.host}") from error
        except (DeferredTimeoutError, ConnectTimeoutError, ConnectingCancelledError) as error:
            raise RequestError(f"{url}: no connection within {timeout:g} seconds") from error
        except (ConnectError, OSError, ValueError) as error:
            raise RequestError(f"{url}: no connection: {error}") from error
        assert isinstance(connection, HTTPClientProtocol)
        self._open.add(connection)
        connection.lost.addCallback(lambda _: self._forget(origin, connection))
        try:
            self._check_open(url)
        except RequestError:
            connection.abort()
            raise
        return connection

    def _check_open(self, url: URL) -> None:
        if self._is_closed:
            raise RequestError(f"{url}: given up: the client is closed")

    def _release(self, origin: _Origin, connection: HTTPClientProtocol) -> None:
        """
        Keep a connection for the next request; one for each origin, and of origins the last ones.
        """
        if origin in self._idle:
            connection.close()
            return
        self._idle[origin] = connection
        if len(self._idle) > _IDLE_CONNECTIONS_MAX:
            self._idle.pop(next(iter(self._idle))).close()

    def _forget(self, origin: _Origin, connection: HTTPClientProtocol) -> None:
        self._open.discard(connection)
        if self._idle.get(origin) is connection:
            del self._idle[origin]

    def _endpoint(self, url: URL) -> IStreamClientEndpoint:
        endpoint: IStreamClientEndpoint = HostnameEndpoint(
            connecting_reactor(self._reactor), url.host, url.port, timeout=self._connect_timeout
        )
        if url.scheme == "http":
            return endpoint
        try:
            from twisted.internet.ssl import optionsForClientTLS
        except ImportError as error:
            raise RequestError(f"{url}: https needs pip install 'twisted[tls]'") from error
        options = optionsForClientTLS(url.host, trustRoot=self._trust_root)
        return wrapClientTLS(options, endpoint)
