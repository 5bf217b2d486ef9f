"""
Proactive negotiation (RFC 9110 section 12): which coding, and which of two media types, a client
likes best.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Final, TypeAlias

from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.grammar import split_list

IDENTITY: Final = b"identity"
CODINGS: Final = (b"br", b"zstd", b"gzip")
"""The codings that a file may lie in beside itself, the one that packs best first."""

_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_QUALITY: Final = rb"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)"
_CODING: Final = re.compile(
    rb"(" + _TOKEN + rb")(?:[ \t]*+;[ \t]*+[qQ]=(" + _QUALITY + rb"))?",
)
_QUOTED: Final = rb'"(?>(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*)"'
_MEDIA_RANGE: Final = re.compile(
    rb"[ \t]*+(" + _TOKEN + rb"/" + _TOKEN + rb")"
    rb"((?>(?:[ \t]*+;(?>(?:[ \t]*+" + _TOKEN + rb"=(?:" + _TOKEN + rb"|" + _QUOTED + rb"))?))*))"
    rb"[ \t]*+(?:,|\Z)|[ \t]*+,|[ \t]++\Z"
)
_PARAMETER: Final = re.compile(rb"(" + _TOKEN + rb")=(" + _TOKEN + rb"|" + _QUOTED + rb")")
_QVALUE: Final = re.compile(_QUALITY)

_FULL: Final = 1000
_MEMO_ENTRIES: Final = 256
_MEMO_KEY_MAX_BYTES: Final = 512

_Codings: TypeAlias = dict[bytes, int]
_MediaRanges: TypeAlias = dict[bytes, int]


def acceptable_codings(fields: Fields, available: Collection[bytes]) -> tuple[bytes, ...]:
    """
    Order the codings in which a representation is at hand by what the client says in
    Accept-Encoding (RFC 9110 section 12.5.3).

    Without the field, or where it is malformed, only the plain representation is acceptable. Of
    codings with the same weight the one that comes first in L{CODINGS} is preferred, and any
    coding to none unless the client gives C{identity} a greater weight.

    @param fields: the request's header section.
    @param available: those of L{CODINGS} which there are; the plain representation always is.
    @return: codings by preference, C{identity} among them unless the client forbids it. When
        nothing is left, send the plain representation all the same: section 12.4.1 lets a server
        disregard the field, and no client is helped by 406.
    """
    values = fields.get_all(b"accept-encoding")
    if not values:
        return (IDENTITY,)
    value = values[0] if len(values) == 1 else b",".join(values)
    weights = (
        _codings_from_memo(value) if len(value) <= _MEMO_KEY_MAX_BYTES else _parse_codings(value)
    )
    if weights is None:
        return (IDENTITY,)
    ranked = []
    other = weights.get(b"*")
    for rank, coding in enumerate(CODINGS):
        if coding in available:
            weight = weights.get(coding, other)
            if weight:
                ranked.append((-weight, rank, coding))
    # Not named, identity is acceptable (unless *;q=0), but a client that names codings wants them.
    weight = weights.get(IDENTITY, 1 if other is None else other)
    if weight:
        ranked.append((-weight, len(CODINGS), IDENTITY))
    return tuple(coding for _weight, _rank, coding in sorted(ranked))


def media_type_weight(fields: Fields, media_type: bytes) -> int:
    """
    Say how much the client likes a media type: the weight that Accept gives it (RFC 9110
    section 12.5.1), that of the most specific media range which covers it.

    Parameters of media ranges are passed over: none of our media types comes in two of them.

    @param media_type: type and subtype in lower case, without parameters.
    @return: 0, not acceptable, to 1000; 1000 too where there is no Accept, or a malformed one.
    """
    ranges = _media_ranges(fields)
    if ranges is None:
        return _FULL
    main_type, _slash, _subtype = media_type.partition(b"/")
    for media_range in (media_type, main_type + b"/*", b"*/*"):
        weight = ranges.get(media_range)
        if weight is not None:
            return weight
    return 0


def prefers_json(fields: Fields) -> bool:
    """
    Say whether the client would rather have JSON than HTML; where it likes both alike, as with
    C{*/*}, it gets HTML.
    """
    if b"accept" not in fields:
        return False
    return media_type_weight(fields, b"application/json") > media_type_weight(fields, b"text/html")


def accepts_html(fields: Fields) -> bool:
    """
    Say whether a page may be sent in answer: false for a request that wants only an image, say.
    """
    return b"accept" not in fields or media_type_weight(fields, b"text/html") > 0


def _parse_codings(value: bytes) -> _Codings | None:
    """
    Read Accept-Encoding; None where it is malformed. Of one coding named twice the smaller weight
    counts: a refusal is not to be overlooked.
    """
    weights: _Codings = {}
    for element in split_list((value,)):
        match = _CODING.fullmatch(element)
        if match is None:
            return None
        coding = match[1].lower()
        if coding == b"x-gzip":  # the same by section 8.4.1.3
            coding = b"gzip"
        weight = _thousandths(match[2])
        weights[coding] = min(weight, weights.get(coding, _FULL))
    return weights


_codings_from_memo: Final = lru_cache(_MEMO_ENTRIES)(_parse_codings)


def _media_ranges(fields: Fields) -> _MediaRanges | None:
    values = fields.get_all(b"accept")
    value = values[0] if len(values) == 1 else b",".join(values)
    if len(value) <= _MEMO_KEY_MAX_BYTES:
        return _media_ranges_from_memo(value)
    return _parse_media_ranges(value)


def _parse_media_ranges(value: bytes) -> _MediaRanges | None:
    """
    Read Accept; None where it is malformed or empty. Of one media range given twice, as by
    parameters that we pass over, the greater weight counts.
    """
    ranges: _MediaRanges = {}
    position = 0
    while position < len(value):
        match = _MEDIA_RANGE.match(value, position)
        if match is None:
            return None
        position = match.end()
        if match[1] is None:
            continue
        media_range = match[1].lower()
        if media_range.startswith(b"*/") and media_range != b"*/*":
            return None
        weight = _FULL
        for name, argument in _PARAMETER.findall(match[2]):
            if name in {b"q", b"Q"}:
                if _QVALUE.fullmatch(argument) is None:
                    return None
                weight = _thousandths(argument)
        ranges[media_range] = max(weight, ranges.get(media_range, 0))
    return ranges or None


_media_ranges_from_memo: Final = lru_cache(_MEMO_ENTRIES)(_parse_media_ranges)


def _thousandths(quality: bytes | None) -> int:
    """
    Read a qvalue (RFC 9110 section 12.4.2) without floating point.
    """
    if quality is None:
        return _FULL
    whole, _dot, decimals = quality.partition(b".")
    return int(whole + decimals.ljust(3, b"0"))
