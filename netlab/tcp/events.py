"""
What a connection tells the program that uses it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Connected:
    """
    The handshake is complete.
    """


@dataclass(frozen=True, slots=True)
class Readable:
    """
    There are bytes to be read, more than at the last such event.
    """


@dataclass(frozen=True, slots=True)
class Writable:
    """
    The send buffer has space again, after a write that found it full.
    """


@dataclass(frozen=True, slots=True)
class PeerClosed:
    """
    The peer's FIN has arrived: after the bytes that can be read there will be no more.
    """


@dataclass(frozen=True, slots=True)
class UrgentData:
    """
    The peer has sent urgent data (RFC 9293 section 3.8.5). It stays in its place in the stream, as
    RFC 6093 section 6 recommends.

    @ivar ahead: this many of the bytes that are to be read belong to it or precede it.
    """

    ahead: int


@dataclass(frozen=True, slots=True)
class WasReset:
    """
    The peer has reset the connection. What had arrived in order can still be read.
    """


@dataclass(frozen=True, slots=True)
class Refused:
    """
    The peer answered the SYN with a reset, or a router said that there is no such port.
    """


@dataclass(frozen=True, slots=True)
class Unreachable:
    """
    A router said that the peer cannot be reached, while the connection was being opened.
    """


@dataclass(frozen=True, slots=True)
class TimedOut:
    """
    The peer did not answer in the time that the settings allow.
    """


@dataclass(frozen=True, slots=True)
class Closed:
    """
    The connection is over: both sides have closed, or what came before this event ended it.
    """


Event = (
    Connected
    | Readable
    | Writable
    | PeerClosed
    | UrgentData
    | WasReset
    | Refused
    | Unreachable
    | TimedOut
    | Closed
)
