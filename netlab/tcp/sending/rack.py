"""
Losses told by time: RACK (RFC 8985 section 6).
"""

from __future__ import annotations


class RackState:
    """
    What was delivered, of all that was, the latest sent.

    @ivar sent_at: when that was sent (RACK.xmit_ts).
    @ivar end: the sequence number behind it (RACK.end_seq).
    @ivar rtt: its round-trip time (RACK.rtt).
    @ivar has_reordering: something has arrived that others overtook.
    @ivar steps: the reordering window in quarters of the least round-trip time.
    @ivar persist: recoveries for which it stays that large.
    """

    __slots__ = ("end", "has_reordering", "persist", "rtt", "sent_at", "steps")

    def __init__(self) -> None:
        self.sent_at = -1
        self.end = 0
        self.rtt = 0
        self.has_reordering = False
        self.steps = 1
        self.persist = 0
