"""
What simulated hosts know of each segment that they send, for the capture.
"""

from __future__ import annotations

from typing import Final

from netlab.capture.sendernotes import SenderNote, write_sender_note
from netlab.simulation.interface import NetworkInterface
from netlab.tcp.segment import Outgoing

#: More frames than an interface lets wait; those that it loses never leave.
_WAITING_MAX: Final = 4096


class SenderNotes:
    """
    Remembers what a host knew when it made a frame, until the frame leaves.
    """

    def __init__(self, interface: NetworkInterface) -> None:
        """
        @param interface: which frames wait in.
        """
        self._interface = interface
        # By the identity of the frame, which is kept with it so that no other gets the same.
        self._waiting: dict[int, tuple[bytes, int, Outgoing, int]] = {}

    def sent(self, now: int, outgoing: Outgoing, frame: bytes) -> None:
        """
        A frame has been made.
        """
        if len(self._waiting) >= _WAITING_MAX:
            self._waiting.pop(next(iter(self._waiting)))
        self._waiting[id(frame)] = (frame, now, outgoing, self._interface.queued)

    def comment_of(self, frame: bytes) -> str | None:
        """
        Write what was known of a frame that leaves.

        @return: C{None} if nothing was.
        """
        found = self._waiting.pop(id(frame), None)
        if found is None or found[0] is not frame:
            return None
        _, now, outgoing, queued = found
        known = outgoing.variables
        if known is None:
            return None
        return write_sender_note(
            SenderNote(
                reason=outgoing.reason.value,
                cwnd=known.cwnd,
                ssthresh=known.ssthresh,
                mss=known.mss,
                flight=known.flight,
                srtt_ns=known.srtt,
                rto_ns=known.rto,
                recovery=known.recovery.value,
                sacked=known.sacked,
                lost=known.lost,
                unsent=known.unsent,
                unread=known.unread,
                out_of_order=known.out_of_order,
                timer=known.timer,
                timer_ns=max(known.timer_at - now, 0) if known.timer else 0,
                queued=queued,
            )
        )
