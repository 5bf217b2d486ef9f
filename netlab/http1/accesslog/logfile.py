"""
A file to append to, which logrotate may move away and which then is opened anew.
"""

from __future__ import annotations

import os


class AppendedFile:
    """
    Appends whole lines to a file.

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

    def write(self, data: bytes) -> None:
        """
        Append some lines.

        @raise OSError: when not all of it could be written.
        """
        while data:
            data = data[os.write(self._descriptor, data) :]

    def reopen(self) -> None:
        """
        Go on in the file that now has this path.

        @raise OSError: when it cannot be opened; then the old one stays in use.
        """
        descriptor = self._open()
        os.close(self._descriptor)
        self._descriptor = descriptor

    def close(self) -> None:
        """
        Write no more.
        """
        os.close(self._descriptor)

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
