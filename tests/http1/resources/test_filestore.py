"""
Tests for L{netlab.http1.resources.filestore}, and for how long L{netlab.http1.resources.static}
lets its answers be sent again.
"""

from __future__ import annotations

import os
import resource
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.resources.beneath import Root
from netlab.http1.resources.filestore import FRESH_SECONDS, IN_MEMORY_MAX_BYTES
from netlab.http1.resources.responses import Response
from netlab.http1.resources.static import StaticFiles, StaticSettings
from netlab.http1.sansio.dates import format_date
from netlab.http1.sansio.heads import RequestParser
from netlab.http1.sansio.limits import Limits

#: Files and folders that have long been as they are.
OLD = 1_500_000_000
NOW = 4_000_000_000.0


class RenewalTests(SynchronousTestCase):
    """
    A file that is asked for again and again.
    """

    def setUp(self) -> None:
        """
        A folder with one page.
        """
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.now = NOW
        self.write("page.html", b"<p>one")
        self.settle()
        self.parser = RequestParser(Limits())
        root = Root(self.folder)
        self.addCleanup(root.close)
        self.static = StaticFiles(root, lambda: self.now, StaticSettings(is_single_page=True))

    def write(self, name: str, content: bytes, modified: int = OLD) -> None:
        """
        Write a file.
        """
        (self.folder / name).write_bytes(content)
        os.utime(self.folder / name, (modified, modified))

    def settle(self, modified: int = OLD) -> None:
        """
        Let the folder's last change be long ago, or at another time.
        """
        os.utime(self.folder, (modified, modified))

    def ask(self, *lines: str, path: str = "/page.html") -> Response:
        """
        Ask for the page.
        """
        head = "\r\n".join((f"GET {path} HTTP/1.1", "Host: localhost", *lines, "", ""))
        return self.static.respond(self.parser.parse(head.encode()).head)

    def renewed(self, response: Response) -> float:
        """
        Ask whether a response is still right.

        @return: for how many seconds.
        """
        assert response.renew is not None
        return response.renew()

    def test_unchanged(self) -> None:
        """
        While nothing changes, it may go on, a second at a time.
        """
        response = self.ask()
        for _ in range(5):
            self.assertEqual(self.renewed(response), FRESH_SECONDS)
            self.now += FRESH_SECONDS

    def test_looked_at_once_a_second(self) -> None:
        """
        Within a second nobody looks again.
        """
        response = self.ask()
        self.write("page.html", b"<p>two", OLD + 1)
        self.now += 0.75
        self.assertEqual(self.renewed(response), 0.25)
        self.now += 0.25
        self.assertLessEqual(self.renewed(response), 0)

    def test_changed(self) -> None:
        """
        Other content, another time of change, another file of the same name: each ends it.
        """

        def replace() -> None:
            self.write("other", b"<p>longer", OLD + 1)
            os.rename(self.folder / "other", self.folder / "page.html")

        for change in (
            lambda: self.write("page.html", b"<p>longer"),
            lambda: self.write("page.html", b"<p>longer", OLD + 1),
            replace,
            lambda: os.remove(self.folder / "page.html"),
        ):
            response = self.ask()
            change()
            self.settle()
            self.now += FRESH_SECONDS
            self.assertLessEqual(self.renewed(response), 0)
        self.assertEqual(self.ask().status, 404)

    def test_same_size_and_time(self) -> None:
        """
        Content that is written into the same file, with its size and time, ends it: a reproducible
        build, tar, rsync and cp -p write so.
        """
        response = self.ask()
        self.write("page.html", b"<p>two")
        self.now += FRESH_SECONDS
        self.assertLessEqual(self.renewed(response), 0)
        self.assertEqual(self.ask().content, b"<p>two")

    def test_permissions(self) -> None:
        """
        So does a change of permissions: who may not read a file any more does not send it.
        """
        response = self.ask()
        (self.folder / "page.html").chmod(0)
        self.now += FRESH_SECONDS
        self.assertLessEqual(self.renewed(response), 0)
        self.assertEqual(self.ask().status, 403 if os.geteuid() else 200)

    def test_just_changed(self) -> None:
        """
        A file that had just been changed when it was looked at is read again, as long as one more
        change need not show in its times.
        """
        changed = (self.folder / "page.html").stat().st_ctime
        self.now = changed + 1
        response = self.ask()
        self.now += FRESH_SECONDS
        self.assertLessEqual(self.renewed(response), 0)
        self.now = changed + 10
        self.ask()
        self.now += FRESH_SECONDS
        self.assertEqual(self.renewed(self.ask()), FRESH_SECONDS)

    def test_dated_in_the_future(self) -> None:
        """
        A file that says to be of the future has a date that stays, by which it is not sent again.
        """
        self.write("page.html", b"<p>one", int(NOW) + 1000)
        date = self.ask().fields.get(b"last-modified")
        assert date is not None
        self.now += 100
        again = self.ask(f"If-Modified-Since: {date.decode()}")
        self.assertEqual((again.status, again.fields.get(b"etag")), (304, self.etag()))

    def etag(self) -> bytes | None:
        """
        Ask for the page's entity tag.
        """
        return self.ask().fields.get(b"etag")

    def test_linked_out(self) -> None:
        """
        A file in whose place comes a link out of the root is not sent again, and not found.
        """
        outside = Path(self.mktemp())
        outside.write_bytes(b"secret")
        response = self.ask()
        os.remove(self.folder / "page.html")
        os.symlink(outside.resolve(), self.folder / "page.html")
        self.settle()
        self.now += FRESH_SECONDS
        self.assertLessEqual(self.renewed(response), 0)
        self.assertEqual(self.ask().status, 404)

    def test_new_variant(self) -> None:
        """
        A compressed variant that comes into the folder ends it.
        """
        response = self.ask("Accept-Encoding: gzip")
        self.write("page.html.gz", b"small")
        self.now += 2 * FRESH_SECONDS
        self.assertLessEqual(self.renewed(response), 0)
        self.assertEqual(self.ask("Accept-Encoding: gzip").content, b"small")

    def test_folder_just_changed(self) -> None:
        """
        While the folder has only just been changed, its time of change proves nothing: a variant
        that leaves it as it is shows all the same.
        """
        self.settle(int(NOW) - 1)
        response = self.ask("Accept-Encoding: gzip")
        self.write("page.html.gz", b"small")
        self.settle(int(NOW) - 1)
        self.now += FRESH_SECONDS
        self.assertLessEqual(self.renewed(response), 0)

    def test_variant(self) -> None:
        """
        A variant is sent again while both it and the file it stands for are unchanged.
        """
        self.write("page.html.gz", b"small")
        self.settle()
        for name in ("page.html.gz", "page.html"):
            response = self.ask("Accept-Encoding: gzip")
            self.assertEqual(response.content, b"small")
            self.now += FRESH_SECONDS
            self.assertEqual(self.renewed(response), FRESH_SECONDS)
            self.write(name, b"small", OLD + 7)
            self.now += FRESH_SECONDS
            self.assertLessEqual(self.renewed(response), 0)

    def test_unusable_variant(self) -> None:
        """
        Where a variant is there but cannot be used, the answer lasts a second.
        """
        os.mkdir(self.folder / "page.html.gz")
        self.settle()
        response = self.ask("Accept-Encoding: gzip")
        self.assertEqual((response.status, response.content), (200, b"<p>one"))
        self.assertIsNone(response.renew)
        self.assertEqual(response.repeat_seconds, FRESH_SECONDS)

    def test_conditions(self) -> None:
        """
        What an entity-tag or a range decides may go on; what a date decides lasts a second, because
        a date in the future is judged otherwise later.
        """
        etag = self.ask().fields.get(b"etag")
        assert etag is not None
        date = format_date(OLD).decode()
        for status, line in (
            (304, f"If-None-Match: {etag.decode()}"),
            (200, 'If-None-Match: "another"'),
            (206, "Range: bytes=1-3"),
        ):
            response = self.ask(line)
            self.assertEqual(response.status, status)
            self.assertEqual(self.renewed(response), FRESH_SECONDS)
        for lines in (
            [f"If-Modified-Since: {date}"],
            [f"If-Unmodified-Since: {date}"],
            [f"If-Range: {etag.decode()}", "Range: bytes=1-3"],
        ):
            response = self.ask(*lines)
            self.assertIn(response.status, (200, 206, 304))
            self.assertIsNone(response.renew)
            self.assertEqual(response.repeat_seconds, FRESH_SECONDS)

    def test_in_place_of_a_page(self) -> None:
        """
        The index that answers for a page that there is not lasts a second: the page may come.
        """
        self.write("index.html", b"<p>index")
        response = self.ask("Accept: text/html", path="/elsewhere")
        self.assertEqual(response.content, b"<p>index")
        self.assertIsNone(response.renew)
        self.assertEqual(response.repeat_seconds, FRESH_SECONDS)

    def test_large(self) -> None:
        """
        A large file is kept open, and its answer may go on as well.
        """
        self.write("page.html", bytes(IN_MEMORY_MAX_BYTES + 1))
        response = self.ask()
        self.now += FRESH_SECONDS
        self.assertEqual(self.renewed(response), FRESH_SECONDS)


class ReleaseTests(SynchronousTestCase):
    """
    A root that is a symbolic link, moved from one release to the next.
    """

    def setUp(self) -> None:
        """
        Have two releases, and serve the first.
        """
        self.top = Path(self.mktemp()).absolute()
        self.now = NOW
        for release in ("one", "two"):
            (self.top / release).mkdir(parents=True)
            (self.top / release / "page.html").write_text(release)
        (self.top / "current").symlink_to("one")
        self.root = Root(self.top / "current")
        self.addCleanup(self.root.close)
        self.static = StaticFiles(self.root, lambda: self.now, StaticSettings())
        self.parser = RequestParser(Limits())

    def ask(self, path: str = "/page.html") -> bytes:
        """
        Ask for a file, and give its content.
        """
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        content = self.static.respond(self.parser.parse(head.encode()).head).content
        assert isinstance(content, bytes)
        return content

    def move(self, target: str) -> None:
        """
        Move the link at once, as mv -T does.
        """
        (self.top / "next").symlink_to(target)
        (self.top / "next").rename(self.top / "current")

    def test_moved(self) -> None:
        """
        The new release is served a second later, also by a name that is known of the old one.
        """
        self.assertEqual(self.ask(), b"one")
        self.move("two")
        self.now += FRESH_SECONDS / 2
        self.assertEqual(self.ask(), b"one")
        self.now += FRESH_SECONDS / 2
        self.assertEqual(self.ask(), b"two")

    def test_nowhere(self) -> None:
        """
        While it leads nowhere, or to no folder, the old release is served on.
        """
        (self.top / "file").write_bytes(b"")
        for target in ("nowhere", "file", "current"):
            self.move(target)
            self.now += FRESH_SECONDS
            self.assertEqual(self.ask(), b"one")
        self.move("two")
        self.now += FRESH_SECONDS
        self.assertEqual(self.ask(), b"two")

    def test_links_within(self) -> None:
        """
        The guard holds for the new root: what leads out of it is not served, the old root too.
        """
        (self.top / "two" / "old.html").symlink_to(self.top / "one" / "page.html")
        (self.top / "two" / "own.html").symlink_to(self.top / "two" / "page.html")
        self.move("two")
        self.now += FRESH_SECONDS
        self.assertEqual(self.ask("/own.html"), b"two")
        self.assertNotEqual(self.ask("/old.html"), b"one")

    def test_descriptors(self) -> None:
        """
        No descriptor of an old release is left.
        """
        self.ask()
        before = len(os.listdir("/dev/fd"))
        for target in ("two", "one") * 10:
            self.move(target)
            self.now += FRESH_SECONDS
            self.assertEqual(self.ask(), target.encode())
        self.assertEqual(len(os.listdir("/dev/fd")), before)

    def test_looked_at_once_a_second(self) -> None:
        """
        However many files are asked for, the root is looked at once a second.
        """
        looks = []
        look_again = self.root.look_again

        def look() -> bool:
            looks.append(1)
            return look_again()

        self.patch(self.root, "look_again", look)
        for number in range(10):
            self.ask(f"/{number}")
        self.assertEqual(len(looks), 1)


class OpenFilesTests(SynchronousTestCase):
    """
    Large files, which are kept open.
    """

    def open_after(self, count: int, descriptors: int) -> int:
        """
        Let a process with so many descriptors be asked for so many large files.

        @return: how many it keeps open.
        """
        folder = Path(self.mktemp())
        folder.mkdir()
        root = Root(folder)
        self.addCleanup(root.close)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, hard))
        try:
            static = StaticFiles(root, lambda: NOW)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        before = len(os.listdir("/dev/fd"))
        for number in range(count):
            (folder / f"{number}").write_bytes(bytes(IN_MEMORY_MAX_BYTES + 1))
            head = f"GET /{number} HTTP/1.1\r\nHost: localhost\r\n\r\n"
            response = static.respond(RequestParser(Limits()).parse(head.encode()).head)
            self.assertEqual(response.status, 200)
            assert not isinstance(response.content, bytes)
            response.content.close()  # type: ignore[union-attr]
        return len(os.listdir("/dev/fd")) - before

    def test_share(self) -> None:
        """
        However many are asked for, they take at most a quarter of the descriptors.
        """
        kept = self.open_after(60, 80)
        self.assertGreater(kept, 1)
        self.assertLessEqual(kept, 20)

    def test_hardly_any(self) -> None:
        """
        With hardly any descriptors two are kept: one in each generation.
        """
        self.assertEqual(self.open_after(5, 7), 2)
