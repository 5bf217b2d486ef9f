"""
Tests for L{netlab.http1.programs.lifespan}.
"""

from __future__ import annotations

import asyncio
from typing import Any

from twisted.logger import LogEvent, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.programs.answerheads import ApplicationError
from netlab.http1.programs.lifespan import Lifespan, StartupError


class LifespanTests(SynchronousTestCase):
    """
    Tests for L{Lifespan}.
    """

    def setUp(self) -> None:
        """
        Make a loop, and take the log.
        """
        self.loop = asyncio.new_event_loop()
        self.addCleanup(self.loop.close)
        self.events: Any = self.enterContext(capturedLogs())

    def lifespan(self, *messages: str, **more: Any) -> Lifespan:
        """
        Make the lifespan of an application that answers each event by the next of these.
        """

        async def application(scope: Any, receive: Any, send: Any) -> None:
            self.assertEqual(scope["type"], "lifespan")
            for message in messages:
                await receive()
                scope["state"]["seen"] = message
                await send({"type": f"lifespan.{message}", **more})

        return Lifespan(application, self.loop)

    def run_all(self, lifespan: Lifespan) -> None:
        """
        Start and stop.
        """
        self.loop.run_until_complete(lifespan.start())
        self.loop.run_until_complete(lifespan.stop())

    def test_in_order(self) -> None:
        """
        An application starts, puts something aside, and stops.
        """
        lifespan = self.lifespan("startup.complete", "shutdown.complete")
        self.loop.run_until_complete(lifespan.start())
        self.assertEqual(lifespan.state, {"seen": "startup.complete"})
        self.loop.run_until_complete(lifespan.stop())
        self.assertEqual(lifespan.state, {"seen": "shutdown.complete"})

    def test_failed(self) -> None:
        """
        An application that cannot start says why.
        """
        lifespan = self.lifespan("startup.failed", message="no database")
        with self.assertRaisesRegex(StartupError, "no database"):
            self.loop.run_until_complete(lifespan.start())

    def test_none(self) -> None:
        """
        One that raises at once has no lifespan, and no state.
        """

        async def application(scope: Any, receive: Any, send: Any) -> None:
            raise NotImplementedError

        lifespan = Lifespan(application, self.loop)
        self.run_all(lifespan)
        self.assertIsNone(lifespan.state)

    def test_shutdown_failed(self) -> None:
        """
        What goes wrong at the end is in the log.
        """
        self.run_all(self.lifespan("startup.complete", "shutdown.failed", message="lost"))
        events: list[LogEvent] = [event for event in self.events if event.get("why") == "lost"]
        self.assertEqual(len(events), 1)

    def test_ends_early(self) -> None:
        """
        One that does not wait for the end is not waited for.
        """
        self.run_all(self.lifespan("startup.complete"))

    def test_nonsense(self) -> None:
        """
        What it may not send is its mistake.
        """
        self.run_all(self.lifespan("startup.complete", "startup.complete"))
        self.assertEqual(len(self.flushLoggedErrors(ApplicationError)), 1)
