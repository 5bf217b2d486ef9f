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
from netlab.tcp.states import TCPState
from netlab.tcp.timers import MILLISECOND

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
        case "nodelay":
            connection.set_nodelay(is_on=bool(value))
        case "cork":
            connection.set_cork(is_on=bool(value))
        case "quickack":
            connection.set_quickack(is_on=bool(value))
        case "keepalive":
            connection.set_keepalive(now, is_on=bool(value))
        case "keepalive_time":
            connection.set_keepalive(now, is_on=options.keepalive, time=value * _SECOND)
        case "keepalive_interval":
            connection.set_keepalive(now, is_on=options.keepalive, interval=value * _SECOND)
        case "keepalive_probes":
            connection.set_keepalive(now, is_on=options.keepalive, probes=value)
        case "send_buffer":
            connection.set_send_buffer(value)
        case "receive_buffer":
            connection.set_receive_buffer(value)
        case "user_timeout":
            options.user_timeout = value * MILLISECOND
        case "linger_fin_wait_2":
            options.linger_fin_wait_2 = value * _SECOND
        case "maximum_segment" | "syn_retries" | "window_clamp" | "notsent_lowat":
            setattr(options, name, value)


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
