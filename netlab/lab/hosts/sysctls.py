"""
The system settings of a host's TCP, each with its reason.

Every host gets all of them, in its own network namespace alone: so an experiment comes out the same
whatever the machine's own settings are. An experiment may give others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Sysctl:
    """
    One setting.

    @ivar name: as sysctl(8) writes it.
    @ivar value: what hosts get unless the experiment says otherwise.
    @ivar reason: why.
    """

    name: str
    value: str
    reason: str


SYSCTLS: Final = (
    Sysctl(
        "net.ipv6.conf.all.disable_ipv6",
        "1",
        "IPv6 would announce itself on the wire (neighbour discovery, multicast listeners)",
    ),
    Sysctl(
        "net.ipv4.tcp_timestamps",
        "0",
        "without the timestamp option an ACK has 54 bytes, as in the reference captures",
    ),
    Sysctl(
        "net.ipv4.tcp_early_retrans",
        "0",
        "the tail loss probe would send a FIN again after two round trips, although none was lost",
    ),
    Sysctl("net.ipv4.tcp_sack", "1", "losses are repaired with selective acknowledgements"),
    Sysctl("net.ipv4.tcp_window_scaling", "1", "windows above 65,535 bytes, as in the reference"),
    Sysctl("net.ipv4.tcp_ecn", "0", "no congestion bits in the handshake, as in the reference"),
    Sysctl(
        "net.ipv4.tcp_congestion_control",
        "reno",
        "RFC 5681's slow start and congestion avoidance, which every kernel has, not the machine's",
    ),
    Sysctl("net.ipv4.tcp_rmem", "4096 131072 6291456", "the receive window does not depend on RAM"),
    Sysctl("net.ipv4.tcp_wmem", "4096 16384 4194304", "the send buffer does not depend on RAM"),
    Sysctl("net.ipv4.ip_local_port_range", "49152 65535", "RFC 6335's dynamic ports"),
    Sysctl("net.ipv4.ip_unprivileged_port_start", "0", "a program need not be root to use port 80"),
)


def settings(changes: Mapping[str, str] | None = None) -> tuple[tuple[str, str], ...]:
    """
    Put together the settings of a host.

    @param changes: an experiment's own: values by name.
    @return: pairs of name and value; IPv6 is switched off before the device is there to use it.
    """
    merged = {setting.name: setting.value for setting in SYSCTLS} | dict(changes or {})
    return tuple(merged.items())
