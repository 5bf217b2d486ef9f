"""
A folder of files as a resource.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote_from_bytes

from netlab.http1.beneath import OutsideRoot, Root, check_names
from netlab.http1.dates import format_date
from netlab.http1.fields import NO_FIELDS, Fields
from netlab.http1.files import FileRange, OpenFile
from netlab.http1.memo import Memo
from netlab.http1.messages import RequestHead
from netlab.http1.responses import Pages, Response, refuse_method

FRESH_SECONDS: Final = 1.0
"""For how long a file is taken to be as it was when it was last looked at."""

IN_MEMORY_MAX_BYTES: Final = 32768
"""Up to here a file is read and kept; measured, sendfile is cheaper from about here on."""

_SMALL_FILES_MAX: Final = 16384
_SMALL_FILES_MAX_BYTES: Final = 32 << 20
_LARGE_FILES_MAX: Final = 128

_NOT_FOUND_ERRNOS: Final = frozenset(
    (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.ENXIO, errno.EINVAL)
)
_FORBIDDEN_ERRNOS: Final = frozenset((errno.EACCES, errno.EPERM))
_BUSY_ERRNOS: Final = frozenset((errno.EMFILE, errno.ENFILE))


class _IsFolder(Exception):
    """
    What was asked for as a file is a folder.
    """


@dataclass(frozen=True, slots=True)
class StaticSettings:
    """
    How files are shown.

    @ivar index: the file that answers for a folder.
    @ivar shows_hidden: whether names that begin with a dot may be asked for.
    @ivar is_bare: answers as the reference's: content, and nothing said about it.
    """

    index: bytes = b"index.html"
    shows_hidden: bool = False
    is_bare: bool = False


@dataclass(frozen=True, slots=True)
class _FileState:
    """
    A file as it was when it was last looked at.

    @ivar identity: device, inode, size and time of change: another file, or another content, has
        another identity.
    @ivar path: where to look again.
    @ivar checked: when it was looked at, in seconds since the epoch.
    @ivar response: the whole answer to a GET without conditions; for a larger file, whose content
        is read while it is sent, without its content.
    @ivar file: the larger file.
    @ivar size: its size in bytes.
    """

    identity: tuple[int, int, int, int]
    path: bytes
    checked: float
    response: Response
    file: OpenFile | None
    size: int


class StaticFiles:
    """
    Answers with the files beneath a root.

    Small files are kept in memory and larger ones open, both bounded in number. Whatever is kept
    is looked at again at most once in L{FRESH_SECONDS}: so long may an old content live on.
    """

    def __init__(
        self,
        root: Root,
        seconds: Callable[[], float],
        settings: StaticSettings = StaticSettings(),
    ) -> None:
        """
        @param root: the folder.
        @param seconds: tells the time in seconds since the epoch.
        """
        self._root = root
        self._seconds = seconds
        self._settings = settings
        self._pages = Pages(settings.is_bare)
        self._small: Memo[tuple[bytes, ...], _FileState] = Memo(
            _SMALL_FILES_MAX, _SMALL_FILES_MAX_BYTES
        )
        self._large: Memo[tuple[bytes, ...], _FileState] = Memo(_LARGE_FILES_MAX)

    def respond(self, head: RequestHead) -> Response:
        """
        Answer GET and HEAD with the file that the path stands for.
        """
        refusal = refuse_method(head, self._pages)
        if refusal is not None:
            return refusal
        segments = head.target.segments
        try:
            state = self._state(segments, self._seconds())
        except OutsideRoot:
            return self._pages.error(404)
        except _IsFolder:
            return self._to_folder(head)
        except OSError as error:
            return self._failed(error)
        if state.file is None:
            return state.response
        content = FileRange(state.file, 0, state.size)
        return replace(state.response, content=content)

    def _state(self, segments: tuple[bytes, ...], now: float) -> _FileState:
        """
        Find the file, as it is now or was a moment ago.
        """
        state = self._small.get(segments) or self._large.get(segments)
        if state is not None:
            if 0 <= now - state.checked < FRESH_SECONDS:
                return state
            if _identity(os.stat(state.path)) == state.identity:
                # The very file that has been found beneath the root, with what was in it.
                response = replace(state.response, repeat_until=now + FRESH_SECONDS)
                state = replace(state, checked=now, response=response)
                self._keep(segments, state)
                return state
        self._small.discard(segments)
        self._large.discard(segments)
        state = self._look(segments, now)
        self._keep(segments, state)
        return state

    def _keep(self, segments: tuple[bytes, ...], state: _FileState) -> None:
        if state.file is None:
            self._small.put(segments, state, state.size)
        else:
            self._large.put(segments, state)

    def _look(self, segments: tuple[bytes, ...], now: float) -> _FileState:
        """
        Open and describe a file: the one place where a request's path becomes a descriptor.
        """
        is_folder = segments[-1] == b""
        names = segments[:-1] if is_folder else segments
        check_names(names, shows_hidden=self._settings.shows_hidden)
        if is_folder:
            names = (*names, self._settings.index)
        file = OpenFile(self._root.open_beneath(names))
        status = os.fstat(file.descriptor)
        if stat.S_ISDIR(status.st_mode) and not is_folder:
            raise _IsFolder
        if not stat.S_ISREG(status.st_mode):
            raise OutsideRoot
        fields = self._fields(names[-1], status)
        path = b"/".join((self._root.path, *names))
        size = status.st_size
        if size > IN_MEMORY_MAX_BYTES:
            return _FileState(_identity(status), path, now, Response(200, fields), file, size)
        content = os.pread(file.descriptor, size, 0)
        response = Response(200, fields, content, repeat_until=now + FRESH_SECONDS)
        return _FileState(_identity(status), path, now, response, None, len(content))

    def _fields(self, name: bytes, status: os.stat_result) -> Fields:
        if self._settings.is_bare:
            return NO_FIELDS
        return Fields.known(
            (
                (b"Content-Type", _media_type(name)),
                (b"Last-Modified", format_date(status.st_mtime)),
                (b"ETag", b'"%x-%x"' % (status.st_size, status.st_mtime_ns)),
            )
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

    def _failed(self, error: OSError) -> Response:
        if error.errno in _NOT_FOUND_ERRNOS:
            return self._pages.error(404)
        if error.errno in _FORBIDDEN_ERRNOS:
            return self._pages.error(403)
        if error.errno in _BUSY_ERRNOS:
            return self._pages.error(503, fields=Fields([(b"Retry-After", b"1")]))
        raise error


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _media_type(name: bytes) -> bytes:
    import mimetypes

    guess = mimetypes.guess_type(os.fsdecode(name))[0] or "application/octet-stream"
    return (guess + ("; charset=utf-8" if guess.startswith("text/") else "")).encode("ascii")
