"""
A folder of files as a resource (RFC 9110: preconditions, ranges, content codings).
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final, TypeAlias
from urllib.parse import quote_from_bytes
from weakref import ref

from netlab.http1.resources.beneath import OutsideRoot, Root, check_names
from netlab.http1.resources.conditional import (
    PreconditionOutcome,
    Validators,
    evaluate_preconditions,
    fields_of_304,
    file_etag,
    range_applies,
)
from netlab.http1.resources.contents import JoinedContent
from netlab.http1.resources.filestore import (
    FRESH_SECONDS,
    FileState,
    FileStore,
    IsFolder,
    Names,
    modified_ns,
)
from netlab.http1.resources.listing import (
    ListingEntry,
    ListingOrder,
    make_listing,
    parse_order,
    render_json,
)
from netlab.http1.resources.listingbudget import ListingBudget
from netlab.http1.resources.listingpage import render_page
from netlab.http1.resources.mediatypes import media_type_of
from netlab.http1.resources.negotiation import (
    IDENTITY,
    acceptable_codings,
    accepts_html,
    prefers_json,
)
from netlab.http1.resources.ranges import (
    ByteRange,
    NoRanges,
    content_range,
    multipart_byteranges,
    requested_ranges,
    unsatisfied_content_range,
)
from netlab.http1.resources.responses import ContentSource, Pages, Response, refuse_method
from netlab.http1.sansio.dates import format_date
from netlab.http1.sansio.fields import NO_FIELDS, Fields
from netlab.http1.sansio.memo import Memo
from netlab.http1.sansio.messages import RequestHead

_NOT_FOUND_ERRNOS: Final = frozenset(
    (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.ENXIO, errno.EINVAL)
)
_FORBIDDEN_ERRNOS: Final = frozenset((errno.EACCES, errno.EPERM))
_BUSY_ERRNOS: Final = frozenset((errno.EMFILE, errno.ENFILE))

#: What a 404 does not say of the page that it carries.
_FIELDS_OF_FOUND: Final = (b"Accept-Ranges", b"ETag", b"Last-Modified", b"Vary")

_LISTINGS_MAX: Final = 64
_LISTINGS_MAX_BYTES: Final = 8 << 20

_LISTING_FIELDS: Final = (
    (b"Cache-Control", b"no-cache"),
    (b"X-Content-Type-Options", b"nosniff"),
)

#: Without any of these fields in a request, the answer is the whole file.
_WHOLE_UNLESS: Final = frozenset(
    (b"if-none-match", b"if-modified-since", b"range", b"if-match", b"if-unmodified-since")
)
_READING: Final = frozenset((b"GET", b"HEAD"))

_PATHS_MAX: Final = 16384
_PATH_MAX_BYTES: Final = 512

_Renew: TypeAlias = Callable[[], float]


@dataclass(frozen=True, slots=True)
class StaticSettings:
    """
    How files are shown.

    @ivar index: the file that answers for a folder.
    @ivar shows_hidden: whether names that begin with a dot may be asked for.
    @ivar lists_folders: whether a folder without an index is shown as a list.
    @ivar is_single_page: whether the root's index answers for pages that do not exist: for paths
        without an extension, where the client takes HTML.
    @ivar not_found: the file beneath the root that is the content of every 404.
    @ivar is_bare: answers as the reference's: content, and nothing said about it.
    @ivar cache_control: the Cache-Control of everything but HTML; None sends none.
    @ivar html_cache_control: that of HTML, which names all else and so must not be stale.
    """

    index: bytes = b"index.html"
    shows_hidden: bool = False
    lists_folders: bool = False
    is_single_page: bool = False
    not_found: Names | None = None
    is_bare: bool = False
    cache_control: bytes | None = None
    html_cache_control: bytes | None = b"no-cache"


class StaticFiles:
    """
    Answers with the files beneath a root.
    """

    def __init__(
        self,
        root: Root,
        epoch_seconds: Callable[[], float],
        settings: StaticSettings = StaticSettings(),
        seconds: Callable[[], float] | None = None,
    ) -> None:
        """
        @param root: the folder.
        @param epoch_seconds: tells the time of day in seconds since the epoch.
        @param seconds: measures how old what is known of a file is; a clock that nobody sets. None:
            C{epoch_seconds} does.
        """
        if seconds is None:
            seconds = epoch_seconds
        self._root = root
        self._epoch_seconds = epoch_seconds
        self._seconds = seconds
        self._settings = settings
        self._pages = Pages(settings.is_bare)
        self._budget = ListingBudget()
        # With the times at which they were made.
        self._listings: Memo[tuple[Names, ListingOrder, bool], tuple[float, Response]] = Memo(
            _LISTINGS_MAX, _LISTINGS_MAX_BYTES
        )
        self._store = FileStore(
            root, self._fields, seconds, epoch_seconds, finds_variants=not settings.is_bare
        )
        # Small files without variants by the path as it comes. The store has them: what it drops is
        # gone here too.
        self._by_path: dict[bytes, ref[FileState]] = {}

    def respond(self, head: RequestHead) -> Response:
        """
        Answer GET and HEAD with the file that the path stands for.
        """
        now = self._seconds()
        path = head.target.path
        known = self._by_path.get(path)
        if known is not None and _WHOLE_UNLESS.isdisjoint(head.fields.index):
            # What most requests ask for, and how: a small file that has just been looked at.
            state = known()
            if (
                state is not None
                and 0 <= now - state.checked < FRESH_SECONDS
                and head.method in _READING
            ):
                return state.response
        refusal = refuse_method(head, self._pages)
        if refusal is not None:
            return refusal
        segments = head.target.segments
        try:
            names = self._names(segments)
            state = self._store.find(names, now)
            renew = state.response.renew
            if not state.codings and state.file is None:
                self._know(path, state)
            elif state.codings and b"accept-encoding" in head.fields:
                state, renew = self._variant(head, names, state, now)
        except OutsideRoot:
            return self._not_found(now)
        except IsFolder:
            # With a slash at its end, what is a folder is the index itself.
            return self._not_found(now) if segments[-1] == b"" else self._to_folder(head)
        except OSError as error:
            return self._without_file(head, error, now)
        return self._respond_with(state, head, now, renew)

    def _know(self, path: bytes, state: FileState) -> None:
        """
        Remember what a path stands for.
        """
        if len(path) > _PATH_MAX_BYTES:
            return
        by_path = self._by_path
        if len(by_path) >= _PATHS_MAX:
            by_path.clear()
        by_path[path] = ref(state)

    def _respond_with(
        self, state: FileState, head: RequestHead, now: float, renew: _Renew | None
    ) -> Response:
        """
        Answer with a file.

        @param now: by the clock of the store.
        @param renew: says for how long the choice of this file stays right; None where nothing
            can, and so no longer than a file stays fresh.
        """
        if not (self._settings.is_bare or _WHOLE_UNLESS.isdisjoint(head.fields.index)):
            return self._respond_conditionally(head, state, now, renew)
        whole = state.response
        if state.file is None:
            return whole if renew is whole.renew else _for_a_moment(whole, renew, state, now)
        return Response(whole.status, whole.fields, state.content(0, state.size), renew=renew)

    # Which file

    def _names(self, segments: tuple[bytes, ...]) -> Names:
        """
        Turn a path into the names of a file; that of a folder names its index.
        """
        if segments[-1] == b"":
            check_names(segments[:-1], shows_hidden=self._settings.shows_hidden)
            return (*segments[:-1], self._settings.index)
        check_names(segments, shows_hidden=self._settings.shows_hidden)
        return segments

    def _variant(
        self, head: RequestHead, names: Names, state: FileState, now: float
    ) -> tuple[FileState, _Renew | None]:
        """
        Choose the precompressed variant that the client likes best, if it likes any.

        @return: its state, or that of the file itself; and what says for how long the choice
            stays right.
        """
        renew = state.response.renew
        for coding in acceptable_codings(head.fields, state.codings):
            if coding == IDENTITY:
                break
            try:
                variant = self._store.find(names, now, coding)
            except (OutsideRoot, IsFolder, OSError):
                renew = None
                continue  # not a file, or gone again: the next one, at last the file itself
            return variant, _both(renew, variant.response.renew)
        return state, renew

    def _fields(
        self, name: bytes, coding: bytes, status: os.stat_result, codings: tuple[bytes, ...]
    ) -> Fields:
        """
        Write the header section of a file's 200.
        """
        if self._settings.is_bare:
            return NO_FIELDS
        media_type = media_type_of(name)
        is_html = media_type.startswith(b"text/html")
        settings = self._settings
        cache_control = settings.html_cache_control if is_html else settings.cache_control
        lines = [
            (b"Content-Type", media_type),
            (b"Last-Modified", format_date(_modified(modified_ns(status), self._epoch_seconds()))),
            (b"ETag", file_etag(status.st_size, status.st_mtime_ns, coding)),
            (b"Accept-Ranges", b"bytes"),
            (b"X-Content-Type-Options", b"nosniff"),
        ]
        if cache_control is not None:
            lines.append((b"Cache-Control", cache_control))
        if coding:
            lines.append((b"Content-Encoding", coding))
        if coding or codings:
            lines.append((b"Vary", b"Accept-Encoding"))
        return Fields.known(lines)

    # Which answer

    def _respond_conditionally(
        self, head: RequestHead, state: FileState, now: float, renew: _Renew | None
    ) -> Response:
        """
        Answer a request with preconditions or a range.

        @param now: as for L{_respond_with}, and so is C{renew}.
        """
        fields = head.fields
        if _depends_on_time(fields):
            renew = None
        whole = _for_a_moment(state.response, renew, state, now)
        now = self._epoch_seconds()
        validators = Validators(whole.fields.get(b"etag"), _modified(state.modified_ns, now))
        outcome = evaluate_preconditions(head.method, fields, validators, now)
        if outcome is PreconditionOutcome.NOT_MODIFIED:
            return replace(whole, status=304, fields=fields_of_304(whole.fields), content=b"")
        if outcome is PreconditionOutcome.PRECONDITION_FAILED:
            return self._pages.error(412)
        ranges = (
            requested_ranges(head.method, fields, state.size)
            if b"range" in fields and range_applies(fields, validators, now)
            else NoRanges.IGNORED
        )
        if ranges is NoRanges.IGNORED:
            return replace(whole, content=state.content(0, state.size))
        if ranges is NoRanges.UNSATISFIABLE:
            unsatisfied = unsatisfied_content_range(state.size)
            return self._pages.error(416, fields=Fields([(b"Content-Range", unsatisfied)]))
        if len(ranges) > 1:
            return _parts(state, ranges)
        part = ranges[0]
        return replace(
            whole,
            status=206,
            fields=Fields.known(
                (*whole.fields.lines, (b"Content-Range", content_range(part, state.size)))
            ),
            content=state.content(part.first, part.length),
        )

    def _to_folder(self, head: RequestHead) -> Response:
        """
        Redirect to the same path with a slash, so that relative links in the index are right.
        """
        # Written anew from the decoded segments, it begins with exactly one slash: a second one
        # would make the first segment a host.
        path = b"/" + b"/".join(
            quote_from_bytes(segment, safe="!$&'()*+,;=:@").encode("ascii")
            for segment in head.target.segments
        )
        query = b"" if head.target.query is None else b"?" + head.target.query
        return self._pages.redirection(path + b"/" + query)

    # Where there is no file

    def _without_file(self, head: RequestHead, error: OSError, now: float) -> Response:
        """
        Answer where the file cannot be opened.
        """
        if error.errno in _FORBIDDEN_ERRNOS:
            return self._pages.error(403)
        if error.errno in _BUSY_ERRNOS:
            return self._busy()
        if error.errno not in _NOT_FOUND_ERRNOS:
            raise error
        settings = self._settings
        segments = head.target.segments
        try:
            if segments[-1] == b"" and settings.lists_folders:
                return self._list(head, now)
            if settings.is_single_page and b"." not in segments[-1] and accepts_html(head.fields):
                state = self._store.find((settings.index,), now)
                return self._respond_with(state, head, now, None)
        except (OutsideRoot, IsFolder, OSError):
            pass  # neither a folder to list nor a page to show in its place
        return self._not_found(now)

    def _busy(self) -> Response:
        return self._pages.error(503, fields=Fields([(b"Retry-After", b"1")]))

    def _not_found(self, now: float) -> Response:
        """
        Answer 404, with the page made for that if there is one.
        """
        names = self._settings.not_found
        if names is None:
            return self._pages.error(404)
        try:
            state = self._store.find(names, now)
        except (OutsideRoot, IsFolder, OSError):
            return self._pages.error(404)
        fields = Fields.known(
            line for line in state.response.fields if line[0] not in _FIELDS_OF_FOUND
        )
        return Response(404, fields, state.content(0, state.size), closes=True)

    def _list(self, head: RequestHead, now: float) -> Response:
        """
        Show what is in a folder.

        @raise OSError: when it is none.
        """
        segments = head.target.segments
        order = parse_order(head.target.query)
        key = (segments, order, prefers_json(head.fields))
        known = self._listings.get(key)
        if known is not None and 0 <= now - known[0] < FRESH_SECONDS:
            return replace(known[1], repeat_seconds=known[0] + FRESH_SECONDS - now)
        if self._budget.is_spent(now):
            # Stale rather than never.
            return self._busy() if known is None else replace(known[1], repeat_seconds=0.0)
        entries = self._root.entries(segments[:-1], shows_hidden=self._settings.shows_hidden)
        with closing(entries):
            listing = make_listing(
                (
                    ListingEntry(name, stat.S_ISDIR(s.st_mode), s.st_size, int(s.st_mtime))
                    if s
                    else None
                    for name, s in entries
                ),
                order,
            )
        self._budget.spend(listing.looked_at)
        rendered = render_json(listing) if key[2] else render_page(segments, listing)
        response = Response(
            200,
            Fields.known((*rendered.fields, *_LISTING_FIELDS)),
            rendered.content,
            repeat_seconds=FRESH_SECONDS,
        )
        # Reading and sorting a large folder takes so long that thirty requests a second would
        # keep everybody else waiting: it is done once a second, whatever else the heads say.
        self._listings.put(key, (now, response), len(rendered.content))
        return response


def _for_a_moment(whole: Response, renew: _Renew | None, state: FileState, now: float) -> Response:
    """
    Let a response be sent again for as long as C{renew} says, or as the file is fresh.
    """
    return replace(whole, renew=renew, repeat_seconds=state.checked + FRESH_SECONDS - now)


def _both(one: _Renew | None, other: _Renew | None) -> _Renew | None:
    """
    Say for how long two choices stay right.
    """
    if one is None or other is None:
        return None
    return lambda: min(one(), other())


def _depends_on_time(fields: Fields) -> bool:
    """
    Tell whether the outcome of preconditions can change while the file does not: a date in the
    future, or one too near to now, is judged otherwise later (RFC 9110 sections 8.8.2.2, 13.1.3).
    """
    return (
        b"if-unmodified-since" in fields
        or b"if-range" in fields
        or (b"if-modified-since" in fields and b"if-none-match" not in fields)
    )


def _modified(time_ns: int, now: float) -> int:
    """
    Return a time of modification that may be sent: never later than now (RFC 9110 section
    8.8.2.1), and one that an HTTP-date can say.
    """
    return max(0, min(time_ns // 1_000_000_000, int(now)))


def _parts(state: FileState, ranges: tuple[ByteRange, ...]) -> Response:
    """
    Answer with several ranges of a file as multipart/byteranges.
    """
    fields = state.response.fields
    media_type = fields.get(b"content-type")
    assert media_type is not None
    layout = multipart_byteranges(
        ranges, state.size, media_type, os.urandom(16).hex().encode("ascii")
    )
    contents: list[bytes | ContentSource] = []
    for part_head, part in layout.parts:
        contents += (part_head, state.content(part.first, part.length))
    contents.append(layout.tail)
    lines = [line for line in fields.lines if line[0] != b"Content-Type"]
    lines.insert(0, (b"Content-Type", layout.content_type))
    return Response(206, Fields.known(lines), JoinedContent(contents))
