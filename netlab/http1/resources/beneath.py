"""
The one guard of the file system: nothing outside of the root is ever opened.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Generator
from typing import Final

SYMLINKS_MAX: Final = 40
"""As many as the kernel itself follows for one path (path_resolution(7))."""

_OPEN_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class OutsideRoot(Exception):
    """
    The path leads out of the root, or is no path that a file of ours could have.
    """


class Root:
    """
    A folder, open for as long as files beneath it are wanted.

    A path is walked one component at a time, each opened in the folder before it and never through
    a symbolic link. A link is read and its own path walked in the same manner, so that it may lead
    anywhere beneath the root and nowhere else; changing files meanwhile changes nothing
    about that.

    @ivar path: the root's real path, as it was when it was last looked at.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """
        @param path: an existing folder.
        @raise OSError: when it is none, or cannot be read.
        """
        if not os.fspath(path):
            # To realpath it is the current folder; but nobody types it: it is an unset variable's.
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        # The process may change its directory.
        self._name: Final = os.path.abspath(os.fsencode(path))
        self.path, self._descriptor = _opened(self._name)

    def look_again(self) -> bool:
        """
        See whether the root's name leads to another folder by now, as a symbolic link does that is
        moved to a new release, and take that. Where it leads nowhere, the old one stays.

        @return: whether it did.
        """
        try:
            now = os.stat(self._name)
            if os.path.samestat(now, os.fstat(self._descriptor)):
                return False
            opened = _opened(self._name)
        except OSError:
            return False
        os.close(self._descriptor)
        self.path, self._descriptor = opened
        return True

    def open_beneath(self, segments: tuple[bytes, ...]) -> int:
        """
        Open the file or folder at this path.

        @param segments: names of path components, from the root down; none opens the root itself.
        @return: a descriptor, the caller's to close. What it is open on is for C{fstat} to say: a
            named pipe or a device is opened too, without waiting for anyone.
        @raise OutsideRoot: when the path leads, or could lead, out of the root.
        @raise OSError: when there is nothing, or it cannot be opened.
        """
        waiting = list(reversed(segments))
        folders = [self._descriptor]
        links = 0
        try:
            while waiting:
                name = waiting.pop()
                if name == b"..":
                    # Only ever from a link: L{_check_name} refuses it in the path itself.
                    if len(folders) == 1:
                        raise OutsideRoot
                    os.close(folders.pop())
                    continue
                try:
                    descriptor = os.open(name, _OPEN_FLAGS, dir_fd=folders[-1])
                except OSError as error:
                    if error.errno != errno.ELOOP:
                        raise
                    links += 1
                    if links > SYMLINKS_MAX:
                        raise
                    waiting.extend(reversed(self._link_components(name, folders)))
                    continue
                if not waiting:
                    return descriptor
                folders.append(descriptor)
                if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
                    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            return os.dup(folders[-1])
        finally:
            for folder in folders[1:]:
                os.close(folder)

    def entries(
        self, segments: tuple[bytes, ...], *, shows_hidden: bool
    ) -> Generator[tuple[bytes, os.stat_result | None], None, None]:
        """
        Look into a folder.

        @param segments: where it is, as for L{open_beneath}.
        @param shows_hidden: as for L{check_names}.
        @return: all names in it, in no order, with the status of those that are files and folders;
            None for what is not to be shown: what is hidden or neither, and links that lead out of
            the root or nowhere. Close it when enough has been seen.
        @raise OutsideRoot: as for L{open_beneath}.
        @raise OSError: when it is no folder, or cannot be read.
        """
        folder = self.open_beneath(segments)
        try:
            with os.scandir(folder) as found:
                for entry in found:
                    name = os.fsencode(entry.name)
                    try:
                        check_names((name,), shows_hidden=shows_hidden)
                        status = entry.stat(follow_symlinks=False)
                        if stat.S_ISLNK(status.st_mode):
                            status = self.status((*segments, name))
                    except (OutsideRoot, OSError):
                        yield name, None  # what could not be opened is not shown either
                        continue
                    is_shown = stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)
                    yield name, status if is_shown else None
        finally:
            os.close(folder)

    def status(self, segments: tuple[bytes, ...]) -> os.stat_result:
        """
        Look at the file or folder at this path.

        @param segments: as for L{open_beneath}, and so are the errors.
        """
        descriptor = self.open_beneath(segments)
        try:
            return os.fstat(descriptor)
        finally:
            os.close(descriptor)

    def _link_components(self, name: bytes, folders: list[int]) -> list[bytes]:
        """
        Read a symbolic link; an absolute one starts again at the root, if it begins with its path.
        """
        target = os.readlink(name, dir_fd=folders[-1])
        if target.startswith(b"/"):
            prefix = self.path.rstrip(b"/") + b"/"
            normal = os.path.normpath(target)
            if normal + b"/" != prefix and not normal.startswith(prefix):
                raise OutsideRoot
            for folder in folders[1:]:
                os.close(folder)
            del folders[1:]
            target = normal[len(prefix) :]
        return [component for component in target.split(b"/") if component not in (b"", b".")]

    def close(self) -> None:
        """
        Close the root's own descriptor.
        """
        os.close(self._descriptor)


def _opened(name: bytes) -> tuple[bytes, int]:
    """
    Open a root.

    @return: its real path, and a descriptor.
    @raise OSError: as for L{Root}.
    """
    path = os.path.realpath(name, strict=True)
    return path, os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def check_names(segments: tuple[bytes, ...], *, shows_hidden: bool) -> None:
    """
    Refuse names that no file of ours has, before any file system sees them.

    @param segments: decoded segments of a request's path.
    @param shows_hidden: whether names that begin with a dot may be asked for; C{.well-known}
        (RFC 8615) always may.
    @raise OutsideRoot: for an empty name, a slash or backslash or NUL within a name, dot-segments,
        and hidden files.
    """
    for name in segments:
        if name in (b"", b".", b"..") or b"/" in name or b"\\" in name or b"\x00" in name:
            raise OutsideRoot
        if name.startswith(b".") and not shows_hidden and name != b".well-known":
            raise OutsideRoot
