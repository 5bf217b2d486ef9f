"""
Losses told by time: RACK (RFC 8985 section 6).
"""

from __future__ import annotations

from typing import Final

PERSIST_RECOVERIES: Final = 16
STEPS_MAX: Final = 255


class RackState:
    """
    What was delivered, of all that was, the latest sent.

    @ivar serial: the number of its transmission. RFC 8985 section 6.2 compares the time
        (RACK.xmit_ts), and of two sent at the same time their sequence numbers (RACK.end_seq).
    @ivar rtt: its round-trip time (RACK.rtt).
    @ivar has_advanced: something was delivered since losses were looked for.
    @ivar has_reordering: something has arrived that others overtook.
    @ivar has_dsack: a retransmission was needless, so the reordering window may be too small.
    @ivar adjusted_at: segments delivered when that was taken into account.
    @ivar steps: the reordering window in quarters of the least round-trip time.
    @ivar persist: recoveries for which it stays that large.
    """

    __slots__ = (
        "adjusted_at",
        "has_advanced",
        "has_dsack",
        "has_reordering",
        "persist",
        "rtt",
        "serial",
        "steps",
    )

    def __init__(self) -> None:
        self.serial = 0
        self.rtt = 0
        self.has_advanced = False
        self.has_reordering = False
        self.has_dsack = False
        self.adjusted_at = 0
        self.steps = 1
        self.persist = 0

    def delivered(
        self, now: int, sent_at: int, serial: int, min_rtt: int, *, was_retransmitted: bool
    ) -> None:
        """
        Note a segment that was acknowledged or reported (RFC 8985 section 6.2, steps 1 and 2).

        @param sent_at: when it was sent last.
        @param serial: the number of that transmission.
        """
        rtt = now - sent_at
        if was_retransmitted and rtt < min_rtt:
            # It is the original that has arrived.
            return
        self.has_advanced = True
        self.rtt = rtt
        self.serial = max(self.serial, serial)

    def adjust(self, delivered: int, prior_delivered: int) -> None:
        """
        Make the reordering window larger after a D-SACK, and as it was after 16 recoveries without
        one (RFC 8985 section 6.2, step 4).

        @param delivered: segments delivered so far.
        @param prior_delivered: when the segment was sent of which the ACK says something; a D-SACK
            within a round trip of another adds nothing.
        """
        if prior_delivered < self.adjusted_at:
            self.has_dsack = False
        if self.has_dsack:
            self.steps = min(self.steps + 1, STEPS_MAX)
            self.has_dsack = False
            self.adjusted_at = delivered
            self.persist = PERSIST_RECOVERIES
        elif not self.persist:
            self.steps = 1
