"""
Tests for L{netlab.http1.resources.listingpage}.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from urllib.parse import urljoin

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.resources.listing import (
    Listing,
    ListingEntry,
    ListingOrder,
    SortKey,
    make_listing,
    shown_name,
)
from netlab.http1.resources.listingpage import CONTENT_SECURITY_POLICY, render_page

VOID = ("meta", "use", "path")
NOVEMBER = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT


class Page(HTMLParser):
    """
    A page taken apart by a parser that is not ours.

    @ivar tags: the names of all elements.
    @ivar attributes: the names of all attributes.
    @ivar links: the references and texts of all links, in order.
    @ivar texts: the text of each element that was looked for, by its name.
    @ivar sorts: the columns that say how they are sorted.
    """

    def __init__(self, content: bytes) -> None:
        """
        @param content: the page.
        """
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[tuple[str, str]] = []
        self.texts: dict[str, str] = {}
        self.sorts: list[tuple[str | None, str | None]] = []
        self._open: list[str] = []
        self.feed(content.decode("utf-8"))
        self.close()
        if self._open:
            raise AssertionError(f"not closed: {self._open}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """
        Note an element.
        """
        found = dict(attrs)
        if len(found) != len(attrs):
            raise AssertionError(f"an attribute comes twice: {attrs}")
        self.tags.add(tag)
        self.attributes.update(found)
        if tag not in VOID:
            self._open.append(tag)
        if tag == "a":
            self.links.append((found["href"] or "", ""))
        if "aria-sort" in found:
            self.sorts.append((found["class"], found["aria-sort"]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """
        Note an element that ends at once, as some of SVG do.
        """
        self.tags.add(tag)
        self.attributes.update(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        """
        Hold each element to its end.
        """
        if self._open.pop() != tag:
            raise AssertionError(f"{tag} closes another element")

    def handle_data(self, data: str) -> None:
        """
        Note text, for the elements around it.
        """
        if "a" in self._open:
            href, text = self.links[-1]
            self.links[-1] = (href, text + data)
        for tag in self._open:
            self.texts[tag] = self.texts.get(tag, "") + data


def page(
    *entries: ListingEntry,
    segments: tuple[bytes, ...] = (b"a", b""),
    order: ListingOrder | None = None,
) -> Page:
    """
    Make a page and take it apart.
    """
    listing = make_listing(entries, order or ListingOrder())
    return Page(render_page(segments, listing).content)


def file(name: bytes, size: int = 210, modified: int = NOVEMBER) -> ListingEntry:
    """
    Make the entry of a file.
    """
    return ListingEntry(name, is_folder=False, size=size, modified=modified)


class RenderPageTests(SynchronousTestCase):
    """
    The listing for people.
    """

    def test_rows(self) -> None:
        """
        Each entry is a link to itself with its size and its time, folders with a slash.
        """
        found = page(
            file(b"a b.txt"), ListingEntry(b"c", is_folder=True, size=4096, modified=NOVEMBER)
        )
        self.assertEqual(
            found.links[-3:], [("../", "Parent folder"), ("c/", "c/"), ("a%20b.txt", "a b.txt")]
        )
        self.assertIn("210 B", found.texts["tbody"])
        self.assertIn("1994-11-06 08:49", found.texts["tbody"])
        self.assertNotIn("4096", found.texts["tbody"])
        self.assertEqual(found.texts["footer"], "1 folder, 1 file, 210 B")

    def test_sizes(self) -> None:
        """
        Sizes come in binary units, and round up into the next one.
        """
        for size, text in (
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (1024 * 1024 - 1, "1.0 MiB"),
            (5 << 30, "5.0 GiB"),
            (1 << 60, "1.0 EiB"),
            (1 << 71, "2048.0 EiB"),
        ):
            with self.subTest(size=size):
                self.assertEqual(page(file(b"a", size)).texts["data"], text * 2)

    def test_hostile_names(self) -> None:
        """
        Names are text and nothing else, in rows, heading and title.
        """
        hostile = (
            b"<script>alert(1)<",
            b'"onclick="alert(1)',
            b"&lt;b&gt;",
            b"'><img src=x>",
            b"-->",
        )
        entries = [file(name) for name in hostile]
        found = page(*entries, segments=(*hostile, b""))
        self.assertFalse(found.tags & {"script", "img", "b"})
        self.assertFalse(found.attributes & {"onclick", "src"})
        texts = [text for _href, text in found.links]
        for name in hostile:
            self.assertIn(name.decode("ascii"), texts)
            self.assertIn(name.decode("ascii"), found.texts["h1"])
            self.assertIn(name.decode("ascii"), found.texts["title"])

    def test_links_stay_in_the_folder(self) -> None:
        """
        A link never leads to another host or scheme.
        """
        found = page(file(b"javascript:alert(1)"), file(b"\\\\evil.example"), file(b"..\\x"))
        for href, _text in found.links:
            self.assertTrue(urljoin("http://h.example/a/", href).startswith("http://h.example/"))
            self.assertNotIn("\\", href)

    def test_path_links(self) -> None:
        """
        The heading leads to each folder above, and names the one that is shown.
        """
        found = page(segments=(b"a", b"<b>", b"c", b""))
        self.assertEqual(found.links[:3], [("../../../", "Home"), ("../../", "a"), ("../", "<b>")])
        self.assertEqual(found.texts["h1"], "Index of Home/a/<b>/c/")
        self.assertEqual(found.texts["title"], "Index of /a/<b>/c/")

    def test_root(self) -> None:
        """
        The root has no parent folder.
        """
        found = page(file(b"a"), segments=(b"",))
        self.assertEqual([link for link in found.links if link[0].startswith(".")], [])
        self.assertEqual(found.texts["title"], "Index of /")

    def test_empty(self) -> None:
        """
        An empty folder says so in a sentence; an empty root has no table.
        """
        self.assertEqual(page().texts["footer"], "This folder is empty.")
        self.assertNotIn("table", page(segments=(b"",)).tags)

    def test_incomplete(self) -> None:
        """
        A sentence, and a field, say that entries are left out.
        """
        rendered = render_page((b"",), Listing((file(b"a"),), ListingOrder(), is_complete=False))
        self.assertIn("more than what is listed here", Page(rendered.content).texts["p"])
        self.assertIn((b"Listing-Complete", b"?0"), rendered.fields)

    def test_incomplete_and_empty(self) -> None:
        """
        Where nothing that was looked at is shown, and there is more, the folder is not called
        empty.
        """
        rendered = render_page((b"",), Listing((), ListingOrder(), is_complete=False))
        texts = Page(rendered.content).texts
        self.assertIn("more than what is listed here", texts["p"])
        self.assertEqual(texts["footer"], "What was found is not shown.")

    def test_sort_links(self) -> None:
        """
        A heading sorts by its column; the current one turns the order around and says it to
        assistive technology.
        """
        found = page(
            file(b"a"), segments=(b"",), order=ListingOrder(SortKey.SIZE, is_descending=True)
        )
        self.assertEqual(
            [href for href, _text in found.links[:3]],
            ["?sort=name&order=asc", "?sort=size&order=asc", "?sort=time&order=desc"],
        )
        self.assertEqual(found.sorts, [("size", "descending")])
        turned = page(file(b"a"), segments=(b"",))
        self.assertEqual(turned.links[0][0], "?sort=name&order=desc")
        self.assertEqual(turned.sorts, [("name", "ascending")])

    def test_content_security_policy(self) -> None:
        """
        The policy allows the page's one style block, by its hash, and the page has nothing else
        that would need to be allowed (CSP Level 3 section 6.7).
        """
        rendered = render_page((b"a", b""), make_listing([file(b"a")], ListingOrder()))
        (style,) = re.findall(rb"<style>(.*?)</style>", rendered.content, re.DOTALL)
        digest = b64encode(sha256(style).digest())
        self.assertIn(b"style-src 'sha256-" + digest + b"'", CONTENT_SECURITY_POLICY)
        self.assertIn((b"Content-Security-Policy", CONTENT_SECURITY_POLICY), rendered.fields)
        found = Page(rendered.content)
        self.assertFalse(found.tags & {"script", "link", "img", "iframe", "form", "base"})
        self.assertFalse([name for name in found.attributes if name.startswith("on")])
        self.assertNotIn("style", found.attributes)

    def test_times_out_of_range(self) -> None:
        """
        A time that no calendar has is left blank.
        """
        self.assertNotIn("time", page(file(b"a", modified=1 << 60)).tags)
        self.assertIn("0001-01-01", page(file(b"a", modified=-62135596800)).texts["time"])

    @settings(deadline=None, max_examples=100)
    @given(
        st.lists(
            st.builds(
                ListingEntry,
                st.one_of(
                    st.binary(max_size=12), st.text("<>&\"'/a;#\n", max_size=12).map(str.encode)
                ),
                st.booleans(),
                st.integers(0, 1 << 63),
                st.integers(-(1 << 63), 1 << 63),
            ),
            max_size=5,
        ),
        st.lists(st.binary(max_size=6), max_size=3),
    )
    def test_any_entries(self, entries: list[ListingEntry], folders: list[bytes]) -> None:
        """
        Whatever the names, the page has the elements and attributes of a page with an ordinary
        entry, each closed, and the links' texts are the names.
        """
        listing = make_listing(entries, ListingOrder())
        found = Page(render_page((*folders, b""), listing).content)
        ordinary = page(file(b"a"), ListingEntry(b"b", is_folder=True, size=0, modified=0))
        self.assertLessEqual(found.tags, ordinary.tags)
        self.assertLessEqual(found.attributes, ordinary.attributes)
        if listing.entries:
            self.assertEqual(
                [text for _href, text in found.links[-len(listing.entries) :]],
                [shown_name(entry.name) + "/" * entry.is_folder for entry in listing.entries],
            )
