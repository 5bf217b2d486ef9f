"""
A folder's listing: its entries, their order, and what programs read of them (JSON).

The page for people is made in L{netlab.http1.resources.listingpage}.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias
from unicodedata import category
from urllib.parse import quote

from netlab.http1.sansio.dates import format_date

ENTRIES_MAX: Final = 2000
"""
How many entries a listing shows: this many take some 40 ms to render, a time in which nothing else
is answered. nginx, Apache and Go show any number.
"""

LOOKED_AT_MAX: Final = 2 * ENTRIES_MAX
"""
How many names in a folder are looked at for a listing: to find out that a link leads nowhere takes
as long as to show a file.
"""

_SEGMENT_BYTES: Final = "!$&'()*+,-.=@_~"
"""
What of a name is not percent-encoded. The colon is, since a relative reference that begins with
C{javascript:} would be an absolute one (RFC 3986 section 4.2), and the semicolon, at which old
readers of references cut off parameters.
"""

_DIGITS: Final = re.compile(r"([0-9]+)")
_JOINERS: Final = ("\u200c", "\u200d")


@dataclass(frozen=True, slots=True)
class ListingEntry:
    """
    One thing in a folder.

    @ivar name: as the file system has it, without a slash.
    @ivar is_folder: whether it is a folder.
    @ivar size: in bytes; of a folder it is not shown.
    @ivar modified: in seconds since the epoch.
    """

    name: bytes
    is_folder: bool
    size: int
    modified: int

    @property
    def href(self) -> bytes:
        """
        The relative reference to it: printable ASCII, with a slash behind a folder.
        """
        return quote(self.name, safe=_SEGMENT_BYTES).encode("ascii") + b"/" * self.is_folder


class SortKey(StrEnum):
    """
    What entries are sorted by.
    """

    NAME = "name"
    SIZE = "size"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class ListingOrder:
    """
    The order of a listing.

    @ivar key: what counts.
    @ivar is_descending: whether the greatest comes first.
    """

    key: SortKey = SortKey.NAME
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """
    The entries to show.

    @ivar entries: in their order.
    @ivar order: that order.
    @ivar is_complete: false where there are more than L{ENTRIES_MAX}, or there may be.
    @ivar looked_at: how many names were looked at for this, those that are not shown included.
    """

    entries: tuple[ListingEntry, ...]
    order: ListingOrder
    is_complete: bool
    looked_at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class RenderedListing:
    """
    A representation of a listing.

    @ivar fields: the field lines that go with it, its Content-Type among them.
    @ivar content: its content.
    """

    fields: tuple[tuple[bytes, bytes], ...]
    content: bytes


def parse_order(query: bytes | None) -> ListingOrder:
    """
    Read C{sort=name|size|time} and C{order=asc|desc} out of a query; what is neither is passed
    over, and of two of a kind the last one counts.
    """
    key, is_descending = SortKey.NAME, False
    for parameter in (query or b"").split(b"&"):
        match parameter:
            case b"sort=name":
                key = SortKey.NAME
            case b"sort=size":
                key = SortKey.SIZE
            case b"sort=time":
                key = SortKey.TIME
            case b"order=asc":
                is_descending = False
            case b"order=desc":
                is_descending = True
    return ListingOrder(key, is_descending)


def make_listing(entries: Iterable[ListingEntry | None], order: ListingOrder) -> Listing:
    """
    Put entries in order: folders before files; then by what was asked for; then by name, numbers in
    names by their value, so that C{2.txt} comes before C{10.txt}.

    @param entries: None stands for one that is not to be shown. At most L{ENTRIES_MAX} are taken,
        and L{LOOKED_AT_MAX} looked at, so this may be an iterator over a folder of any size.
    """
    chosen: list[ListingEntry] = []
    is_complete = True
    looked_at = 0
    for entry in entries:
        if looked_at == LOOKED_AT_MAX:
            is_complete = False
            break
        looked_at += 1
        if entry is None:
            continue
        if entry.name in {b"", b".", b".."} or b"/" in entry.name or b"\x00" in entry.name:
            continue  # no link to it could lead into this folder
        if len(chosen) == ENTRIES_MAX:
            is_complete = False
            break
        chosen.append(entry)
    chosen.sort(key=_name_key, reverse=order.is_descending and order.key is SortKey.NAME)
    if order.key is SortKey.SIZE:
        chosen.sort(key=_size, reverse=order.is_descending)
    elif order.key is SortKey.TIME:
        chosen.sort(key=_modified, reverse=order.is_descending)
    chosen.sort(key=_is_file)
    return Listing(tuple(chosen), order, is_complete, looked_at)


def shown_name(name: bytes) -> str:
    r"""
    Make a name readable, and only readable: what is not UTF-8, and characters that break lines,
    turn the direction of writing or cannot be seen, become escapes such as C{\xff} and C{\u202e}.

    The result still has to be escaped for HTML.
    """
    text = name.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(
        character
        # The joiners are needed to write Persian and to compose emoji, and spaces of other widths
        # are harmless.
        if character.isprintable() or character in _JOINERS or category(character) == "Zs"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def render_json(listing: Listing) -> RenderedListing:
    """
    Make the JSON that nginx makes (C{autoindex_format json}): an array of objects with C{name},
    C{type} (C{directory} or C{file}), C{mtime} (an HTTP-date) and, for files, C{size}.

    C{href} is added: only it is exact for a name that is not UTF-8. Where entries are left out, the
    field Listing-Complete says so.
    """
    objects = []
    for entry in listing.entries:
        value: dict[str, str | int] = {
            "name": entry.name.decode("utf-8", "replace"),
            "type": "directory" if entry.is_folder else "file",
        }
        with suppress(OverflowError):  # before the year 1 or after 9999
            value["mtime"] = format_date(entry.modified).decode("ascii")
        if not entry.is_folder:
            value["size"] = entry.size
        value["href"] = entry.href.decode("ascii")
        objects.append(json.dumps(value))
    text = "[\n" + ",\n".join(objects) + "\n]\n"
    return RenderedListing(
        (
            (b"Content-Type", b"application/json"),
            (b"Vary", b"Accept"),
            *incompleteness_fields(listing),
        ),
        text.encode("ascii"),
    )


def incompleteness_fields(listing: Listing) -> tuple[tuple[bytes, bytes], ...]:
    """
    Return what tells programs that entries are left out: a boolean of RFC 9651, if any.
    """
    return () if listing.is_complete else ((b"Listing-Complete", b"?0"),)


_NameKey: TypeAlias = tuple[list[str | int], bytes]


def _name_key(entry: ListingEntry) -> _NameKey:
    # The pieces alternate between text and digits, so that like is always compared with like.
    pieces: list[str | int] = [*_DIGITS.split(entry.name.decode("utf-8", "replace").casefold())]
    for position in range(1, len(pieces), 2):
        pieces[position] = int(pieces[position])
    return pieces, entry.name


def _size(entry: ListingEntry) -> int:
    return 0 if entry.is_folder else entry.size


def _modified(entry: ListingEntry) -> int:
    return entry.modified


def _is_file(entry: ListingEntry) -> bool:
    return not entry.is_folder
