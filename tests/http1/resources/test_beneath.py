"""
Tests for L{netlab.http1.resources.beneath}: the guard of the file system.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.resources.beneath import SYMLINKS_MAX, OutsideRoot, Root, check_names

SECRET = b"secret"


class NameTests(SynchronousTestCase):
    """
    Tests for L{check_names}.
    """

    def test_names_that_no_file_has(self) -> None:
        """
        Empty names, dot-segments, and names with a slash, a backslash or a NUL are refused,
        wherever in the path they stand, and whether or not hidden files are shown.
        """
        for name in (b"", b".", b"..", b"a/b", b"/", b"a\\b", b"\\", b"..\\..", b"a\0", b"\0"):
            for path in ((name,), (b"a", name), (name, b"a"), (b".well-known", name)):
                for shows_hidden in (False, True):
                    with self.assertRaises(OutsideRoot):
                        check_names(path, shows_hidden=shows_hidden)

    def test_hidden(self) -> None:
        """
        Names that begin with a dot are refused unless they are to be shown; C{.well-known} (RFC
        8615) is not hidden, but what is hidden in it is.
        """
        for path in ((b".git",), (b"a", b".b"), (b"...",), (b"..a",), (b".well-known", b".a")):
            with self.assertRaises(OutsideRoot):
                check_names(path, shows_hidden=False)
            check_names(path, shows_hidden=True)
        check_names((b".well-known", b"a"), shows_hidden=False)
        for name in (b".well-known2", b".Well-Known"):
            with self.assertRaises(OutsideRoot):
                check_names((name,), shows_hidden=False)

    def test_strange_names(self) -> None:
        """
        All other bytes may be in a name.
        """
        for name in (b"a b", b"\xff\xfe", b"%2e", b"a..b", b"a.", b"\n", b"~", b"C:"):
            check_names((name, name), shows_hidden=False)
        check_names((), shows_hidden=False)


class FolderTestCase(SynchronousTestCase):
    """
    A root with a secret beside it.

    @ivar outside: the folder that the root is in.
    """

    def setUp(self) -> None:
        """
        Make both.
        """
        self.outside = Path(self.mktemp()).absolute()
        self.folder = self.outside / "root"
        (self.folder / "sub" / "deep").mkdir(parents=True)
        (self.outside / "secret").write_bytes(SECRET)
        (self.outside / "root2").mkdir()
        (self.outside / "root2" / "secret").write_bytes(SECRET)
        (self.folder / "file").write_bytes(b"file")
        (self.folder / "sub" / "below").write_bytes(b"below")
        self.root = Root(self.folder)
        self.addCleanup(self.root.close)
        self.before = self.open_descriptors()
        self.addCleanup(self.check_descriptors)

    def check_descriptors(self) -> None:
        """
        No descriptor is left open, whatever has happened.
        """
        self.assertEqual(self.open_descriptors(), self.before)

    def open_descriptors(self) -> int:
        """
        Count this process's descriptors of what is in here; others come and go as they like.
        """
        count = 0
        for descriptor in os.listdir("/proc/self/fd"):
            # The one that lists the folder is gone by now.
            with contextlib.suppress(FileNotFoundError):
                path = os.readlink(f"/proc/self/fd/{descriptor}")
                count += path.startswith(f"{self.outside}/")
        return count

    def link(self, name: str, target: str | Path) -> None:
        """
        Make a symbolic link beneath the root.
        """
        (self.folder / name).symlink_to(target)

    def content(self, *names: bytes) -> bytes:
        """
        Read the file at a path.
        """
        descriptor = self.root.open_beneath(names)
        try:
            return os.read(descriptor, 100)
        finally:
            os.close(descriptor)

    def assert_outside(self, *names: bytes) -> None:
        """
        The path is refused.
        """
        with self.assertRaises(OutsideRoot):
            self.content(*names)

    def assert_errno(self, number: int, *names: bytes) -> None:
        """
        The path cannot be opened.
        """
        with self.assertRaises(OSError) as caught:
            self.content(*names)
        self.assertEqual(errno.errorcode[caught.exception.errno or 0], errno.errorcode[number])


class OpenTests(FolderTestCase):
    """
    Tests for L{Root.open_beneath}.
    """

    def test_files(self) -> None:
        """
        Files are opened, in the root and beneath.
        """
        self.assertEqual(self.content(b"file"), b"file")
        self.assertEqual(self.content(b"sub", b"below"), b"below")

    def test_folders(self) -> None:
        """
        So are folders, and the root itself.
        """
        for names in ((), (b"sub",), (b"sub", b"deep")):
            self.assertTrue(stat.S_ISDIR(self.root.status(names).st_mode))

    def test_nothing(self) -> None:
        """
        What is not there, or goes on behind a file, is an OSError that says so.
        """
        self.assert_errno(errno.ENOENT, b"nothing")
        self.assert_errno(errno.ENOENT, b"nothing", b"file")
        self.assert_errno(errno.ENOTDIR, b"file", b"below")
        self.assert_errno(errno.ENAMETOOLONG, b"a" * 256)

    def test_no_name(self) -> None:
        """
        The empty name, as of a variable that is not set, is no folder: nothing is served then.
        """
        error = self.assertRaises(FileNotFoundError, Root, "")
        self.assertEqual(error.strerror, "No such file or directory")

    def test_links_within(self) -> None:
        """
        Links may lead anywhere beneath the root: relative, absolute, up, over folders and other
        links.
        """
        self.link("relative", "sub/below")
        self.link("absolute", self.folder / "sub" / "below")
        self.link("folder", "sub")
        self.link("sub/up", "../file")
        self.link("sub/deep/over", "../../folder/../folder/./below")
        self.link("twice", "relative")
        self.link("itself", self.folder)
        for names in (
            (b"relative",),
            (b"absolute",),
            (b"folder", b"below"),
            (b"sub", b"deep", b"over"),
            (b"twice",),
            (b"itself", b"itself", b"sub", b"below"),
        ):
            self.assertEqual(self.content(*names), b"below", names)
        self.assertEqual(self.content(b"sub", b"up"), b"file")
        self.assertEqual(self.content(b"folder", b"up"), b"file")

    def test_links_out(self) -> None:
        """
        A link that leads out of the root is refused, at whatever place of the path and in whatever
        way it is written, and so is one that comes back in on its way.
        """
        self.link("up", "../secret")
        self.link("absolute", self.outside / "secret")
        self.link("prefix", self.outside / "root2" / "secret")
        self.link("folder", "..")
        self.link("sub/folder", "../..")
        self.link("around", "../root/file")
        self.link("dots", self.folder / "sub" / ".." / ".." / "secret")
        self.link("top", "/")
        self.link("through", "folder/secret")
        self.link("sub/deep/far", "../../../../../../../../../../../../etc/passwd")
        for names in (
            (b"up",),
            (b"absolute",),
            (b"prefix",),
            (b"folder", b"secret"),
            (b"sub", b"folder", b"secret"),
            (b"around",),
            (b"dots",),
            (b"top", b"etc", b"passwd"),
            (b"through",),
            (b"sub", b"deep", b"far"),
        ):
            self.assert_outside(*names)

    def test_link_to_nothing(self) -> None:
        """
        A link that leads nowhere is as good as nothing.
        """
        self.link("nowhere", "nothing")
        self.assert_errno(errno.ENOENT, b"nowhere")

    def test_circles(self) -> None:
        """
        Links are followed as often as the kernel itself would, and no more.
        """
        self.link("circle", "circle")
        self.assert_errno(errno.ELOOP, b"circle")
        (self.folder / "link0").write_bytes(b"end")
        for number in range(1, SYMLINKS_MAX + 2):
            self.link(f"link{number}", f"link{number - 1}")
        self.assertEqual(self.content(b"link%d" % SYMLINKS_MAX), b"end")
        self.assert_errno(errno.ELOOP, b"link%d" % (SYMLINKS_MAX + 1))

    def test_dots_in_a_path(self) -> None:
        """
        C{..} cannot leave the root even where nobody has refused it before.
        """
        self.assert_outside(b"..", b"secret")
        self.assert_outside(b"sub", b"..", b"..", b"secret")

    def test_pipe(self) -> None:
        """
        A named pipe is opened without waiting for who writes into it.
        """
        os.mkfifo(self.folder / "pipe")
        self.assertTrue(stat.S_ISFIFO(self.root.status((b"pipe",)).st_mode))

    def test_descriptors_are_not_inherited(self) -> None:
        """
        What is opened does not reach a program that is started meanwhile.
        """
        descriptor = self.root.open_beneath((b"file",))
        self.addCleanup(os.close, descriptor)
        self.assertFalse(os.get_inheritable(descriptor))

    def test_root_behind_a_link(self) -> None:
        """
        The root may itself be named by a link; what it names later does not matter.
        """
        self.link("../named", "root")
        root = Root(self.outside / "named")
        try:
            self.assertEqual(root.path, os.fsencode(os.path.realpath(self.folder)))
            (self.outside / "named").unlink()
            self.link("../named", "root2")
            self.assertEqual(stat.S_IFMT(root.status((b"file",)).st_mode), stat.S_IFREG)
        finally:
            root.close()

    def test_root_that_is_none(self) -> None:
        """
        A root that is not there, or no folder, is an OSError.
        """
        for path in (self.folder / "nothing", self.folder / "file"):
            self.assertRaises(OSError, Root, path)

    def test_race(self) -> None:
        """
        A folder that becomes a link out of the root between two steps of the walk is not followed:
        each step opens a name in the folder that it has open.
        """
        real_open = os.open

        def swap_then_open(path: Any, flags: int, *args: Any, **options: Any) -> int:
            if path == b"below":
                (self.folder / "sub").rename(self.folder / "gone")
                self.link("sub", "../root2")
                (self.outside / "root2" / "below").write_bytes(SECRET)
            return real_open(path, flags, *args, **options)

        self.patch(os, "open", swap_then_open)
        self.assertEqual(self.content(b"sub", b"below"), b"below")

    @settings(max_examples=150, deadline=None)
    @given(
        st.lists(
            st.sampled_from(
                [b"..", b".", b"sub", b"deep", b"file", b"below", b"out", b"in", b"around", b"x"]
            ),
            max_size=8,
        )
    )
    def test_whatever_path(self, names: list[bytes]) -> None:
        """
        Whatever the names are, what is opened lies beneath the root, or nothing is.
        """
        for name, target in (("out", "../.."), ("in", "sub/deep"), ("around", "../root")):
            with contextlib.suppress(FileExistsError):
                self.link(name, target)
        try:
            descriptor = self.root.open_beneath(tuple(names))
        except (OutsideRoot, OSError):
            return
        try:
            path = os.readlink(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
        self.assertTrue(f"{path}/".startswith(f"{os.fsdecode(self.root.path)}/"), path)


class EntriesTests(FolderTestCase):
    """
    Tests for L{Root.entries}.
    """

    def names(self, *segments: bytes, shows_hidden: bool = False) -> set[bytes]:
        """
        List the names in a folder.
        """
        entries = self.root.entries(segments, shows_hidden=shows_hidden)
        return {name for name, status in entries if status is not None}

    def test_what_is_shown(self) -> None:
        """
        Files and folders are shown, also by links to them; not what is hidden, no file at all, or
        could not be opened.
        """
        self.link("in", "sub/below")
        self.link("out", "../secret")
        self.link("nowhere", "nothing")
        os.mkfifo(self.folder / "pipe")
        (self.folder / ".hidden").touch()
        (self.folder / ".well-known").mkdir()
        (self.folder / "back\\slash").touch()
        shown = {b"file", b"sub", b"in", b".well-known"}
        self.assertEqual(self.names(), shown)
        self.assertEqual(self.names(shows_hidden=True), shown | {b".hidden"})
        self.assertEqual(self.names(b"sub"), {b"below", b"deep"})

    def test_status_is_that_of_the_target(self) -> None:
        """
        Of a link, the size of what it leads to is told.
        """
        self.link("in", "sub/below")
        status = dict(self.root.entries((), shows_hidden=False))[b"in"]
        assert status is not None
        self.assertEqual(status.st_size, 5)

    def test_each_is_told(self) -> None:
        """
        Also what is not shown is told: somebody may want to stop.
        """
        self.link("nowhere", "nothing")
        (self.folder / ".hidden").touch()
        told = dict(self.root.entries((), shows_hidden=False))
        self.assertEqual((told[b"nowhere"], told[b".hidden"]), (None, None))

    def test_no_folder(self) -> None:
        """
        What is no folder has no entries.
        """
        self.assertRaises(OSError, self.names, b"file")
        self.assertRaises(OSError, self.names, b"nothing")

    def test_enough_seen(self) -> None:
        """
        Closed early, it leaves nothing open.
        """
        with contextlib.closing(self.root.entries((), shows_hidden=False)) as entries:
            next(entries)
