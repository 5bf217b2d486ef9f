"""
CUBIC: RFC 9438, in integers.

Windows are counted in thousandths of a segment, times in microseconds.
"""

from __future__ import annotations

from typing import ClassVar, Final

from netlab.tcp.congestion.base import Acknowledged, CongestionControl
from netlab.tcp.timers import MILLISECOND, NANOSECONDS

_BETA: Final = 717
"""The factor after a loss, of 1024: 0.7 (RFC 9438 section 4.6; Linux has this fraction)."""

_ONE: Final = 1024

_COUNT_BEFORE_LOSS_MAX: Final = 20

_MICROSECONDS_PER_SECOND_CUBED: Final = 10**18


class Cubic(CongestionControl):
    """
    A window that is a cubic function of the time since the last loss: it comes back quickly to
    where that was, stays there for a while, and then looks for more.

    @ivar w_max: the window, in thousandths, before the last reduction (W_max).
    """

    name: ClassVar[str] = "cubic"

    __slots__ = (
        "_epoch",
        "_k",
        "_last_in_train",
        "_origin",
        "_round_end",
        "_round_min",
        "_round_samples",
        "_round_start",
        "_rtt_min",
        "_w_est",
        "w_max",
    )

    def __init__(self) -> None:
        super().__init__()
        self.w_max = 0
        self._epoch: int | None = None
        self._k = 0
        self._origin = 0
        self._w_est = 0
        self._rtt_min = 0
        self._round_end = 0
        self._round_min = 0
        self._round_samples = 0
        self._round_start = 0
        self._last_in_train = 0

    def acknowledged(self, ack: Acknowledged) -> None:
        """
        Slow start, then the cubic function (RFC 9438 section 4).
        """
        if ack.rtt and (not self._rtt_min or ack.rtt < self._rtt_min):
            self._rtt_min = ack.rtt
        if self.is_in_slow_start and self.cwnd >= _HYSTART_LOW_WINDOW:
            self._look_for_the_end(ack)
        if not ack.is_cwnd_limited:
            return
        segments = ack.segments
        if self.is_in_slow_start:
            segments = self._slow_start(segments)
            if not segments:
                return
        self._avoid(self._segments_per_growth(ack.now, segments), segments)

    def _segments_per_growth(self, now: int, segments: int) -> int:
        """
        Say how many segments must be acknowledged for the window to grow by one.
        """
        cwnd = self.cwnd * 1000
        if self._epoch is None:
            self._begin_epoch(now, cwnd)
        assert self._epoch is not None
        # RFC 9438 section 4.2: the window that the function has a round trip from now.
        elapsed = (now - self._epoch + self._rtt_min) // 1000
        target = self._w_cubic(elapsed)
        target = min(max(target, cwnd), cwnd * 3 // 2)
        count = cwnd // (target - cwnd) if target > cwnd else 100 * self.cwnd
        if not self.w_max:
            # Nothing was lost yet: grow by 5 percent in a round trip at least, as Linux does.
            count = min(count, _COUNT_BEFORE_LOSS_MAX)
        # Section 4.3: not slower than Reno would be that loses as often: W_est grows by alpha
        # segments in a round trip, 3 (1 - beta) / (1 + beta), and by one once it is where the
        # window was before the loss.
        alpha = 1000 if self._w_est >= self.w_max else 3000 * (_ONE - _BETA) // (_ONE + _BETA)
        self._w_est += alpha * segments // max(self.cwnd, 1)
        if self._w_est > cwnd:
            count = min(count, cwnd // max(self._w_est - cwnd, 1))
        return max(count, 2)

    def _begin_epoch(self, now: int, cwnd: int) -> None:
        """
        Begin the function anew: K is when it is back at W_max (RFC 9438 section 4.2).
        """
        self._epoch = now
        self._credit = 0
        self._w_est = cwnd
        if cwnd < self.w_max:
            # K = cbrt((W_max - cwnd) / C) with C = 0.4; both sides in thousandths, and time in
            # microseconds: cbrt(missing / 1000 / 0.4) seconds.
            missing = self.w_max - cwnd
            self._k = integer_cube_root(missing * 5 * _MICROSECONDS_PER_SECOND_CUBED // 2000)
            self._origin = self.w_max
        else:
            self._k = 0
            self._origin = cwnd

    def _w_cubic(self, elapsed: int) -> int:
        """
        W_cubic(t) = C (t - K)^3 + W_max.

        @param elapsed: microseconds.
        @return: thousandths of a segment.
        """
        return self._origin + 400 * (elapsed - self._k) ** 3 // _MICROSECONDS_PER_SECOND_CUBED

    def threshold_after_loss(self, now: int) -> int:
        """
        70 percent of the window; and where it was reduced before it had come back, leave room for
        others (fast convergence, RFC 9438 section 4.7).
        """
        cwnd = self.cwnd * 1000
        self._epoch = None
        if cwnd < self.w_max:
            self.w_max = cwnd * (_ONE + _BETA) // (2 * _ONE)
        else:
            self.w_max = cwnd
        return max(self.cwnd * _BETA // _ONE, 2)

    def timed_out(self, now: int) -> None:
        """
        Begin anew in every respect (RFC 9438 section 4.8).
        """
        self._epoch = None
        self._rtt_min = 0
        self._round_end = 0

    def starts_again(self, now: int, idle: int) -> None:
        """
        The function stands still while nothing is sent (RFC 9438 section 5.8).
        """
        if self._epoch is not None and idle > 0:
            self._epoch = min(self._epoch + idle, now)

    def _look_for_the_end(self, ack: Acknowledged) -> None:
        """
        Leave slow start before segments are lost: when round trips become longer, or when the ACKs
        of a round trip come in a train as long as half of it, so that the path is full. HyStart, as
        in Linux; RFC 9438 section 4.10 recommends its successor, whose test of delay this is
        (RFC 9406 section 4.2).
        """
        now = ack.now
        if not ack.rtt or (self._epoch is not None and now - self._epoch < NANOSECONDS):
            return
        if ack.snd_una > self._round_end:
            self._round_end = ack.snd_nxt
            self._round_start = self._last_in_train = now
            self._round_min = ack.rtt
            self._round_samples = 0
        if now - self._last_in_train <= _HYSTART_SPACING:
            self._last_in_train = now
            if now - self._round_start > (self._rtt_min + _HYSTART_SPACING // 2) >> 1:
                self.ssthresh = self.cwnd
                return
        self._round_min = min(self._round_min, ack.rtt)
        if self._round_samples < _HYSTART_SAMPLES:
            self._round_samples += 1
        elif self._round_min > self._rtt_min + min(
            max(self._rtt_min >> 3, _HYSTART_DELAY_MIN), _HYSTART_DELAY_MAX
        ):
            self.ssthresh = self.cwnd


_HYSTART_LOW_WINDOW: Final = 16
_HYSTART_SAMPLES: Final = 8
_HYSTART_SPACING: Final = 2 * MILLISECOND
_HYSTART_DELAY_MIN: Final = 4 * MILLISECOND
_HYSTART_DELAY_MAX: Final = 16 * MILLISECOND


def integer_cube_root(number: int) -> int:
    """
    The largest integer whose cube is not larger than a number (Newton).

    @param number: not negative.
    """
    if number < 1:
        return 0
    root = 1 << -(-number.bit_length() // 3)
    while True:
        better = (2 * root + number // (root * root)) // 3
        if better >= root:
            return root
        root = better
