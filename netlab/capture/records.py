"""
What a capture file holds: interfaces and the frames seen on them.

L{Record} is a tuple and not a frozen dataclass because one is made for each frame: see
docs/decisions/0100.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

SNAPLEN_DEFAULT: Final = 262144
"""What dumpcap and tcpdump write: no frame of a usual link is longer."""


class LinkType(IntEnum):
    """
    The link types that are decoded (the registry's LINKTYPE_ numbers). A capture may name others:
    L{Interface.link_type} is any integer.
    """

    NULL = 0
    """BSD loopback: four bytes of address family in the byte order of the capturing machine."""

    ETHERNET = 1
    RAW_BSD = 12
    """Raw IP, as DLT_RAW is numbered on most systems."""

    RAW_OPENBSD = 14
    RAW = 101
    """Raw IP: the first four bits tell the version."""

    LOOP = 108
    """OpenBSD loopback: four bytes of address family in network byte order."""

    LINUX_SLL = 113
    """Linux "cooked" capture: 16 bytes."""

    IPV4 = 228
    IPV6 = 229
    LINUX_SLL2 = 276
    """Linux "cooked" capture, version 2: 20 bytes, with the interface's index."""


class Interface(NamedTuple):
    """
    Where frames were seen.

    @ivar link_type: what each frame begins with, a L{LinkType} or another registered number.
    @ivar name: as C{eth0}; empty if the file does not say.
    @ivar description: for a person; empty if the file does not say.
    @ivar snaplen: the most bytes of a frame that were kept; 0 is no limit.
    @ivar number: counted from 0 over all sections of the file.
    @ivar check_bytes: how many bytes of frame check sequence end each frame, -1 if unknown.
    @ivar nanoseconds: of one step of the interface's clock; below 1 ns it is 1.
    """

    link_type: int
    name: str = ""
    description: str = ""
    snaplen: int = SNAPLEN_DEFAULT
    number: int = 0
    check_bytes: int = -1
    nanoseconds: int = 1


class Record(NamedTuple):
    """
    One captured frame, not yet decoded.

    @ivar number: from 1, as C{frame.number}.
    @ivar time_ns: nanoseconds since 1970-01-01 UTC; 0 where the file has none (simple packets).
    @ivar data: the bytes that were captured.
    @ivar length: the frame's length on the wire in bytes, C{frame.len}; at least C{len(data)},
        unless the file lies.
    @ivar interface: where it was seen.
    @ivar comments: what somebody noted about it, in the file's order.
    """

    number: int
    time_ns: int
    data: bytes
    length: int
    interface: Interface
    comments: tuple[str, ...] = ()
