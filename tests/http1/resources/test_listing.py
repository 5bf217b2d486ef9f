"""
Tests for L{netlab.http1.resources.listing}.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes, urljoin

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.resources.listing import (
    ENTRIES_MAX,
    LOOKED_AT_MAX,
    Listing,
    ListingEntry,
    ListingOrder,
    SortKey,
    make_listing,
    parse_order,
    render_json,
    shown_name,
)

NOVEMBER = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT


def file(name: bytes, size: int = 0, modified: int = NOVEMBER) -> ListingEntry:
    """
    Make the entry of a file.
    """
    return ListingEntry(name, is_folder=False, size=size, modified=modified)


def folder(name: bytes, modified: int = NOVEMBER) -> ListingEntry:
    """
    Make the entry of a folder, with a size as file systems give it.
    """
    return ListingEntry(name, is_folder=True, size=4096, modified=modified)


def names(listing: Listing) -> list[bytes]:
    """
    Return the names in their order.
    """
    return [entry.name for entry in listing.entries]


class ParseOrderTests(SynchronousTestCase):
    """
    A query to an order.
    """

    def test_orders(self) -> None:
        """
        Each key goes with each direction, in any order of the two parameters.
        """
        for key in SortKey:
            for text, is_descending in ((b"asc", False), (b"desc", True)):
                order = ListingOrder(key, is_descending)
                sort = b"sort=" + key.value.encode("ascii")
                self.assertEqual(parse_order(sort + b"&order=" + text), order)
                self.assertEqual(parse_order(b"order=" + text + b"&" + sort), order)

    def test_anything_else(self) -> None:
        """
        Without a query, or with one that says something else, names ascend.
        """
        for query in (None, b"", b"sort=", b"sort=color", b"order=up", b"a=b&c", b"&&", b"\xff="):
            with self.subTest(query=query):
                self.assertEqual(parse_order(query), ListingOrder())


class MakeListingTests(SynchronousTestCase):
    """
    Entries in order.
    """

    def test_folders_first(self) -> None:
        """
        Folders come before files in every order.
        """
        entries = [file(b"a"), folder(b"z"), file(b"c", 5), folder(b"b")]
        for key in SortKey:
            for is_descending in (False, True):
                listing = make_listing(entries, ListingOrder(key, is_descending))
                self.assertEqual([e.is_folder for e in listing.entries], [True, True, False, False])

    def test_names(self) -> None:
        """
        Case does not matter, and numbers count by their value.
        """
        entries = [file(name) for name in (b"b", b"A", b"a10", b"a9", b"C")]
        self.assertEqual(
            names(make_listing(entries, ListingOrder())), [b"A", b"a9", b"a10", b"b", b"C"]
        )
        self.assertEqual(
            names(make_listing(entries, ListingOrder(SortKey.NAME, is_descending=True))),
            [b"C", b"b", b"a10", b"a9", b"A"],
        )

    def test_sizes_and_times(self) -> None:
        """
        Equal sizes or times leave names ascending, in both directions.
        """
        entries = [file(b"b", 1, 9), file(b"a", 1, 9), file(b"c", 2, 3)]
        for key, ascending in (
            (SortKey.SIZE, [b"a", b"b", b"c"]),
            (SortKey.TIME, [b"c", b"a", b"b"]),
        ):
            self.assertEqual(names(make_listing(entries, ListingOrder(key))), ascending)
        self.assertEqual(
            names(make_listing(entries, ListingOrder(SortKey.SIZE, is_descending=True))),
            [b"c", b"a", b"b"],
        )

    def test_sizes_of_folders(self) -> None:
        """
        What a file system calls a folder's size does not count.
        """
        small = ListingEntry(b"b", is_folder=True, size=10, modified=0)
        listing = make_listing([small, folder(b"a")], ListingOrder(SortKey.SIZE))
        self.assertEqual(names(listing), [b"a", b"b"])

    def test_names_that_lead_elsewhere(self) -> None:
        """
        What names another folder than an entry of this one is left out.
        """
        entries = [file(name) for name in (b"..", b".", b"", b"a/b", b"a\x00", b"...", b".a")]
        self.assertEqual(names(make_listing(entries, ListingOrder())), [b"...", b".a"])

    def test_bound(self) -> None:
        """
        No more than the greatest number of entries is taken, and one more is looked at to tell
        whether that is all.
        """
        looked_at = 0

        def endless() -> Iterator[ListingEntry]:
            nonlocal looked_at
            while True:
                looked_at += 1
                yield file(b"%d" % looked_at)

        listing = make_listing(endless(), ListingOrder())
        self.assertEqual(len(listing.entries), ENTRIES_MAX)
        self.assertFalse(listing.is_complete)
        self.assertEqual(looked_at, ENTRIES_MAX + 1)
        exact = make_listing([file(b"%d" % i) for i in range(ENTRIES_MAX)], ListingOrder())
        self.assertTrue(exact.is_complete)

    def test_bound_of_what_is_not_shown(self) -> None:
        """
        What is not shown is looked at too, and not without end.
        """
        looked_at = 0

        def endless() -> Iterator[ListingEntry | None]:
            nonlocal looked_at
            while True:
                looked_at += 1
                yield file(b"first") if looked_at == 1 else None

        listing = make_listing(endless(), ListingOrder())
        self.assertEqual(len(listing.entries), 1)
        self.assertFalse(listing.is_complete)
        self.assertEqual(listing.looked_at, LOOKED_AT_MAX)
        self.assertEqual(looked_at, LOOKED_AT_MAX + 1)
        exact = make_listing([None] * LOOKED_AT_MAX, ListingOrder())
        self.assertTrue(exact.is_complete)

    @settings(deadline=None, max_examples=100)
    @given(
        st.lists(
            st.builds(
                ListingEntry, st.binary(max_size=8), st.booleans(), st.integers(0), st.integers()
            )
        ),
        st.builds(ListingOrder, st.sampled_from(SortKey), st.booleans()),
    )
    def test_any_entries(self, entries: list[ListingEntry], order: ListingOrder) -> None:
        """
        Any entries can be put in order, and none is made up.
        """
        listing = make_listing(entries, order)
        self.assertLessEqual(set(listing.entries), set(entries))
        self.assertEqual(make_listing(listing.entries, order), listing)


class ShownNameTests(SynchronousTestCase):
    """
    Names made readable.
    """

    def test_ordinary_names(self) -> None:
        """
        Names in any script, with spaces, joiners and emoji are shown as they are.
        """
        for name in (
            "a b",
            "straße",
            "صورة",
            "می\u200cخواهم",
            "👨\u200d👩",
            "16.30.00\u202fPM",
            "\u3000",
        ):
            with self.subTest(name=name):
                self.assertEqual(shown_name(name.encode()), name)

    def test_what_is_not_utf8(self) -> None:
        """
        Bytes that are not UTF-8 are shown as escapes, the others as they are.
        """
        self.assertEqual(shown_name(b"a\xffb"), "a\\xffb")
        self.assertEqual(shown_name(b"\xc3\xa4\xc3"), "ä\\xc3")

    def test_deceptive_characters(self) -> None:
        """
        Line ends, controls and characters that turn the direction of writing are shown as escapes.
        """
        self.assertEqual(shown_name(b"a\nb\x1b\x7f"), "a\\nb\\x1b\\x7f")
        self.assertEqual(shown_name("a\u202egnp.exe".encode()), "a\\u202egnp.exe")
        self.assertEqual(shown_name("\u2066\u200f\u2028\ufeff\x85".encode()),
                         "\\u2066\\u200f\\u2028\\ufeff\\x85")  # fmt: skip


class HrefTests(SynchronousTestCase):
    """
    The relative reference to an entry.
    """

    def test_hostile_names(self) -> None:
        """
        A colon is encoded, so that no name is a scheme (RFC 3986 section 4.2), as are quotes,
        angle brackets, query and fragment marks, and line ends.
        """
        self.assertEqual(file(b"javascript:alert(1)").href, b"javascript%3Aalert(1)")
        self.assertEqual(file(b'"><x>').href, b"%22%3E%3Cx%3E")
        self.assertEqual(file(b"a?b#c%d").href, b"a%3Fb%23c%25d")
        self.assertEqual(file(b"\r\n\\").href, b"%0D%0A%5C")
        self.assertEqual(folder(b"a b").href, b"a%20b/")

    @settings(deadline=None, max_examples=200)
    @given(
        st.binary(min_size=1, max_size=20).filter(
            lambda name: name not in {b".", b".."} and b"/" not in name
        )
    )
    def test_any_name(self, name: bytes) -> None:
        """
        The reference, resolved as a browser does, leads to just this name in this folder.
        """
        url = urljoin("http://h.example/a/b/", file(name).href.decode("ascii"))
        self.assertTrue(url.startswith("http://h.example/a/b/"))
        self.assertEqual(unquote_to_bytes(url.removeprefix("http://h.example/a/b/")), name)


class RenderJsonTests(SynchronousTestCase):
    """
    The listing for programs.
    """

    def test_members(self) -> None:
        """
        It is what nginx's C{autoindex_format json} gives, and the reference to each entry.
        """
        listing = make_listing([file(b"a b.txt", 210), folder(b"c")], ListingOrder())
        rendered = render_json(listing)
        self.assertEqual(
            json.loads(rendered.content),
            [
                {
                    "name": "c",
                    "type": "directory",
                    "mtime": "Sun, 06 Nov 1994 08:49:37 GMT",
                    "href": "c/",
                },
                {
                    "name": "a b.txt",
                    "type": "file",
                    "mtime": "Sun, 06 Nov 1994 08:49:37 GMT",
                    "size": 210,
                    "href": "a%20b.txt",
                },
            ],
        )
        self.assertEqual(
            rendered.fields, ((b"Content-Type", b"application/json"), (b"Vary", b"Accept"))
        )

    def test_empty(self) -> None:
        """
        An empty folder is an empty array.
        """
        self.assertEqual(json.loads(render_json(make_listing([], ListingOrder())).content), [])

    def test_incomplete(self) -> None:
        """
        Where entries are left out a field says so, a structured one (RFC 9651 section 3.3.6).
        """
        rendered = render_json(Listing((), ListingOrder(), is_complete=False))
        self.assertIn((b"Listing-Complete", b"?0"), rendered.fields)

    def test_times_without_a_date(self) -> None:
        """
        A time that no HTTP-date can say is left out.
        """
        listing = make_listing([file(b"a", modified=1 << 60)], ListingOrder())
        self.assertNotIn("mtime", json.loads(render_json(listing).content)[0])

    @settings(deadline=None, max_examples=100)
    @given(
        st.lists(
            st.builds(
                ListingEntry, st.binary(max_size=8), st.booleans(), st.integers(0), st.integers()
            )
        )
    )
    def test_any_entries(self, entries: list[ListingEntry]) -> None:
        """
        Any entries give valid JSON without surrogates, whose references are exact.
        """
        listing = make_listing(entries, ListingOrder())
        values = json.loads(render_json(listing).content)
        json.dumps(values, ensure_ascii=False).encode()
        self.assertEqual(
            [unquote_to_bytes(value["href"].removesuffix("/")) for value in values], names(listing)
        )
