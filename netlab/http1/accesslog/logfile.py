"""
A file to append to, which logrotate may move away and which then is opened anew.
"""

from __future__ import annotations

import os
from typing import Final

_LINE_END: Final = b"\n"


class AppendedFile:
    """
    Appends whole lines to a file. What a full disk, or a process that was killed, has left of a
    line is ended first, so that the next one stands by itself.

    @ivar path: the file's absolute path.
    """

    def __init__(self, path: str) -> None:
        """
        @param path: made if it is not there; readable for the owner and the group only, for it
            tells who has visited what.
        @raise OSError: when it cannot be opened.
        """
        self.path = os.path.abspath(path)
        self._descriptor = self._open()
        self._is_within_line = _ends_within_line(self.path)

    def write(self, data: bytes) -> None:
        """
        Append some lines.

        @raise OSError: when not all of it could be written.
        """
        if self._is_within_line:
            data = _LINE_END + data
        while data:
            written = data[: os.write(self._descriptor, data)]
            data = data[len(written) :]
            self._is_within_line = not written.endswith(_LINE_END)

    def reopen(self) -> None:
        """
        Go on in the file that now has this path.

        @raise OSError: when it cannot be opened; then the old one stays in use.
        """
        descriptor = self._open()
        os.close(self._descriptor)
        self._descriptor = descriptor
        self._is_within_line = _ends_within_line(self.path)

    def close(self) -> None:
        """
        Write no more.
        """
        os.close(self._descriptor)

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)


def _ends_within_line(path: str) -> bool:
    """
    Tell whether a file ends with a part of a line; what cannot be read, such as a pipe, does not.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        size = os.fstat(descriptor).st_size
        return size > 0 and os.pread(descriptor, 1, size - 1) != _LINE_END
    except OSError:
        return False
    finally:
        os.close(descriptor)
