"""
Tests for L{netlab.http1.server.context}: two clocks, one of which may be set.
"""

from __future__ import annotations

import time

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.resources.responses import Response
from netlab.http1.sansio.limits import Timeouts
from netlab.http1.server.context import ServerContext, steady
from netlab.http1.server.deadlines import BUCKET_SECONDS
from netlab.http1.server.protocol import HTTPServerProtocol
from tests.http1.serving import NOW, FunctionResource, get

#: A deadline is noticed at most this late, besides the reactor's own delay.
LATE = 2 * BUCKET_SECONDS


class SteadyTests(SynchronousTestCase):
    """
    By what durations are measured.
    """

    def test_twisted(self) -> None:
        """
        Twisted's reactors go by the time of day, so the system's monotonic clock is taken; the
        clock of a test is taken as it is.
        """
        self.assertIs(steady(time.time), time.monotonic)
        seconds = Clock().seconds
        self.assertIs(steady(seconds), seconds)


class SetClock(Clock):
    """
    A reactor whose clock is the time of day.

    @ivar steady: a clock that nobody sets.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rightNow = NOW
        self.steady = 1000.0

    def pass_time(self, seconds: float) -> None:
        """
        Let time pass, by both clocks.
        """
        self.steady += seconds
        self.advance(seconds)


class ClockSetBackTests(SynchronousTestCase):
    """
    The time of day is set back by an hour while connections are open.
    """

    def setUp(self) -> None:
        """
        Serve, and set the clock back when one answer has been sent.
        """
        self.clock = SetClock()
        self.asked = 0

        def respond(_head: object) -> Response:
            self.asked += 1
            return Response(200, content=b"x", repeat_seconds=1.0)

        self.patch(time, "monotonic", lambda: self.clock.steady)
        self.patch(time, "time", self.clock.seconds)
        self.clock.seconds = time.time  # type: ignore[method-assign]
        self.context = ServerContext(FunctionResource(respond), self.clock)
        self.context.ports = 1
        self.idle, _ = self.connect()
        self.protocol, self.transport = self.connect()
        for _ in range(3):
            self.protocol.dataReceived(get("/"))
        self.assertIn(b"Date: Fri, 13 Feb 2009 23:31:30 GMT", self.transport.value())
        self.assertEqual(self.asked, 2)
        self.transport.clear()
        self.clock.rightNow -= 3600

    def connect(self) -> tuple[HTTPServerProtocol, StringTransport]:
        """
        Open a connection.
        """
        protocol = HTTPServerProtocol(self.context)
        transport = StringTransport()
        protocol.makeConnection(transport)
        return protocol, transport

    def test_answers_grow_old(self) -> None:
        """
        What was kept for a second is kept for a second.
        """
        self.clock.pass_time(0.9)
        self.protocol.dataReceived(get("/"))
        self.assertEqual(self.asked, 2)
        self.clock.pass_time(0.2)
        self.protocol.dataReceived(get("/"))
        self.assertEqual(self.asked, 3)

    def test_date(self) -> None:
        """
        Within a second of it, Date tells the new time of day.
        """
        self.clock.pass_time(1.0)
        self.protocol.dataReceived(get("/"))
        self.assertIn(b"Date: Fri, 13 Feb 2009 22:31:31 GMT", self.transport.value())

    def test_deadlines(self) -> None:
        """
        A connection that is idle ends when its time has come, or as soon as anything else happens
        then: the reactor's own timer sleeps for an hour.
        """
        self.clock.pass_time(Timeouts().idle + 0.6)
        self.assertFalse(self.idle.is_closing)
        self.protocol.dataReceived(get("/"))
        self.clock.pass_time(LATE)
        self.assertTrue(self.idle.is_closing)
        self.assertFalse(self.protocol.is_closing)
