"""
Round-trip times, and from them the retransmission timeout: RFC 6298, with Linux's smoothing.

RFC 6298 bounds the timeout itself by one second from below. Linux, whose bound is 200 ms, applies
it to the variation: RTO = SRTT + max(RTTVAR', 200 ms). So do we, and like Linux we let the
variation rise at once and fall once in a round trip.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from netlab.tcp.settings import RTO_INITIAL
from netlab.tcp.timers import NANOSECONDS

_MIN_RTT_WINDOW: Final = 300 * NANOSECONDS
"""Linux's C{tcp_min_rtt_wlen}."""

_MINIMA_MAX: Final = 16
"""Candidates for the least round-trip time that are kept."""


class RTTEstimator:
    """
    What is known of the path's round-trip time.

    @ivar srtt: smoothed; 0 before the first sample.
    @ivar rttvar: four times the mean deviation, at least the minimum.
    @ivar min_rtt: the least sample of the last five minutes; 0 before the first.
    @ivar latest: the last sample.
    @ivar rto: the timeout, doubled as often as L{backoff} says (RFC 6298 section 5.5).
    """

    __slots__ = (
        "_ceiling",
        "_floor",
        "_mdev4",
        "_mdev_max",
        "_minima",
        "_round_end",
        "_srtt8",
        "_backoff",
        "latest",
        "min_rtt",
        "rto",
        "rttvar",
        "srtt",
    )

    def __init__(self, floor: int, ceiling: int) -> None:
        """
        @param floor: the least that RTO is above SRTT.
        @param ceiling: the most that RTO is, backed off as it may be. Linux's is 120 s; RFC 6298
            section 2.4 asks for 60 s at least.
        """
        self._ceiling = ceiling
        self._floor = floor
        self._srtt8 = 0
        self._mdev4 = 0
        self._mdev_max = floor
        self._round_end = 0
        self._minima: deque[tuple[int, int]] = deque()
        self.srtt = 0
        self.rttvar = 0
        self.min_rtt = 0
        self.latest = 0
        self._backoff = 0
        self.rto = self.base_rto

    def sample(self, now: int, rtt: int, snd_una: int, snd_nxt: int) -> None:
        """
        Take a measurement of a segment that was sent once (Karn's algorithm, RFC 6298 section 3),
        or that a timestamp tells from its retransmission.

        @param rtt: at least 1 is taken.
        @param snd_una: after the ACK.
        @param snd_nxt: when it has passed, a round trip is over.
        """
        rtt = max(rtt, 1)
        self.latest = rtt
        self._note_minimum(now, rtt)
        if self._srtt8 == 0:
            self._srtt8 = rtt << 3
            self._mdev4 = rtt << 1
            self.rttvar = self._mdev_max = max(self._mdev4, self._floor)
            self._round_end = snd_nxt
        else:
            error = rtt - (self._srtt8 >> 3)
            self._srtt8 += error
            if error < 0:
                change = -error - (self._mdev4 >> 2)
                # A shorter round trip raises the deviation slowly: it is good news.
                if change > 0:
                    change >>= 3
            else:
                change = error - (self._mdev4 >> 2)
            self._mdev4 += change
            if self._mdev4 > self._mdev_max:
                self._mdev_max = self._mdev4
                self.rttvar = max(self.rttvar, self._mdev_max)
            if snd_una > self._round_end:
                if self._mdev_max < self.rttvar:
                    self.rttvar -= (self.rttvar - self._mdev_max) >> 2
                self._round_end = snd_nxt
                self._mdev_max = self._floor
        self.srtt = self._srtt8 >> 3
        self.backoff = self._backoff

    def _note_minimum(self, now: int, rtt: int) -> None:
        # Those that a later, lower sample makes pointless go; the first is always the least.
        minima = self._minima
        while minima and (minima[-1][1] >= rtt or len(minima) >= _MINIMA_MAX):
            minima.pop()
        minima.append((now, rtt))
        while minima[0][0] < now - _MIN_RTT_WINDOW:
            minima.popleft()
        self.min_rtt = minima[0][1]

    @property
    def base_rto(self) -> int:
        """
        The timeout, not backed off.
        """
        if self._srtt8 == 0:
            return min(RTO_INITIAL, self._ceiling)
        return min((self._srtt8 >> 3) + self.rttvar, self._ceiling)

    @property
    def backoff(self) -> int:
        """
        How often the timeout has doubled.
        """
        return self._backoff

    @backoff.setter
    def backoff(self, times: int) -> None:
        self._backoff = times
        self.rto = min(self.base_rto << times, self._ceiling)

    @property
    def mdev(self) -> int:
        """
        The mean deviation, as C{tcpi_rttvar} shows it.
        """
        return self._mdev4 >> 2
