"""
What travels: a segment, and why and in what circumstances it was sent.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

# Plain integers, which are quicker to test than those of netlab.capture.segments.Flag.
FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
PSH: Final = 0x08
ACK: Final = 0x10
URG: Final = 0x20
ECE: Final = 0x40
CWR: Final = 0x80

# The ECN field of the IP header (RFC 3168 section 5).
NOT_ECT: Final = 0
ECT_0: Final = 2
CE: Final = 3


class TCPSegment(NamedTuple):
    """
    A segment as it travels.

    @ivar seq: 32 bits.
    @ivar ack: 32 bits; means nothing without the ACK flag.
    @ivar flags: of L{netlab.capture.segments.Flag}.
    @ivar window: the 16 bits of the header, not scaled.
    @ivar options: the bytes of the options, padded to a multiple of 4.
    @ivar urgent: the urgent pointer; means nothing without the URG flag.
    """

    source_port: int
    destination_port: int
    seq: int
    ack: int
    flags: int
    window: int
    options: bytes = b""
    payload: bytes = b""
    urgent: int = 0

    @property
    def seglen(self) -> int:
        """
        SEG.LEN of RFC 9293: payload bytes, and one each for SYN and FIN.
        """
        return len(self.payload) + (self.flags & 1) + (self.flags >> 1 & 1)


class Reason(StrEnum):
    """
    Why a segment was sent.
    """

    HANDSHAKE = "handshake"
    DATA = "data"
    CLOSE = "close"
    """A FIN, with or without data."""

    ACK = "second segment"
    """An ACK that is due at once: a second full-sized segment, or the first ones of a
    connection."""

    DELAYED_ACK = "delayed ACK"
    DUPLICATE_ACK = "duplicate ACK"
    """What arrived was out of order, or had arrived before."""

    WINDOW_UPDATE = "window update"
    RETRANSMISSION_TIMEOUT = "retransmission timeout"
    LOSS_RECOVERY = "loss recovery"
    """Retransmitted after the first of those that were taken for lost at a timeout."""

    FAST_RETRANSMIT = "fast retransmit"
    PARTIAL_ACK = "partial ACK"
    """Retransmitted because an ACK covers what was sent before, but not this (RFC 6582)."""

    SACK_RECOVERY = "SACK recovery"
    """Retransmitted because SACKs show that it was lost, by the count of segments (RFC 6675)."""

    RACK = "RACK"
    """Retransmitted because something that was sent later has arrived (RFC 8985)."""

    TAIL_LOSS_PROBE = "tail loss probe"
    LIMITED_TRANSMIT = "limited transmit"
    """New data upon a first or second duplicate ACK (RFC 3042)."""

    WINDOW_PROBE = "window probe"
    KEEP_ALIVE = "keep-alive"
    CHALLENGE_ACK = "challenge ACK"
    UNACCEPTABLE = "ACK of an unacceptable segment"
    PATH_MTU = "path MTU"
    """Retransmitted in smaller segments, as a router asked."""

    RESET = "reset"


class CongestionState(StrEnum):
    """
    What the sender believes of the network, by the names of Linux's C{tcpi_ca_state}.
    """

    OPEN = "open"
    DISORDER = "disorder"
    """Duplicate ACKs or SACKs, too few for a loss."""

    CWR = "CWR"
    """The window is being reduced because a router marked a segment (RFC 3168)."""

    RECOVERY = "recovery"
    LOSS = "loss"
    """After a retransmission timeout."""


class Variables(NamedTuple):
    """
    What a sender knew just after it sent a segment.

    @ivar cwnd: the congestion window in segments of C{mss} bytes.
    @ivar ssthresh: the slow start threshold in segments; L{SSTHRESH_INFINITE} before any loss.
    @ivar mss: payload bytes of a full-sized segment now.
    @ivar srtt: the smoothed round-trip time; 0 before the first sample.
    @ivar rttvar: what the retransmission timeout has above C{srtt}.
    @ivar rto: the retransmission timeout, backed off.
    @ivar flight: segments in flight: sent, not acknowledged, not taken for lost.
    @ivar bytes_in_flight: SND.NXT - SND.UNA.
    @ivar recovery: what the sender believes of the network.
    @ivar sacked: segments that a SACK has reported.
    @ivar lost: segments taken for lost.
    @ivar snd_wnd: the peer's window in bytes.
    @ivar rcv_wnd: the window this segment advertises, in bytes.
    @ivar unsent: bytes that have been written and not sent.
    @ivar unread: bytes that have arrived in order and wait to be read.
    @ivar out_of_order: bytes that wait behind a gap.
    @ivar timer: the sender's running timer, or an empty string.
    @ivar timer_at: when it ends, or 0.
    """

    cwnd: int
    ssthresh: int
    mss: int
    srtt: int
    rttvar: int
    rto: int
    flight: int
    bytes_in_flight: int
    recovery: CongestionState
    sacked: int
    lost: int
    snd_wnd: int
    rcv_wnd: int
    unsent: int
    unread: int
    out_of_order: int
    timer: str
    timer_at: int


SSTHRESH_INFINITE: Final = 0x7FFF_FFFF
"""As Linux shows it."""


class Outgoing(NamedTuple):
    """
    A segment that is to be sent, and what the IP header is to say.

    @ivar source: 4 or 16 bytes.
    @ivar destination: 4 or 16 bytes.
    @ivar variables: C{None} for a segment that belongs to no connection.
    @ivar ecn: the two ECN bits.
    """

    source: bytes
    destination: bytes
    segment: TCPSegment
    reason: Reason
    variables: Variables | None = None
    ecn: int = NOT_ECT
    ttl: int = 64
    dont_fragment: bool = True
