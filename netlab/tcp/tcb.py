"""
The transmission control block: all that is known of one connection (RFC 9293 section 3.3.1).

It is a record. What happens to it is in other files, by what causes it: L{netlab.tcp.arrival} when
a segment arrives, L{netlab.tcp.expiry} when a timer ends, L{netlab.tcp.connection} when the program
calls, L{netlab.tcp.sending.questions} when it may be time to send.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from netlab.tcp.congestion.base import CongestionControl
from netlab.tcp.events import Event
from netlab.tcp.isn import Address
from netlab.tcp.receiving.ackpolicy import AckPolicy
from netlab.tcp.receiving.receivequeue import ReceiveQueue
from netlab.tcp.receiving.window import ReceiveWindow
from netlab.tcp.segment import CongestionState, Outgoing, Reason
from netlab.tcp.sending.rack import RackState
from netlab.tcp.sending.rtt import RTTEstimator
from netlab.tcp.sending.scoreboard import Scoreboard
from netlab.tcp.sending.sendqueue import SendQueue
from netlab.tcp.settings import Settings
from netlab.tcp.states import TRANSITIONS, Occurrence, TCPState
from netlab.tcp.timers import MILLISECOND, NEVER, Timers

MSS_DEFAULT: Final = 536
"""What a peer takes that offers no MSS (RFC 9293 section 3.7.1); 1220 with IPv6."""

MSS_DEFAULT_IPV6: Final = 1220


class Negotiated:
    """
    What both sides offered in their SYNs.

    @ivar advertised_mss: what our SYN says.
    @ivar peer_mss: what the peer's SYN says.
    @ivar has_sack: RFC 2018.
    @ivar has_timestamps: RFC 7323.
    @ivar has_scaling: RFC 7323.
    @ivar has_ecn: RFC 3168.
    @ivar send_shift: by what the peer's windows are shifted.
    @ivar receive_shift: by what ours are.
    """

    __slots__ = (
        "advertised_mss",
        "has_ecn",
        "has_sack",
        "has_scaling",
        "has_timestamps",
        "peer_mss",
        "receive_shift",
        "send_shift",
    )

    def __init__(self) -> None:
        self.advertised_mss = 0
        self.peer_mss = MSS_DEFAULT
        self.has_sack = False
        self.has_timestamps = False
        self.has_scaling = False
        self.has_ecn = False
        self.send_shift = 0
        self.receive_shift = 0


class ProgramOptions:
    """
    What the program has set, by the names of socket options.

    @ivar nodelay: no Nagle (TCP_NODELAY).
    @ivar cork: only full segments (TCP_CORK).
    @ivar keepalive: probes in silence (SO_KEEPALIVE).
    @ivar keepalive_time: nanoseconds before the first.
    @ivar keepalive_interval: nanoseconds between two.
    @ivar keepalive_probes: how many before the connection is given up.
    @ivar user_timeout: nanoseconds that data may be unacknowledged (RFC 9293 section 3.9.1.1);
        0 for the settings' default.
    @ivar linger: 0 lets C{close} reset the connection; C{None} does not.
    @ivar maximum_segment: a limit for the MSS, both ways (TCP_MAXSEG); 0 for none.
    @ivar send_buffer: bytes (SO_SNDBUF); 0 lets it grow with the congestion window.
    @ivar syn_retries: 0 for the settings' (TCP_SYNCNT).
    @ivar window_clamp: bytes that the window may not exceed (TCP_WINDOW_CLAMP); 0 for none.
    @ivar notsent_lowat: bytes that may wait unsent before a program is asked to write more.
    @ivar low_water: bytes that must wait before the program cares to read (SO_RCVLOWAT).
    @ivar linger_fin_wait_2: nanoseconds that an orphan waits in FIN-WAIT-2 (TCP_LINGER2).
    """

    __slots__ = (
        "cork",
        "keepalive",
        "keepalive_interval",
        "keepalive_probes",
        "keepalive_time",
        "linger",
        "linger_fin_wait_2",
        "low_water",
        "maximum_segment",
        "nodelay",
        "notsent_lowat",
        "send_buffer",
        "syn_retries",
        "user_timeout",
        "window_clamp",
    )

    def __init__(self, settings: Settings) -> None:
        second = 1000 * MILLISECOND
        self.nodelay = False
        self.cork = False
        self.keepalive = False
        self.keepalive_time = settings.tcp_keepalive_time * second
        self.keepalive_interval = settings.tcp_keepalive_intvl * second
        self.keepalive_probes = settings.tcp_keepalive_probes
        self.user_timeout = 0
        self.linger: int | None = None
        self.maximum_segment = 0
        self.send_buffer = 0
        self.syn_retries = 0
        self.window_clamp = 0
        self.notsent_lowat = 0
        self.low_water = 1
        self.linger_fin_wait_2 = settings.tcp_fin_timeout * second


class Recovery:
    """
    How the sender deals with a loss: L{netlab.tcp.sending.recovery}.

    @ivar state: what the sender believes of the network.
    @ivar point: SND.NXT when a loss was detected; recovery ends when it is acknowledged
        (RFC 6582: recover).
    @ivar reordering: the threshold of duplicate ACKs; grows where segments overtake each other.
    @ivar undo_marker: SND.UNA when the window was reduced, or C{None}: nothing to take back.
    @ivar undo_retransmissions: those since of which no D-SACK has said that they were needless; -1
        before the first.
    @ivar prior_cwnd: the window before it was reduced.
    @ivar prior_ssthresh: the threshold before; 0 if it is not to be restored.
    @ivar prr_delivered: segments delivered since the reduction began (RFC 6937).
    @ivar prr_out: segments sent since.
    @ivar retransmitting_since: when the first retransmission that may be under way left, or
        C{None}.
    @ivar tests_timeout: the retransmission timeout may have been spurious (F-RTO, RFC 5682).
    @ivar prefers_new: new data are to be sent before lost segments: F-RTO's test.
    @ivar probe_point: SND.NXT after a tail loss probe, until it is acknowledged, or C{None}.
    @ivar probe_was_new: the probe was new data.
    @ivar first_reason: why the next lost segment is sent again, if that is particular.
    """

    __slots__ = (
        "first_reason",
        "point",
        "prefers_new",
        "prior_cwnd",
        "prior_ssthresh",
        "probe_point",
        "probe_was_new",
        "prr_delivered",
        "prr_out",
        "reordering",
        "retransmitting_since",
        "state",
        "tests_timeout",
        "undo_marker",
        "undo_retransmissions",
    )

    def __init__(self, reordering: int) -> None:
        self.state = CongestionState.OPEN
        self.point = 0
        self.reordering = reordering
        self.undo_marker: int | None = None
        self.undo_retransmissions = 0
        self.prior_cwnd = 0
        self.prior_ssthresh = 0
        self.prr_delivered = 0
        self.prr_out = 0
        self.retransmitting_since: int | None = None
        self.tests_timeout = False
        self.prefers_new = False
        self.probe_point: int | None = None
        self.probe_was_new = False
        self.first_reason: Reason | None = None


class TCB:
    """
    One connection's variables; those of RFC 9293 have its names.

    @ivar local: address and port.
    @ivar remote: address and port.
    @ivar iss: the initial sequence number sent.
    @ivar irs: the initial sequence number received.
    @ivar snd_una: the oldest sequence number that is not acknowledged.
    @ivar snd_nxt: the sequence number of the next new byte.
    @ivar snd_wnd: the peer's window in bytes, counted from C{snd_una}.
    @ivar snd_wl1: the sequence number of the segment that brought it.
    @ivar snd_wl2: the acknowledgment number of the segment that brought it.
    @ivar max_window: the largest window the peer has had.
    @ivar mss: payload bytes of a full segment, the options of every segment left out.
    @ivar path_mtu: bytes of the largest packet that the path is known to carry.
    @ivar ts_recent: TS.Recent, 32 bits (RFC 7323 section 4.3).
    @ivar ts_recent_at: when it was taken, or -1: not yet.
    @ivar ts_offset: what our timestamps are ahead of the clock's milliseconds.
    @ivar echo: TSecr of the last acceptable segment; 0 without timestamps.
    @ivar measured_echo: the TSecr by which the receiver last measured a round trip.
    @ivar awaits_more: the last write said that more will follow.
    @ivar released_end: up to here small segments may leave although a cork holds them.
    @ivar small_end: behind the last segment sent that was not full (Minshall's variant of Nagle).
    @ivar sent_at: when data were sent last.
    @ivar heard_at: when an acceptable segment arrived last.
    @ivar is_cwnd_limited: the congestion window held the sender up in this round trip.
    @ivar cwnd_used: the most segments that were out in this round trip.
    @ivar cwnd_used_point: SND.NXT when it began.
    @ivar cwnd_used_at: when the window was last used up, or judged.
    @ivar timeouts: retransmission timeouts since the last progress.
    @ivar probes: window probes that have not been answered by an open window.
    @ivar keep_alive_probes: those that have not been answered.
    @ivar retransmissions: segments sent again, in all.
    @ivar ack_due: why an ACK is to be sent now, or C{None}.
    @ivar is_passive: opened by a listener.
    @ivar is_orphan: the program has closed and does not hear of it any more.
    @ivar is_told_closed: the program has been told that it is over.
    @ivar had_early_data: data of a SYN were taken, by us or by the peer (RFC 7413).
    @ivar is_early: data of its SYN were taken before the handshake was complete (RFC 7413).
    @ivar fast_open_cookie: what the SYN or SYN-ACK has; then, of a client, what the server gave.
    @ivar early_data: what the SYN carries.
    @ivar wants_space: the last write found the send buffer full.
    @ivar unread_told: RCV.NXT when the program was told that there is something to read.
    @ivar outbox: what is to be sent, made already.
    @ivar wake: called when the connection may have something to send.
    @ivar is_awake: the stack will ask it for that.
    @ivar registered_at: the deadline that the stack knows of; the true one may be later.
    """

    __slots__ = (
        "ack_due",
        "acks",
        "awaits_more",
        "board",
        "challenge_budget",
        "challenged_at",
        "congestion",
        "cwnd_used",
        "cwnd_used_at",
        "cwnd_used_point",
        "cwr_is_due",
        "delivered",
        "early_data",
        "echoes_congestion",
        "echo",
        "events",
        "fast_open_cookie",
        "had_early_data",
        "heard_at",
        "irs",
        "is_awake",
        "is_cwnd_limited",
        "is_early",
        "is_orphan",
        "is_passive",
        "is_told_closed",
        "iss",
        "keep_alive_probes",
        "local",
        "max_window",
        "measured_echo",
        "mss",
        "negotiated",
        "options",
        "outbox",
        "path_mtu",
        "probes",
        "probing_since",
        "queue",
        "rack",
        "received",
        "recovery",
        "registered_at",
        "released_end",
        "remote",
        "retransmissions",
        "rtt",
        "segments_in",
        "segments_out",
        "sent_at",
        "settings",
        "small_end",
        "snd_nxt",
        "snd_una",
        "snd_wl1",
        "snd_wl2",
        "snd_wnd",
        "state",
        "timeouts",
        "timers",
        "ts_offset",
        "ts_recent",
        "ts_recent_at",
        "unacceptable_at",
        "unread_told",
        "urgent_end",
        "wake",
        "wants_space",
        "window",
    )

    def __init__(
        self,
        local: Address,
        remote: Address,
        settings: Settings,
        congestion: CongestionControl,
        wake: Callable[[], None],
        challenge_budget: Callable[[int], bool],
    ) -> None:
        """
        @param challenge_budget: says whether the host may send one more challenge ACK at a time.
        """
        self.local = local
        self.remote = remote
        self.settings = settings
        self.congestion = congestion
        self.wake = wake
        self.challenge_budget = challenge_budget
        self.state = TCPState.CLOSED
        self.negotiated = Negotiated()
        self.options = ProgramOptions(settings)
        self.recovery = Recovery(settings.tcp_reordering)
        self.rack = RackState()
        self.rtt = RTTEstimator(
            settings.tcp_rto_min_us * 1000, settings.tcp_rto_max_ms * MILLISECOND
        )
        self.timers = Timers()
        self.queue = SendQueue(0)
        self.board = Scoreboard()
        self.received = ReceiveQueue(0)
        self.window = ReceiveWindow(settings)
        self.acks = AckPolicy()
        self.events: deque[Event] = deque()
        self.outbox: list[Outgoing] = []
        self.iss = self.irs = 0
        self.snd_una = self.snd_nxt = 0
        self.snd_wnd = self.snd_wl1 = self.snd_wl2 = self.max_window = 0
        self.mss = MSS_DEFAULT
        self.path_mtu = settings.mtu
        self.ts_recent = 0
        self.ts_recent_at = -1
        self.ts_offset = 0
        self.echo = self.measured_echo = 0
        self.small_end = 0
        self.released_end = 0
        self.awaits_more = False
        self.sent_at = self.heard_at = 0
        self.timeouts = self.probes = self.keep_alive_probes = 0
        self.probing_since = 0
        self.retransmissions = self.segments_in = self.segments_out = self.delivered = 0
        self.ack_due: Reason | None = None
        self.challenged_at: int | None = None
        self.unacceptable_at: int | None = None
        self.is_passive = self.is_orphan = self.is_told_closed = False
        self.is_early = self.had_early_data = False
        self.wants_space = False
        self.unread_told = 0
        self.urgent_end: int | None = None
        self.is_cwnd_limited = False
        self.cwnd_used = 0
        self.cwnd_used_point = 0
        self.cwnd_used_at = 0
        self.echoes_congestion = self.cwr_is_due = False
        self.fast_open_cookie: bytes | None = None
        self.early_data = b""
        self.is_awake = False
        self.registered_at = NEVER

    def move(self, occurrence: Occurrence) -> None:
        """
        Take the step of L{TRANSITIONS} that something causes.
        """
        self.state = TRANSITIONS[self.state, occurrence]

    @property
    def overhead(self) -> int:
        """
        Bytes of the IP and TCP headers without options.
        """
        return 40 if len(self.local[0]) == 4 else 60

    def timestamp(self, now: int) -> int:
        """
        Our timestamp clock: milliseconds, as Linux's (RFC 7323 section 5.4 allows 1 ms to 1 s).
        """
        return (now // MILLISECOND + self.ts_offset) & 0xFFFF_FFFF
