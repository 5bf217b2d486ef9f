"""
What the sender of a segment knew, as a comment of its frame in pcapng.

No capture shows a congestion window, a timer or why something was sent. Where the sender is ours
that is noted beside the frame, so that one file carries both; any program may write such a comment,
so it is read as carefully as all else in a capture.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

#: What each of these comments begins with.
_PREFIX: Final = "Sender's TCP: "

#: Longer than any of ours.
NOTE_MAX_CHARACTERS: Final = 600

_TEXT: Final = re.compile(r"[A-Za-z][A-Za-z0-9 ,'-]{0,60}")
_NUMBER: Final = re.compile(r"[0-9]{1,19}")

SSTHRESH_UNKNOWN: Final = 0x7FFF_FFFF
"""The slow start threshold before any loss, as Linux shows it."""


class SenderNote(NamedTuple):
    """
    What a sender knew just after it had sent a segment. Times are in nanoseconds.

    @ivar reason: why the segment was sent, such as C{fast retransmit}.
    @ivar cwnd: the congestion window, in segments of L{mss} bytes (RFC 5681).
    @ivar ssthresh: the slow start threshold in segments; L{SSTHRESH_UNKNOWN} before any loss.
    @ivar mss: payload bytes of a full-sized segment.
    @ivar flight: segments in flight: sent, not acknowledged, not taken for lost.
    @ivar srtt_ns: the smoothed round-trip time (RFC 6298); 0 before the first sample.
    @ivar rto_ns: the retransmission timeout, backed off.
    @ivar recovery: what the sender believes of the network: C{open}, C{recovery}, C{loss} …
    @ivar sacked: segments that SACKs have reported.
    @ivar lost: segments taken for lost.
    @ivar unsent: bytes that have been written and not sent.
    @ivar unread: bytes that have arrived in order and wait to be read.
    @ivar out_of_order: bytes that wait behind a gap.
    @ivar timer: the running timer, or nothing.
    @ivar timer_ns: in how long it ends.
    @ivar queued: frames that wait in the sender's interface before this one.
    """

    reason: str
    cwnd: int
    ssthresh: int
    mss: int
    flight: int
    srtt_ns: int
    rto_ns: int
    recovery: str
    sacked: int
    lost: int
    unsent: int
    unread: int
    out_of_order: int
    timer: str
    timer_ns: int
    queued: int

    @property
    def cwnd_bytes(self) -> int:
        """The congestion window in bytes."""
        return self.cwnd * self.mss

    @property
    def ssthresh_bytes(self) -> int | None:
        """The slow start threshold in bytes; C{None} before any loss."""
        return None if self.ssthresh >= SSTHRESH_UNKNOWN else self.ssthresh * self.mss


#: By the names in the comment; the rest of a L{SenderNote}'s fields are texts.
_TEXTS: Final = frozenset({"reason", "recovery", "timer"})


def write_sender_note(note: SenderNote) -> str:
    """
    Write a note as a comment.
    """
    values = "; ".join(f"{name}={value}" for name, value in note._asdict().items())
    return f"{_PREFIX}{values}"


def sender_notes_of(comments: Iterable[str]) -> tuple[str, ...]:
    """
    Pick what may be a sender's note among the comments of a frame: one, and bounded.
    """
    for comment in comments:
        if comment.startswith(_PREFIX) and len(comment) <= NOTE_MAX_CHARACTERS:
            return (comment,)
    return ()


def read_sender_note(comments: Iterable[str]) -> SenderNote | None:
    """
    Find a sender's note among the comments of a frame.

    @return: the first; C{None} if there is none, or it is not whole.
    """
    for comment in sender_notes_of(comments):
        return _parse(comment[len(_PREFIX) :])
    return None


def _parse(text: str) -> SenderNote | None:
    pairs = [pair.partition("=") for pair in text.split("; ")]
    if tuple(name for name, _, _ in pairs) != SenderNote._fields:
        return None
    values: list[int | str] = []
    for name, _, value in pairs:
        if name in _TEXTS:
            if value and _TEXT.fullmatch(value) is None:
                return None
            values.append(value)
        elif _NUMBER.fullmatch(value):
            values.append(int(value))
        else:
            return None
    return SenderNote._make(values)
