"""
How a connection ends, in good order or not.
"""

from __future__ import annotations

from netlab.tcp.events import Closed, Event
from netlab.tcp.sending import transmission
from netlab.tcp.states import Occurrence, TCPState
from netlab.tcp.tcb import TCB
from netlab.tcp.timers import Timer


def end(tcb: TCB, why: Event | None = None) -> None:
    """
    Let a connection be no more, at once.

    @param why: what to tell the program before L{Closed}; C{None} if nothing went wrong.
    """
    if tcb.state is TCPState.CLOSED:
        return
    tcb.state = TCPState.CLOSED
    tcb.timers.stop_all()
    tcb.ack_due = None
    tcb.board.clear()
    tcb.queue.clear()
    if why is not None:
        # A reset makes the connection's data worthless; what came in good order stays readable.
        tcb.received.discard()
        tcb.events.append(why)
    tell_closed(tcb)
    tcb.wake()


def tell_closed(tcb: TCB) -> None:
    """
    Tell the program, once, that it is over.
    """
    if not tcb.is_told_closed:
        tcb.is_told_closed = True
        tcb.events.append(Closed())


def abort(tcb: TCB, now: int, why: Event | None = None) -> None:
    """
    Tell the peer, and let the connection be no more.
    """
    transmission.send_reset(tcb, now)
    end(tcb, why)


def wait_two_msl(tcb: TCB, now: int) -> None:
    """
    Enter TIME-WAIT, or begin it again (RFC 9293 section 3.6.1). The program is done with it.
    """
    tcb.timers.stop_all()
    tcb.board.clear()
    tcb.queue.clear()
    tcb.timers.start(Timer.TIME_WAIT, now + tcb.settings.time_wait)
    tell_closed(tcb)


def fin_is_acknowledged(tcb: TCB, now: int) -> None:
    """
    Take the step that the ACK of our FIN causes.
    """
    if tcb.state is TCPState.LAST_ACK:
        end(tcb)
        return
    tcb.move(Occurrence.FIN_IS_ACKED)
    if tcb.state is TCPState.TIME_WAIT:
        wait_two_msl(tcb, now)
    elif tcb.is_orphan:
        tcb.timers.start(Timer.FIN_WAIT_2, now + tcb.options.linger_fin_wait_2)
