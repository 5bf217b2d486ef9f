"""
Saving answers: names that cannot leave the folder, files that are whole or absent.
"""

from __future__ import annotations

import os
import resource
from pathlib import Path
from urllib.parse import quote_from_bytes

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.client.saving import OutputFolder, SavingError, output_name


class NameTests(SynchronousTestCase):
    """
    The name to save under.
    """

    def test_names(self) -> None:
        """
        The last segment, decoded once and without the query, is the name; index.html stands for
        an empty one.
        """
        for target, name in (
            (b"/", b"index.html"),
            (b"/a/", b"index.html"),
            (b"/a/?b/c", b"index.html"),
            (b"/a/b.html", b"b.html"),
            (b"/b.html?c=/d/e", b"b.html"),
            (b"/a%20b", b"a b"),
            (b"/%2541", b"%41"),
            (b"/../server.py", b"server.py"),
            (b"//etc//passwd", b"passwd"),
        ):
            self.assertEqual(output_name(target), name, target)

    def test_hostile_names(self) -> None:
        """
        No name leads elsewhere, is hidden, or speaks to a terminal.
        """
        for target, reason in (
            (b"/..", "dot"),
            (b"/.", "dot"),
            (b"/%2e%2e", "dot"),
            (b"/.bashrc", "dot"),
            (b"/%2e%2e%2fetc%2fpasswd", "dot"),
            (b"/a%2f..%2f..%2fb", "slash"),
            (b"/%2fetc%2fpasswd", "slash"),
            (b"/a%5cb", "backslash"),
            (b"/a%00.html", "control"),
            (b"/a%0ab", "control"),
            (b"/%1b[2J", "control"),
            (b"/%7f", "control"),
        ):
            with self.assertRaises(SavingError) as caught:
                output_name(target)
            text = str(caught.exception)
            self.assertIn(reason, text)
            self.assertTrue(text.isprintable(), text)

    @settings(deadline=None, max_examples=300)
    @given(st.binary(max_size=30), st.text("%2eEfF/.\\05cC", max_size=20), st.binary(max_size=5))
    def test_any_name_stays(self, before: bytes, encoded: str, after: bytes) -> None:
        """
        Whatever a target decodes to, its file stands directly in the folder.
        """
        target = b"/" + before + encoded.encode("ascii") + quote_from_bytes(after).encode("ascii")
        try:
            name = output_name(target)
        except SavingError:
            return
        path = os.path.normpath(os.path.join(b"/folder", name))
        self.assertEqual(os.path.dirname(path), b"/folder")
        self.assertNotIn(b"\0", name)


class FileTests(SynchronousTestCase):
    """
    Files in the folder.
    """

    def setUp(self) -> None:
        """
        Make a folder.
        """
        self.path = Path(self.mktemp())
        self.path.mkdir()
        self.folder = OutputFolder(str(self.path))

    def save(self, name: bytes, content: bytes) -> None:
        """
        Save a file whole.
        """
        with self.folder.create(name) as file:
            file.write(content)
            file.keep()

    def names(self) -> list[str]:
        """
        List the folder.
        """
        return sorted(os.listdir(self.path))

    def test_kept(self) -> None:
        """
        A complete file replaces an earlier one; nothing else is left behind.
        """
        self.save(b"a", b"old and longer")
        self.save(b"a", b"new")
        self.assertEqual((self.path / "a").read_bytes(), b"new")
        self.assertEqual(self.names(), ["a"])

    def test_mode(self) -> None:
        """
        The file is as readable as any that its user makes.
        """
        before = os.umask(0o027)
        self.addCleanup(os.umask, before)
        self.save(b"a", b"")
        self.assertEqual((self.path / "a").stat().st_mode & 0o777, 0o640)

    def test_not_kept(self) -> None:
        """
        A file that is not complete leaves the earlier one as it was, whatever ends its writing.
        """
        self.save(b"a", b"old")
        with self.folder.create(b"a") as file:
            file.write(b"new")

        def interrupted() -> None:
            with self.folder.create(b"a") as file:
                file.write(b"new")
                raise KeyboardInterrupt

        self.assertRaises(KeyboardInterrupt, interrupted)
        self.assertEqual((self.path / "a").read_bytes(), b"old")
        self.assertEqual(self.names(), ["a"])

    def test_full(self) -> None:
        """
        A disk that is full, here a limit on the size of files, is told in one line; nothing is
        left behind.
        """
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_FSIZE, before)
        with self.folder.create(b"a") as file:
            file.write(b"x" * 4096)
            resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
            self.assertRaisesRegex(
                SavingError, "cannot write .*/a: File too large", file.write, b"x" * 4096
            )
        self.assertEqual(self.names(), [])

    def test_symbolic_link(self) -> None:
        """
        A symbolic link in the file's place is replaced; what it points to stays as it was.
        """
        outside = Path(self.mktemp())
        outside.write_bytes(b"precious")
        (self.path / "a").symlink_to(outside.absolute())
        (self.path / "b").symlink_to("dangling")
        self.save(b"a", b"new")
        self.save(b"b", b"new")
        self.assertEqual(outside.read_bytes(), b"precious")
        self.assertFalse((self.path / "a").is_symlink())
        self.assertEqual(self.names(), ["a", "b"])

    def test_no_plain_file(self) -> None:
        """
        A folder, a FIFO or a device is not replaced.
        """
        (self.path / "d").mkdir()
        os.mkfifo(self.path / "f")
        for name in (b"d", b"f"):
            with self.assertRaisesRegex(SavingError, "something there is not a file"):
                self.folder.create(name)

    def test_long_name(self) -> None:
        """
        A name that no file can have is refused before anything is written, in a line of sane
        length.
        """
        with self.assertRaises(SavingError) as caught:
            self.folder.create(b"a" * 5000)
        self.assertIn("File name too long", str(caught.exception))
        self.assertLess(len(str(caught.exception)), 200)
        self.save(b"a" * 255, b"")

    def test_no_folder(self) -> None:
        """
        The folder must exist: a wrong name must not make one.
        """
        with self.assertRaisesRegex(SavingError, "is not a folder"):
            OutputFolder(str(self.path / "missing"))

    def test_folder_gone(self) -> None:
        """
        A folder that disappears is told, at the beginning and at the end.
        """
        with self.folder.create(b"a") as file:
            moved = Path(self.mktemp())
            self.path.rename(moved)
            with self.assertRaisesRegex(SavingError, "cannot write .*No such file"):
                self.folder.create(b"b")
            with self.assertRaisesRegex(SavingError, "cannot write .*No such file"):
                file.keep()
