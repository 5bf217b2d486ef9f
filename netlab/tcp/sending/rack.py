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

    @ivar sent_at: when that was sent (RACK.xmit_ts).
    @ivar end: the sequence number behind it (RACK.end_seq).
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
        "end",
        "has_advanced",
        "has_dsack",
        "has_reordering",
        "persist",
        "rtt",
        "sent_at",
        "steps",
    )

    def __init__(self) -> None:
        self.sent_at = -1
        self.end = 0
        self.rtt = 0
        self.has_advanced = False
        self.has_reordering = False
        self.has_dsack = False
        self.adjusted_at = 0
        self.steps = 1
        self.persist = 0

    def delivered(
        self, now: int, sent_at: int, end: int, min_rtt: int, *, was_retransmitted: bool
    ) -> None:
        """
        Note a segment that was acknowledged or reported (RFC 8985 section 6.2, steps 1 and 2).

        @param sent_at: when it was sent last.
        @param end: the sequence number behind it.
        """
        rtt = now - sent_at
        if was_retransmitted and rtt < min_rtt:
            # It is the original that has arrived.
            return
        self.has_advanced = True
        self.rtt = rtt
        if sent_at > self.sent_at or (sent_at == self.sent_at and end > self.end):
            self.sent_at = sent_at
            self.end = end

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
