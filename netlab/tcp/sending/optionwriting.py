"""
Writing a segment's options, in the order in which Linux does.

L{netlab.capture.options.parse} reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import Final

from netlab.tcp.sequence import MASK

OPTIONS_MAX_BYTES: Final = 40
TIMESTAMPS_BYTES: Final = 12
"""What a timestamps option costs each segment, with its two NOPs (RFC 7323 appendix A)."""

_TIMESTAMPS = Struct("!4sII")
_TIMESTAMPS_HEAD: Final = b"\x01\x01\x08\x0a"
_RANGE = Struct("!II")


def timestamps(value: int, echo: int) -> bytes:
    """
    Write a timestamps option alone: 12 bytes.

    @param value: TSval, 32 bits.
    @param echo: TSecr, 32 bits.
    """
    return _TIMESTAMPS.pack(_TIMESTAMPS_HEAD, value, echo)


def read_timestamps(options: bytes) -> tuple[int, int] | None:
    """
    Read options that are as L{timestamps} writes them: what nearly all segments have.

    @return: TSval and TSecr, or C{None} if there is anything else.
    """
    if len(options) == TIMESTAMPS_BYTES and options[:4] == _TIMESTAMPS_HEAD:
        _, value, echo = _TIMESTAMPS.unpack(options)
        return value, echo
    return None


def sack(ranges: Iterable[tuple[int, int]], room: int) -> bytes:
    """
    Write a SACK option of as many ranges as there is room for (RFC 2018 section 3).

    @param ranges: sequence numbers, as they may exceed 32 bits; the most important one first.
    @param room: bytes.
    @return: the option, or nothing if there is no range or no room for one.
    """
    blocks = [_RANGE.pack(start & MASK, end & MASK) for start, end in ranges]
    blocks = blocks[: max(0, (room - 4) // 8)]
    if not blocks:
        return b""
    return bytes((1, 1, 5, 2 + 8 * len(blocks))) + b"".join(blocks)


def handshake(
    mss: int,
    *,
    sack_permitted: bool,
    times: tuple[int, int] | None,
    window_shift: int | None,
    cookie: bytes | None,
) -> bytes:
    """
    Write the options of a SYN or a SYN-ACK.

    @param mss: the largest payload that is accepted.
    @param times: TSval and TSecr, or C{None} for no option.
    @param window_shift: 0 to 14, or C{None} for no option.
    @param cookie: of fast open (RFC 7413 section 4.1.1); empty to ask for one; C{None} for no
        option.
    """
    parts = [b"\x02\x04" + mss.to_bytes(2)]
    if times is not None:
        head = b"\x04\x02\x08\x0a" if sack_permitted else _TIMESTAMPS_HEAD
        parts.append(_TIMESTAMPS.pack(head, *times))
    elif sack_permitted:
        parts.append(b"\x01\x01\x04\x02")
    if window_shift is not None:
        parts.append(bytes((1, 3, 3, window_shift)))
    if cookie is not None:
        option = bytes((34, 2 + len(cookie))) + cookie
        padding = b"\x01" * (-len(option) % 4)
        if sum(map(len, parts)) + len(padding) + len(option) <= OPTIONS_MAX_BYTES:
            parts.append(option + padding)
    return b"".join(parts)
