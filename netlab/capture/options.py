"""
TCP options: MSS, window scale, SACK, timestamps, fast open.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple


class TCPOptions(NamedTuple):
    """
    The values of a segment's options; of an option that comes twice, the last.

    @ivar mss: in bytes (RFC 9293 section 3.7.1), or C{None}.
    @ivar window_shift: 0 to 255 as on the wire (RFC 7323 section 2.2: above 14 means 14), or
        C{None}.
    @ivar sack_permitted: RFC 2018 section 2.
    @ivar sacks: the ranges that have arrived, each from its first sequence number to the one after
        its last.
    @ivar timestamps: TSval and TSecr (RFC 7323 section 3.2), or C{None}.
    @ivar fast_open: the cookie, empty for a request of one (RFC 7413 section 4.1.1), or C{None}.
    @ivar multipath: a bit for each subtype of Multipath TCP option (RFC 8684 section 3): 1 << 0 is
        MP_CAPABLE, 1 << 1 is MP_JOIN, 1 << 2 is DSS, and so on.
    @ivar problem: what is malformed, or empty.
    """

    mss: int | None = None
    window_shift: int | None = None
    sack_permitted: bool = False
    sacks: tuple[tuple[int, int], ...] = ()
    timestamps: tuple[int, int] | None = None
    fast_open: bytes | None = None
    multipath: int = 0
    problem: str = ""


@lru_cache(maxsize=1024)
def parse(data: bytes) -> TCPOptions:
    """
    Read options up to their end, or to the first that is malformed.

    @param data: at most 40 bytes, as they follow a TCP header's first 20.
    """
    mss: int | None = None
    window_shift: int | None = None
    sack_permitted = False
    sacks: tuple[tuple[int, int], ...] = ()
    timestamps: tuple[int, int] | None = None
    fast_open: bytes | None = None
    multipath = 0
    problem = ""
    at = 0
    while at < len(data):
        kind = data[at]
        if kind == 0:
            break
        if kind == 1:
            at += 1
            continue
        length = data[at + 1] if at + 1 < len(data) else 0
        if length < 2 or at + length > len(data):
            problem = f"option {kind} is cut or gives its length as {length}"
            break
        value = data[at + 2 : at + length]
        at += length
        if kind == 2 and length == 4:
            mss = int.from_bytes(value)
        elif kind == 3 and length == 3:
            window_shift = value[0]
        elif kind == 4 and length == 2:
            sack_permitted = True
        elif kind == 5:
            words = [int.from_bytes(value[i : i + 4]) for i in range(0, length - 5, 4)]
            sacks = tuple(zip(words[::2], words[1::2], strict=False))
            if length < 10 or (length - 2) % 8:
                # Where its ranges end is in doubt, and so is all that follows.
                problem = f"option 5 has a length of {length}"
                break
        elif kind == 8 and length == 10:
            timestamps = int.from_bytes(value[:4]), int.from_bytes(value[4:])
        elif kind == 34:
            fast_open = value
        elif kind == 30 and value:
            multipath |= 1 << (value[0] >> 4)
        elif kind in {2, 3, 4, 8}:
            problem = f"option {kind} has a length of {length}"
    return TCPOptions(
        mss, window_shift, sack_permitted, sacks, timestamps, fast_open, multipath, problem
    )
