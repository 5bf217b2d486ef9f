"""
Opening files that somebody else may have put there.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0)


def open_plain(path: str, *, dir_fd: int | None = None, follows: bool = True) -> int:
    """
    Open a regular file for reading. Anything else is refused and never waited for: a named pipe
    that nobody writes to would block for ever, a device may do something when it is opened.

    @param path: of the file.
    @param dir_fd: the folder that a relative path begins in.
    @param follows: whether the last part of the path may be a symbolic link.
    @return: a descriptor, which is the caller's to close.
    @raise OSError: it cannot be opened, or is no regular file.
    """
    # Opening some devices has effects, so what it is is looked at before too.
    _check(path, os.stat(path, dir_fd=dir_fd, follow_symlinks=follows))
    flags = _FLAGS if follows else _FLAGS | os.O_NOFOLLOW
    descriptor = os.open(path, flags, dir_fd=dir_fd)
    try:
        _check(path, os.fstat(descriptor))
        os.set_blocking(descriptor, True)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check(path: str, found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(found.st_mode):
        kind = "a symbolic link" if stat.S_ISLNK(found.st_mode) else "no regular file"
        raise OSError(errno.EINVAL, f"it is {kind}", path)
