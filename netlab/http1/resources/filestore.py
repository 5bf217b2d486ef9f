"""
Files as they were a moment ago: found through the guard, described once, kept and looked at again.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from netlab.http1.resources.beneath import OutsideRoot, Root
from netlab.http1.resources.files import FileRange, OpenFile
from netlab.http1.resources.responses import ContentSource, Response
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.memo import Memo

FRESH_SECONDS: Final = 1.0
"""For how long a file is taken to be as it was when it was last looked at."""

IN_MEMORY_MAX_BYTES: Final = 32768
"""Up to here a file is read and kept; measured, sendfile is cheaper from about here on."""

_SMALL_FILES_MAX: Final = 16384
_SMALL_FILES_MAX_BYTES: Final = 32 << 20
_LARGE_FILES_MAX: Final = 128
_LARGE_FILES_SHARE: Final = 4
"""Large files that nobody is being sent take at most this part of the process's descriptors: a
quarter. The rest is for connections, and for what they ask for."""

_FOLDERS_MAX: Final = 1024

_SETTLES_SECONDS: Final = 2.5
"""What was changed longer ago than this has another time of change after its next change: FAT has
the coarsest, two seconds."""

Names: TypeAlias = tuple[bytes, ...]
"""The names of path components from the root down."""

_Identity: TypeAlias = tuple[float, ...]
_SETTLED_PARTS: Final = 5

_SUFFIXES: Final[dict[bytes, bytes]] = {b"br": b".br", b"zstd": b".zst", b"gzip": b".gz"}


class IsFolder(Exception):
    """
    What was asked for as a file is a folder.
    """


@dataclass(slots=True, weakref_slot=True)
class FileState:
    """
    A file as it was when it was last looked at. Of all this only C{checked} and C{folder} change.

    @ivar identity: device, inode, size, times of modification and of change: another file, or
        another content, or other permissions, have another identity. What had just been changed has
        one of its own, that no other look gives: one more change need not show in its times.
    @ivar path: where to look again.
    @ivar checked: when it was looked at, by the store's clock.
    @ivar size: in bytes.
    @ivar modified_ns: as of L{modified_ns}.
    @ivar response: the whole answer to a GET without conditions; for a large file without content.
    @ivar codings: the codings for which there seems to be a precompressed variant beside it.
    @ivar folder: the folder as it was when the variants were looked for; None where it had just
        been changed, so that one more change might not show.
    @ivar file: a large file, open; None for one whose content is in the response.
    """

    identity: _Identity
    path: bytes
    checked: float
    size: int
    modified_ns: int
    response: Response
    codings: tuple[bytes, ...] = ()
    folder: _Identity | None = None
    file: OpenFile | None = None

    def content(self, offset: int, length: int) -> bytes | ContentSource:
        """
        Return a range of the content.

        @param offset: where it begins, in bytes.
        @param length: how many bytes it has.
        """
        if self.file is not None:
            return FileRange(self.file, offset, length)
        whole = self.response.content
        assert isinstance(whole, bytes)
        return whole[offset : offset + length]


class FileStore:
    """
    Finds files beneath a root and keeps them: small ones in memory, large ones open, both bounded.

    Whatever is kept is looked at again at most once in L{FRESH_SECONDS}: so long may an old content
    live on; and twice as long may a new variant be overlooked.
    """

    def __init__(
        self,
        root: Root,
        describe: Callable[[bytes, bytes, os.stat_result, tuple[bytes, ...]], Fields],
        seconds: Callable[[], float],
        epoch_seconds: Callable[[], float],
        *,
        finds_variants: bool = True,
    ) -> None:
        """
        @param root: where the files are.
        @param describe: makes the header section of a 200, from a file's name without the suffix
            of its coding, the coding or nothing, the file's status, and the codings of its
            variants.
        @param seconds: measures how old what is known is.
        @param epoch_seconds: tells the time of day, for comparison with the files' own.
        @param finds_variants: whether to look for precompressed variants.
        """
        self._root = root
        self._describe = describe
        self._seconds = seconds
        self._epoch_seconds = epoch_seconds
        self._finds_variants = finds_variants
        self._small: Memo[tuple[Names, bytes], FileState] = Memo(
            _SMALL_FILES_MAX, _SMALL_FILES_MAX_BYTES
        )
        self._large: Memo[tuple[Names, bytes], FileState] = Memo(_large_files_max())
        self._folders: Memo[bytes, tuple[float, _Identity | None]] = Memo(_FOLDERS_MAX)
        self._root_checked = float("-inf")

    def find(self, names: Names, now: float, coding: bytes = b"") -> FileState:
        """
        Find a file, as it is now or was a moment ago.

        @param names: where it is.
        @param now: by the store's clock.
        @param coding: finds the variant in this coding, which lies beside the file.
        @raise OutsideRoot: when the path leads out of the root, or what is there is no file.
        @raise IsFolder: when it is a folder.
        @raise OSError: when there is nothing, or it cannot be opened or read.
        """
        key = (names, coding)
        state = self._small.get(key) or self._large.get(key)
        if state is not None and 0 <= now - state.checked < FRESH_SECONDS:
            return state
        if not 0 <= now - self._root_checked < FRESH_SECONDS:
            self._root_checked = now
            if self._root.look_again():
                self._small.clear()
                self._large.clear()
                state = None
        if state is not None and self._is_unchanged(state, now, coding):
            # The very file that has been found beneath the root, with what was in it.
            state.checked = now
            return state
        self._small.discard(key)
        self._large.discard(key)
        state = self._look(names, now, coding)
        self._keep(key, state)
        return state

    def _renew(
        self,
        key: tuple[Names, bytes],
        identity: _Identity,
        codings: tuple[bytes, ...],
    ) -> float:
        """
        Say for how long a response that was made of a file may be sent again: see
        L{Response.renew<netlab.http1.resources.responses.Response>}.

        @param identity: the file's when the response was made.
        @param codings: likewise.
        """
        now = self._seconds()
        try:
            state = self.find(key[0], now, key[1])
        except (OutsideRoot, IsFolder, OSError):
            return 0.0
        if state.identity != identity or state.codings != codings:
            return 0.0
        return state.checked + FRESH_SECONDS - now

    def _keep(self, key: tuple[Names, bytes], state: FileState) -> None:
        if state.file is None:
            self._small.put(key, state, state.size)
        else:
            self._large.put(key, state)

    def _is_unchanged(self, state: FileState, now: float, coding: bytes) -> bool:
        try:
            status = os.stat(state.path)
        except OSError:
            return False
        if self._identity(status, now) != state.identity:
            return False
        if coding or not self._finds_variants:
            return True
        folder = self._folder(os.path.dirname(state.path), now)
        if folder is None or folder != state.folder:
            if self._variants(state.path) != state.codings:
                return False
            state.folder = folder
        return True

    def _folder(self, path: bytes, now: float) -> _Identity | None:
        """
        Look at a folder: while it is unchanged, no file has come into it, and so no variant.

        One look serves all files of the folder for L{FRESH_SECONDS}.

        @return: None where it was changed so recently that a further change need not show in its
            time of change, which moves in steps of some milliseconds, or seconds.
        """
        known = self._folders.get(path)
        if known is not None and 0 <= now - known[0] < FRESH_SECONDS:
            return known[1]
        try:
            status = os.stat(path)
        except OSError:
            return None
        identity = self._identity(status, now)
        folder = identity if len(identity) == _SETTLED_PARTS else None
        self._folders.put(path, (now, folder))
        return folder

    def _look(self, names: Names, now: float, coding: bytes) -> FileState:
        """
        Open and describe a file: the one place where a request's path becomes a descriptor.
        """
        asked = names
        name = names[-1]
        if coding:
            names = (*names[:-1], name + _SUFFIXES[coding])
        file = OpenFile(self._root.open_beneath(names))
        status = os.fstat(file.descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsFolder
        if not stat.S_ISREG(status.st_mode):
            raise OutsideRoot
        path = b"/".join((self._root.path, *names))
        # In this order: a variant that comes in between shows as a change of the folder.
        folder = None if coding else self._folder(os.path.dirname(path), now)
        codings = () if coding else self._variants(path)
        fields = self._describe(name, coding, status, codings)
        identity = self._identity(status, now)
        renew = partial(self._renew, (asked, coding), identity, codings)
        size = status.st_size
        content = b""
        kept: OpenFile | None = file
        if size <= IN_MEMORY_MAX_BYTES:
            content = os.pread(file.descriptor, size, 0)
            size = len(content)
            kept = None
        return FileState(
            identity=identity,
            path=path,
            checked=now,
            size=size,
            modified_ns=modified_ns(status),
            response=Response(200, fields, content, renew=renew),
            codings=codings,
            folder=folder,
            file=kept,
        )

    def _identity(self, status: os.stat_result, now: float) -> _Identity:
        """
        Tell one state of a file or a folder from all others.
        """
        identity = _settled_identity(status)
        changed = max(status.st_mtime, status.st_ctime)
        return identity if self._epoch_seconds() - changed > _SETTLES_SECONDS else (*identity, now)

    def _variants(self, path: bytes) -> tuple[bytes, ...]:
        """
        Find what seems to lie beside a file; what is sent still comes through the guard.
        """
        if not self._finds_variants:
            return ()
        return tuple(
            coding for coding, suffix in _SUFFIXES.items() if os.access(path + suffix, os.R_OK)
        )


def _large_files_max() -> int:
    """
    Say how many large files each of a memo's two generations may keep open.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return _LARGE_FILES_MAX
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        return _LARGE_FILES_MAX
    return max(1, min(_LARGE_FILES_MAX, descriptors // (2 * _LARGE_FILES_SHARE)))


def modified_ns(status: os.stat_result) -> int:
    """
    Tell when a file was last modified: never later than its last change. A time that was set, such
    as one in the future, may be; and a date that is cut to now is another one each second.

    @return: in nanoseconds since the epoch.
    """
    return min(status.st_mtime_ns, status.st_ctime_ns)


def _settled_identity(status: os.stat_result) -> _Identity:
    # The time of modification can be set to what it was (tar, rsync and cp -p do), that of change
    # cannot; and it tells of permissions too.
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )
