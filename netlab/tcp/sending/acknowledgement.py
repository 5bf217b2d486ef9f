"""
What an ACK tells the sender.
"""

from __future__ import annotations

from netlab.capture.options import TCPOptions
from netlab.tcp.congestion.base import Acknowledged
from netlab.tcp.segment import TCPSegment
from netlab.tcp.tcb import TCB
from netlab.tcp.timers import Timer


def ack_arrives(
    tcb: TCB, now: int, seq: int, ack: int, segment: TCPSegment, options: TCPOptions | None
) -> None:
    """
    Take an acknowledgment that is valid.
    """
    board = tcb.board
    in_flight = board.in_flight
    una = tcb.snd_una
    update_window(tcb, seq, ack, segment.window)
    if ack > una:
        rtt = -1
        count = 0
        while (sent := board.pop_acknowledged(ack)) is not None:
            count += 1
            if not sent.was_retransmitted:
                rtt = now - sent.sent_at
        board.trim(ack)
        tcb.snd_una = ack
        tcb.queue.release(ack)
        tcb.timeouts = 0
        tcb.rtt.backoff = 0
        if rtt >= 0:
            tcb.rtt.sample(now, rtt, ack, tcb.snd_nxt)
        tcb.congestion.acknowledged(
            Acknowledged(now, count, max(rtt, 0), tcb.rtt.srtt, in_flight, True, ack, tcb.snd_nxt)
        )
        if len(board):
            tcb.timers.start(Timer.RETRANSMISSION, now + tcb.rtt.rto)
        else:
            tcb.timers.stop_sender()


def update_window(tcb: TCB, seq: int, ack: int, field: int) -> None:
    """
    Take the window, unless a later segment has brought one (RFC 9293 section 3.10.7.4, fifth).
    """
    if ack > tcb.snd_una or seq > tcb.snd_wl1 or (seq == tcb.snd_wl1 and ack >= tcb.snd_wl2):
        window = field << tcb.negotiated.send_shift
        tcb.snd_wl1, tcb.snd_wl2 = seq, ack
        if window != tcb.snd_wnd:
            tcb.snd_wnd = window
            tcb.max_window = max(tcb.max_window, window)
