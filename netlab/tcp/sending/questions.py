"""
What a connection may send now. Each rule of sending is a question with a short answer.
"""

from __future__ import annotations

from netlab.tcp.segment import CongestionState, Reason
from netlab.tcp.sending import transmission
from netlab.tcp.states import SENDS_DATA
from netlab.tcp.tcb import TCB
from netlab.tcp.timers import Timer


def send_what_is_due(tcb: TCB, now: int) -> None:
    """
    Put all that may be sent into the outbox: lost segments first, then new ones, then the ACK that
    is owed, if none of them has carried it.
    """
    if tcb.state in SENDS_DATA:
        send_new_data(tcb, now)
    if tcb.ack_due is not None:
        transmission.send_ack(tcb, now, tcb.ack_due)


def send_new_data(tcb: TCB, now: int) -> None:
    """
    Send new segments as long as every rule allows it.
    """
    first_of_all = not len(tcb.board)
    sent = False
    while True:
        end = next_end(tcb)
        if end is None:
            break
        if tcb.board.in_flight >= tcb.congestion.cwnd:
            tcb.is_cwnd_limited = True
            break
        if not fits_window(tcb, end) or not may_be_small(tcb, end):
            break
        if first_of_all and not sent:
            begin_to_send(tcb, now)
        transmission.send_new(tcb, now, end, reason_of_new(tcb))
        sent = True
    if sent:
        rearm(tcb, now)
    elif first_of_all and has_unsent(tcb):
        wait_for_window(tcb, now)


def has_unsent(tcb: TCB) -> bool:
    """
    Is there a byte, or a FIN, that has not been sent?
    """
    queue = tcb.queue
    return tcb.snd_nxt < queue.end + queue.has_fin


def next_end(tcb: TCB) -> int | None:
    """
    Where would the next new segment end? Behind the FIN, if it would have all the rest.
    """
    queue = tcb.queue
    end = queue.end
    nxt = tcb.snd_nxt
    mss = tcb.mss
    if end - nxt > mss:
        return nxt + mss
    if queue.has_fin:
        return end + 1 if nxt <= end else None
    return end if nxt < end else None


def fits_window(tcb: TCB, end: int) -> bool:
    """
    Is the peer's window large enough for all of the segment? A part of it would be a silly one
    (RFC 9293 section 3.8.6.2.1); a window that stays too small for a full one is probed. A FIN
    needs no room.
    """
    return min(end, tcb.queue.end) <= tcb.snd_una + tcb.snd_wnd


def may_be_small(tcb: TCB, end: int) -> bool:
    """
    May a segment leave that is not full? By Nagle's algorithm only if no other small one is under
    way (RFC 9293 section 3.7.4, in Minshall's variant, as Linux has it). What ends the stream may.
    """
    if end - tcb.snd_nxt >= tcb.mss or end > tcb.queue.end:
        return True
    options = tcb.options
    if options.cork:
        return False
    return options.nodelay or not len(tcb.board) or tcb.small_end <= tcb.snd_una


def reason_of_new(tcb: TCB) -> Reason:
    """
    Why would new data leave now?
    """
    if tcb.recovery.state is CongestionState.DISORDER:
        return Reason.LIMITED_TRANSMIT
    return Reason.DATA


def begin_to_send(tcb: TCB, now: int) -> None:
    """
    Nothing was in flight: is the congestion window still worth something?
    """


def wait_for_window(tcb: TCB, now: int) -> None:
    """
    The peer's window does not let anything leave, and nothing under way will bring a larger one:
    ask for it.
    """
    if tcb.timers.sender is None and not fits_window(tcb, next_end(tcb) or 0):
        tcb.timers.start(Timer.WINDOW_PROBE, now + tcb.rtt.rto)


def rearm(tcb: TCB, now: int) -> None:
    """
    Start what the sender waits for, after it has sent.
    """
    if tcb.timers.sender is not Timer.RETRANSMISSION:
        tcb.timers.start(Timer.RETRANSMISSION, now + tcb.rtt.rto)


def send_space(tcb: TCB) -> int:
    """
    How many bytes more may be written? The buffer has room for what is in flight and as much again,
    so that the program can keep the pipe full.
    """
    limit = tcb.options.send_buffer
    if not limit:
        _, default, most = tcb.settings.tcp_wmem
        limit = min(max(default, 2 * max(tcb.congestion.cwnd, 10) * tcb.mss), most)
    return limit - len(tcb.queue)
