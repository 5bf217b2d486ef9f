"""
Validators and preconditions (RFC 9110 sections 8.8 and 13): send it, 304 or 412, and whether a
Range still applies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from netlab.http1.sansio.dates import parse_date
from netlab.http1.sansio.fields import Fields

_OPAQUE_TAG: Final = rb'"[\x21\x23-\x7e\x80-\xff]*+"'
_ENTITY_TAG: Final = re.compile(rb"(W/)?(" + _OPAQUE_TAG + rb")")
_ENTITY_TAGS: Final = re.compile(
    # The list rule of RFC 9110 section 5.6.1.2, empty elements included; a comma may also stand
    # within a tag, so splitting at commas would not do.
    rb"(?>(?:[ \t]*+(?:W/)?" + _OPAQUE_TAG + rb"[ \t]*+(?:,|\Z)|[ \t]*+,)*)[ \t]*+"
)

_REPRESENTATION_FIELDS: Final = frozenset(
    (
        b"content-encoding",
        b"content-language",
        b"content-length",
        b"content-range",
        b"content-type",
        b"last-modified",
    )
)


class PreconditionOutcome(Enum):
    """
    What a request's preconditions come to; the value is the status code to answer with, where
    C{PROCEED} may still become 206 or 416.
    """

    PROCEED = 200
    NOT_MODIFIED = 304
    PRECONDITION_FAILED = 412


@dataclass(frozen=True, slots=True)
class Validators:
    """
    What tells one state of a representation from another (RFC 9110 section 8.8).

    @ivar etag: its strong entity tag, quotes included; None where it has none.
    @ivar modified: its Last-Modified in seconds since the epoch, never later than the answer's
        Date (section 8.8.2.1); None where it has none.
    """

    etag: bytes | None
    modified: int | None

    def __post_init__(self) -> None:
        """
        @raise ValueError: when the entity tag is weak or none at all.
        """
        if self.etag is not None:
            match = _ENTITY_TAG.fullmatch(self.etag)
            if match is None or match[1]:
                raise ValueError(f"not a strong entity tag: {self.etag!r}")


def file_etag(size: int, modified_ns: int, coding: bytes = b"") -> bytes:
    """
    Make the entity tag of a file's state.

    It is as strong as the file system's clock is fine. The inode is left out, so that several
    servers with copies of one tree (made with their times) agree.

    @param size: in bytes, of the file that is sent.
    @param modified_ns: its modification time in nanoseconds since the epoch.
    @param coding: the content coding of a precompressed variant: two codings of one thing are two
        representations and need two tags (RFC 9110 section 8.8.3.3).
    """
    suffix = b"-" + coding if coding else b""
    return b'"%x-%x%b"' % (modified_ns, size, suffix)


def evaluate_preconditions(
    method: bytes, fields: Fields, validators: Validators, now: float
) -> PreconditionOutcome:
    """
    Evaluate a request's preconditions in the order of RFC 9110 section 13.2.2.

    Only for a request that would be answered with a 2xx without them (section 13.2.1).

    @param fields: the request's header section.
    @param validators: those of the selected representation.
    @param now: seconds since the epoch.
    """
    if not (
        b"if-none-match" in fields
        or b"if-modified-since" in fields
        or b"if-match" in fields
        or b"if-unmodified-since" in fields
    ):
        return PreconditionOutcome.PROCEED
    if method in (b"OPTIONS", b"TRACE", b"CONNECT"):
        # Section 13.2.1: these select no representation.
        return PreconditionOutcome.PROCEED
    if b"if-match" in fields:
        if not _matches(fields, b"if-match", validators.etag, is_strong=True):
            return PreconditionOutcome.PRECONDITION_FAILED
    elif b"if-unmodified-since" in fields:
        moment = _single_date(fields, b"if-unmodified-since", now)
        modified = validators.modified
        if moment is not None and modified is not None and modified > moment:
            return PreconditionOutcome.PRECONDITION_FAILED
    is_reading = method in (b"GET", b"HEAD")
    if b"if-none-match" in fields:
        if _matches(fields, b"if-none-match", validators.etag, is_strong=False):
            return (
                PreconditionOutcome.NOT_MODIFIED
                if is_reading
                else PreconditionOutcome.PRECONDITION_FAILED
            )
    elif is_reading and b"if-modified-since" in fields:
        moment = _single_date(fields, b"if-modified-since", now)
        modified = validators.modified
        if moment is not None and modified is not None and modified <= moment:
            return PreconditionOutcome.NOT_MODIFIED
    return PreconditionOutcome.PROCEED


def range_applies(fields: Fields, validators: Validators, now: float) -> bool:
    """
    Evaluate If-Range (RFC 9110 section 13.1.5), the last step of section 13.2.2.

    @param fields: the header section of a GET that has a Range.
    @param now: seconds since the epoch.
    @return: True without an If-Range; False where Range must be ignored and all be sent.
    """
    values = fields.get_all(b"if-range")
    if not values:
        return True
    if len(values) > 1:
        return False
    value = values[0]
    if value[-1:] == b'"':
        # Strong comparison: a weak tag begins with W/ and equals no strong one.
        return value == validators.etag
    modified = validators.modified
    return (
        modified is not None
        # The date must be exactly ours, and a strong validator (section 8.8.2.2): within the
        # second of the change the file may change again and keep its date.
        and modified + 1 <= now
        and parse_date(value, now) == modified
    )


def fields_of_304(fields: Fields) -> Fields:
    """
    Leave out what a 304 does not repeat (RFC 9110 section 15.4.5): metadata of the representation,
    which its recipient has.

    What a cache needs stays (Cache-Control, Content-Location, ETag, Expires, Vary), and so does all
    that speaks of the answer itself, such as a field for CORS. Last-Modified stays only where
    there is no ETag.

    @param fields: those of the 200 that would have been sent.
    """
    has_etag = b"etag" in fields
    return Fields.known(
        (name, value)
        for name, value in fields
        if (lowered := name.lower()) not in _REPRESENTATION_FIELDS
        or (lowered == b"last-modified" and not has_etag)
    )


def _matches(fields: Fields, name: bytes, etag: bytes | None, *, is_strong: bool) -> bool:
    """
    Say whether a list of entity tags, or C{*}, covers the current representation.

    What is no such list covers nothing: then If-Match fails and If-None-Match sends the content,
    the safe way in both. Several lines are one list.
    """
    value = fields.get(name)
    if value == b"*":
        return True
    if value is None or etag is None:
        return False
    if value == etag:
        return True
    if etag not in value or _ENTITY_TAGS.fullmatch(value) is None:
        return False
    return any(
        opaque == etag and not (is_strong and weak) for weak, opaque in _ENTITY_TAG.findall(value)
    )


def _single_date(fields: Fields, name: bytes, now: float) -> int | None:
    """
    Read a field of one HTTP-date; None, as if it were not there, where it is not valid or comes
    more than once (RFC 9110 sections 13.1.3 and 13.1.4).

    The lines are not joined: two halves of a date around its comma are not a date.
    """
    values = fields.get_all(name)
    return parse_date(values[0], now) if len(values) == 1 else None
