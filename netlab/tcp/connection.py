"""
A connection as a program sees it.
"""

from __future__ import annotations

from typing import Final, NamedTuple, final

from netlab.tcp import arrival, ending, expiry
from netlab.tcp.events import Event
from netlab.tcp.receiving import reading
from netlab.tcp.segment import CongestionState, Outgoing, Reason, TCPSegment, Variables
from netlab.tcp.sending import questions, transmission
from netlab.tcp.states import Occurrence, TCPState
from netlab.tcp.tcb import TCB
from netlab.tcp.timers import NEVER, Timer

RECEIVE_BUFFER_MIN: Final = 1152
"""Half of Linux's SOCK_MIN_RCVBUF."""

SEND_BUFFER_MIN: Final = 2304
"""Half of Linux's SOCK_MIN_SNDBUF."""


class ConnectionInfo(NamedTuple):
    """
    What TCP_INFO says, by the names of C{struct tcp_info} without their C{tcpi_}, and in its units:
    microseconds, segments of C{snd_mss}.
    """

    state: TCPState
    ca_state: CongestionState
    retransmits: int
    probes: int
    backoff: int
    snd_wscale: int
    rcv_wscale: int
    rto: int
    ato: int
    snd_mss: int
    rcv_mss: int
    unacked: int
    sacked: int
    lost: int
    retrans: int
    pmtu: int
    rcv_ssthresh: int
    rtt: int
    rttvar: int
    snd_ssthresh: int
    snd_cwnd: int
    advmss: int
    reordering: int
    rcv_space: int
    total_retrans: int
    notsent_bytes: int
    min_rtt: int
    segs_out: int
    segs_in: int
    delivered: int
    snd_wnd: int
    bytes_acked: int
    bytes_received: int


@final
class TCPConnection(TCB):
    """
    One connection. After any call the stack is to be asked for what it has to send, and this for
    its events.
    """

    __slots__ = ()

    # What segments and time do; the stack calls these.

    def segment_arrives(self, now: int, segment: TCPSegment, ecn: int = 0) -> None:
        """
        Take a segment from the peer.
        """
        arrival.segment_arrives(self, now, segment, ecn)

    @property
    def deadline(self) -> int | None:
        """
        When L{timeout} is to be called next; C{None} if only a segment or a call can change
        anything.
        """
        deadline = self.timers.deadline
        return None if deadline == NEVER else deadline

    def timeout(self, now: int) -> None:
        """
        Do what is due.
        """
        expiry.timers_end(self, now)

    def segments_to_send(self, now: int) -> list[Outgoing]:
        """
        Make the segments that may be sent now, and hand over all that are to be sent.
        """
        questions.send_what_is_due(self, now)
        outbox = self.outbox
        self.outbox = []
        return outbox

    # What a program does.

    def write(
        self,
        now: int,
        data: bytes | memoryview,
        *,
        more: bool = False,
        ends_record: bool = False,
    ) -> int:
        """
        Send bytes.

        @param ends_record: no segment holds bytes of this and of what is written next (MSG_EOR).
        @param more: a segment that is not full may wait for what is written next (MSG_MORE); until
            an ACK arrives, or an RTO has passed.
        @return: how many were taken; fewer than there are if the send buffer is full, after which
            there will be a L{netlab.tcp.events.Writable}. 0 also if nothing can be written any
            more.
        """
        if self.queue.has_fin or self.state in _CANNOT_WRITE:
            return 0
        room = questions.send_space(self)
        if room < len(data):
            self.wants_space = True
            data = memoryview(data)[: max(room, 0)]
        if data:
            self.queue.write(data, self.max_window >> 1, is_pushed=not more)
            self.awaits_more = more
            if ends_record:
                self.queue.records.append(self.queue.end)
            self.wake()
        return len(data)

    def read(self, now: int, maximum: int) -> bytes:
        """
        Take bytes that have arrived.

        @param maximum: how many at most.
        @return: none if none have arrived: L{netlab.tcp.events.PeerClosed} tells whether more will.
        """
        data = self.received.read(maximum)
        if data:
            reading.has_read(self, now, len(data))
            self.wake()
        return data

    def shutdown(self, now: int) -> None:
        """
        Close our half: a FIN will follow what has been written.
        """
        if self.queue.has_fin or self.state in _CANNOT_WRITE:
            return
        self.queue.has_fin = True
        if self.state not in {TCPState.SYN_SENT, TCPState.SYN_RECEIVED}:
            self.move(Occurrence.CLOSE)
        self.wake()

    def close(self, now: int) -> None:
        """
        Let go of the connection, as C{close} does with the last descriptor. What has been written
        is still sent; but if there is something that has not been read, the peer is reset
        (RFC 9293 section 3.6, RFC 2525 section 2.17).
        """
        if self.is_orphan or self.state is TCPState.CLOSED:
            return
        self.is_orphan = True
        self.timers.stop(Timer.KEEP_ALIVE)
        if self.state in {TCPState.SYN_SENT, TCPState.LISTEN}:
            ending.end(self)
        elif self.state is TCPState.TIME_WAIT:
            self.received.discard()
            return
        elif self.received.unread or self.options.linger == 0:
            ending.abort(self, now)
        else:
            self.shutdown(now)
            if self.state is TCPState.FIN_WAIT_2:
                self.timers.start(Timer.FIN_WAIT_2, now + self.options.linger_fin_wait_2)
        self.wake()

    def abort(self, now: int) -> None:
        """
        Reset the connection (RFC 9293 section 3.10.5).
        """
        self.is_orphan = True
        if self.state in {TCPState.SYN_SENT, TCPState.TIME_WAIT}:
            ending.end(self)
        elif self.state is not TCPState.CLOSED:
            ending.abort(self, now)
        self.wake()

    def set_keepalive(
        self,
        now: int,
        *,
        is_on: bool = True,
        time: int | None = None,
        interval: int | None = None,
        probes: int | None = None,
    ) -> None:
        """
        Probe the peer when it is silent (SO_KEEPALIVE), or do not.

        @param time: nanoseconds of silence before the first probe (TCP_KEEPIDLE).
        @param interval: nanoseconds between probes (TCP_KEEPINTVL).
        @param probes: how many are sent before the connection is given up (TCP_KEEPCNT).
        """
        options = self.options
        options.keepalive = is_on
        options.keepalive_time = options.keepalive_time if time is None else time
        options.keepalive_interval = options.keepalive_interval if interval is None else interval
        options.keepalive_probes = options.keepalive_probes if probes is None else probes
        if not is_on:
            self.timers.stop(Timer.KEEP_ALIVE)
        elif self.state in {TCPState.ESTABLISHED, TCPState.CLOSE_WAIT} or (
            self.state is TCPState.FIN_WAIT_2 and not self.is_orphan
        ):
            silent_since = max(self.heard_at, now - options.keepalive_time + 1)
            self.timers.start(Timer.KEEP_ALIVE, silent_since + options.keepalive_time)
        self.wake()

    def set_nodelay(self, *, is_on: bool = True) -> None:
        """
        Send small segments at once (TCP_NODELAY), or by Nagle's algorithm. Switched on, it also
        sends what a cork has held back so far.
        """
        self.options.nodelay = is_on
        if is_on:
            self.released_end = self.queue.end
        self.wake()

    def set_cork(self, *, is_on: bool = True) -> None:
        """
        Send full segments only (TCP_CORK), or what there is.
        """
        self.options.cork = is_on
        self.wake()

    def set_quickack(self, *, is_on: bool = True) -> None:
        """
        Acknowledge at once, and what is owed now; or delay ACKs (TCP_QUICKACK). It does not last:
        what the peer does next decides again.
        """
        self.acks.is_interactive = not is_on
        if is_on and self.timers.at(Timer.DELAYED_ACK) != NEVER:
            self.ack_due = Reason.ACK
            self.wake()

    def set_receive_buffer(self, size: int) -> None:
        """
        Let this many bytes wait to be read (SO_RCVBUF), from now on and whatever the peer sends.

        @param size: as C{setsockopt} takes it: half of what Linux then reserves.
        """
        most = self.settings.tcp_rmem[2]
        self.window.fix(max(min(size, most), RECEIVE_BUFFER_MIN))

    def set_send_buffer(self, size: int) -> None:
        """
        Let bytes wait to be sent or acknowledged: twice as many as this (SO_SNDBUF).

        @param size: as C{setsockopt} takes it; Linux doubles it.
        """
        self.options.send_buffer = 2 * max(min(size, self.settings.tcp_wmem[2]), SEND_BUFFER_MIN)

    def next_event(self) -> Event | None:
        """
        Take the next event for the program.
        """
        return self.events.popleft() if self.events else None

    @property
    def is_readable(self) -> bool:
        """
        Whether L{read} would return bytes.
        """
        return self.received.unread > 0

    def variables(self) -> Variables:
        """
        What the sender knows now.
        """
        return transmission.variables(self)

    def info(self, now: int) -> ConnectionInfo:
        """
        What TCP_INFO would say.
        """
        return ConnectionInfo(
            state=self.state,
            ca_state=self.recovery.state,
            retransmits=self.timeouts,
            probes=self.probes,
            backoff=self.rtt.backoff,
            snd_wscale=self.negotiated.send_shift,
            rcv_wscale=self.negotiated.receive_shift,
            rto=self.rtt.rto // 1000,
            ato=self.acks.delay // 1000,
            snd_mss=self.mss,
            rcv_mss=self.acks.segment,
            unacked=len(self.board),
            sacked=self.board.sacked,
            lost=self.board.lost,
            retrans=self.board.resent,
            pmtu=self.path_mtu,
            rcv_ssthresh=self.window.wnd,
            rtt=self.rtt.srtt // 1000,
            rttvar=self.rtt.mdev // 1000,
            snd_ssthresh=self.congestion.ssthresh,
            snd_cwnd=self.congestion.cwnd,
            advmss=self.negotiated.advertised_mss,
            reordering=self.recovery.reordering,
            rcv_space=self.window.space,
            total_retrans=self.retransmissions,
            notsent_bytes=max(self.queue.end - self.snd_nxt, 0),
            min_rtt=self.rtt.min_rtt // 1000,
            segs_out=self.segments_out,
            segs_in=self.segments_in,
            delivered=self.delivered,
            snd_wnd=self.snd_wnd,
            bytes_acked=max(self.snd_una - self.iss, 0),
            bytes_received=max(self.received.nxt - self.irs - 1, 0),
        )


_CANNOT_WRITE = {
    TCPState.CLOSED,
    TCPState.FIN_WAIT_1,
    TCPState.FIN_WAIT_2,
    TCPState.CLOSING,
    TCPState.LAST_ACK,
    TCPState.TIME_WAIT,
}
