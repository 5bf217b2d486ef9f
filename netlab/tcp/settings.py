"""
What a host's TCP may be set to, by the names of Linux's sysctls.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from netlab.tcp.timers import NANOSECONDS

RTO_INITIAL: Final = 1 * NANOSECONDS
"""RFC 6298 section 2.1."""

RECOVERY_RACK: Final = 1
"""A bit of C{tcp_recovery}: detect losses by time (RFC 8985)."""

RECOVERY_STATIC_REO_WND: Final = 2
RECOVERY_NO_DUPTHRESH: Final = 4

FASTOPEN_CLIENT: Final = 1
FASTOPEN_SERVER: Final = 2
FASTOPEN_CLIENT_NO_COOKIE: Final = 4
FASTOPEN_SERVER_NO_COOKIE: Final = 0x200
FASTOPEN_SERVER_ALWAYS: Final = 0x400

_PREFIX: Final = "net.ipv4."


class SettingError(ValueError):
    """
    A setting has a value that it cannot have.
    """


@dataclass(frozen=True, slots=True)
class Settings:
    """
    The settings of a host; C{with_sysctls} makes others of them. Those that Linux has bear its
    name, its unit and its default.

    @ivar ip_local_port_range: the ephemeral ports, both inclusive.
    @ivar ip_default_ttl: the time to live of what is sent.
    @ivar tcp_abort_on_overflow: whether a full accept queue answers with a reset.
    @ivar tcp_adv_win_scale: taken and without effect, as in Linux since 6.6: half of a buffer is
        window (docs/decisions/0193).
    @ivar tcp_autocorking: taken and without effect: nothing is held back in a queue below TCP.
    @ivar tcp_base_mss: the segment size to fall back to where larger ones vanish.
    @ivar tcp_challenge_ack_limit: per second and host (RFC 5961 section 7).
    @ivar tcp_congestion_control: C{reno} or C{cubic}, or what L{netlab.tcp.congestion.choice}
        has been given besides.
    @ivar tcp_dsack: whether duplicates are reported (RFC 2883).
    @ivar tcp_early_retrans: 0 switches tail loss probes off; all else is 3, on.
    @ivar tcp_ecn: 0 off, 1 asks for it and accepts it, 2 accepts it.
    @ivar tcp_fastopen: bits: 1 client, 2 server, 4 client sends data without a cookie, 0x200 server
        takes it without one, 0x400 listeners do not have to ask for it.
    @ivar tcp_fin_timeout: seconds that an orphan waits for its peer's FIN.
    @ivar tcp_frto: whether a retransmission timeout is tested for being spurious (RFC 5682).
    @ivar tcp_invalid_ratelimit: milliseconds between two answers to what is unacceptable.
    @ivar tcp_keepalive_time: seconds of silence before the first probe.
    @ivar tcp_keepalive_intvl: seconds between probes.
    @ivar tcp_keepalive_probes: unanswered ones before the connection is given up.
    @ivar tcp_max_syn_backlog: connections in SYN-RECEIVED per listener.
    @ivar tcp_max_tw_buckets: connections in TIME-WAIT.
    @ivar tcp_max_reordering: segments: how far the estimate of reordering may grow.
    @ivar tcp_min_snd_mss: the smallest segment size that a peer or a router may talk us into.
    @ivar tcp_min_tso_segs: segments that are handed to the network card as one, at least.
    @ivar tcp_moderate_rcvbuf: whether the receive buffer grows with what the program reads.
    @ivar tcp_mtu_probing: 1 falls back to L{tcp_base_mss} when large segments vanish; 2 is as 1.
    @ivar tcp_no_metrics_save: taken and without effect: of what a connection has learned only its
        path's MTU is remembered.
    @ivar tcp_orphan_retries: retransmissions after the program has gone; 0 means 8.
    @ivar tcp_pacing_ca_ratio: per cent of a window per round trip, from half of C{ssthresh} on: the
        rate that sizes bursts. Nothing is paced.
    @ivar tcp_pacing_ss_ratio: the same below that.
    @ivar tcp_recovery: bits: 1 RACK, 2 a constant reordering window, 4 no count of three.
    @ivar tcp_reordering: segments: the threshold of duplicate ACKs to begin with.
    @ivar tcp_retrans_collapse: whether small segments that are sent again take up what follows.
    @ivar tcp_retries1: timeouts after which the path is doubted.
    @ivar tcp_retries2: timeouts, as a time: how long they would take from the minimum of 200 ms
        on; after it the connection is given up.
    @ivar tcp_rfc1337: whether a reset is ignored in TIME-WAIT.
    @ivar tcp_rmem: bytes of the receive buffer: minimum, default, maximum.
    @ivar tcp_rto_max_ms: milliseconds: how far RTO backs off.
    @ivar tcp_rto_min_us: microseconds: the least that RTO is above SRTT.
    @ivar tcp_slow_start_after_idle: whether the window shrinks when nothing is sent for an RTO.
    @ivar tcp_stdurg: whether the urgent pointer points to the last urgent byte, not behind it.
    @ivar tcp_syn_linear_timeouts: timeouts of a SYN before they double; Linux 6.5 made it 4.
    @ivar tcp_timestamps: 0 off, 1 with an offset per connection, 2 without.
    @ivar tcp_tso_rtt_log: the round trip, as a power of two of microseconds, that halves what
        bursts have beyond a millisecond's worth; 0 adds nothing.
    @ivar tcp_tw_reuse: whether a new connection may take the ports of one in TIME-WAIT whose
        timestamps are a second older (RFC 6191); 2, which is for loopback alone, counts as 0.
    @ivar tcp_wmem: bytes of the send buffer: minimum, default, maximum.
    @ivar mtu: bytes of the largest IP packet that the host's link carries.
    @ivar time_wait: nanoseconds of TIME-WAIT; Linux has 60 s in its source.
    """

    ip_default_ttl: int = 64
    ip_local_port_range: tuple[int, int] = (32768, 60999)
    tcp_abort_on_overflow: int = 0
    tcp_adv_win_scale: int = 1
    tcp_autocorking: int = 1
    tcp_base_mss: int = 1024
    tcp_challenge_ack_limit: int = 1000
    tcp_congestion_control: str = "cubic"
    tcp_dsack: int = 1
    tcp_early_retrans: int = 3
    tcp_ecn: int = 2
    tcp_fastopen: int = FASTOPEN_CLIENT
    tcp_fin_timeout: int = 60
    tcp_frto: int = 2
    tcp_invalid_ratelimit: int = 500
    tcp_keepalive_intvl: int = 75
    tcp_keepalive_probes: int = 9
    tcp_keepalive_time: int = 7200
    tcp_max_reordering: int = 300
    tcp_max_syn_backlog: int = 1024
    tcp_max_tw_buckets: int = 4096
    tcp_min_snd_mss: int = 48
    tcp_min_tso_segs: int = 2
    tcp_moderate_rcvbuf: int = 1
    tcp_mtu_probing: int = 0
    tcp_no_metrics_save: int = 1
    tcp_orphan_retries: int = 0
    tcp_pacing_ca_ratio: int = 120
    tcp_pacing_ss_ratio: int = 200
    tcp_recovery: int = RECOVERY_RACK
    tcp_reordering: int = 3
    tcp_retrans_collapse: int = 1
    tcp_retries1: int = 3
    tcp_retries2: int = 15
    tcp_rfc1337: int = 0
    tcp_rmem: tuple[int, int, int] = (4096, 131072, 6291456)
    tcp_rto_max_ms: int = 120_000
    tcp_rto_min_us: int = 200_000
    tcp_sack: int = 1
    tcp_slow_start_after_idle: int = 1
    tcp_stdurg: int = 0
    tcp_syn_linear_timeouts: int = 0
    tcp_syn_retries: int = 6
    tcp_synack_retries: int = 5
    tcp_timestamps: int = 1
    tcp_tso_rtt_log: int = 9
    tcp_tw_reuse: int = 2
    tcp_window_scaling: int = 1
    tcp_wmem: tuple[int, int, int] = (4096, 16384, 4194304)
    mtu: int = 1500
    time_wait: int = 60 * NANOSECONDS

    @classmethod
    def from_sysctls(cls, sysctls: Mapping[str, str]) -> Self:
        """
        Make settings of the defaults and these.

        @raise SettingError: see L{with_sysctls}.
        """
        return cls().with_sysctls(sysctls)

    def with_sysctls(self, sysctls: Mapping[str, str]) -> Self:
        """
        Change settings by their sysctl's name.

        @param sysctls: as C{net.ipv4.tcp_sack} to C{0}. What there is no setting for, a name of
            another part of the system, changes nothing: see L{unknown_sysctls}.
        @raise SettingError: a value that the setting cannot have.
        """
        changes: dict[str, object] = {}
        for name, text in sysctls.items():
            key = name.removeprefix(_PREFIX)
            if name.startswith(_PREFIX) and key in _DEFAULTS:
                changes[key] = _parse(name, text, _DEFAULTS[key])
        # The values have the types of the defaults.
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]


def unknown_sysctls(sysctls: Mapping[str, str]) -> list[str]:
    """
    List the names among these that change nothing here.
    """
    return [name for name in sysctls if name.removeprefix(_PREFIX) not in _DEFAULTS]


_DEFAULTS: Final[dict[str, object]] = {
    field.name: field.default
    for field in dataclasses.fields(Settings)
    if field.name not in {"mtu", "time_wait"}
}


def _parse(name: str, text: str, default: object) -> object:
    if isinstance(default, str):
        return text.strip()
    try:
        numbers = tuple(map(int, text.split()))
    except ValueError:
        numbers = ()
    wanted = len(default) if isinstance(default, tuple) else 1
    if len(numbers) != wanted or min(numbers) < 0:
        count = "one number" if wanted == 1 else f"{wanted} numbers"
        raise SettingError(f"{name} = {text!r}: write {count}, none negative")
    return numbers if isinstance(default, tuple) else numbers[0]
