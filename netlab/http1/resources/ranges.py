"""
Range requests (RFC 9110 section 14): which bytes are asked for, and the heads of their parts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, TypeAlias

from netlab.http1.sansio.fields import Fields

RANGES_MAX: Final = 32
"""
How many ranges one request may ask for, empty and unsatisfiable ones included; with more, Range is
ignored. Apache 200 (MaxRanges, with at most 20 overlaps and 20 reversals), nginx any number
(max_ranges), Go any number. Those two, like us, send everything where the ranges add up to more
than the file.
"""

_RANGE_SPEC: Final = re.compile(rb"([0-9]++)-([0-9]*+)|-([0-9]++)")
_BOUNDARY: Final = re.compile(rb"[0-9A-Za-z'()+_,\-./:=?]{1,70}")
_BOUNDARY_TOKEN: Final = re.compile(rb"[0-9A-Za-z'+_\-.]++")
_BEYOND_ANY_FILE: Final = 1 << 63


class NoRanges(Enum):
    """
    Why there is no part to send.
    """

    IGNORED = auto()
    """There is no Range that counts: send the whole representation with 200."""

    UNSATISFIABLE = auto()
    """Nothing that was asked for exists: answer 416 with L{unsatisfied_content_range}."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """
    A part of a representation.

    @ivar first: the position of its first byte, from 0.
    @ivar last: the position of its last byte, inclusive, so that it is never empty.
    """

    first: int
    last: int

    @property
    def length(self) -> int:
        """
        How many bytes it has, at least 1.
        """
        return self.last - self.first + 1


RequestedRanges: TypeAlias = tuple[ByteRange, ...] | NoRanges


def requested_ranges(method: bytes, fields: Fields, size: int) -> RequestedRanges:
    """
    Find what a request's Range asks for.

    Ranges stay in the order in which they were asked for, and are not merged: a client that asks
    for two parts gets two parts. A flood of them is not answered in parts at all: more than
    L{RANGES_MAX}, or more bytes together than the representation has (which overlaps need), are
    reasons to ignore the Range, as RFC 9110 sections 14.2 and 17.15 allow.

    @param method: Range is defined for GET only and ignored elsewhere (section 14.2).
    @param fields: the request's header section; If-Range has been looked at already.
    @param size: of the selected representation, in bytes.
    @return: one range for a plain 206; several for multipart/byteranges; else why there is none.
    """
    values = fields.get_all(b"range")
    if len(values) != 1 or method != b"GET":
        return NoRanges.IGNORED
    unit, _equals, range_set = values[0].partition(b"=")
    if unit.lower() != b"bytes":
        return NoRanges.IGNORED
    return _select(range_set, size)


def content_range(part: ByteRange, size: int) -> bytes:
    """
    Write the value of Content-Range for one part (RFC 9110 section 14.4).

    @param size: of the whole representation, in bytes.
    """
    return b"bytes %d-%d/%d" % (part.first, part.last, size)


def unsatisfied_content_range(size: int) -> bytes:
    """
    Write the value of Content-Range in a 416 (RFC 9110 section 15.5.17).
    """
    return b"bytes */%d" % size


@dataclass(frozen=True, slots=True)
class MultipartByteRanges:
    """
    Content of several parts (RFC 9110 section 14.6): each part's head, then its bytes of the
    representation, and after the last one the tail.

    @ivar content_type: the value of the answer's own Content-Type.
    @ivar parts: each part's head, its delimiter included, and its range.
    @ivar tail: the closing delimiter.
    @ivar length: of all this content, in bytes.
    """

    content_type: bytes
    parts: tuple[tuple[bytes, ByteRange], ...]
    tail: bytes
    length: int


def multipart_byteranges(
    ranges: Sequence[ByteRange], size: int, media_type: bytes, boundary: bytes
) -> MultipartByteRanges:
    """
    Lay out an answer of several parts.

    @param ranges: at least two; one alone goes without parts (RFC 9110 section 15.3.7.2).
    @param size: of the whole representation, in bytes.
    @param media_type: the representation's Content-Type.
    @param boundary: what stands between the parts and must not stand in them: make it of 16 or
        more random bytes in hexadecimal.
    @raise ValueError: when the boundary breaks RFC 2046 section 5.1.1 (1 to 70 of its characters).
    """
    if _BOUNDARY.fullmatch(boundary) is None:
        raise ValueError(f"not a multipart boundary: {boundary!r}")
    parts = []
    opening = b"--"
    length = 0
    for part in ranges:
        head = b"%b%b\r\nContent-Type: %b\r\nContent-Range: %b\r\n\r\n" % (
            opening, boundary, media_type, content_range(part, size),
        )  # fmt: skip
        parts.append((head, part))
        length += len(head) + part.length
        opening = b"\r\n--"
    tail = b"\r\n--%b--\r\n" % boundary
    parameter = boundary if _BOUNDARY_TOKEN.fullmatch(boundary) else b'"%b"' % boundary
    return MultipartByteRanges(
        content_type=b"multipart/byteranges; boundary=" + parameter,
        parts=tuple(parts),
        tail=tail,
        length=length + len(tail),
    )


def _select(range_set: bytes, size: int) -> RequestedRanges:
    specs = range_set.split(b",", RANGES_MAX)
    if len(specs) > RANGES_MAX or range_set[:1] in (b" ", b"\t"):
        return NoRanges.IGNORED
    selected = []
    is_any_valid = False
    for padded in specs:
        spec = padded.strip(b" \t")
        if not spec:
            continue  # an empty list element, RFC 9110 section 5.6.1.2
        match = _RANGE_SPEC.fullmatch(spec)
        if match is None:
            return NoRanges.IGNORED
        is_any_valid = True
        if match[3] is not None:
            suffix_length = _position(match[3])
            if suffix_length and not size:
                # Satisfiable by section 14.1.2, yet no Content-Range can name no bytes.
                return NoRanges.IGNORED
            first, last = max(size - suffix_length, 0), size - 1
        else:
            first = _position(match[1])
            last = _position(match[2]) if match[2] else _BEYOND_ANY_FILE
            if last < first:
                return NoRanges.IGNORED
            last = min(last, size - 1)
        if first < size:
            selected.append(ByteRange(first, last))
    if not is_any_valid:
        return NoRanges.IGNORED
    if not selected:
        return NoRanges.UNSATISFIABLE
    if len(selected) > 1 and sum(part.length for part in selected) > size:
        return NoRanges.IGNORED
    return tuple(selected)


def _position(digits: bytes) -> int:
    """
    Read a position, however many digits it has: any beyond 63 bits is behind every file's end.

    Python refuses to read thousands of digits, and what it does read takes quadratic time.
    """
    significant = digits.lstrip(b"0")
    if len(significant) > 18:
        return _BEYOND_ANY_FILE
    return int(significant or b"0")
