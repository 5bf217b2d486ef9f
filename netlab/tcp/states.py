"""
The states of a connection, and what leads from one to the next: RFC 9293 section 3.3.2, as a table.

What is not in the table does not happen: a segment that would cause it is dropped or answered by
the rules of RFC 9293 section 3.10.7 before anybody asks for a step. docs/tcp.md has the diagram,
which is drawn from here.
"""

from __future__ import annotations

from enum import Enum
from types import MappingProxyType
from typing import Final


class TCPState(Enum):
    """
    The states of RFC 9293 section 3.3.2; the value says what a side in it waits for.
    """

    CLOSED = "no connection"
    LISTEN = "waits for a SYN"
    SYN_SENT = "waits for the answer to its SYN"
    SYN_RECEIVED = "waits for the ACK of its SYN"
    ESTABLISHED = "data may go both ways"
    FIN_WAIT_1 = "waits for the ACK of its FIN, or the peer's"
    FIN_WAIT_2 = "waits for the peer's FIN"
    CLOSE_WAIT = "waits for its own program to close"
    CLOSING = "waits for the ACK of its FIN; the peer's is there"
    LAST_ACK = "waits for the ACK of its FIN, the last"
    TIME_WAIT = "waits until no old segment can be on its way"


class Occurrence(Enum):
    """
    What moves a connection from state to state.
    """

    PASSIVE_OPEN = "passive open"
    ACTIVE_OPEN = "active open: SYN sent"
    SYN_ARRIVES = "SYN"
    SYN_ACK_ARRIVES = "SYN-ACK"
    SYN_IS_ACKED = "ACK of SYN"
    CLOSE = "close: FIN behind the data"
    FIN_ARRIVES = "FIN"
    FIN_IS_ACKED = "ACK of FIN"
    TWO_MSL_END = "2 MSL are over"
    END = "RST, abort or timeout"


_S = TCPState
_O = Occurrence

TRANSITIONS: Final = MappingProxyType(
    {
        (_S.CLOSED, _O.PASSIVE_OPEN): _S.LISTEN,
        (_S.CLOSED, _O.ACTIVE_OPEN): _S.SYN_SENT,
        (_S.LISTEN, _O.SYN_ARRIVES): _S.SYN_RECEIVED,
        (_S.LISTEN, _O.CLOSE): _S.CLOSED,
        # Both opened at once (RFC 9293 section 3.5, figure 7).
        (_S.SYN_SENT, _O.SYN_ARRIVES): _S.SYN_RECEIVED,
        (_S.SYN_SENT, _O.SYN_ACK_ARRIVES): _S.ESTABLISHED,
        (_S.SYN_SENT, _O.CLOSE): _S.CLOSED,
        (_S.SYN_SENT, _O.END): _S.CLOSED,
        (_S.SYN_RECEIVED, _O.SYN_IS_ACKED): _S.ESTABLISHED,
        # RFC 9293 section 3.10.4 lets a close here wait until the connection is established.
        # The listener, if there is one, stays in LISTEN all the while.
        (_S.SYN_RECEIVED, _O.END): _S.CLOSED,
        (_S.ESTABLISHED, _O.CLOSE): _S.FIN_WAIT_1,
        (_S.ESTABLISHED, _O.FIN_ARRIVES): _S.CLOSE_WAIT,
        (_S.ESTABLISHED, _O.END): _S.CLOSED,
        (_S.FIN_WAIT_1, _O.FIN_IS_ACKED): _S.FIN_WAIT_2,
        (_S.FIN_WAIT_1, _O.FIN_ARRIVES): _S.CLOSING,
        (_S.FIN_WAIT_1, _O.END): _S.CLOSED,
        (_S.FIN_WAIT_2, _O.FIN_ARRIVES): _S.TIME_WAIT,
        (_S.FIN_WAIT_2, _O.END): _S.CLOSED,
        (_S.CLOSE_WAIT, _O.CLOSE): _S.LAST_ACK,
        (_S.CLOSE_WAIT, _O.END): _S.CLOSED,
        (_S.CLOSING, _O.FIN_IS_ACKED): _S.TIME_WAIT,
        (_S.CLOSING, _O.END): _S.CLOSED,
        (_S.LAST_ACK, _O.FIN_IS_ACKED): _S.CLOSED,
        (_S.LAST_ACK, _O.END): _S.CLOSED,
        (_S.TIME_WAIT, _O.TWO_MSL_END): _S.CLOSED,
        (_S.TIME_WAIT, _O.END): _S.CLOSED,
    }
)

SYNCHRONIZED: Final = frozenset(TCPState) - {_S.CLOSED, _S.LISTEN, _S.SYN_SENT, _S.SYN_RECEIVED}
"""Both initial sequence numbers are known to both (RFC 9293 section 3.3.2)."""

RECEIVES_DATA: Final = frozenset({_S.ESTABLISHED, _S.FIN_WAIT_1, _S.FIN_WAIT_2})
"""The peer's FIN has not arrived."""

SENDS_DATA: Final = frozenset(
    {_S.ESTABLISHED, _S.CLOSE_WAIT, _S.FIN_WAIT_1, _S.CLOSING, _S.LAST_ACK}
)
"""Data or a FIN may be waiting to be sent, or to be acknowledged."""
