"""
Tests for L{netlab.http1.resources.redirects}.
"""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.resources.faults import FaultyFileError, InjectedFault
from netlab.http1.resources.redirects import Redirection, parse_redirects
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.target import decode_segments


def redirection(rules: bytes, path: bytes, query: bytes | None = None) -> Redirection | None:
    """
    Look a request's path up in these rules.
    """
    return parse_redirects(rules).lookup(decode_segments(path), query)


def location(rules: bytes, path: bytes, query: bytes | None = None) -> bytes | None:
    """
    Look a request's path up in these rules, for the location only.
    """
    found = redirection(rules, path, query)
    return None if found is None else found.location


def faults(rules: bytes) -> list[tuple[int, str]]:
    """
    Read a faulty file.
    """
    try:
        parse_redirects(rules)
    except FaultyFileError as error:
        return [(fault.line, fault.explanation) for fault in error.faults]
    return []


class LookupTests(SynchronousTestCase):
    """
    A path to its redirection, RFC 9110 section 15.4.
    """

    def test_exact(self) -> None:
        """
        A rule for a path covers this path only.
        """
        rules = b"/old /new 302\n"
        self.assertEqual(redirection(rules, b"/old"), Redirection(302, b"/new"))
        for path in (b"/", b"/old/", b"/old/x", b"/Old", b"/older", b"/x/old"):
            with self.subTest(path=path):
                self.assertIsNone(redirection(rules, path))

    def test_statuses(self) -> None:
        """
        301 is the status unless one is given.
        """
        self.assertEqual(redirection(b"/a /b", b"/a"), Redirection(301, b"/b"))
        for status in (301, 302, 303, 307, 308):
            with self.subTest(status=status):
                self.assertEqual(
                    redirection(b"/a /b %d" % status, b"/a"), Redirection(status, b"/b")
                )

    def test_prefix(self) -> None:
        """
        A prefix covers what lies below it, the folder itself included, but not the name without
        its slash.
        """
        rules = b"/blog/* /news/:splat"
        self.assertEqual(location(rules, b"/blog/a/b.html"), b"/news/a/b.html")
        self.assertEqual(location(rules, b"/blog/"), b"/news/")
        self.assertEqual(location(rules, b"/blog/a/"), b"/news/a/")
        self.assertIsNone(location(rules, b"/blog"))
        self.assertIsNone(location(rules, b"/blogs/a"))

    def test_prefix_without_splat(self) -> None:
        """
        Without C{:splat} all that a prefix covers leads to one place.
        """
        self.assertEqual(location(b"/a/* /gone", b"/a/b/c"), b"/gone")

    def test_everything(self) -> None:
        """
        C{/*} covers every path.
        """
        rules = b"/* https://new.example/:splat"
        self.assertEqual(location(rules, b"/"), b"https://new.example/")
        self.assertEqual(location(rules, b"/a/b"), b"https://new.example/a/b")

    def test_precedence(self) -> None:
        """
        An exact rule comes before a prefix and a longer prefix before a shorter one, in whatever
        order they stand.
        """
        rules = b"/a/* /1\n/a/b/* /2\n/a/b/c /3\n/a/b/c/d/* /4\n"
        for text in (rules, b"\n".join(reversed(rules.splitlines()))):
            self.assertEqual(location(text, b"/a/x"), b"/1")
            self.assertEqual(location(text, b"/a/b"), b"/1")
            self.assertEqual(location(text, b"/a/b/x"), b"/2")
            self.assertEqual(location(text, b"/a/b/c"), b"/3")
            self.assertEqual(location(text, b"/a/b/c/d"), b"/2")
            self.assertEqual(location(text, b"/a/b/c/d/e"), b"/4")

    def test_percent_encoding(self) -> None:
        """
        Paths are the same however they are encoded (RFC 3986 section 6.2.2), UTF-8 in the file
        included; the location is ASCII.
        """
        rules = "/straße/* /weg/ä/:splat".encode()
        self.assertEqual(location(rules, b"/stra%c3%9Fe/%78"), b"/weg/%C3%A4/x")
        self.assertEqual(location(b"/a%20b /c", b"/%61%20b"), b"/c")

    def test_splat_is_encoded_anew(self) -> None:
        """
        What the splat brings in stays within its segment: an encoded slash, question mark, space
        or line end is encoded in the location too.
        """
        rules = b"/a/* /b/:splat"
        self.assertEqual(location(rules, b"/a/x%2Fy%3Fz%23"), b"/b/x%2Fy%3Fz%23")
        self.assertEqual(location(rules, b"/a/%0d%0aSet-Cookie:%20a"), b"/b/%0D%0ASet-Cookie:%20a")
        self.assertEqual(location(rules, b"/a/%5C%ff"), b"/b/%5C%FF")

    def test_splat_in_query(self) -> None:
        """
        In a query the splat can add no parameter of its own.
        """
        self.assertEqual(location(b"/a/* /find?q=:splat", b"/a/x&y=1+2"), b"/find?q=x%26y%3D1%2B2")

    def test_splat_is_no_host(self) -> None:
        """
        A splat that begins with slashes or backslashes never makes C{//host} (RFC 3986
        section 4.2; the WHATWG's URL parser takes a backslash for a slash).
        """
        rules = b"/a/* /:splat"
        self.assertEqual(location(rules, b"/a//evil.example/"), b"/evil.example/")
        self.assertEqual(location(rules, b"/a////evil.example/"), b"/evil.example/")
        self.assertEqual(location(rules, b"/a/%2F/evil.example"), b"/%2F/evil.example")
        self.assertEqual(location(rules, b"/a/%5Cevil.example"), b"/%5Cevil.example")
        self.assertEqual(location(rules, b"/a/"), b"/")

    def test_query(self) -> None:
        """
        The request's query goes along, unless the rule has one, and comes before a fragment.
        """
        self.assertEqual(location(b"/a /b", b"/a", b"x=1"), b"/b?x=1")
        self.assertEqual(location(b"/a /b", b"/a", b""), b"/b")
        self.assertEqual(location(b"/a /b?y=2", b"/a", b"x=1"), b"/b?y=2")
        self.assertEqual(location(b"/a /b#c", b"/a", b"x=1"), b"/b?x=1#c")
        self.assertEqual(location(b"/a /b", b"/a", b"x={\\}"), b"/b?x=%7B%5C%7D")

    def test_absolute(self) -> None:
        """
        A rule may lead to another host; its path begins with a slash in any case.
        """
        self.assertEqual(location(b"/a HTTPS://b.example", b"/a"), b"HTTPS://b.example/")
        self.assertEqual(location(b"/a http://[::1]:80/x", b"/a"), b"http://[::1]:80/x")
        self.assertEqual(location(b"/a http://b.example?q", b"/a"), b"http://b.example/?q")

    def test_file_syntax(self) -> None:
        """
        Comments and empty lines say nothing; CRLF, tabs and a byte order mark do no harm.
        """
        rules = parse_redirects(b"\xef\xbb\xbf# x\r\n\r\n\t/a\t \t/b  301\r\n   # y\n/c /d")
        self.assertEqual([rule.line for rule in rules.rules], [3, 5])
        self.assertEqual(len(parse_redirects(b"")), 0)
        self.assertIsNone(parse_redirects(b"").lookup((b"",)))

    def test_many_rules(self) -> None:
        """
        Ten thousand rules are read, and each is found.
        """
        text = b"".join(b"/old/%d /new/%d\n/p%d/* /q/:splat\n" % (i, i, i) for i in range(5000))
        rules = parse_redirects(text)
        self.assertEqual(rules.lookup((b"old", b"4999")), Redirection(301, b"/new/4999"))
        self.assertEqual(rules.lookup((b"p4999", b"x")), Redirection(301, b"/q/x"))

    @settings(deadline=None, max_examples=200)
    @given(
        st.sampled_from(
            [
                b"/a/* /:splat",
                b"/a/* /b:splat",
                b"/a/* /b/:splat?q=:splat#f",
                b"/a/* https://h.example/:splat",
                b"/a/* https://h.example?:splat",
            ]
        ),
        st.lists(
            st.binary(max_size=6).filter(lambda segment: segment not in {b".", b".."}), max_size=5
        ),
        st.one_of(st.none(), st.binary(max_size=10)),
    )
    def test_any_splat(self, rule: bytes, splat: list[bytes], query: bytes | None) -> None:
        """
        Whatever a request asks for, the location is a valid field value of ASCII without spaces,
        and leads where the rule says: to our own host, or to the one it names.
        """
        found = parse_redirects(rule).lookup((b"a", *splat, b""), query)
        assert found is not None
        Fields([(b"Location", found.location)])
        text = found.location.decode("ascii")
        self.assertNotIn(" ", text)
        self.assertNotIn("\\", text)
        host = urlsplit(urljoin("http://us.example/a/b", text)).netloc
        self.assertEqual(host, "h.example" if b"//" in rule else "us.example")


class FaultsTests(SynchronousTestCase):
    """
    What is found at start.
    """

    def assert_fault(self, rule: bytes, words: str) -> None:
        """
        One rule has one fault, and its explanation says so.
        """
        found = faults(rule)
        self.assertEqual([line for line, _explanation in found], [1])
        self.assertIn(words, found[0][1])

    def test_every_line_is_judged(self) -> None:
        """
        All faulty lines are reported with their numbers, counted from 1.
        """
        found = faults(b"# x\n/a\n/b /c 200\n/ok /there\nno /d\n")
        self.assertEqual([line for line, _explanation in found], [2, 3, 5])

    def test_words(self) -> None:
        """
        A rule has two or three words.
        """
        self.assert_fault(b"/a", "a path, where it leads")
        self.assert_fault(b"/a /b 301 Country=us", "a path, where it leads")

    def test_status(self) -> None:
        """
        Only statuses that redirect are known, neither Netlify's rewrites nor its forced rules.
        """
        for status in (b"200", b"404", b"300", b"304", b"301!", b"x", b"0301"):
            with self.subTest(status=status):
                self.assert_fault(b"/a /b " + status, "is not one of the statuses")

    def test_source(self) -> None:
        """
        FROM is a path that a request can have: without query, fragment, host or two dots.
        """
        for source in (
            b"a", b"http://a/b", b"/a?b", b"/a%zz", b"/../a", b"/a/%2e%2e/*", b"/%00",
            b"/a\x00", b"*",
        ):  # fmt: skip
            with self.subTest(source=source):
                self.assertEqual([line for line, _ in faults(source + b" /x")], [1])

    def test_asterisk(self) -> None:
        """
        An asterisk stands only at the end, after a slash, and there is no other placeholder.
        """
        for source in (b"/a*", b"/*/a", b"/a/*/*", b"/a/**"):
            with self.subTest(source=source):
                self.assert_fault(source + b" /x", "the asterisk")
        self.assert_fault(b"/a/:year /x", "placeholder")

    def test_destination(self) -> None:
        """
        TO is a path or an http or https URI with a valid host.
        """
        for destination in (
            b"b", b"javascript:alert(1)", b"ftp://a/", b"https://", b"https:///x",
            b"https://u@h/", b"https://h:99999/", b"/%zz", b"/a#b#c",
        ):  # fmt: skip
            with self.subTest(destination=destination):
                self.assertEqual([line for line, _ in faults(b"/a " + destination)], [1])

    def test_destination_is_no_host(self) -> None:
        """
        A path that a browser takes for a host is refused.
        """
        for destination in (b"//evil.example", b"/\\evil.example", b"///x"):
            with self.subTest(destination=destination):
                self.assert_fault(b"/a " + destination, "another host")

    def test_splat(self) -> None:
        """
        C{:splat} needs an asterisk, and stands in a path or a query.
        """
        self.assert_fault(b"/a /b/:splat", "no asterisk")
        self.assert_fault(b"/a/* https://:splat/", "in the host")
        self.assert_fault(b"/a/* https://h:splat/", "in the host")
        self.assert_fault(b"/a/* /b#:splat", "in the fragment")

    def test_twice(self) -> None:
        """
        Two rules for one path, in whatever encoding, are a fault of the second, which names the
        first; a path and a prefix are two things.
        """
        found = faults(b"/a /b\n\n/%61 /c\n")
        self.assertEqual([line for line, _explanation in found], [3])
        self.assertIn("line 1", found[0][1])
        self.assertEqual(faults(b"/a/* /b\n/a/ /c\n"), [])

    def test_loops(self) -> None:
        """
        Rules that lead back to themselves are named, with the lines on the way.
        """
        self.assertEqual(faults(b"/a /a"), [(1, "the rule leads back to itself")])
        self.assertEqual(
            faults(b"/a /b\n/b /c\n/c /a\n"),
            [
                (1, "the rule leads back to itself by way of lines 2, 3"),
                (2, "the rule leads back to itself by way of lines 3, 1"),
                (3, "the rule leads back to itself by way of lines 1, 2"),
            ],
        )

    def test_loops_of_prefixes(self) -> None:
        """
        A prefix that covers its own destination is a loop, also where the path grows each time.
        """
        self.assertEqual(faults(b"/* /index.html"), [(1, "the rule leads back to itself")])
        self.assertEqual(faults(b"/a/* /a/b/:splat"), [(1, "the rule leads back to itself")])
        self.assertEqual([line for line, _ in faults(b"/a/* /b/:splat\n/b/c/* /a/c/:splat\n")], [2])

    def test_loops_that_grow(self) -> None:
        """
        A destination that has the rest of the path twice doubles it with each hop; it is followed
        only so far.
        """
        found = faults(b"/* /a*/:splat*/:splat")
        self.assertEqual(found, [(1, "the rule leads to longer and longer paths")])

    def test_query_does_not_hide_a_loop(self) -> None:
        """
        A query or fragment in the destination makes no other path of it.
        """
        self.assertEqual([line for line, _ in faults(b"/a /a?x#y")], [1])

    def test_into_a_loop(self) -> None:
        """
        A rule that leads into a loop of others is named too.
        """
        found = faults(b"/x /a\n/a /a\n")
        self.assertEqual([line for line, _explanation in found], [1, 2])

    def test_chains(self) -> None:
        """
        Twenty redirects in a row pass; browsers give up after them, so one more is a fault.
        """
        text = b"".join(b"/%d /%d\n" % (i, i + 1) for i in range(20))
        self.assertEqual(faults(text), [])
        self.assertEqual(
            faults(text + b"/start /0\n"),
            [(21, "the rule leads through more than 20 redirects")],
        )

    def test_other_hosts_end_a_chain(self) -> None:
        """
        A rule that leads to another host is not followed.
        """
        self.assertEqual(faults(b"/* https://new.example/:splat"), [])

    @settings(deadline=None, max_examples=200)
    @given(
        st.one_of(
            st.binary(max_size=60), st.text("/a*:splat 30128\n#?%.", max_size=60).map(str.encode)
        )
    )
    def test_any_file(self, content: bytes) -> None:
        """
        Any bytes are rules, or faults with their lines and words in printable ASCII.
        """
        try:
            parse_redirects(content)
        except FaultyFileError as error:
            lines = content.count(b"\n") + 1
            for fault in error.faults:
                self.assertIsInstance(fault, InjectedFault)
                self.assertIn(fault.line, range(1, lines + 1))
                self.assertTrue(fault.explanation.isascii() and fault.explanation.isprintable())
