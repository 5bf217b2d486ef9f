"""
What follows from the program's having read: room, of which the peer must hear.
"""

from __future__ import annotations

from netlab.tcp.segment import Reason
from netlab.tcp.states import RECEIVES_DATA
from netlab.tcp.tcb import TCB


def has_read(tcb: TCB, now: int, size: int) -> None:
    """
    Take note of bytes that the program has read.
    """
    tcb.window.read(now, size)
    if tcb.ack_due is None and tcb.state in RECEIVES_DATA and opens_much(tcb):
        tcb.ack_due = Reason.WINDOW_UPDATE


def opens_much(tcb: TCB) -> bool:
    """
    Is the window that could be advertised at least twice the one the peer knows of, so that it is
    worth a segment (RFC 9293 section 3.8.6.2.2)?
    """
    window, received = tcb.window, tcb.received
    current = max(window.right_edge() - received.nxt, 0)
    if current * 2 > window.clamp:
        return False
    wanted = window.select(received.nxt, received.unread + received.out_of_order)
    return wanted > 0 and wanted >= 2 * current
