"""
Tests for L{netlab.http1.resources.static}, by a server in memory.
"""

from __future__ import annotations

import errno
import gzip
import json
import os
from pathlib import Path
from typing import Any

from netlab.http1.resources.beneath import Root
from netlab.http1.resources.filestore import FRESH_SECONDS, IN_MEMORY_MAX_BYTES
from netlab.http1.resources.static import StaticFiles, StaticSettings
from netlab.http1.sansio.serversettings import ServerSettings
from tests.http1.serving import NOW, ReceivedAnswer, ServerTestCase, get

#: "Tue, 15 Nov 1994 12:45:26 GMT", the example of RFC 9110 section 5.6.7 but for the day.
MODIFIED = 784903526
MODIFIED_DATE = "Tue, 15 Nov 1994 12:45:26 GMT"


class StaticTestCase(ServerTestCase):
    """
    A folder of files, served.

    @ivar folder: the folder.
    """

    def setUp(self) -> None:
        """
        Make the folder.
        """
        super().setUp()
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.put("index.html", b"<h1>Home</h1>")
        self.put("a.txt", b"0123456789")

    def put(self, name: str, content: bytes, modified: int = MODIFIED) -> Path:
        """
        Write a file.
        """
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (modified, modified))
        return path

    def serve_files(self, **settings: Any) -> None:
        """
        Serve the folder.
        """
        root = Root(self.folder)
        self.addCleanup(root.close)
        style = StaticSettings(**settings)
        files = StaticFiles(root, self.reactor.seconds, style)
        self.serve(files, ServerSettings(is_bare=style.is_bare))

    def get(self, path: str, *lines: str, method: str = "GET") -> ReceivedAnswer:
        """
        Ask for a path.
        """
        return self.ask_one(get(path, *lines, method=method))


class FileTests(StaticTestCase):
    """
    Which file a path stands for, and what is said of it.
    """

    def test_file(self) -> None:
        """
        A file is sent with its media type, time and entity tag, and the connection persists.
        """
        self.serve_files()
        answer = self.get("/a.txt")
        self.assertEqual((answer.status, answer.content), (200, b"0123456789"))
        self.assertEqual(answer.fields["Content-Type"], "text/plain; charset=utf-8")
        self.assertEqual(answer.fields["Last-Modified"], MODIFIED_DATE)
        self.assertRegex(answer.fields["ETag"], r'\A"[0-9a-f-]+"\Z')
        self.assertEqual(answer.fields["Accept-Ranges"], "bytes")
        self.assertEqual(answer.fields["X-Content-Type-Options"], "nosniff")
        self.assertFalse(answer.will_close)

    def test_index(self) -> None:
        """
        A path that ends in a slash is its folder's index.html, in sub-folders too.
        """
        self.put("sub/index.html", b"below")
        self.serve_files()
        self.assertEqual(self.get("/").content, b"<h1>Home</h1>")
        self.assertEqual(self.get("/sub/").content, b"below")

    def test_folder(self) -> None:
        """
        A folder without its slash is redirected to it; its name is encoded anew, the query kept.
        """
        (self.folder / "a b%").mkdir()
        self.serve_files()
        answer = self.get("/a%20b%25?x=%41")
        self.assertEqual(answer.status, 301)
        self.assertEqual(answer.fields["Location"], "/a%20b%25/?x=%41")

    def test_missing(self) -> None:
        """
        Nothing there is 404 and the end of the connection: for a file, a folder without index, and
        an index that is a folder.
        """
        (self.folder / "empty").mkdir()
        (self.folder / "odd" / "index.html").mkdir(parents=True)
        self.serve_files()
        for path in ("/b.txt", "/empty/", "/odd/", "/a.txt/", "/a.txt/b", "/.git/config", "/%2e."):
            answer = self.get(path)
            self.assertIn(answer.status, (400, 404), path)
            self.assertTrue(answer.will_close, path)

    def test_no_file(self) -> None:
        """
        What is neither a file nor a folder is 404.
        """
        os.mkfifo(self.folder / "pipe")
        self.serve_files()
        self.assertEqual(self.get("/pipe").status, 404)

    def test_not_allowed(self) -> None:
        """
        Other methods than GET and HEAD are 405 with Allow, unknown ones 501.
        """
        self.serve_files()
        for method in ("POST", "PUT", "DELETE"):
            answer = self.get("/a.txt", "Content-Length: 0", method=method)
            self.assertEqual((answer.status, answer.fields["Allow"]), (405, "GET, HEAD, OPTIONS"))
        self.assertEqual(self.get("/a.txt", method="BREW").status, 501)

    def test_times_in_the_future(self) -> None:
        """
        A file from the future is said to be from now (RFC 9110 section 8.8.2.1).
        """
        self.put("a.txt", b"", modified=int(NOW) + 1000)
        self.serve_files()
        answer = self.get("/a.txt")
        self.assertEqual(answer.fields["Last-Modified"], answer.fields["Date"])

    def test_errors_of_the_system(self) -> None:
        """
        What may not be read is 403; when there are no more descriptors it is 503 and Retry-After;
        any other trouble is a 500 without detail, and the log has it.
        """
        for number, status in ((errno.EACCES, 403), (errno.EMFILE, 503), (errno.EIO, 500)):

            def fail(*_: object, number: int = number) -> int:
                raise OSError(number, os.strerror(number))

            self.serve_files()
            with self.subTest(status=status):
                patch = self.patch(Root, "open_beneath", fail)
                answer = self.get("/a.txt")
                patch.restore()
                self.assertEqual(answer.status, status)
                self.assertNotIn(os.strerror(number).encode(), answer.content)
                self.assertEqual("Retry-After" in answer.fields, status == 503)
        (failure,) = self.flushLoggedErrors(OSError)
        self.assertEqual(failure.value.errno, errno.EIO)


class ChangeTests(StaticTestCase):
    """
    Files that change while they are served.
    """

    def test_edited(self) -> None:
        """
        An edited file shows at the latest after a second, with another entity tag.
        """
        for size in (10, IN_MEMORY_MAX_BYTES + 10):
            path = self.put("a.txt", b"a" * size)
            self.serve_files()
            before = self.get("/a.txt")
            path.write_bytes(b"b" * size)
            self.reactor.advance(FRESH_SECONDS)
            after = self.get("/a.txt")
            self.assertEqual((before.content, after.content), (b"a" * size, b"b" * size))
            self.assertNotEqual(before.fields["ETag"], after.fields["ETag"])

    def test_unchanged(self) -> None:
        """
        An unchanged file keeps its entity tag.
        """
        self.serve_files()
        before = self.get("/a.txt").fields["ETag"]
        self.reactor.advance(FRESH_SECONDS * 2)
        self.assertEqual(self.get("/a.txt").fields["ETag"], before)

    def test_removed(self) -> None:
        """
        A removed file is gone after a second, and there again when it is.
        """
        path = self.put("a.txt", b"here")
        self.serve_files()
        self.get("/a.txt")
        path.unlink()
        self.reactor.advance(FRESH_SECONDS)
        self.assertEqual(self.get("/a.txt").status, 404)
        self.put("a.txt", b"again")
        self.reactor.advance(FRESH_SECONDS)
        self.assertEqual(self.get("/a.txt").content, b"again")

    def test_becomes_a_link(self) -> None:
        """
        A file that has become a link out of the root is gone, though it is the same file.
        """
        self.put("../outside.txt", b"secret")
        path = self.put("a.txt", b"here")
        self.serve_files()
        self.get("/a.txt")
        path.unlink()
        path.symlink_to("../outside.txt")
        self.reactor.advance(FRESH_SECONDS)
        self.assertEqual(self.get("/a.txt").status, 404)


class ConditionTests(StaticTestCase):
    """
    Preconditions and ranges reach the file.
    """

    def test_not_modified(self) -> None:
        """
        What the client has already is a 304 without content, by tag or by date.
        """
        self.serve_files()
        tag = self.get("/a.txt").fields["ETag"]
        for line in (f"If-None-Match: {tag}", f"If-Modified-Since: {MODIFIED_DATE}"):
            answer = self.get("/a.txt", line)
            self.assertEqual((answer.status, answer.content), (304, b""))
            self.assertEqual(answer.fields["ETag"], tag)
        self.assertEqual(self.get("/a.txt", 'If-None-Match: "other"').status, 200)

    def test_failed(self) -> None:
        """
        A precondition that does not hold is 412.
        """
        self.serve_files()
        self.assertEqual(self.get("/a.txt", 'If-Match: "other"').status, 412)

    def test_range(self) -> None:
        """
        A range is a 206 with just those bytes, for small and for large files.
        """
        large = bytes(range(256)) * (IN_MEMORY_MAX_BYTES // 128)
        self.put("large", large)
        self.serve_files()
        for path, content in (("/a.txt", b"0123456789"), ("/large", large)):
            answer = self.get(path, "Range: bytes=2-5")
            self.assertEqual((answer.status, answer.content), (206, content[2:6]))
            self.assertEqual(answer.fields["Content-Range"], f"bytes 2-5/{len(content)}")
            self.assertEqual(self.get(path, "Range: bytes=-3").content, content[-3:])

    def test_ranges(self) -> None:
        """
        Several ranges are parts, each with its own place.
        """
        self.serve_files()
        answer = self.get("/a.txt", "Range: bytes=0-1,8-9")
        self.assertEqual(answer.status, 206)
        self.assertEqual(answer.fields.get_content_type(), "multipart/byteranges")
        boundary = answer.fields.get_param("boundary")
        assert isinstance(boundary, str)
        first, second = answer.content.split(b"--" + boundary.encode())[1:3]
        self.assertIn(b"Content-Range: bytes 0-1/10\r\n", first)
        self.assertTrue(first.endswith(b"\r\n\r\n01\r\n"), first)
        self.assertTrue(second.endswith(b"\r\n\r\n89\r\n"), second)

    def test_unsatisfiable(self) -> None:
        """
        A range behind the end is 416 with the length there is.
        """
        self.serve_files()
        answer = self.get("/a.txt", "Range: bytes=10-")
        self.assertEqual((answer.status, answer.fields["Content-Range"]), (416, "bytes */10"))

    def test_if_range(self) -> None:
        """
        A range of another version of the file is answered by the whole.
        """
        self.serve_files()
        tag = self.get("/a.txt").fields["ETag"]
        for condition, status in ((tag, 206), ('"other"', 200)):
            answer = self.get("/a.txt", "Range: bytes=0-1", f"If-Range: {condition}")
            self.assertEqual(answer.status, status)


class VariantTests(StaticTestCase):
    """
    Precompressed variants.
    """

    def setUp(self) -> None:
        """
        Put variants beside a file.
        """
        super().setUp()
        self.packed = gzip.compress(b"0123456789")
        self.put("a.txt.gz", self.packed)
        self.put("a.txt.br", b"brotli")

    def test_chosen(self) -> None:
        """
        The coding that the client likes best is sent, with the type of the file, its own tag, and
        Vary; without Accept-Encoding the file itself is sent.
        """
        self.serve_files()
        plain = self.get("/a.txt")
        answer = self.get("/a.txt", "Accept-Encoding: gzip")
        self.assertEqual(answer.content, self.packed)
        self.assertEqual(answer.fields["Content-Encoding"], "gzip")
        self.assertEqual(answer.fields["Content-Type"], plain.fields["Content-Type"])
        self.assertNotEqual(answer.fields["ETag"], plain.fields["ETag"])
        self.assertEqual(plain.content, b"0123456789")
        for one in (plain, answer):
            self.assertEqual(one.fields["Vary"], "Accept-Encoding")
        answer = self.get("/a.txt", "Accept-Encoding: gzip;q=0.5, br")
        self.assertEqual(answer.fields["Content-Encoding"], "br")

    def test_outside(self) -> None:
        """
        A variant that is a link out of the root is not sent; the next one is.
        """
        self.put("../secret", b"secret")
        (self.folder / "a.txt.br").unlink()
        (self.folder / "a.txt.br").symlink_to("../secret")
        self.serve_files()
        answer = self.get("/a.txt", "Accept-Encoding: br, gzip;q=0.5")
        self.assertEqual(answer.fields["Content-Encoding"], "gzip")
        self.assertEqual(self.get("/a.txt", "Accept-Encoding: br").content, b"0123456789")


class SettingsTests(StaticTestCase):
    """
    What can be set.
    """

    def test_hidden(self) -> None:
        """
        Hidden files are sent only where they are to be.
        """
        self.put(".git/config", b"token")
        for shows_hidden, status in ((False, 404), (True, 200)):
            self.serve_files(shows_hidden=shows_hidden)
            self.assertEqual(self.get("/.git/config").status, status)

    def test_cache_control(self) -> None:
        """
        HTML is to be asked about again each time, unless said otherwise; all else only if said so.
        """
        self.serve_files()
        self.assertEqual(self.get("/").fields["Cache-Control"], "no-cache")
        self.assertNotIn("Cache-Control", self.get("/a.txt").fields)
        self.serve_files(cache_control=b"max-age=60", html_cache_control=None)
        self.assertNotIn("Cache-Control", self.get("/").fields)
        self.assertEqual(self.get("/a.txt").fields["Cache-Control"], "max-age=60")

    def test_not_found_page(self) -> None:
        """
        A page made for it is the content of every 404, without tag and date, and no range of it is
        sent; when it is gone itself, the usual page is.
        """
        path = self.put("404.html", b"<h1>Lost?</h1>")
        self.serve_files(not_found=(b"404.html",))
        answer = self.get("/missing", "Range: bytes=0-1", "If-None-Match: *")
        self.assertEqual((answer.status, answer.content), (404, b"<h1>Lost?</h1>"))
        self.assertEqual(answer.fields["Content-Type"], "text/html; charset=utf-8")
        for name in ("ETag", "Last-Modified", "Accept-Ranges"):
            self.assertNotIn(name, answer.fields)
        self.assertTrue(answer.will_close)
        path.unlink()
        self.reactor.advance(FRESH_SECONDS)
        answer = self.get("/missing")
        self.assertEqual(answer.status, 404)
        self.assertIn(b"404 Not Found", answer.content)

    def test_single_page(self) -> None:
        """
        The root's index answers for pages that do not exist, if the client takes HTML; a path with
        an extension, or another kind of client, gets its 404.
        """
        self.serve_files(is_single_page=True)
        html = "Accept: text/html"
        self.assertEqual(self.get("/some/view", html).content, b"<h1>Home</h1>")
        self.assertEqual(self.get("/a.txt", html).content, b"0123456789")
        self.assertEqual(self.get("/missing.js", html).status, 404)
        self.assertEqual(self.get("/api/thing", "Accept: application/json").status, 404)
        self.assertEqual(self.get("/.hidden/view", html).status, 404)

    def test_listing(self) -> None:
        """
        A folder without index is shown as a page or as JSON, hidden files left out; one with an
        index, and a path that is none, are not.
        """
        self.put("sub/b&b.txt", b"b")
        self.put("sub/.secret", b"s")
        self.serve_files(lists_folders=True)
        page = self.get("/sub/")
        self.assertEqual(page.status, 200)
        self.assertIn(b"b&amp;b.txt", page.content)
        self.assertNotIn(b".secret", page.content)
        listed = json.loads(self.get("/sub/", "Accept: application/json").content)
        self.assertEqual([entry["name"] for entry in listed], ["b&b.txt"])
        self.assertEqual(self.get("/").content, b"<h1>Home</h1>")
        self.assertEqual(self.get("/nothing/").status, 404)
        self.assertEqual(self.get("/a.txt/").status, 404)

    def test_bare(self) -> None:
        """
        Bare answers say nothing of a file, and know no conditions, ranges or variants.
        """
        self.put("a.txt.gz", b"packed")
        self.serve_files(is_bare=True)
        lines = ("Range: bytes=0-1", "If-None-Match: *", "Accept-Encoding: gzip")
        answer = self.get("/a.txt", *lines)
        self.assertEqual((answer.status, answer.content), (200, b"0123456789"))
        self.assertEqual(answer.names, ["Connection", "Content-Length"])
