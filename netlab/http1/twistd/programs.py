"""
Programs on the command line: what they are, where they are mounted, and how they start and stop
with the server.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final, NamedTuple

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger
from twisted.python.usage import UsageError

from netlab.http1 import SERVER_NAME
from netlab.http1.programs.asgi import ASGIProgram
from netlab.http1.programs.asyncioloop import WrongReactorError, install_asyncio_reactor, loop_of
from netlab.http1.programs.lifespan import Lifespan, StartupError
from netlab.http1.programs.loading import LoadingError, load
from netlab.http1.programs.wsgi import WSGIProgram
from netlab.http1.resources.resource import Resource
from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.target import decode_segments
from netlab.service import ListenError, leave_in_one_line

_KINDS: Final = ("asgi", "resource", "wsgi")
_ADVICE: Final = "write one such as /api=asgi:package.module:name"

_log = Logger(namespace=SERVER_NAME)


class ProgramOption(NamedTuple):
    """
    What was typed.

    @ivar option: such as C{--asgi}.
    @ivar text: its value.
    @ivar mount: the same as a value of C{--mount}.
    """

    option: str
    text: str
    mount: str


@dataclass(frozen=True, slots=True)
class ProgramMount:
    """
    A program, and where it answers.

    @ivar option: such as C{--asgi}.
    @ivar text: its value.
    @ivar path: where it is mounted, without a slash at its end: empty for all paths.
    @ivar segments: the path's, decoded.
    @ivar kind: C{asgi}, C{resource} or C{wsgi}.
    @ivar program: what was imported.
    """

    option: str
    text: str
    path: str
    segments: tuple[bytes, ...]
    kind: str
    program: Any


def read_mount(option: ProgramOption, folder: str) -> ProgramMount:
    """
    Read a value, and import the program.

    @param folder: where modules are looked for first.
    @raise UsageError: it makes no sense, or the program fails as it is imported.
    """
    path, equals, rest = option.mount.partition("=")
    kind, colon, name = rest.partition(":")
    if not (equals and colon and path.startswith("/")) or kind not in _KINDS:
        raise UsageError(f"{option.option} {option.text!a}: not a mount; {_ADVICE}")
    path = path.rstrip("/")
    try:
        segments = decode_segments(path.encode("ascii")) if path else ()
    except (UnicodeEncodeError, RemoteProtocolError) as error:
        raise UsageError(f"{option.option} {option.text!a}: not a path; {_ADVICE}") from error
    if b"" in segments:
        raise UsageError(
            f"{option.option} {option.text!a}: the path has an empty segment; {_ADVICE}"
        )
    if kind == "asgi":
        try:
            install_asyncio_reactor()
        except WrongReactorError as error:
            problem = "needs Twisted's asyncio reactor; leave out --reactor, or choose asyncio"
            raise UsageError(f"{option.option} {option.text!a}: {problem}") from error
    try:
        program = load(name, folder)
        if kind == "resource":
            program = _resource(program)
    except LoadingError as error:
        if error.trace:
            _log.error("{trace}", trace=error.trace)
        raise UsageError(f"{option.option} {option.text!a}: {error}") from error
    if kind != "resource" and not callable(program):
        raise UsageError(f"{option.option} {option.text!a}: {name} cannot be called")
    return ProgramMount(option.option, option.text, path, segments, kind, program)


def _resource(found: Any) -> Any:
    """
    Make a resource of what was imported: it is one, or a class or function that makes one.

    @raise LoadingError: it is not.
    """
    if inspect.isclass(found) or not hasattr(found, "respond"):
        if not callable(found):
            raise LoadingError(
                "neither a resource (it has no respond) nor something that makes one"
            )
        try:
            found = found()
        except Exception as error:
            raise LoadingError(f"making it failed: {type(error).__name__}: {error}") from error
    if not hasattr(found, "respond"):
        raise LoadingError(f"{type(found).__name__} has no respond, so it is not a resource")
    return found


class Programs(Service):
    """
    The programs of a server.

    @ivar is_empty: whether there is nothing to start and to stop.
    """

    def __init__(
        self,
        reactor: Any,
        mounts: Sequence[ProgramMount],
        threads: int,
        *,
        is_worker: bool = False,
    ) -> None:
        """
        @param threads: how many calls of WSGI programs may run at the same time.
        @param is_worker: whether other processes have the same programs.
        """
        self._reactor = reactor
        self._mounts = mounts
        self._is_worker = is_worker
        self._asgi: list[ASGIProgram] = []
        self._lifespans: list[Lifespan] = []
        if any(mount.kind == "wsgi" for mount in mounts):
            reactor.suggestThreadPoolSize(threads)

    @property
    def is_empty(self) -> bool:
        """
        Whether there is nothing to start and to stop.
        """
        return not self._asgi

    def resources(self) -> dict[tuple[bytes, ...], Resource]:
        """
        Make what answers, by the paths' segments.
        """
        return {mount.segments: self._made(mount) for mount in self._mounts}

    def _made(self, mount: ProgramMount) -> Resource:
        if mount.kind == "wsgi":
            return WSGIProgram(
                mount.program, self._reactor, mount.path, is_multiprocess=self._is_worker
            )
        if mount.kind == "asgi":
            clock = self._reactor if find_spec("wsproto") is not None else None
            loop = loop_of(self._reactor)
            program = ASGIProgram(mount.program, loop, mount.path, clock=clock)
            self._asgi.append(program)
            return program
        resource: Resource = mount.program
        return resource

    def privilegedStartService(self) -> None:
        """
        Start the programs, before the reactor runs and before a port is open: no request comes
        before they are ready. Harmless when repeated.

        @raise ListenError: one of them does not start.
        """
        super().privilegedStartService()  # type: ignore[no-untyped-call]
        for program in self._asgi[len(self._lifespans) :]:
            lifespan = Lifespan(program.application, program.loop)
            self._lifespans.append(lifespan)
            try:
                program.loop.run_until_complete(lifespan.start())
            except StartupError as error:
                leave_in_one_line()
                raise ListenError(SERVER_NAME, str(error), "its log may say more") from error
            program.state = lifespan.state

    def stopService(self) -> Deferred[None]:
        """
        End what is still running, and let the programs tidy up.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        for program in self._asgi:
            for call in tuple(program.running):
                call.cancel()
        stopping = [
            _as_deferred(program.loop.create_task, lifespan.stop())
            for program, lifespan in zip(self._asgi, self._lifespans, strict=True)
        ]
        return gatherResults(stopping).addCallback(lambda _: None)


def _as_deferred(
    create_task: Callable[..., Any], work: Coroutine[Any, Any, None]
) -> Deferred[None]:
    return Deferred.fromFuture(create_task(work))
