"""
Whether a segment is acceptable: RFC 9293 section 3.10.7.4, hardened by RFC 5961 and RFC 7323.

Each question is asked of a segment in a synchronized state, or SYN-RECEIVED; the answers come in
the order of the RFC.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from netlab.tcp.segment import ACK, RST, SYN
from netlab.tcp.sequence import MASK
from netlab.tcp.states import TCPState
from netlab.tcp.tcb import TCB
from netlab.tcp.timers import MILLISECOND, NANOSECONDS

_HALF: Final = 0x8000_0000

TS_RECENT_VALID: Final = 24 * 24 * 3600 * NANOSECONDS
"""After 24 days the peer's timestamps may have wrapped (RFC 7323 section 5.5)."""


class Acceptability(Enum):
    """
    What is to be done with a segment.
    """

    ACCEPTABLE = "go on"
    IGNORE = "drop it"
    ANSWER = "drop it and say what was expected"
    CHALLENGE = "drop it and challenge the peer to repeat it"
    RESET = "the connection is reset"


def judge(tcb: TCB, now: int, seq: int, end: int, flags: int, tsval: int | None) -> Acceptability:
    """
    Judge a segment by its sequence numbers, its timestamp and its flags.

    @param seq: unwrapped.
    @param end: behind its last byte, SYN and FIN counted.
    @param tsval: its TSval, C{None} without one.
    """
    is_reset = flags & RST
    if tsval is not None and not is_reset and is_old_duplicate(tcb, now, tsval, seq, end, flags):
        return Acceptability.ANSWER
    if not is_in_window(tcb, seq, end):
        if is_reset:
            # One with the number of the FIN that has arrived: its sender has seen no ACK of it.
            if tcb.received.is_finished and seq == tcb.received.nxt - 1 and seq == end:
                return Acceptability.RESET
            return Acceptability.IGNORE
        return Acceptability.CHALLENGE if flags & SYN else Acceptability.ANSWER
    if is_reset:
        return Acceptability.RESET if seq == tcb.received.nxt else Acceptability.CHALLENGE
    if flags & SYN:
        # RFC 5961 section 4.2: its sender is gone, or never was.
        return Acceptability.CHALLENGE
    if not flags & ACK:
        return Acceptability.IGNORE
    return Acceptability.ACCEPTABLE


def is_in_window(tcb: TCB, seq: int, end: int) -> bool:
    """
    Does any part of the segment lie in the receive window? (RFC 9293 section 3.4, table 6.) One at
    its edges may, as Linux has it: an ACK sent when the window was larger still counts.
    """
    window = tcb.window
    return end >= window.wup and seq <= max(tcb.received.nxt, window.wup + window.wnd)


def is_old_duplicate(tcb: TCB, now: int, tsval: int, seq: int, end: int, flags: int) -> bool:
    """
    Is the timestamp older than one that has arrived? Protection against wrapped sequence numbers
    (PAWS, RFC 7323 section 5.3).
    """
    if tcb.ts_recent_at < 0:
        return False
    behind = (tcb.ts_recent - tsval) & MASK
    if behind == 0 or behind >= 0x8000_0000:
        return False
    if now - tcb.ts_recent_at >= TS_RECENT_VALID:
        return False
    # A pure ACK that another overtook is harmless, and to answer it would look like a duplicate
    # ACK (Linux's tcp_disordered_ack).
    return not (
        seq == end == tcb.received.nxt
        and flags & ACK
        and behind * MILLISECOND <= max(tcb.rtt.rto, NANOSECONDS)
    )


def is_valid_ack(tcb: TCB, ack: int) -> bool:
    """
    Does the segment acknowledge something that was sent, and not too long ago (RFC 5961 section
    5.2)?

    @param ack: unwrapped.
    """
    if tcb.state is TCPState.SYN_RECEIVED:
        return tcb.snd_una < ack <= tcb.snd_nxt
    return tcb.snd_una - tcb.max_window <= ack <= tcb.snd_nxt


def unwrap_both(tcb: TCB, seq: int, ack: int) -> tuple[int, int]:
    """
    Find out which sequence and acknowledgment numbers a header means.
    """
    nxt, una = tcb.received.nxt, tcb.snd_una
    # As sequence.unwrap does; written out, since each segment comes this way.
    return (
        nxt + ((seq - nxt + _HALF) & MASK) - _HALF,
        una + ((ack - una + _HALF) & MASK) - _HALF,
    )
