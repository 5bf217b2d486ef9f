"""
Socket options by their numbers, and what each means to a connection.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import Final

from netlab.tcp.connection import ConnectionInfo, TCPConnection
from netlab.tcp.segment import CongestionState
from netlab.tcp.states import SYNCHRONIZED, TCPState
from netlab.tcp.timers import MILLISECOND, Timer

_SECOND: Final = 1000 * MILLISECOND

#: What only some systems name is known by its number on Linux.
_TCP: Final = {
    "TCP_NODELAY": (1, "nodelay"),
    "TCP_MAXSEG": (2, "maximum_segment"),
    "TCP_CORK": (3, "cork"),
    "TCP_KEEPIDLE": (4, "keepalive_time"),
    "TCP_KEEPINTVL": (5, "keepalive_interval"),
    "TCP_KEEPCNT": (6, "keepalive_probes"),
    "TCP_SYNCNT": (7, "syn_retries"),
    "TCP_LINGER2": (8, "linger_fin_wait_2"),
    "TCP_WINDOW_CLAMP": (10, "window_clamp"),
    "TCP_INFO": (11, "info"),
    "TCP_QUICKACK": (12, "quickack"),
    "TCP_USER_TIMEOUT": (18, "user_timeout"),
    "TCP_NOTSENT_LOWAT": (25, "notsent_lowat"),
}

_SOCKET: Final = {
    "SO_REUSEADDR": (2, "reuse_address"),
    "SO_REUSEPORT": (15, "reuse_port"),
    "SO_KEEPALIVE": (9, "keepalive"),
    "SO_SNDBUF": (7, "send_buffer"),
    "SO_RCVBUF": (8, "receive_buffer"),
}

_NAMES: Final = {
    **{
        (socket.IPPROTO_TCP, getattr(socket, name, number)): meaning
        for name, (number, meaning) in _TCP.items()
    },
    **{
        (socket.SOL_SOCKET, getattr(socket, name, number)): meaning
        for name, (number, meaning) in _SOCKET.items()
    },
}

_QUICK_ACKS: Final = 16

_SEND_BUFFER_MIN: Final = 4608
"""Linux's."""


def read_option(level: int, option: int) -> str:
    """
    Name an option.

    @raise OSError: a simulated host has none of this number.
    """
    name = _NAMES.get((level, option))
    if name is None:
        raise OSError(errno.ENOPROTOOPT, os.strerror(errno.ENOPROTOOPT))
    return name


def set_option(connection: TCPConnection, name: str, value: int, now: int) -> None:
    """
    Set an option of a connection.

    @param value: as setsockopt(2) takes it.
    @param now: nanoseconds.
    """
    options = connection.options
    match name:
        case "nodelay" | "cork" | "keepalive":
            setattr(options, name, bool(value))
        case "keepalive_time" | "keepalive_interval" | "linger_fin_wait_2":
            setattr(options, name, value * _SECOND)
        case "keepalive_probes" | "maximum_segment" | "syn_retries" | "window_clamp":
            setattr(options, name, value)
        case "notsent_lowat":
            options.notsent_lowat = value
        case "user_timeout":
            options.user_timeout = value * MILLISECOND
        case "send_buffer":
            # As Linux does: twice the value, for what the kernel needs beside the payload.
            options.send_buffer = max(2 * value, _SEND_BUFFER_MIN)
        case "receive_buffer":
            connection.window.fix(value)
        case "quickack":
            _set_quick(connection, is_quick=bool(value))
    if name in ("keepalive", "keepalive_time"):
        _time_keep_alive(connection, now)
    connection.wake()


def _time_keep_alive(connection: TCPConnection, now: int) -> None:
    """
    Begin to measure silence, or no more: a connection need not be new for that.
    """
    options, timers = connection.options, connection.timers
    if not options.keepalive:
        timers.stop(Timer.KEEP_ALIVE)
    elif connection.state in SYNCHRONIZED:
        timers.start(Timer.KEEP_ALIVE, max(now, connection.heard_at + options.keepalive_time))


def _set_quick(connection: TCPConnection, *, is_quick: bool) -> None:
    acks = connection.acks
    acks.is_interactive = not is_quick
    if is_quick:
        acks.quick = max(acks.quick, _QUICK_ACKS)


_TCP_INFO: Final = struct.Struct("=8B24I4Q")

#: The numbers of Linux's TCP states.
_STATES: Final = {
    TCPState.ESTABLISHED: 1,
    TCPState.SYN_SENT: 2,
    TCPState.SYN_RECEIVED: 3,
    TCPState.FIN_WAIT_1: 4,
    TCPState.FIN_WAIT_2: 5,
    TCPState.TIME_WAIT: 6,
    TCPState.CLOSED: 7,
    TCPState.CLOSE_WAIT: 8,
    TCPState.LAST_ACK: 9,
    TCPState.LISTEN: 10,
    TCPState.CLOSING: 11,
}

_CONGESTION_STATES: Final = {state: number for number, state in enumerate(CongestionState)}


def tcp_info(info: ConnectionInfo) -> bytes:
    """
    Write what C{TCP_INFO} gives, as linux/tcp.h lays it out, as far as the bytes acknowledged and
    received.
    """
    return _TCP_INFO.pack(
        _STATES[info.state],
        _CONGESTION_STATES[info.ca_state],
        info.retransmits,
        info.probes,
        info.backoff,
        0,
        info.snd_wscale | info.rcv_wscale << 4,
        0,
        info.rto,
        info.ato,
        info.snd_mss,
        info.rcv_mss,
        info.unacked,
        info.sacked,
        info.lost,
        info.retrans,
        0,
        0,
        0,
        0,
        0,
        info.pmtu,
        info.rcv_ssthresh,
        info.rtt,
        info.rttvar,
        info.snd_ssthresh,
        info.snd_cwnd,
        info.advmss,
        info.reordering,
        0,
        info.rcv_space,
        info.total_retrans,
        0,
        0,
        info.bytes_acked,
        info.bytes_received,
    )
