"""
The segments that were sent and not acknowledged, and what is known of each of them.

This is the scoreboard of RFC 6675, kept by segments as Linux keeps it: a segment is in flight, or
a SACK has reported it, or it is taken for lost; and one that is lost may have been sent again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from operator import attrgetter
from typing import Final

_COMPACT_AT: Final = 64
"""So many acknowledged segments at the head of the list are worth moving the rest."""


class SentSegment:
    """
    A segment that takes up sequence numbers.

    @ivar seq: its first sequence number.
    @ivar end: the sequence number behind it.
    @ivar flags: SYN, FIN, PSH and URG, as it is sent.
    @ivar sent_at: when it was sent last.
    @ivar first_sent_at: when it was sent first.
    @ivar serial: the number of that transmission among all of the connection: of two at the same
        time it tells which was first.
    @ivar burst: the first sequence number of the burst that it was sent in
        (L{netlab.tcp.sending.bursts}).
    @ivar is_sacked: a SACK has reported it.
    @ivar is_lost: it is taken for lost; so is its retransmission unless C{is_resent}.
    @ivar was_retransmitted: it was sent more than once, so an ACK does not say which one arrived.
    @ivar is_resent: it was sent again after it was lost, and that may be under way.
    """

    __slots__ = (
        "burst",
        "end",
        "first_sent_at",
        "flags",
        "is_lost",
        "is_resent",
        "is_sacked",
        "sent_at",
        "seq",
        "serial",
        "was_retransmitted",
    )

    def __init__(self, seq: int, end: int, flags: int, now: int) -> None:
        self.seq = seq
        self.end = end
        self.flags = flags
        self.sent_at = now
        self.first_sent_at = now
        self.serial = 0
        self.burst = seq
        self.is_sacked = False
        self.is_lost = False
        self.is_resent = False
        self.was_retransmitted = False


_end_of = attrgetter("end")
_serial_of = attrgetter("serial")


class Scoreboard:
    """
    All of them, by sequence number.

    @ivar sacked: how many a SACK has reported; without SACK, how many duplicate ACKs have come.
    @ivar lost: how many are taken for lost.
    @ivar resent: how many retransmissions may be under way.
    @ivar to_resend: how many are lost and have not been sent again since.
    @ivar resend_from: no segment before this sequence number is one of those.
    @ivar fack: the sequence number behind the last byte that a SACK has reported.
    @ivar by_time: those that may be under way, in the order in which they were sent last: what RACK
        looks at (RFC 8985 section 6).
    """

    __slots__ = (
        "_head",
        "_segments",
        "_serial",
        "by_time",
        "fack",
        "lost",
        "resend_from",
        "resent",
        "sacked",
        "to_resend",
    )

    def __init__(self) -> None:
        self._segments: list[SentSegment] = []
        self._head = 0
        self._serial = 0
        self.by_time: OrderedDict[SentSegment, None] = OrderedDict()
        self.sacked = 0
        self.lost = 0
        self.resent = 0
        self.to_resend = 0
        self.resend_from = 0
        self.fack = 0

    def __len__(self) -> int:
        return len(self._segments) - self._head

    def __iter__(self) -> Iterator[SentSegment]:
        segments = self._segments
        for at in range(self._head, len(segments)):
            yield segments[at]

    @property
    def in_flight(self) -> int:
        """
        Segments that are believed to be under way ("pipe", RFC 6675 section 4).
        """
        return len(self._segments) - self._head - self.sacked - self.lost + self.resent

    @property
    def first(self) -> SentSegment | None:
        """
        The segment at SND.UNA.
        """
        segments = self._segments
        return segments[self._head] if self._head < len(segments) else None

    @property
    def last(self) -> SentSegment | None:
        """
        The segment before SND.NXT.
        """
        segments = self._segments
        return segments[-1] if self._head < len(segments) else None

    def add(self, segment: SentSegment) -> None:
        """
        Note a segment that was sent for the first time.
        """
        self._serial += 1
        segment.serial = self._serial
        self._segments.append(segment)
        self.by_time[segment] = None

    def after(self, seq: int) -> Iterator[SentSegment]:
        """
        Walk over the segments from the one that has a sequence number on; also over those that a
        split makes meanwhile.
        """
        segments = self._segments
        at = self._index(seq)
        while at < len(segments):
            yield segments[at]
            at += 1

    def _index(self, seq: int) -> int:
        return bisect_right(self._segments, seq, self._head, key=_end_of)

    def pop_acknowledged(self, una: int) -> SentSegment | None:
        """
        Take the first segment off if an ACK covers all of it.
        """
        segments = self._segments
        head = self._head
        if head >= len(segments):
            return None
        segment = segments[head]
        if segment.end > una:
            return None
        self._head = head = head + 1
        if segment.is_sacked:
            self.sacked -= 1
        elif segment.is_lost:
            self.lost -= 1
            if segment.is_resent:
                del self.by_time[segment]
            else:
                self.to_resend -= 1
        else:
            del self.by_time[segment]
        if segment.is_resent:
            self.resent -= 1
        if head == len(segments):
            segments.clear()
            self._head = 0
        elif head >= _COMPACT_AT and head * 2 >= len(segments):
            del segments[:head]
            self._head = 0
        return segment

    def trim(self, una: int) -> None:
        """
        Cut off what an ACK covers of the first segment, if it covers a part.
        """
        first = self.first
        if first is not None and first.seq < una < first.end:
            first.seq = una

    def split(self, segment: SentSegment, at: int) -> None:
        """
        Make two segments of one, both of which are as it was.

        @param at: the second one's first sequence number.
        """
        tail = SentSegment(at, segment.end, segment.flags, segment.sent_at)
        tail.first_sent_at = segment.first_sent_at
        tail.serial = segment.serial
        tail.burst = segment.burst
        tail.is_sacked = segment.is_sacked
        tail.is_lost = segment.is_lost
        tail.is_resent = segment.is_resent
        tail.was_retransmitted = segment.was_retransmitted
        index = self._index(segment.seq)
        self._segments.insert(index + 1, tail)
        segment.end = at
        # A FIN or a push is at the end.
        segment.flags = 0
        self.sacked += tail.is_sacked
        self.lost += tail.is_lost
        self.resent += tail.is_resent
        self.to_resend += tail.is_lost and not tail.is_resent
        if segment in self.by_time:
            self.by_time[tail] = None
            self._sort_by_time()

    def mark_sacked(self, segment: SentSegment) -> None:
        """
        Note that a SACK reports a segment.
        """
        if segment.is_lost:
            segment.is_lost = False
            self.lost -= 1
            self.to_resend -= not segment.is_resent
        if segment.is_resent:
            segment.is_resent = False
            self.resent -= 1
        self.by_time.pop(segment, None)
        segment.is_sacked = True
        self.sacked += 1
        self.fack = max(self.fack, segment.end)

    def mark_lost(self, segment: SentSegment) -> None:
        """
        Take a segment for lost, or its retransmission if it was sent again.
        """
        if segment.is_lost and not segment.is_resent:
            return
        if segment.is_resent:
            segment.is_resent = False
            self.resent -= 1
        if not segment.is_lost:
            segment.is_lost = True
            self.lost += 1
        self.to_resend += 1
        self.resend_from = min(self.resend_from, segment.seq)
        self.by_time.pop(segment, None)

    def mark_resent(self, segment: SentSegment, now: int) -> None:
        """
        Note that a segment was sent again.
        """
        self._serial += 1
        segment.serial = self._serial
        segment.was_retransmitted = True
        segment.sent_at = now
        if not segment.is_resent:
            segment.is_resent = True
            self.resent += 1
            self.to_resend -= segment.is_lost
        self.by_time[segment] = None
        self.by_time.move_to_end(segment)

    def forget_losses(self) -> None:
        """
        Take nothing for lost any more: the recovery was for nothing.
        """
        for segment in self:
            if segment.is_lost:
                segment.is_lost = False
                self.by_time[segment] = None
        self.lost = self.to_resend = 0
        self._sort_by_time()

    def forget_sacks(self) -> None:
        """
        Forget what SACKs said: the receiver may have thrown it away (RFC 2018 section 8).
        """
        for segment in self:
            if segment.is_sacked:
                segment.is_sacked = False
                self.by_time[segment] = None
        self.sacked = 0
        self.fack = 0
        self._sort_by_time()

    def _sort_by_time(self) -> None:
        """
        Bring in order what came in out of its order.
        """
        self.by_time = OrderedDict.fromkeys(sorted(self.by_time, key=_serial_of))

    def clear(self) -> None:
        """
        Forget everything: nothing will be sent again.
        """
        self._segments.clear()
        self._head = 0
        self.by_time.clear()
        self.sacked = self.lost = self.resent = self.to_resend = 0
