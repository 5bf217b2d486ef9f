"""
The lifespan of an ASGI application (ASGI "Lifespan Protocol" 2.0): it hears when the server is
about to serve, and when it has stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from twisted.logger import Logger

from netlab.errors import KnownError
from netlab.http1 import SERVER_NAME
from netlab.http1.programs.answerheads import ApplicationError
from netlab.http1.programs.asgiscope import ASGI_VERSION, Message

#: For how long the application may tidy up.
SHUTDOWN_SECONDS: Final = 30.0

_log = Logger(namespace=SERVER_NAME)


class StartupError(KnownError):
    """
    The application does not start. The text is one line.
    """


class Lifespan:
    """
    One call of an application, for as long as the server runs.

    @ivar state: what the application puts aside for its requests; None as soon as it is known to
        have no lifespan.
    """

    def __init__(
        self, application: Callable[..., Awaitable[None]], loop: asyncio.AbstractEventLoop
    ) -> None:
        """
        @param loop: on which it runs.
        """
        self.state: dict[str, Any] | None = {}
        self._application = application
        self._loop = loop
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._started: asyncio.Future[None] = loop.create_future()
        self._stopped: asyncio.Future[None] = loop.create_future()

    async def start(self) -> None:
        """
        Say that the server is about to serve, and wait until it may.

        @raise StartupError: it may not.
        """
        self._events.put_nowait({"type": "lifespan.startup"})
        self._task = self._loop.create_task(self._run())
        await self._started

    async def stop(self) -> None:
        """
        Say that the server has stopped, and wait until the application has tidied up, for at most
        L{SHUTDOWN_SECONDS}.
        """
        task = self._task
        if task is None or task.done():
            return
        self._events.put_nowait({"type": "lifespan.shutdown"})
        try:
            async with asyncio.timeout(SHUTDOWN_SECONDS):
                await self._stopped
        except TimeoutError:
            _log.error("The application has not tidied up in {n:g} s", n=SHUTDOWN_SECONDS)
        task.cancel()

    async def _run(self) -> None:
        scope: Message = {"type": "lifespan", "asgi": ASGI_VERSION, "state": self.state}
        try:
            await self._application(scope, self._events.get, self._send)
        except asyncio.CancelledError:
            pass
        except Exception as error:  # noqa: BLE001, that is how an application says it has none
            if not self._started.done():
                self.state = None
                _log.debug("The application has no lifespan: {error}", error=repr(error))
            else:
                _log.failure("The application's lifespan has failed")
        finally:
            for future in (self._started, self._stopped):
                if not future.done():
                    future.set_result(None)

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "lifespan.startup.complete":
            future, error = self._started, None
        elif kind == "lifespan.startup.failed":
            why = message.get("message") or "it does not say why"
            future, error = self._started, StartupError(f"the application does not start: {why}")
        elif kind == "lifespan.shutdown.complete":
            future, error = self._stopped, None
        elif kind == "lifespan.shutdown.failed":
            _log.error(
                "The application has not stopped in order: {why}", why=message.get("message")
            )
            future, error = self._stopped, None
        else:
            raise ApplicationError(f"{kind!r} is no message of a lifespan")
        if future.done():
            raise ApplicationError(f"{kind} comes late, or twice")
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
