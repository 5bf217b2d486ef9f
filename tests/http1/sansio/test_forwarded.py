"""
Tests for L{netlab.http1.sansio.forwarded}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.forwarded import (
    ForwardedClient,
    TrustedNetwork,
    TrustedProxies,
    parse_trusted,
)

PROXIES = TrustedProxies(parse_trusted(text) for text in ("10.0.0.0/8", "2001:db8::/32"))
BY_FORWARDED = TrustedProxies([parse_trusted("10.0.0.0/8=forwarded")])


def x_forwarded(*values: str, proto: str = "") -> Fields:
    """
    Write the fields that proxies add.
    """
    lines = [(b"X-Forwarded-For", value.encode()) for value in values]
    if proto:
        lines.append((b"X-Forwarded-Proto", proto.encode()))
    return Fields(lines)


def forwarded(*values: str) -> Fields:
    """
    Write the standard's field.
    """
    return Fields([(b"Forwarded", value.encode()) for value in values])


class XForwardedTests(SynchronousTestCase):
    """
    X-Forwarded-For and X-Forwarded-Proto.
    """

    def assert_client(self, fields: Fields, address: str, scheme: str = "") -> None:
        """
        A request that a proxy has handed on is this client's.
        """
        self.assertEqual(PROXIES.client("10.0.0.1", fields), ForwardedClient(address, scheme))

    def test_not_trusted(self) -> None:
        """
        Anyone else may say what he likes.
        """
        fields = x_forwarded("192.0.2.1", proto="https")
        for peer in ("203.0.113.5", "2001:db9::1", "", "no address"):
            self.assertEqual(PROXIES.client(peer, fields), ForwardedClient(peer, ""))

    def test_one_hop(self) -> None:
        """
        The proxy's word counts.
        """
        self.assert_client(x_forwarded("192.0.2.1", proto="https"), "192.0.2.1", "https")
        self.assert_client(x_forwarded("192.0.2.1"), "192.0.2.1")
        self.assert_client(x_forwarded(), "10.0.0.1")

    def test_from_the_right(self) -> None:
        """
        What a client has sent itself stands to the left, and does not count.
        """
        self.assert_client(x_forwarded("1.1.1.1, 192.0.2.1"), "192.0.2.1")
        self.assert_client(x_forwarded("1.1.1.1", "192.0.2.1"), "192.0.2.1")
        self.assert_client(x_forwarded("1.1.1.1, 192.0.2.1, 10.2.3.4, 2001:db8::5"), "192.0.2.1")
        self.assert_client(x_forwarded("10.9.9.9, 10.2.3.4"), "10.9.9.9")

    def test_hidden(self) -> None:
        """
        Where a hop does not say whom it has it from, the last known one stands for the client.
        """
        for text in (
            "unknown",
            "_hidden",
            "256.1.1.1",
            "1.1.1",
            "[::1",
            "example.org",
            "1.1.1.1 x",
        ):
            self.assert_client(x_forwarded(f"1.1.1.1, {text}"), "10.0.0.1")
            self.assert_client(x_forwarded(f"1.1.1.1, {text}, 10.2.3.4"), "10.2.3.4")

    def test_ports(self) -> None:
        """
        A port is left out.
        """
        self.assert_client(x_forwarded("192.0.2.1:4711"), "192.0.2.1")
        self.assert_client(x_forwarded("[2001:db9::1]:4711"), "2001:db9::1")
        self.assert_client(x_forwarded("2001:db9::1"), "2001:db9::1")

    def test_schemes(self) -> None:
        """
        The nearest proxy's word, which stands on the right; what is no scheme is none.
        """
        self.assert_client(x_forwarded("192.0.2.1", proto="http, https"), "192.0.2.1", "https")
        self.assert_client(x_forwarded("192.0.2.1", proto="javascript"), "192.0.2.1", "")

    def test_forwarded_does_not_count(self) -> None:
        """
        Forwarded comes from anyone where the proxies write the other fields.
        """
        self.assert_client(forwarded("for=192.0.2.1"), "10.0.0.1")

    def test_many(self) -> None:
        """
        No more than 16 hops are read.
        """
        self.assert_client(x_forwarded("192.0.2.1" + ", 10.1.1.1" * 15), "192.0.2.1")
        self.assert_client(x_forwarded("192.0.2.1" + ", 10.1.1.1" * 16), "10.1.1.1")

    def test_mapped(self) -> None:
        """
        An IPv4 address on an IPv6 socket is the same proxy.
        """
        client = PROXIES.client("::ffff:10.0.0.1", x_forwarded("192.0.2.1"))
        self.assertEqual(client.address, "192.0.2.1")


class ForwardedTests(SynchronousTestCase):
    """
    Forwarded, with the examples of RFC 7239.
    """

    def assert_client(self, fields: Fields, address: str, scheme: str = "") -> None:
        """
        A request that a proxy has handed on is this client's.
        """
        self.assertEqual(BY_FORWARDED.client("10.0.0.1", fields), ForwardedClient(address, scheme))

    def test_examples(self) -> None:
        """
        Those of section 4 and section 7.1.
        """
        self.assert_client(forwarded('For="[2001:db8:cafe::17]:4711"'), "2001:db8:cafe::17")
        line = "for=192.0.2.60;proto=http;by=203.0.113.43"
        self.assert_client(forwarded(line), "192.0.2.60", "http")
        self.assert_client(forwarded("for=192.0.2.43, for=198.51.100.17"), "198.51.100.17")
        self.assert_client(forwarded("for=192.0.2.43", "for=10.1.1.1"), "192.0.2.43")
        self.assert_client(forwarded("for=_gazonk"), "10.0.0.1")
        self.assert_client(forwarded("for=unknown"), "10.0.0.1")

    def test_quoted(self) -> None:
        """
        A comma or semicolon in a quoted string ends nothing.
        """
        line = 'for=1.1.1.1;host="a, for=2.2.2.2; b", for="192.0.2.1";host="\\"x"'
        self.assert_client(forwarded(line), "192.0.2.1")

    def test_broken(self) -> None:
        """
        An element that breaks the grammar says nothing, and ends the way to the left.
        """
        for text in (
            "for",
            "for=",
            'for="1.1.1.1',
            "for=1.1.1.1 for=2.2.2.2",
            "=x",
            "for=1.1.1.1;;x",
        ):
            self.assert_client(forwarded(f"for=3.3.3.3, {text}"), "10.0.0.1")

    def test_other_fields_do_not_count(self) -> None:
        """
        The X- fields come from anyone where the proxies write Forwarded.
        """
        self.assert_client(x_forwarded("192.0.2.1", proto="https"), "10.0.0.1")

    @given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60))
    def test_anything(self, text: str) -> None:
        """
        Anything is read without a fault, and gives an address.
        """
        for proxies, fields in ((PROXIES, x_forwarded(text)), (BY_FORWARDED, forwarded(text))):
            self.assertTrue(proxies.client("10.0.0.1", fields).address)


class OptionTests(SynchronousTestCase):
    """
    Tests for L{parse_trusted}.
    """

    def test_read(self) -> None:
        """
        An address, a network, and which field is believed.
        """
        self.assertFalse(parse_trusted("192.0.2.1").uses_forwarded)
        self.assertTrue(parse_trusted("2001:db8::/32=forwarded").uses_forwarded)

    def test_refused(self) -> None:
        """
        What is no network, one with bits below its mask, or another field.
        """
        for text in ("", "example.org", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/8=x", "=forwarded"):
            self.assertRaises(ValueError, parse_trusted, text)

    def test_first_that_fits(self) -> None:
        """
        Of networks that overlap the first one says which field.
        """
        both = [parse_trusted("10.1.0.0/16=forwarded"), parse_trusted("10.0.0.0/8")]
        proxies = TrustedProxies(both)
        self.assertEqual(proxies.client("10.1.1.1", forwarded("for=1.1.1.1")).address, "1.1.1.1")
        self.assertEqual(proxies.client("10.2.1.1", x_forwarded("1.1.1.1")).address, "1.1.1.1")
        self.assertIsInstance(both[0], TrustedNetwork)
