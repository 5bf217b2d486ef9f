"""
C{netlab get}: ask for URLs, or for paths typed one by one, and save what is found.

With a host and a port it is the reference client: the same bytes on the wire, the status line
alone on the terminal.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.python.usage import UsageError

from netlab.errors import KnownError
from netlab.http1.client.client import REDIRECTS_MAX, HTTPClient, Request
from netlab.http1.client.clientresponse import ClientResponse, RequestError
from netlab.http1.client.saving import OutputFolder, output_name
from netlab.http1.sansio.clientconnection import ClientSettings
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.grammar import is_authority
from netlab.http1.sansio.messages import ResponseHead
from netlab.http1.sansio.url import URL, URLError, encode_target, parse_url
from netlab.options import tcp_port
from netlab.terminal.foreground import run_until_done
from netlab.terminal.standardinput import StandardInputLines

_USER_AGENT: Final = (b"User-Agent", b"netlab")


@dataclass(frozen=True, slots=True)
class GetOptions:
    """
    How to ask.

    @ivar output_dir: the folder that the content of a 200 is saved in.
    @ivar follows: whether redirects are followed.
    @ivar includes_heads: whether whole heads are shown, and not only their status lines.
    @ivar closes: whether each request says that it is the last one on its connection.
    @ivar pause: seconds to wait after an answer before the next request.
    @ivar timeout: seconds that a connection may take, and then the head of an answer, and for which
        its content may make no progress.
    @ivar keylog: the file that the secrets of TLS are added to; None for none.
    @ivar max_time: seconds that all of one target may take, redirects and content too; C{None} is
        any time: a server that sends a byte now and then makes progress for ever.
    """

    output_dir: str = "."
    follows: bool = False
    includes_heads: bool = False
    closes: bool = False
    pause: float = 0.0
    timeout: float = 30.0
    keylog: str | None = None
    max_time: float | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """
    A host and a port to ask in the reference's bytes.

    @ivar host: as it was typed; in the Host field it stands without the port.
    """

    host: str
    port: int

    def request(self, typed: bytes, options: GetOptions) -> Request:
        """
        Make the request for a path.

        @param typed: a path with an optional query. What no request target may hold is encoded;
            dots are left for the server to judge.
        @raise URLError: it is no path.
        """
        if b"://" in typed.partition(b"?")[0]:
            raise URLError("this is a URL; netlab get HOST PORT reads paths")
        target = encode_target(typed if typed.startswith(b"/") else b"/" + typed)
        host = self.host.strip("[]")
        field = f"[{host}]" if ":" in host else host
        option = b"close" if options.closes else b"keep-alive"
        fields = Fields([(b"Host", field.encode("ascii")), (b"Connection", option)])
        return Request(b"GET", URL("http", host.lower(), self.port, target), fields)


def url_request(url: URL, options: GetOptions) -> Request:
    """
    Make the request for a URL, as the RFCs have it: Host with its port, and a User-Agent.
    """
    lines = [(b"Host", url.authority), _USER_AGENT]
    if options.closes:
        lines.append((b"Connection", b"close"))
    return Request(b"GET", url, Fields(lines))


def read_targets(targets: Sequence[str]) -> Server | list[URL]:
    """
    Tell the two forms of the command line apart.

    @raise UsageError: it is neither.
    """
    if len(targets) == 2 and not any("/" in target for target in targets):
        host = targets[0]
        plain = host.strip("[]")
        bracketed = f"[{plain}]" if ":" in plain else plain
        if not host.isascii() or not is_authority(bracketed.encode("ascii")):
            raise UsageError(
                f"HOST {host!a}: not a host name or an address; write localhost or ::1"
            )
        return Server(host, tcp_port("PORT", at_least=1)(targets[1]))
    urls = []
    for text in targets:
        if "://" not in text:
            advice = f"write http://{text}" if text.isprintable() else "write http://HOST/PATH"
            raise UsageError(
                f"URL {text!a}: no http:// or https://; {advice}, or a HOST and a PORT"
            )
        try:
            urls.append(parse_url(text))
        except URLError as error:
            raise UsageError(f"URL {text!a}: {error}") from error
    return urls


def visible(data: bytes) -> str:
    r"""
    Write bytes from the wire for a terminal: what is not printable ASCII as C{\xNN}.
    """
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in data)


def run_get(
    targets: Sequence[str],
    options: GetOptions,
    reactor: Any,
    show: Callable[[str], object],
    complain: Callable[[str], object],
) -> int:
    """
    Ask for everything, one after the other.

    @param targets: URLs, or a host and a port; then the paths are the lines of standard input.
    @param reactor: not running yet; it is run.
    @param show: is called with each line for the user.
    @param complain: is called with one line for each failure.
    @return: the exit status: 1 if anything failed. An answer of any status is no failure.
    @raise UsageError: the targets make no sense.
    @raise KnownError: nothing can be asked at all.
    @raise KeyboardInterrupt: the user has pressed Ctrl-C.
    """
    wanted = read_targets(targets)
    folder = OutputFolder(options.output_dir)
    keylog, trust_root = None, None
    if options.keylog is not None:
        from netlab.http1.client.keylogging import KeyLogFile, LoggingTrustRoot

        keylog = KeyLogFile(options.keylog)
        trust_root = LoggingTrustRoot(keylog.write)

    async def get_all(reactor: Any) -> int | None:
        if isinstance(wanted, Server):
            requests = _typed(wanted, options, reactor, complain)
        else:
            requests = _listed(wanted, options)
        settings = ClientSettings(answer_timeout=options.timeout, content_timeout=options.timeout)
        async with HTTPClient(reactor, settings, options.timeout, trust_root) as client:
            getter = Getter(client, folder, options, show)
            return await get_each(
                getter, requests, reactor, complain, is_stopping=lambda: not reactor.running
            )

    try:
        status = run_until_done(get_all, reactor)
    finally:
        if keylog is not None:
            keylog.close()
    if status is not None and keylog is not None and keylog.fault is not None:
        complain(f"the key log {options.keylog} is incomplete: {keylog.fault}")
        status = 1
    if status is None:
        raise KeyboardInterrupt
    return status


async def get_each(
    getter: Getter,
    requests: AsyncIterator[Request | None],
    clock: Any,
    complain: Callable[[str], object],
    is_stopping: Callable[[], bool] = lambda: False,
) -> int | None:
    """
    Ask for one after the other; a failure does not keep the next one from being asked.

    @param requests: None stands for one that could not even be asked.
    @param is_stopping: whether the user has pressed Ctrl-C: then the failures that follow from
        that are no news.
    @return: the exit status, or None where Ctrl-C has cut it short.
    """
    status = 0
    is_first = True
    async for request in requests:
        if request is None:
            status = 1
            continue
        if not is_first and getter.options.pause:
            await deferLater(clock, getter.options.pause)
        is_first = False
        try:
            await _in_time(getter, request, clock)
        except KnownError as error:
            if is_stopping():
                return None
            complain(str(error))
            status = 1
    return status


async def _in_time(getter: Getter, request: Request, clock: Any) -> None:
    """
    Ask for one, and give up when its time is over.

    @raise KnownError: there is no complete answer, or none in time.
    """
    max_time = getter.options.max_time
    if max_time is None:
        await getter.get(request)
        return
    is_late = False
    ending: Any = None

    def give_up() -> None:
        nonlocal is_late, ending
        is_late = True
        # What is waited for may be a redirect's content, behind which another request follows: so
        # this is done again until it is over.
        ending = clock.callLater(0, give_up)
        running.cancel()

    running = Deferred.fromCoroutine(getter.get(request))
    ending = clock.callLater(max_time, give_up)
    try:
        await running
    except (KnownError, CancelledError) as error:
        if not is_late:
            raise
        text = f"{request.url}: not done within {max_time:g} seconds; nothing was saved"
        raise RequestError(text) from error
    finally:
        if ending.active():
            ending.cancel()


class Getter:
    """
    Asks, shows and saves.
    """

    def __init__(
        self,
        client: HTTPClient,
        folder: OutputFolder,
        options: GetOptions,
        show: Callable[[str], object],
    ) -> None:
        """
        @param show: is called with each line for the user.
        """
        self.options = options
        self._client = client
        self._folder = folder
        self._show = show

    async def get(self, request: Request) -> None:
        """
        Ask, show the status line, and save the content of a 200. What comes with another status is
        thrown away.

        @raise KnownError: there is no complete answer, or it could not be saved.
        """
        redirects_max = REDIRECTS_MAX if self.options.follows else 0
        response = await self._client.request(request, redirects_max, self._show_heads)
        self._show_heads(response)
        if response.status != 200:
            await self._client.discard(response)
            return
        try:
            await self._save(request.url, response)
        except KnownError:
            response.abandon()
            raise

    async def _save(self, url: URL, response: ClientResponse) -> None:
        with self._folder.create(output_name(url.target)) as file:
            try:
                async for piece in response:
                    file.write(piece)
            except RequestError as error:
                raise RequestError(f"{error}; nothing was saved") from error
            file.keep()

    def _show_heads(self, response: ClientResponse) -> None:
        if not self.options.includes_heads:
            self._show(visible(_lines(response.head)[0]))
            return
        for head in (*response.interim, response.head):
            for line in _lines(head):
                self._show(visible(line))


def _lines(head: ResponseHead) -> list[bytes]:
    """
    Take a head apart into its lines, of which the last one is empty.
    """
    return head.raw.removesuffix(b"\r\n").split(b"\r\n")


async def _listed(urls: Sequence[URL], options: GetOptions) -> AsyncIterator[Request | None]:
    for url in urls:
        yield url_request(url, options)


async def _typed(
    server: Server, options: GetOptions, reactor: Any, complain: Callable[[str], object]
) -> AsyncIterator[Request | None]:
    """
    Read paths from standard input as they come; empty lines are passed over.
    """
    if sys.stdin is None:
        raise KnownError("standard input is closed: there are no paths to ask for")
    if sys.stdin.isatty():
        complain("type a path such as / and press Enter; Ctrl-D ends")
    lines = StandardInputLines(reactor, sys.stdin.fileno())
    while (line := await lines.next_line()) is not None:
        typed = line.strip()
        if not typed:
            continue
        try:
            yield server.request(typed, options)
        except URLError as error:
            complain(f"{visible(typed[:100])}: {error}")
            yield None
