"""
Tests for how L{netlab.http1.resources.static} lists folders.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from netlab.http1.resources.beneath import Root
from netlab.http1.resources.static import StaticFiles, StaticSettings
from tests.http1.serving import ServerTestCase, get


class ListingMemoryTests(ServerTestCase):
    """
    Listing a folder of thousands takes tens of milliseconds: it is done once a second at most.
    """

    def setUp(self) -> None:
        """
        Serve a folder with one file.
        """
        super().setUp()
        self.folder = Path(self.mktemp())
        self.folder.mkdir(parents=True)
        (self.folder / "one.txt").touch()
        root = Root(self.folder)
        self.addCleanup(root.close)
        clock: Any = self.reactor
        settings = StaticSettings(lists_folders=True)
        self.serve(StaticFiles(root, clock.seconds, settings))

    def names(self, query: str, *lines: str) -> list[bytes]:
        """
        Say which of the two files a listing shows.
        """
        content = self.ask_one(get("/" + query, *lines)).content
        return [name for name in (b"one.txt", b"two.txt") if name in content]

    def test_within_a_second(self) -> None:
        """
        However the heads differ, the folder is not read again.
        """
        self.assertEqual(self.names(""), [b"one.txt"])
        (self.folder / "two.txt").touch()
        for query, line in (("", "X: 1"), ("?x", "X: 2"), ("?y=2", "Accept: */*")):
            self.assertEqual(self.names(query, line), [b"one.txt"])

    def test_afterwards(self) -> None:
        """
        Then it is, and shows what is new.
        """
        self.names("")
        (self.folder / "two.txt").touch()
        self.pass_time(1.5)
        self.assertEqual(self.names("", "X: 1"), [b"one.txt", b"two.txt"])

    def test_clock_set_back(self) -> None:
        """
        So it is when the clock was set back meanwhile.
        """
        self.names("")
        (self.folder / "two.txt").touch()
        self.reactor.rightNow -= 3600
        self.assertEqual(self.names("", "X: 1"), [b"one.txt", b"two.txt"])

    def test_different_listings(self) -> None:
        """
        Another order and another media type are other listings.
        """
        (self.folder / "two.txt").write_bytes(b"x")
        self.assertEqual(self.names(""), [b"one.txt", b"two.txt"])
        descending = self.ask_one(get("/?sort=size&order=desc")).content
        self.assertLess(descending.index(b"two.txt"), descending.index(b"one.txt"))
        answer = self.ask_one(get("/", "Accept: application/json"))
        self.assertEqual(answer.fields["Content-Type"], "application/json")

    def test_budget_of_what_is_not_shown(self) -> None:
        """
        What is looked at and not shown counts too.
        """
        for number in range(2500):
            (self.folder / f"{number}.txt").symlink_to("nowhere")
        queries = [f"?sort={key}" for key in ("name", "size", "time")]
        statuses = [self.ask_one(get("/" + query)).status for query in (*queries, "?order=desc")]
        self.assertEqual(statuses, [200, 200, 200, 503])

    def test_budget(self) -> None:
        """
        In one second no more than some thousand entries are listed, whichever folders and orders
        are asked for: then what was listed before is shown once more, and of what was not, that
        the server is busy; a second later all is as before.
        """
        for number in range(1998):
            (self.folder / f"{number}.txt").touch()
        stale = "?sort=size&order=desc"
        self.assertEqual(self.names(stale), [b"one.txt"])
        (self.folder / "two.txt").touch()
        self.pass_time(1.5)
        queries = [f"?sort={key}" for key in ("name", "size", "time")]
        statuses = [
            self.ask_one(get("/" + query, f"Accept: {media_type}")).status
            for media_type in ("text/html", "application/json")
            for query in queries
        ]
        self.assertEqual(statuses, [200, 200, 200, 503, 503, 503])
        self.assertEqual(self.names(stale, "X: 1"), [b"one.txt"])
        self.assertEqual(self.ask_one(get("/one.txt")).status, 200)
        self.pass_time(1.5)
        refused = self.ask_one(get("/?sort=time", "Accept: application/json"))
        self.assertEqual(refused.status, 200)
