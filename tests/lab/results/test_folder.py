"""
Tests for L{netlab.lab.results.folder}, each an attack by who has prepared the folder.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from netlab.lab.results import folder as folders
from netlab.lab.results.folder import ResultsFolder
from netlab.plainfile import open_plain


class PreparedTests(SynchronousTestCase):
    """
    Names that lead elsewhere.
    """

    def setUp(self) -> None:
        """
        Have a folder for results, and a file and a folder that are nobody's business.
        """
        top = Path(self.mktemp()).absolute()
        top.mkdir()
        self.out = top / "out"
        self.out.mkdir(mode=0o700)
        self.thesis = top / "thesis.txt"
        self.thesis.write_text("thesis")
        self.private = top / "private"
        self.private.mkdir()
        (self.private / "verdict.json").write_text("mine")
        self.ran = top / "run"
        self.ran.mkdir()

    def test_a_link_in_a_results_place(self) -> None:
        """
        What is written replaces a link, and what the link leads to stays.
        """
        (self.out / "index.html").symlink_to(self.thesis)
        with ResultsFolder(self.out) as out:
            out.write("index.html", [b"index"])
        self.assertEqual(self.thesis.read_text(), "thesis")
        self.assertFalse((self.out / "index.html").is_symlink())
        self.assertEqual((self.out / "index.html").read_text(), "index")

    def test_a_hard_link_in_a_results_place(self) -> None:
        """
        Nor is anything written into a file that has another name elsewhere.
        """
        os.link(self.thesis, self.out / "index.html")
        with ResultsFolder(self.out) as out:
            out.write("index.html", [b"index"])
        self.assertEqual(self.thesis.read_text(), "thesis")

    def test_a_link_where_the_file_is_written_aside(self) -> None:
        """
        A name that is taken is not used, so that a link of that name is not followed.
        """
        (self.out / f".netlab-{os.getpid()}-0").symlink_to(self.thesis)
        with ResultsFolder(self.out) as out:
            out.write("index.html", [b"index"])
        self.assertEqual(self.thesis.read_text(), "thesis")
        for number in range(1, 100):
            (self.out / f".netlab-{os.getpid()}-{number}").symlink_to(self.thesis)
        with ResultsFolder(self.out) as out:
            self.assertRaises(FileExistsError, out.write, "other.html", [b"index"])

    def test_a_link_in_a_folders_place(self) -> None:
        """
        A link is no folder for results, neither the folder itself nor one in it.
        """
        (self.out / "echo").symlink_to(self.private)
        with ResultsFolder(self.out) as out:
            error = self.assertRaises(OSError, out.inside, "echo")
            self.assertRaises(OSError, out.look_inside, "echo")
            self.assertEqual(out.folders(10), [])
        self.assertEqual((error.errno, error.filename), (errno.ELOOP, str(self.out / "echo")))
        self.assertRaises(OSError, ResultsFolder, self.out / "echo")
        self.assertEqual((self.private / "verdict.json").read_text(), "mine")

    def test_paths_are_no_names(self) -> None:
        """
        A name with a slash, or one that means a folder, is refused before it is looked up.
        """
        with ResultsFolder(self.out) as out:
            for name in ("", ".", "..", "../thesis.txt", str(self.thesis), "a\0b"):
                for use in (out.inside, out.look_inside):
                    self.assertRaises(OSError, use, name)
                self.assertRaises(OSError, out.write, name, [b"x"])
                self.assertRaises(OSError, out.remove, [name])
        self.assertEqual(os.listdir(self.out), [])

    def test_the_folder_is_swapped(self) -> None:
        """
        A folder that is moved away and replaced by a link while it is in use is still the one that
        is written into.
        """
        with ResultsFolder(self.out) as out:
            self.out.rename(self.out.with_name("moved"))
            self.out.symlink_to(self.private)
            out.write("verdict.json", [b"ours"])
            out.remove(["report.html"])
        self.assertEqual((self.private / "verdict.json").read_text(), "mine")
        self.assertEqual((self.out.with_name("moved") / "verdict.json").read_text(), "ours")

    def test_it_fails_halfway(self) -> None:
        """
        What cannot be written whole leaves what was there, and nothing else.
        """

        def pieces() -> Iterator[bytes]:
            yield b"half"
            raise OSError(errno.ENOSPC, "full")

        (self.out / "index.html").write_text("old")
        with ResultsFolder(self.out) as out:
            self.assertRaises(OSError, out.write, "index.html", pieces())
        self.assertEqual(os.listdir(self.out), ["index.html"])
        self.assertEqual((self.out / "index.html").read_text(), "old")

    def test_a_folder_in_a_files_place(self) -> None:
        """
        A folder of a result's name is not removed, and the error names it.
        """
        (self.out / "index.html").mkdir()
        with ResultsFolder(self.out) as out:
            error = self.assertRaises(OSError, out.write, "index.html", [b"index"])
            self.assertRaises(OSError, out.remove, ["index.html"])
        self.assertEqual(error.filename, str(self.out / "index.html"))
        self.assertEqual(os.listdir(self.out), ["index.html"])

    def test_reading(self) -> None:
        """
        Only a regular file of bounded size is read: no pipe is waited for, no link followed.
        """
        os.mkfifo(self.out / "pipe")
        (self.out / "link").symlink_to(self.thesis)
        (self.out / "long").write_bytes(bytes(101))
        (self.out / "right").write_bytes(bytes(100))
        with ResultsFolder(self.out) as out:
            for name in ("pipe", "link", "long", "none"):
                self.assertRaises(OSError, out.read, name, 100)
            self.assertEqual(out.read("right", 100), bytes(100))
            self.assertEqual(out.files(["pipe", "link", "long", "none"]), ["long"])

    def test_only_what_is_named_is_removed(self) -> None:
        """
        A user's own files survive, whatever lies beside them.
        """
        scratch = self.out / "scratch" / "sub"
        scratch.mkdir(parents=True)
        (scratch / "thesis.txt").write_text("thesis")
        (self.out / "report.html").write_text("old")
        with ResultsFolder(self.out) as out:
            out.remove(["report.html", "none"])
        self.assertEqual((scratch / "thesis.txt").read_text(), "thesis")
        self.assertEqual(os.listdir(self.out), ["scratch"])

    def test_files_of_a_run(self) -> None:
        """
        Of what programs have left regular files are kept, in their folders, and a user's own beside
        them; links and pipes are not.
        """
        (self.ran / "root").mkdir()
        (self.ran / "root" / "file.bin").write_bytes(b"new")
        (self.ran / "link").symlink_to(self.thesis)
        (self.ran / "folder").symlink_to(self.private)
        os.mkfifo(self.ran / "pipe")
        (self.out / "root").mkdir()
        (self.out / "root" / "mine.txt").write_text("mine")
        (self.out / "root" / "file.bin").symlink_to(self.thesis)
        with ResultsFolder(self.out) as out:
            self.assertEqual(out.keep_tree(self.ran), 3)
        self.assertEqual(os.listdir(self.out), ["root"])
        self.assertEqual((self.out / "root" / "mine.txt").read_text(), "mine")
        self.assertEqual((self.out / "root" / "file.bin").read_bytes(), b"new")
        self.assertEqual(self.thesis.read_text(), "thesis")

    def test_files_of_a_run_are_bounded(self) -> None:
        """
        By number, by size and by depth; what is beyond is counted.
        """
        self.patch(folders, "FILES_MAX", 5)
        self.patch(folders, "FILES_MAX_BYTES", 10)
        self.patch(folders, "_DEPTH_MAX", 2)
        (self.ran / "large").write_bytes(bytes(11))
        (self.ran / "right").write_bytes(bytes(10))
        (self.ran / "a" / "b" / "c").mkdir(parents=True)
        with ResultsFolder(self.out) as out:
            self.assertEqual(out.keep_tree(self.ran), 2)
        self.assertEqual(sorted(os.listdir(self.out)), ["a", "right"])
        for number in range(10):
            (self.ran / "a" / "b" / f"{number}").write_bytes(b"")
        with ResultsFolder(self.out) as out:
            self.assertGreater(out.keep_tree(self.ran), 5)

    def test_a_file_that_grows(self) -> None:
        """
        What is written after a file was counted is left out: a program that goes on writing fills
        no disk.
        """
        path = self.ran / "log"
        path.write_bytes(b"first")

        def opened(name: str, *, follows: bool) -> int:
            with path.open("ab") as file:
                file.write(bytes(1 << 20))
            return open_plain(name, follows=follows)

        self.patch(folders, "open_plain", opened)
        with ResultsFolder(self.out) as out:
            self.assertEqual(out.keep_tree(self.ran), 0)
        self.assertEqual((self.out / "log").read_bytes(), b"first")


class RootTests(SynchronousTestCase):
    """
    What root makes, and what root refuses.
    """

    def test_others_folders(self) -> None:
        """
        Root writes nothing into a folder that others own or may write to.
        """
        if os.geteuid():
            raise SkipTest("only root can give a folder away")
        for mode, owner in ((0o700, 65534), (0o777, 0), (0o770, 0), (0o1777, 0)):
            path = Path(self.mktemp())
            path.mkdir()
            path.chmod(mode)
            os.chown(path, owner, 0)
            self.assertRaises(PermissionError, ResultsFolder, path)
            self.assertEqual(os.listdir(path), [])

    def test_what_root_makes_is_roots(self) -> None:
        """
        Folders of 0700 and files of 0600, where a user's have what the umask says.
        """
        self.addCleanup(os.umask, os.umask(0o022))
        for user, folder_mode, file_mode in ((0, 0o700, 0o600), (1000, 0o755, 0o644)):
            if user == 0 and os.geteuid():
                continue
            self.patch(os, "geteuid", lambda user=user: user)
            path = Path(self.mktemp())
            with ResultsFolder(path) as out, out.inside("echo") as echo:
                echo.write("client.pcapng", [b"secret"])
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), folder_mode)
            self.assertEqual(stat.S_IMODE((path / "echo").stat().st_mode), folder_mode)
            written = (path / "echo" / "client.pcapng").stat()
            self.assertEqual(stat.S_IMODE(written.st_mode), file_mode)
