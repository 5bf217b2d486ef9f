"""
What all connections of one HTTP server share.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IReactorTime

from netlab.connections import OpenConnections
from netlab.http1.accesslog.counters import Counters
from netlab.http1.accesslog.log import AccessLog, AnswerRecorder
from netlab.http1.resources.connectionfacts import Binder, binder_of
from netlab.http1.resources.resource import Resource
from netlab.http1.resources.responses import Pages
from netlab.http1.sansio.forwarded import FORWARDED, X_FORWARDED_FOR, TrustedProxies
from netlab.http1.sansio.limits import Admission
from netlab.http1.sansio.serversettings import ServerSettings
from netlab.http1.server.admission import Gate
from netlab.http1.server.answercache import AnswerCache
from netlab.http1.server.deadlines import Deadlines
from netlab.http1.server.fairness import Fairness
from netlab.http1.server.proxies import ForwardedRecorder

ANSWER_CACHE_MAX_BYTES: Final = 32 << 20

#: How long a change of the time of day may be overlooked.
_TIME_OF_DAY_SECONDS: Final = 1.0


class ServerContext:
    """
    What all connections of one HTTP server share.

    There are two clocks. Deadlines, and how old what is kept may be, are measured by one that
    nobody sets; Date and the log tell the time of day.

    @ivar resource: answers all requests.
    @ivar binder: makes what answers those of one connection; None where L{resource} does.
    @ivar proxies: whose word of their clients counts; None for nobody's.
    @ivar settings: limits, timeouts and the style of answers.
    @ivar date: the Date field, and the difference of the two clocks.
    @ivar access_log: gets a line for each answer.
    @ivar shows_requests: log each request head.
    @ivar pages: what is answered where no resource answers.
    @ivar connections: the open ones.
    @ivar counters: of connections and answers.
    @ivar recorder: counts and logs answers.
    @ivar fairness: whether large answers should give way.
    @ivar gate: knows for how many more connections there is room.
    @ivar deadlines: those of all connections.
    @ivar answers: the answer cache; None where it is switched off.
    @ivar known: what is in it; empty where it is switched off.
    @ivar clock: calls back.
    @ivar seconds: tells the time by which durations are measured.
    @ivar time_of_day_due: when L{read_time_of_day} is to be called next.
    @ivar ports: how many ports are open.
    """

    def __init__(
        self,
        resource: Resource,
        clock: IReactorTime,
        settings: ServerSettings | None = None,
        access_log: AccessLog | None = None,
        *,
        admission: Admission | None = None,
        shows_requests: bool = False,
        answer_cache_max_bytes: int = ANSWER_CACHE_MAX_BYTES,
        proxies: TrustedProxies | None = None,
    ) -> None:
        """
        @param clock: the reactor, or a clock in tests; its seconds are since the epoch.
        @param admission: how many connections are taken.
        @param answer_cache_max_bytes: how much memory answers may take that are sent again; 0
            switches that off.
        @param proxies: whose word of their clients counts.
        """
        self.proxies = proxies
        self.resource = resource
        self.binder: Binder[Resource] | None = binder_of(resource)
        self.settings = ServerSettings() if settings is None else settings
        self.date = self.settings.date
        self.access_log = access_log
        self.shows_requests = shows_requests
        self.pages = Pages(self.settings.is_bare)
        self.connections = OpenConnections()
        self.counters = Counters()
        if proxies is None:
            self.recorder = AnswerRecorder(self.counters, access_log, self.date)
        else:
            self.recorder = ForwardedRecorder(self.counters, access_log, self.date, proxies)
        self.clock = clock
        self.seconds = steady(clock.seconds)
        self.fairness = Fairness(self.counters, self.seconds)
        admitted = Admission() if admission is None else admission
        if proxies is None:
            self.gate = Gate(admitted)
        else:
            self.gate = Gate(admitted, lambda peer: proxies.trusts(peer.decode("latin-1")))
        self.deadlines = Deadlines(clock, self.seconds)
        self.answers: AnswerCache | None = None
        if answer_cache_max_bytes and not shows_requests:
            private = () if proxies is None else (FORWARDED, X_FORWARDED_FOR)
            self.answers = AnswerCache(self.settings, answer_cache_max_bytes, private)
        self.known = {} if self.answers is None else self.answers.known
        self.ports = 0
        self._epoch_seconds = clock.seconds
        self.time_of_day_due = math.inf
        if self.seconds is not clock.seconds:
            self.read_time_of_day(self.seconds())

    def read_time_of_day(self, now: float) -> None:
        """
        Compare the two clocks. If the time of day was set back, timers that are armed would be late
        by as much: Twisted's go by it.
        """
        self.date.offset = self._epoch_seconds() - now
        self.time_of_day_due = now + _TIME_OF_DAY_SECONDS
        self.deadlines.catch_up(now)

    def flush_when_over(self) -> None:
        """
        Leave nothing to be done later when no port and no connection is open: write what has
        gathered in the log.
        """
        if self.ports or self.connections:
            return
        self.deadlines.rest()
        if self.access_log is not None:
            self.access_log.flush()


def steady(seconds: Callable[[], float]) -> Callable[[], float]:
    """
    Find the clock by which to measure durations.

    @param seconds: a reactor's clock. Twisted's own is the time of day, which may be set; that of a
        test or a simulation is both.
    """
    return time.monotonic if seconds is time.time else seconds
