"""
What follows from the program's having read: room, of which the peer must hear.
"""

from __future__ import annotations

from netlab.tcp.segment import Reason
from netlab.tcp.states import RECEIVES_DATA
from netlab.tcp.tcb import TCB
from netlab.tcp.timers import NEVER, Timer


def has_read(tcb: TCB, now: int, size: int) -> None:
    """
    Take note of bytes that the program has read.
    """
    tcb.window.read(now, size)
    if tcb.ack_due is not None or tcb.state not in RECEIVES_DATA:
        return
    if tcb.timers.at(Timer.DELAYED_ACK) != NEVER and need_not_wait(tcb):
        tcb.ack_due = Reason.ACK
    elif opens_much(tcb):
        tcb.ack_due = Reason.WINDOW_UPDATE


def need_not_wait(tcb: TCB) -> bool:
    """
    Is there no more sense in delaying the ACK that is owed? There is none if a second segment has
    come, or if all has been read that the peer had to say, and no answer is usual.
    """
    acks, received = tcb.acks, tcb.received
    if received.nxt - tcb.window.wup > acks.segment:
        return True
    is_all = acks.is_pushed_twice or (acks.is_pushed and not acks.is_interactive)
    return is_all and not received.unread and not received.out_of_order


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
