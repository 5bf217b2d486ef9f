"""
What happens when a timer of a connection ends.
"""

from __future__ import annotations

from typing import Final

from netlab.tcp import ending
from netlab.tcp.events import TimedOut
from netlab.tcp.segment import SYN, CongestionState, Reason
from netlab.tcp.sending import (
    arming,
    bursts,
    lossdetection,
    mss,
    questions,
    recovery,
    transmission,
)
from netlab.tcp.sending.scoreboard import SentSegment
from netlab.tcp.states import TCPState
from netlab.tcp.tcb import TCB
from netlab.tcp.timers import MILLISECOND, Timer

_ORPHAN_RETRIES: Final = 8
"""What Linux makes of C{tcp_orphan_retries} = 0."""

_RTO_MIN: Final = 200 * MILLISECOND


def timers_end(tcb: TCB, now: int) -> None:
    """
    Do what is due for each timer whose time has come.
    """
    while (timer := tcb.timers.pop_expired(now)) is not None:
        _ENDS[timer](tcb, now)


def retransmission_timeout(tcb: TCB, now: int) -> None:
    """
    Take what is out for lost and wait twice as long (RFC 6298 section 5), or give up (RFC 9293
    section 3.8.3).
    """
    first = tcb.board.first
    if first is None:
        return
    if first.flags & SYN:
        syn_timeout(tcb, now, first)
        return
    if has_waited_enough(tcb, now):
        ending.end(tcb, TimedOut())
        return
    recovery.enter_loss(tcb, now)
    tcb.timeouts += 1
    tcb.rtt.backoff += 1
    if tcb.settings.tcp_mtu_probing and tcb.timeouts >= tcb.settings.tcp_retries1:
        mss.fall_back(tcb)
    arming.arm_retransmission(tcb, now)


def syn_timeout(tcb: TCB, now: int, syn: SentSegment) -> None:
    """
    Send a SYN or SYN-ACK again, or give up.
    """
    settings = tcb.settings
    is_opening = tcb.state is TCPState.SYN_SENT or not tcb.is_passive
    if is_opening:
        retries = tcb.options.syn_retries or settings.tcp_syn_retries
        linear = settings.tcp_syn_linear_timeouts
    else:
        retries, linear = settings.tcp_synack_retries, 0
    waited = now - syn.first_sent_at
    user_timeout = tcb.options.user_timeout
    if tcb.timeouts >= retries + linear or (user_timeout and waited >= user_timeout):
        ending.end(tcb, TimedOut())
        return
    tcb.timeouts += 1
    if tcb.timeouts > linear:
        tcb.rtt.backoff += 1
    transmission.send_again(tcb, now, syn, Reason.RETRANSMISSION_TIMEOUT)
    tcb.timers.start(Timer.RETRANSMISSION, now + tcb.rtt.rto)


def has_waited_enough(tcb: TCB, now: int) -> bool:
    """
    Have retransmissions gone unanswered for as long as the program, or the settings, have patience?
    """
    since = tcb.recovery.retransmitting_since
    if not tcb.timeouts or since is None:
        return False
    patience = tcb.options.user_timeout
    if not patience:
        retries = tcb.settings.tcp_retries2
        if tcb.is_orphan:
            retries = orphan_retries(tcb)
        patience = time_of_timeouts(retries, tcb.settings.tcp_rto_max_ms * MILLISECOND)
    return now - since >= patience


def time_of_timeouts(count: int, most: int) -> int:
    """
    Say how long this many timeouts take that begin with the minimum and double up to the maximum:
    what Linux understands by C{tcp_retries2}.

    @param most: the maximum.
    """
    return sum(min(_RTO_MIN << number, most) for number in range(count + 1))


def loss_probe(tcb: TCB, now: int) -> None:
    """
    Send new data, or the last segment again: if the end of what is in flight was lost, this brings
    the SACK that shows it (RFC 8985 section 7.3). One probe at a time.
    """
    state = tcb.recovery
    goes_on = True
    if state.probe_point is None:
        end = questions.next_end(tcb)
        if end is not None and questions.fits_window(tcb, end):
            transmission.send_new(tcb, now, end, Reason.TAIL_LOSS_PROBE)
            state.probe_was_new = True
            state.probe_point = tcb.snd_nxt
            goes_on = False
        elif (last := tcb.board.last) is not None:
            if last.end - last.seq > tcb.mss:
                tcb.board.split(last, last.end - tcb.mss)
                last = tcb.board.last or last
            transmission.send_again(tcb, now, last, Reason.TAIL_LOSS_PROBE)
            state.probe_was_new = False
            state.probe_point = tcb.snd_nxt
            goes_on = False
    arming.arm_retransmission(tcb, now, goes_on=goes_on)


def reordering_ends(tcb: TCB, now: int) -> None:
    """
    What has been overtaken and has not come since is lost (RFC 8985 section 6.3).
    """
    in_flight = tcb.board.in_flight
    lossdetection.mark_by_time(tcb, now)
    if tcb.board.in_flight != in_flight:
        if tcb.recovery.state is not CongestionState.RECOVERY:
            recovery.enter_recovery(tcb, None)
        recovery.reduce(tcb, 1, is_clean=False)
    arming.arm_retransmission(tcb, now, goes_on=True)


def window_probe(tcb: TCB, now: int) -> None:
    """
    Ask for the window that has not opened: with what it has room for, or else with nothing, as
    Linux does, which costs the receiver no place (RFC 9293 section 3.8.6.1).
    """
    end = questions.next_end(tcb)
    if tcb.board or end is None:
        tcb.probes = 0
        return
    if is_tired_of_probing(tcb, now):
        ending.end(tcb, TimedOut())
        return
    edge = tcb.snd_una + tcb.snd_wnd
    if tcb.snd_nxt < edge:
        reason = Reason.WINDOW_PROBE if end > edge else Reason.DATA
        transmission.send_new(tcb, now, min(end, edge), reason)
        bursts.push_last(tcb)
        tcb.rtt.backoff = 0
        arming.arm_retransmission(tcb, now)
        return
    transmission.send_probe(tcb, now, Reason.WINDOW_PROBE)
    tcb.probes += 1
    if tcb.rtt.backoff < tcb.settings.tcp_retries2:
        tcb.rtt.backoff += 1
    tcb.timers.start(Timer.WINDOW_PROBE, now + max(tcb.rtt.rto, _RTO_MIN))


def is_tired_of_probing(tcb: TCB, now: int) -> bool:
    """
    Have this many probes in a row got no answer, or has the program no patience? A peer that
    answers may keep its window shut for ever, unless the program has gone (RFC 9293 section
    3.8.6.1).
    """
    user_timeout = tcb.options.user_timeout
    if user_timeout and now - tcb.probing_since >= user_timeout:
        return True
    most = tcb.settings.tcp_retries2
    if tcb.is_orphan:
        most = orphan_retries(tcb)
        if not is_alive(tcb) and tcb.rtt.backoff >= most:
            return True
    return tcb.probes >= most


def orphan_retries(tcb: TCB) -> int:
    """
    How often is something sent again for an orphan? Not any more when the timeout has grown to its
    maximum, unless the settings say so.
    """
    return tcb.settings.tcp_orphan_retries or (_ORPHAN_RETRIES if is_alive(tcb) else 0)


def is_alive(tcb: TCB) -> bool:
    """
    Is the timeout not yet at its maximum?
    """
    return tcb.rtt.rto < tcb.settings.tcp_rto_max_ms * MILLISECOND


def ack_delay_ends(tcb: TCB, now: int) -> None:
    """
    Neither data nor a second segment have come in time: send the ACK alone.
    """
    tcb.acks.delay_is_over(tcb.rtt.rto)
    tcb.ack_due = Reason.DELAYED_ACK


def keep_alive(tcb: TCB, now: int) -> None:
    """
    Ask a peer that has been silent whether it is there (RFC 9293 section 3.8.4).
    """
    options = tcb.options
    if not options.keepalive or tcb.state in {TCPState.SYN_SENT, TCPState.SYN_RECEIVED}:
        return
    silent = now - max(tcb.heard_at, 0)
    # While data are on their way the retransmission timer finds out.
    if tcb.board or questions.has_unsent(tcb):
        tcb.timers.start(Timer.KEEP_ALIVE, now + options.keepalive_time)
        return
    if silent < options.keepalive_time:
        tcb.timers.start(Timer.KEEP_ALIVE, tcb.heard_at + options.keepalive_time)
        return
    patience = options.user_timeout
    if (patience and silent >= patience and tcb.keep_alive_probes) or (
        not patience and tcb.keep_alive_probes >= options.keepalive_probes
    ):
        ending.abort(tcb, now, TimedOut())
        return
    transmission.send_probe(tcb, now, Reason.KEEP_ALIVE)
    tcb.keep_alive_probes += 1
    tcb.timers.start(Timer.KEEP_ALIVE, now + options.keepalive_interval)


def last_wait_ends(tcb: TCB, now: int) -> None:
    """
    TIME-WAIT is over, or an orphan's wait for its peer's FIN.
    """
    ending.end(tcb)


_ENDS: Final = {
    Timer.RETRANSMISSION: retransmission_timeout,
    Timer.LOSS_PROBE: loss_probe,
    Timer.REORDERING: reordering_ends,
    Timer.WINDOW_PROBE: window_probe,
    Timer.DELAYED_ACK: ack_delay_ends,
    Timer.KEEP_ALIVE: keep_alive,
    Timer.FIN_WAIT_2: last_wait_ends,
    Timer.TIME_WAIT: last_wait_ends,
}
