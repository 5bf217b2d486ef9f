"""
What a congestion control is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Final, NamedTuple

from netlab.tcp.segment import SSTHRESH_INFINITE

INITIAL_WINDOW: Final = 10
"""Segments (RFC 6928 section 2)."""


class Acknowledged(NamedTuple):
    """
    What an ACK says to a congestion control.

    @ivar now: when it arrived.
    @ivar segments: how many it acknowledges, or reports by SACK, that were not before.
    @ivar rtt: the round-trip time of the last of them, or 0 if it cannot be told.
    @ivar srtt: the smoothed one.
    @ivar in_flight: segments that were in flight before it came.
    @ivar is_cwnd_limited: whether the congestion window held the sender up. Where it does not, a
        larger one would say nothing of the network (RFC 9293 section 3.8.2, RFC 2861).
    @ivar snd_una: after the ACK.
    @ivar snd_nxt: behind what was sent.
    """

    now: int
    segments: int
    rtt: int
    srtt: int
    in_flight: int
    is_cwnd_limited: bool
    snd_una: int
    snd_nxt: int


class CongestionControl(ABC):
    """
    How many segments may be in flight. The sender detects losses and recovers from them; this
    decides what follows for the window. To write one, override the two abstract methods.

    @cvar name: as C{tcp_congestion_control} names it.
    @ivar cwnd: the congestion window in segments, at least 1. The sender sets it too: to reduce it
        step by step in a recovery, and to 1 after a timeout.
    @ivar ssthresh: below it the window grows by slow start.
    """

    name: ClassVar[str]

    __slots__ = ("_credit", "cwnd", "ssthresh")

    def __init__(self) -> None:
        self.cwnd = INITIAL_WINDOW
        self.ssthresh = SSTHRESH_INFINITE
        self._credit = 0

    @property
    def is_in_slow_start(self) -> bool:
        """
        Whether the window doubles in a round trip.
        """
        return self.cwnd < self.ssthresh

    @abstractmethod
    def acknowledged(self, ack: Acknowledged) -> None:
        """
        Let the window grow, or not: segments were acknowledged while nothing was wrong.
        """

    @abstractmethod
    def threshold_after_loss(self, now: int) -> int:
        """
        Choose C{ssthresh}: a loss was detected, or a router has marked a segment. The sender sets
        it, and brings C{cwnd} down to it.

        @return: at least 2.
        """

    def timed_out(self, now: int) -> None:  # noqa: B027 - most need not know
        """
        Note that a retransmission timeout has ended; the window is 1 now.
        """

    def undone(self, cwnd: int, ssthresh: int) -> None:
        """
        Take back a reduction: nothing had been lost.

        @param cwnd: before it.
        @param ssthresh: before it.
        """
        self.cwnd = max(self.cwnd, cwnd)
        self.ssthresh = max(self.ssthresh, ssthresh)

    def starts_again(self, now: int, idle: int) -> None:  # noqa: B027 - nor this
        """
        Note that the sender begins to send with nothing in flight.

        @param idle: how long it had sent nothing.
        """

    def _slow_start(self, segments: int) -> int:
        """
        Grow by a segment for each that was acknowledged, up to C{ssthresh} (RFC 5681 section 3.1).

        @return: how many segments are left for congestion avoidance.
        """
        cwnd = min(self.cwnd + segments, self.ssthresh)
        left = segments - (cwnd - self.cwnd)
        self.cwnd = cwnd
        return left

    def _avoid(self, window: int, segments: int) -> None:
        """
        Grow by a segment for every C{window} that were acknowledged.
        """
        if self._credit >= window:
            self._credit = 0
            self.cwnd += 1
        self._credit += segments
        if self._credit >= window:
            grown = self._credit // window
            self._credit -= grown * window
            self.cwnd += grown
