"""
Opening files that somebody else may have put there.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

_SECRETS_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_OTHERS: Final = 0o077
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


def open_private(path: str) -> int:
    """
    Open a file to which secrets are added, and make it, with mode 0600, if need be.

    Whoever else may write to its folder can have put something in its place: a link to a file of
    ours, or of root's, would have lines added to that one.

    @param path: its name.
    @return: a descriptor, which is the caller's to close.
    @raise OSError: it cannot be opened, is not a regular file, has another name too, is somebody
        else's, or is open to others.
    """
    # Not to wait for the reader of a pipe.
    descriptor = os.open(path, _SECRETS_FLAGS | os.O_NONBLOCK, 0o600)
    problem = _problem_of_secrets(os.fstat(descriptor))
    if problem:
        os.close(descriptor)
        raise PermissionError(errno.EPERM, problem, path)
    return descriptor


def _problem_of_secrets(found: os.stat_result) -> str:
    if not stat.S_ISREG(found.st_mode):
        return "it is not a regular file"
    if found.st_mode & _OTHERS:
        return "it is open to others: chmod 600 it, or name another file"
    if found.st_uid != os.geteuid():
        # Root may write to everybody's files.
        return "it is somebody else's: name another file"
    if found.st_nlink > 1:
        return "it has another name too (a hard link): name another file"
    return ""
