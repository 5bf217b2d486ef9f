"""
How large segments may be: RFC 9293 section 3.7.1, RFC 6691, RFC 1191.
"""

from __future__ import annotations

from typing import Final

from netlab.tcp.sending.optionwriting import TIMESTAMPS_BYTES
from netlab.tcp.tcb import TCB

_SMALL_WINDOW: Final = 512
"""Below it the window is not divided (Linux's TCP_MSS_DEFAULT less its headers)."""


def to_advertise(tcb: TCB) -> int:
    """
    Say what our SYN says: what our link carries, less the fixed headers.
    """
    mss = tcb.settings.mtu - tcb.overhead
    limit = tcb.options.maximum_segment
    return min(mss, limit) if limit else mss


def synchronise(tcb: TCB) -> None:
    """
    Choose the payload of a full segment anew: what the peer takes, what the path carries, and no
    more than half the peer's largest window, so that a small window can be used at all.
    """
    negotiated = tcb.negotiated
    mss = min(negotiated.peer_mss, tcb.path_mtu - tcb.overhead)
    if tcb.options.maximum_segment:
        mss = min(mss, tcb.options.maximum_segment)
    mss = max(mss, tcb.settings.tcp_min_snd_mss)
    if negotiated.has_timestamps:
        mss -= TIMESTAMPS_BYTES
    if tcb.max_window > _SMALL_WINDOW:
        mss = min(mss, tcb.max_window >> 1)
    tcb.mss = max(mss, 1)


def fall_back(tcb: TCB) -> None:
    """
    Large segments seem to vanish: try smaller ones (a black hole, RFC 4821 section 7.7).
    """
    settings = tcb.settings
    mtu = settings.tcp_base_mss + tcb.overhead
    if tcb.path_mtu <= mtu:
        mtu = max((tcb.path_mtu - tcb.overhead) // 2, settings.tcp_min_snd_mss) + tcb.overhead
    tcb.path_mtu = min(tcb.path_mtu, mtu)
    synchronise(tcb)
