"""
What happens when a timer of a connection ends.
"""

from __future__ import annotations

from netlab.tcp import ending
from netlab.tcp.segment import Reason
from netlab.tcp.sending import transmission
from netlab.tcp.tcb import TCB
from netlab.tcp.timers import Timer


def timers_end(tcb: TCB, now: int) -> None:
    """
    Do what is due for each timer whose time has come.
    """
    while (timer := tcb.timers.pop_expired(now)) is not None:
        if timer is Timer.RETRANSMISSION:
            retransmission_timeout(tcb, now)
        elif timer is Timer.DELAYED_ACK:
            tcb.acks.delay_is_over(tcb.rtt.rto)
            tcb.ack_due = Reason.DELAYED_ACK
        elif timer is Timer.WINDOW_PROBE:
            transmission.send_probe(tcb, now, Reason.WINDOW_PROBE)
            tcb.rtt.backoff += 1
            tcb.timers.start(Timer.WINDOW_PROBE, now + tcb.rtt.rto)
        elif timer is Timer.TIME_WAIT or timer is Timer.FIN_WAIT_2:
            ending.end(tcb)


def retransmission_timeout(tcb: TCB, now: int) -> None:
    """
    Send the first segment again, and wait twice as long (RFC 6298 section 5).
    """
    first = tcb.board.first
    if first is None:
        return
    tcb.timeouts += 1
    tcb.rtt.backoff += 1
    transmission.send_again(tcb, now, first, Reason.RETRANSMISSION_TIMEOUT)
    tcb.timers.start(Timer.RETRANSMISSION, now + tcb.rtt.rto)
