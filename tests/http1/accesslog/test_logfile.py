"""
Tests for L{netlab.http1.accesslog.logfile}.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.accesslog.logfile import AppendedFile


class AppendedFileTests(SynchronousTestCase):
    """
    Tests for L{AppendedFile}.
    """

    def setUp(self) -> None:
        """
        Choose a path.
        """
        self.path = Path(self.mktemp()).absolute()

    def open(self) -> AppendedFile:
        """
        Open the file.
        """
        file = AppendedFile(str(self.path))
        self.addCleanup(file.close)
        return file

    def test_appends(self) -> None:
        """
        What is in the file stays.
        """
        self.path.write_bytes(b"before\n")
        self.open().write(b"after\n")
        self.assertEqual(self.path.read_bytes(), b"before\nafter\n")

    def test_full_disk(self) -> None:
        """
        Half a line that a full disk has left is ended before the next one is written, and nothing
        else is.
        """
        file = self.open()
        file.write(b"one\n")
        write = os.write
        rooms = [5]

        def fill(descriptor: int, data: bytes) -> int:
            room = rooms.pop()
            if not room:
                raise OSError(errno.ENOSPC, "No space left on device")
            rooms.append(0)
            return write(descriptor, data[:room])

        patched = self.patch(os, "write", fill)
        self.assertRaises(OSError, file.write, b"two is cut\n")
        rooms.append(0)
        self.assertRaises(OSError, file.write, b"three is lost\n")
        patched.restore()
        file.write(b"four\n")
        file.write(b"five\n")
        self.assertEqual(self.path.read_bytes(), b"one\ntwo i\nfour\nfive\n")

    def test_killed(self) -> None:
        """
        So is half a line that an earlier process has left, also where it is opened anew.
        """
        self.path.write_bytes(b"half")
        file = self.open()
        file.write(b"one\n")
        self.path.write_bytes(b"half again")
        file.reopen()
        file.write(b"two\n")
        self.assertEqual(self.path.read_bytes(), b"half again\ntwo\n")

    def test_pipe(self) -> None:
        """
        A pipe that somebody reads may be a log too, and is not read from.
        """
        os.mkfifo(self.path)
        reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.open().write(b"one\n")
        self.assertEqual(os.read(reader, 100), b"one\n")

    def test_not_for_everyone(self) -> None:
        """
        A new file is not readable for everyone, and not inherited by programs.
        """
        file = self.open()
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode) & 0o027, 0)
        self.assertFalse(os.get_inheritable(file._descriptor))

    def test_moved_away(self) -> None:
        """
        Moved away, the file goes on until it is opened anew; then a new one begins.
        """
        file = self.open()
        moved = self.path.with_suffix(".1")
        self.path.rename(moved)
        file.write(b"one\n")
        file.reopen()
        file.write(b"two\n")
        self.assertEqual((moved.read_bytes(), self.path.read_bytes()), (b"one\n", b"two\n"))

    def test_cannot_be_opened_anew(self) -> None:
        """
        Where there is no such folder any more, the old file stays in use.
        """
        folder = self.path
        folder.mkdir()
        self.path = folder / "log"
        file = self.open()
        moved = folder.with_suffix(".moved")
        folder.rename(moved)
        self.assertRaises(OSError, file.reopen)
        file.write(b"still\n")
        self.assertEqual((moved / "log").read_bytes(), b"still\n")

    def test_short_writes(self) -> None:
        """
        What the system does not take at once is written after that.
        """
        file = self.open()
        real_write = os.write

        def write(descriptor: int, data: Any) -> int:
            return real_write(descriptor, data[:3])

        self.patch(os, "write", write)
        file.write(b"0123456789\n")
        self.assertEqual(self.path.read_bytes(), b"0123456789\n")
