"""
Reno: RFC 5681.
"""

from __future__ import annotations

from typing import ClassVar

from netlab.tcp.congestion.base import Acknowledged, CongestionControl


class Reno(CongestionControl):
    """
    One segment more in a round trip, half after a loss.
    """

    name: ClassVar[str] = "reno"

    __slots__ = ()

    def acknowledged(self, ack: Acknowledged) -> None:
        """
        Slow start, then congestion avoidance (RFC 5681 section 3.1).
        """
        if not ack.is_cwnd_limited:
            return
        segments = ack.segments
        if self.is_in_slow_start:
            segments = self._slow_start(segments)
        if segments:
            self._avoid(self.cwnd, segments)

    def threshold_after_loss(self, now: int) -> int:
        """
        Half the window (RFC 5681 section 3.1, equation 4; the window itself stands for what is in
        flight, as in Linux: where they differ, the window was not what limited the sender).
        """
        return max(self.cwnd >> 1, 2)
