"""
What one ACK has changed.
"""

from __future__ import annotations


class Progress:
    """
    Filled in while an ACK is taken.

    @ivar una: SND.UNA before it.
    @ivar una_advanced: it acknowledges something new.
    @ivar acked: segments that it covers and no SACK had reported.
    @ivar sacked: segments that its SACKs report and none had before.
    @ivar has_payload: the segment has a payload.
    @ivar updates_window: it brings a window.
    @ivar has_duplicate: it has a D-SACK.
    @ivar has_original: it covers or reports, of what was sent before the recovery point, a segment
        that was sent once: that one was not lost.
    @ivar has_retransmitted: it covers one that was sent more than once.
    @ivar has_echo: ECE (RFC 3168 section 6.1.2).
    @ivar lowest_original: the least sequence number of a segment that was sent once and overtaken.
    @ivar first_sent_at: of what it covers and was sent once, when the first was; -1: none.
    @ivar last_sent_at: when the last was; -1: none.
    @ivar sack_sent_at: when the last was sent that it reports; -1: none that was sent once.
    @ivar sets_timer: the sender's timer is to be started anew.
    @ivar echo: TSecr; 0 without timestamps.
    """

    __slots__ = (
        "acked",
        "echo",
        "first_sent_at",
        "has_duplicate",
        "has_echo",
        "has_original",
        "has_payload",
        "has_retransmitted",
        "last_sent_at",
        "lowest_original",
        "sack_sent_at",
        "sacked",
        "sets_timer",
        "una",
        "una_advanced",
        "updates_window",
    )

    def __init__(self, una: int, echo: int) -> None:
        self.una = una
        self.echo = echo
        self.una_advanced = False
        self.acked = self.sacked = 0
        self.has_payload = self.updates_window = False
        self.has_duplicate = self.has_original = self.has_retransmitted = self.has_echo = False
        self.lowest_original: int | None = None
        self.first_sent_at = self.last_sent_at = self.sack_sent_at = -1
        self.sets_timer = False

    def note_original(self, seq: int) -> None:
        """
        Note a segment that was sent once and overtaken.
        """
        if self.lowest_original is None or seq < self.lowest_original:
            self.lowest_original = seq

    @property
    def is_duplicate_ack(self) -> bool:
        """
        Whether it is one by RFC 5681 section 2: it says nothing that was not known, but that a
        segment has arrived.
        """
        return not (
            self.una_advanced or self.has_payload or self.updates_window or self.has_duplicate
        )
