"""
A WSGI application (PEP 3333) as a resource: each request is a call of it, in a thread of the
reactor's pool.
"""

from __future__ import annotations

import io
import os
import stat
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Self, TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.threads import blockingCallFromThread
from twisted.logger import Logger
from twisted.python.failure import Failure

from netlab.http1 import SERVER_NAME
from netlab.http1.programs.answerheads import AnswerHead, AnswerHeads, ApplicationError
from netlab.http1.programs.wsgienviron import (
    Environ,
    EnvironOfConnection,
    environ_of,
    environ_of_connection,
    note_asker,
)
from netlab.http1.resources.connectionfacts import ConnectionFacts
from netlab.http1.resources.files import FileRange, OpenFile
from netlab.http1.resources.receiving import ContentLostError, RequestContent
from netlab.http1.resources.resource import Answer, Receiver, Resource
from netlab.http1.resources.responses import Response
from netlab.http1.sansio.messages import RequestHead

StartResponse: TypeAlias = Callable[..., Callable[[bytes], None]]
WSGIApplication: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]

_READ_BYTES: Final = 65536

_log = Logger(namespace=SERVER_NAME)


class ClientGoneError(ConnectionError):
    """
    The client has gone: nothing more can be read from it or sent to it.
    """


@dataclass(eq=False, slots=True)
class WSGIProgram:
    """
    An application, and what runs it.

    @ivar application: what is called for each request.
    @ivar reactor: has the threads.
    @ivar root_path: where it is mounted, without a slash at its end.
    @ivar is_multiprocess: whether other processes have the same application.
    @ivar heads: reads what it answers.
    """

    application: WSGIApplication
    reactor: Any
    root_path: str = ""
    is_multiprocess: bool = False
    heads: AnswerHeads = field(default_factory=AnswerHeads)

    def for_connection(self, facts: ConnectionFacts) -> Resource:
        """
        Answer the requests of one connection.
        """
        return _WSGIConnection(self, facts)

    def respond(self, head: RequestHead) -> Answer:
        """
        Refuse: what an environ says of the connection is not known here.

        @raise RuntimeError: always.
        """
        raise RuntimeError("a WSGI application answers by way of for_connection")


class _WSGIConnection:
    """
    What answers the requests of one connection.
    """

    __slots__ = ("_environ", "_facts", "_program")

    def __init__(self, program: WSGIProgram, facts: ConnectionFacts) -> None:
        self._program = program
        self._facts = facts
        self._environ: EnvironOfConnection | None = None

    def respond(self, head: RequestHead) -> Answer:
        """
        Answer a request whose content nobody wants, as most have none.
        """
        return self._begin(head, None)

    def receiver(self, head: RequestHead) -> Receiver | None:
        """
        An application may read the content of any request.
        """
        return self._begin

    def _begin(self, head: RequestHead, content: RequestContent | None) -> Answer:
        connection = self._environ
        program = self._program
        if connection is None:
            # Not before: the handshake of TLS is over only with the first request.
            connection = self._environ = environ_of_connection(
                self._facts, is_multiprocess=program.is_multiprocess
            )
        environ = environ_of(head, connection, program.root_path)
        if self._facts.is_proxied:
            note_asker(environ, self._facts.asker(head))
        environ["wsgi.input"] = _input(content, program.reactor)
        environ["wsgi.file_wrapper"] = FileWrapper
        return WSGICall(program, head, environ).begin()


def _input(content: RequestContent | None, reactor: Any) -> io.BufferedIOBase:
    """
    Make the stream of a request's content.
    """
    if content is None:
        return io.BytesIO()
    first = content.take() or b""
    if content.is_at_end:
        return io.BytesIO(first)
    return io.BufferedReader(_ContentStream(content, first, reactor), _READ_BYTES)


class _ContentStream(io.RawIOBase):
    """
    The content of a request, read from a thread. Reading waits for the client.
    """

    def __init__(self, content: RequestContent, first: bytes, reactor: Any) -> None:
        super().__init__()
        self._content = content
        self._piece = first
        self._reactor = reactor

    def readable(self) -> bool:
        """
        Say that this is for reading.
        """
        return True

    def readinto(self, buffer: Any) -> int:
        """
        Read what there is, at least a byte unless the content is at its end.

        @raise ClientGoneError: the rest does not come.
        """
        if not self._piece:
            try:
                call: Any = blockingCallFromThread
                self._piece = call(self._reactor, self._next_piece)
            except ContentLostError as error:
                raise ClientGoneError(str(error)) from error
        count = min(len(buffer), len(self._piece))
        buffer[:count] = self._piece[:count]
        self._piece = self._piece[count:]
        return count

    def _next_piece(self) -> Deferred[bytes]:
        return Deferred.fromCoroutine(self._next())

    async def _next(self) -> bytes:
        async for piece in self._content:
            return piece
        return b""


class FileWrapper:
    """
    C{wsgi.file_wrapper}: a file as an answer, which the kernel sends where it is a regular one.
    """

    def __init__(self, filelike: Any, block_size: int = _READ_BYTES) -> None:
        """
        @param filelike: has C{read}.
        @param block_size: how much to read at a time.
        """
        self._file = filelike
        self._block_size = block_size

    def __iter__(self) -> Iterator[bytes]:
        while data := self._file.read(self._block_size):
            yield data

    def close(self) -> None:
        """
        Close the file, if it can be closed.
        """
        close = getattr(self._file, "close", None)
        if close is not None:
            close()

    def as_range(self, length: int | None) -> FileRange | None:
        """
        Take the rest of a regular file as it is.

        @param length: how much of it is wanted; None for all.
        @return: None where it is something else, or shorter.
        """
        try:
            number = self._file.fileno()
            offset = self._file.tell()
            status = os.fstat(number)
        except (AttributeError, OSError, ValueError):
            return None
        left = status.st_size - offset
        if not stat.S_ISREG(status.st_mode) or left < (length or 0):
            return None
        # A descriptor of our own: the application may close its file before all is sent.
        return FileRange(OpenFile(os.dup(number)), offset, left if length is None else length)


class WSGICall:
    """
    One request, and the call of the application that answers it. It is also the content of an
    answer that comes in pieces. What begins with C{_t_} runs in a thread.
    """

    __slots__ = (
        "_answer",
        "_environ",
        "_has_ended",
        "_head",
        "_is_gone",
        "_is_streaming",
        "_lock",
        "_piece",
        "_problem",
        "_program",
        "_reader",
        "_reason",
        "_started",
    )

    def __init__(self, program: WSGIProgram, head: RequestHead, environ: Environ) -> None:
        self._program = program
        self._head = head
        self._environ = environ
        self._answer: Deferred[Response] = Deferred(lambda _: self._go())
        self._started: AnswerHead | None = None
        self._reason: bytes | None = None
        self._is_streaming = False
        # Shared by the thread and the reactor, with a lock that is also what either waits for.
        self._lock = threading.Condition()
        self._piece: bytes | None = None
        self._has_ended = False
        self._is_gone = False
        self._problem: Failure | None = None
        # The reactor's alone.
        self._reader: Deferred[None] | None = None

    def begin(self) -> Answer:
        """
        Have the application called.
        """
        self._program.reactor.callInThread(self._t_run)
        return self._answer

    # In a thread

    def _t_run(self) -> None:
        if self._is_gone:
            return  # while it waited for a thread
        try:
            result = self._program.application(self._environ, self._t_start)
            try:
                self._t_send_all(result)
            finally:
                close = getattr(result, "close", None)
                if close is not None:
                    close()
        except BaseException as error:  # noqa: BLE001, as for every resource; it goes to the log
            failure = Failure()  # type: ignore[no-untyped-call]
            if not (isinstance(error, ClientGoneError) and self._is_gone):
                self._t_tell(self._failed, failure)

    def _t_tell(self, call: Callable[..., None], *arguments: object) -> None:
        self._program.reactor.callFromThread(call, *arguments)

    def _t_start(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """
        C{start_response}.
        """
        if exc_info is not None:
            try:
                if self._is_streaming:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self._started is not None:
            raise ApplicationError("start_response was called twice, without exc_info")
        code, _, phrase = status.partition(" ")
        lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        number = int(code) if code.isdigit() else code
        self._started = self._program.heads.read(number, lines)
        self._reason = phrase.encode("latin-1")
        return self._t_write

    def _t_send_all(self, result: Iterable[bytes]) -> None:
        if isinstance(result, FileWrapper) and not self._is_streaming:
            started = self._t_started()
            file = result.as_range(started.length)
            if file is not None:
                self._t_answer(file)
                return
        is_alone = isinstance(result, (list, tuple)) and len(result) == 1
        for piece in result:
            if not self._is_streaming and (is_alone or self._t_started().length == len(piece)):
                self._t_send_whole(piece)
                return
            if piece:
                self._t_write(piece)
        if self._is_streaming:
            with self._lock:
                self._has_ended = True
            self._t_tell(self._wake_reader)
        else:
            self._t_send_whole(b"")

    def _t_started(self) -> AnswerHead:
        if self._started is None:
            raise ApplicationError("there is content, and start_response was not called")
        return self._started

    def _t_send_whole(self, content: bytes) -> None:
        started = self._t_started()
        length = started.length
        if length is None or length == len(content):
            self._t_answer(content)
        elif self._head.method == b"HEAD" or started.status in _WITHOUT_CONTENT:
            self._has_ended = True
            self._t_answer(self, length)
        else:
            raise ApplicationError(f"{len(content)} bytes of content, and Content-Length {length}")

    def _t_answer(self, content: Any, length: int | None = None) -> None:
        started = self._t_started()
        response = Response(
            started.status,
            started.fields,
            content,
            started.closes,
            reason=self._reason,
            content_length=length,
        )
        self._t_tell(self._deliver, response)

    def _t_write(self, data: bytes) -> None:
        """
        Give the next piece of an answer, and wait until the one before has left: an application is
        no faster than its client.

        @raise ClientGoneError: there is nobody to take it.
        """
        if not self._is_streaming:
            self._is_streaming = True
            self._t_answer(self, self._t_started().length)
        with self._lock:
            while self._piece is not None and not self._is_gone:
                self._lock.wait()
            if self._is_gone:
                raise ClientGoneError("the client has gone")
            self._piece = data
        self._t_tell(self._wake_reader)

    # In the reactor

    def _deliver(self, response: Response) -> None:
        if not self._answer.called:
            self._answer.callback(response)
        elif isinstance(response.content, FileRange):
            response.content.close()

    def _failed(self, failure: Failure) -> None:
        if not self._answer.called:
            self._answer.errback(failure)
        elif self._has_ended or self._is_gone or not self._is_streaming:
            # Whatever it does after its answer cannot change that any more.
            _log.failure("A WSGI application failed after its answer", failure)
        else:
            self._problem = failure
            self._wake_reader()

    def _go(self) -> None:
        """
        Nobody takes anything more.
        """
        with self._lock:
            self._is_gone = True
            self._piece = None
            self._lock.notify_all()

    def _wake_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.callback(None)

    # As content that comes in pieces

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while True:
            with self._lock:
                piece, self._piece = self._piece, None
                self._lock.notify_all()
                has_ended = self._has_ended or self._is_gone
            if piece is not None:
                return piece
            if self._problem is not None:
                self._problem.raiseException()
            if has_ended:
                raise StopAsyncIteration
            self._reader = Deferred()
            try:
                await self._reader
            finally:
                self._reader = None

    async def aclose(self) -> None:
        """
        Nobody takes anything more.
        """
        self._go()


_WITHOUT_CONTENT: Final = frozenset((204, 304))
