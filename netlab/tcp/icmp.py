"""
What a router or the peer's host says by ICMP about a segment of ours: RFC 5461, RFC 5927, RFC 1191.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from netlab.tcp import ending
from netlab.tcp.events import Refused, Unreachable
from netlab.tcp.segment import CongestionState, Reason
from netlab.tcp.sending import mss
from netlab.tcp.sequence import unwrap
from netlab.tcp.states import TCPState
from netlab.tcp.tcb import TCB

PATH_MTU_MIN: Final = 552
"""Bytes: no message makes the path's smaller, as in Linux (C{min_pmtu}); RFC 1191 allows 68, of
which 28 would be payload, and the rest our work (RFC 5927 section 7.3)."""


class ICMPMessage(Enum):
    """
    What was said.
    """

    PORT_UNREACHABLE = "there is no such port"
    UNREACHABLE = "the host or its network cannot be reached"
    TOO_BIG = "the packet is larger than the next link carries"
    TIME_EXCEEDED = "the packet has been on its way for too long"


_OPENING: Final = (TCPState.SYN_SENT, TCPState.SYN_RECEIVED)


def message_arrives(tcb: TCB, now: int, message: ICMPMessage, seq: int, mtu: int) -> None:
    """
    Take a message about a segment of this connection.

    @param seq: the sequence number of the segment that it quotes. Nobody can know one that is in
        flight who has not seen the segment (RFC 5927 section 4.1).
    @param mtu: of the next link, in bytes; only with L{ICMPMessage.TOO_BIG}.
    """
    quoted = unwrap(seq, tcb.snd_una)
    if not tcb.snd_una <= quoted < max(tcb.snd_nxt, tcb.snd_una + 1):
        return
    if message is ICMPMessage.TOO_BIG:
        path_is_narrower(tcb, now, mtu)
    elif tcb.state in _OPENING and message is not ICMPMessage.TIME_EXCEEDED:
        refused = message is ICMPMessage.PORT_UNREACHABLE
        ending.end(tcb, Refused() if refused else Unreachable())
    # In other states these are soft errors: the timers decide (RFC 9293 section 3.9.2.2).


def path_is_narrower(tcb: TCB, now: int, mtu: int) -> None:
    """
    Send smaller segments, and again in smaller ones what was too large. That is no sign of
    congestion (RFC 1191 section 6.4).
    """
    mtu = max(mtu, PATH_MTU_MIN)
    if mtu >= tcb.path_mtu:
        return
    tcb.path_mtu = mtu
    mss.synchronise(tcb)
    board, recovery = tcb.board, tcb.recovery
    lost = [sent for sent in board if sent.end - sent.seq > tcb.mss and not sent.is_sacked]
    for sent in lost:
        board.mark_lost(sent)
    if not lost:
        return
    if recovery.state is not CongestionState.LOSS:
        recovery.state = CongestionState.LOSS
        recovery.point = tcb.snd_nxt
        recovery.prior_ssthresh = 0
        recovery.undo_marker = None
        recovery.tests_timeout = False
    recovery.first_reason = Reason.PATH_MTU
    tcb.wake()
