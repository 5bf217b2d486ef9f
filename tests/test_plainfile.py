"""
Tests for L{netlab.plainfile}.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.plainfile import open_private


class OpenPrivateTests(SynchronousTestCase):
    """
    A file of secrets is its owner's alone, or is not opened.
    """

    def setUp(self) -> None:
        """
        Have a folder, and in it an empty file of mode 0600.
        """
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.path = self.folder / "secrets"
        self.path.touch(0o600)

    def test_made(self) -> None:
        """
        A new file has mode 0600, whatever the mask of the process.
        """
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        os.close(open_private(str(self.folder / "new")))
        self.assertEqual(0o600, stat.S_IMODE((self.folder / "new").stat().st_mode))

    def test_added_to(self) -> None:
        """
        What is written goes behind what is there, also if another writes too.
        """
        first, second = open_private(str(self.path)), open_private(str(self.path))
        for descriptor in (first, second, first):
            os.write(descriptor, b"%d\n" % (descriptor == first))
        os.close(first)
        os.close(second)
        self.assertEqual(b"1\n0\n1\n", self.path.read_bytes())

    def test_open_to_others(self) -> None:
        """
        One that the group or others may read or write is refused.
        """
        for mode in (0o640, 0o604, 0o620, 0o602, 0o666):
            self.path.chmod(mode)
            with self.assertRaisesRegex(PermissionError, "chmod 600"):
                open_private(str(self.path))

    def test_of_somebody_else(self) -> None:
        """
        So is one that somebody else has put there, though root may write to it.
        """
        owner = self.path.stat().st_uid
        self.patch(os, "geteuid", lambda: owner + 1)
        with self.assertRaisesRegex(PermissionError, "somebody else"):
            open_private(str(self.path))

    def test_hard_link(self) -> None:
        """
        So is another name of a file of ours that somebody has put there.
        """
        os.link(self.path, self.folder / "planted")
        with self.assertRaisesRegex(PermissionError, "hard link"):
            open_private(str(self.folder / "planted"))

    def test_no_regular_file(self) -> None:
        """
        No link is followed, no folder and no device written to, and no pipe waited for.
        """
        (self.folder / "link").symlink_to(self.path)
        (self.folder / "dangling").symlink_to(self.folder / "target")
        os.mkfifo(self.folder / "pipe", 0o600)
        for name in ("link", "dangling", "pipe", "."):
            self.assertRaises(OSError, open_private, str(self.folder / name))
        self.assertRaises(OSError, open_private, os.devnull)
        self.assertFalse((self.folder / "target").exists())

    def test_pipe_that_is_read(self) -> None:
        """
        Nor does a pipe get a secret that somebody reads from.
        """
        os.mkfifo(self.folder / "pipe", 0o600)
        reader = os.open(self.folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        with self.assertRaisesRegex(PermissionError, "regular"):
            open_private(str(self.folder / "pipe"))

    def test_descriptors(self) -> None:
        """
        What is refused leaves no descriptor open.
        """
        self.path.chmod(0o644)
        before = os.listdir("/dev/fd")
        for _ in range(5):
            self.assertRaises(OSError, open_private, str(self.path))
        self.assertEqual(len(before), len(os.listdir("/dev/fd")))
