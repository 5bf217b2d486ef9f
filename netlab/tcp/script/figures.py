"""
What a script's Python knows of a connection: the names of Linux's C{struct tcp_info}.
"""

from __future__ import annotations

from typing import Final

from netlab.tcp.connection import TCPConnection
from netlab.tcp.segment import CongestionState
from netlab.tcp.states import TCPState
from netlab.tcp.timers import MILLISECOND

#: Linux's numbers of the states, by its names (include/net/tcp_states.h).
_STATES: Final = {
    TCPState.ESTABLISHED: ("TCP_ESTABLISHED", 1),
    TCPState.SYN_SENT: ("TCP_SYN_SENT", 2),
    TCPState.SYN_RECEIVED: ("TCP_SYN_RECV", 3),
    TCPState.FIN_WAIT_1: ("TCP_FIN_WAIT1", 4),
    TCPState.FIN_WAIT_2: ("TCP_FIN_WAIT2", 5),
    TCPState.TIME_WAIT: ("TCP_TIME_WAIT", 6),
    TCPState.CLOSED: ("TCP_CLOSE", 7),
    TCPState.CLOSE_WAIT: ("TCP_CLOSE_WAIT", 8),
    TCPState.LAST_ACK: ("TCP_LAST_ACK", 9),
    TCPState.LISTEN: ("TCP_LISTEN", 10),
    TCPState.CLOSING: ("TCP_CLOSING", 11),
}

_CONGESTION_STATES: Final = {
    CongestionState.OPEN: ("TCP_CA_Open", 0),
    CongestionState.DISORDER: ("TCP_CA_Disorder", 1),
    CongestionState.CWR: ("TCP_CA_CWR", 2),
    CongestionState.RECOVERY: ("TCP_CA_Recovery", 3),
    CongestionState.LOSS: ("TCP_CA_Loss", 4),
}

_OPTIONS: Final = {
    "TCPI_OPT_TIMESTAMPS": 1,
    "TCPI_OPT_SACK": 2,
    "TCPI_OPT_WSCALE": 4,
    "TCPI_OPT_ECN": 8,
    "TCPI_OPT_ECN_SEEN": 16,
    "TCPI_OPT_SYN_DATA": 32,
}

NAMES: Final = dict([*_STATES.values(), *_CONGESTION_STATES.values(), *_OPTIONS.items()])
"""Names of numbers that scripts compare figures with."""


def figures_of(connection: TCPConnection, now: int) -> dict[str, int]:
    """
    Take down a connection's figures.
    """
    info = connection.info(now)
    negotiated = connection.negotiated
    figures = {
        f"tcpi_{name}": value for name, value in info._asdict().items() if isinstance(value, int)
    }
    options = {
        "TCPI_OPT_TIMESTAMPS": negotiated.has_timestamps,
        "TCPI_OPT_SACK": negotiated.has_sack,
        "TCPI_OPT_WSCALE": negotiated.has_scaling,
        "TCPI_OPT_ECN": negotiated.has_ecn,
        "TCPI_OPT_SYN_DATA": connection.had_early_data,
    }
    figures["tcpi_options"] = sum(_OPTIONS[name] for name, is_set in options.items() if is_set)
    figures["tcpi_last_data_sent"] = (now - connection.sent_at) // MILLISECOND
    figures["tcpi_last_ack_recv"] = (now - connection.heard_at) // MILLISECOND
    figures["tcpi_last_data_recv"] = (now - connection.acks.received_at) // MILLISECOND
    figures["tcpi_state"] = _STATES[info.state][1]
    figures["tcpi_ca_state"] = _CONGESTION_STATES[info.ca_state][1]
    return NAMES | figures
