"""
Files of secrets: for their owner alone.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_OTHERS: Final = 0o077


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
    descriptor = os.open(path, _FLAGS | os.O_NONBLOCK, 0o600)
    problem = _problem(os.fstat(descriptor))
    if problem:
        os.close(descriptor)
        raise PermissionError(errno.EPERM, problem, path)
    return descriptor


def _problem(found: os.stat_result) -> str:
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
