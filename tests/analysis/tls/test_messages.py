"""
Tests for L{netlab.analysis.tls.messages}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.tls import messages
from netlab.analysis.tls.carriers import FRAMES_CITED_MAX, ByteSpan, Travel, travel_of
from netlab.analysis.tls.messages import (
    MESSAGE_MAX_BYTES,
    HandshakeMessage,
    HandshakeReader,
    certificates,
    client_hello,
    server_hello,
)
from tests.analysis.tls.played import Terms, begin

TRAVEL = Travel((1,), 0, 0)


def message(body: bytes, *, is_whole: bool = True) -> HandshakeMessage:
    """
    Make a message of what would be its body.
    """
    return HandshakeMessage(1, body, is_whole, TRAVEL)


def vector(size: int, data: bytes) -> bytes:
    """
    Write a vector with its length.
    """
    return len(data).to_bytes(size) + data


def extension(kind: int, data: bytes) -> bytes:
    """
    Write an extension.
    """
    return kind.to_bytes(2) + vector(2, data)


def hello(*extensions: bytes, session: bytes = b"", suites: bytes = b"\x13\x01") -> bytes:
    """
    Write the body of a ClientHello.
    """
    head = b"\x03\x03" + bytes(32) + vector(1, session) + vector(2, suites) + b"\x01\x00"
    return head + vector(2, b"".join(extensions))


HELLO = b"".join(data for end, data in begin(Terms("1.2")).sent[:1] if end == "c")[9:]


class ClientHelloTests(SynchronousTestCase):
    """
    RFC 8446 section 4.1.2.
    """

    def test_grease(self) -> None:
        """
        Numbers and names that mean nothing (RFC 8701) are left out.
        """
        found = client_hello(
            message(
                hello(
                    extension(43, vector(1, b"\x3a\x3a\x03\x04\x03\x03")),
                    extension(
                        51, vector(2, b"\x4a\x4a\x00\x01\x00" + b"\x00\x1d" + vector(2, b"x"))
                    ),
                    extension(16, vector(2, vector(1, b"\x5a\x5a") + vector(1, b"h2"))),
                    suites=b"\x0a\x0a\x13\x02\xc0\x2f",
                )
            )
        )
        assert found is not None
        self.assertEqual(found.versions, (0x0304, 0x0303))
        self.assertEqual(found.key_shares, (0x001D,))
        self.assertEqual(found.alpn, (b"h2",))
        self.assertEqual(found.cipher_suites, (0x1302, 0xC02F))

    def test_marks(self) -> None:
        """
        A ticket counts only if there is one; early data, pre-shared keys and ECH by being named.
        """
        bare = client_hello(message(hello(extension(35, b""))))
        assert bare is not None
        self.assertFalse(bare.has_ticket or bare.has_psk or bare.has_early_data)
        full = client_hello(
            message(hello(*(extension(kind, b"x") for kind in (35, 41, 42, 0xFE0D))))
        )
        assert full is not None
        self.assertTrue(full.has_ticket)
        self.assertTrue(full.has_psk)
        self.assertTrue(full.has_early_data)
        self.assertTrue(full.has_encrypted_hello)
        self.assertIsNone(full.server_name)

    def test_twice(self) -> None:
        """
        Of an extension that is there twice the first counts.
        """
        names = [extension(0, vector(2, b"\x00" + vector(2, name))) for name in (b"a", b"b")]
        found = client_hello(message(hello(*names)))
        assert found is not None
        self.assertEqual(found.server_name, b"a")

    def test_bounds(self) -> None:
        """
        A name beyond what DNS allows is cut, and of lists without end the beginning is kept.
        """
        found = client_hello(
            message(
                hello(
                    extension(0, vector(2, b"\x00" + vector(2, b"a" * 5000))),
                    extension(16, vector(2, vector(1, b"x") * 5000)),
                    extension(51, vector(2, b"\x00\x1d\x00\x00" * 5000)),
                    suites=b"\x13\x01" * 20000,
                )
            )
        )
        assert found is not None
        self.assertEqual(len(found.server_name or b""), messages.NAME_MAX_BYTES)
        self.assertEqual(len(found.alpn), messages.ALPN_MAX)
        self.assertEqual(len(found.key_shares), messages.NUMBERS_MAX)
        self.assertEqual(len(found.cipher_suites), messages.NUMBERS_MAX)

    def test_cut(self) -> None:
        """
        Of OpenSSL's hello, each beginning that has the random is read and says nothing that the
        whole does not.
        """
        whole = client_hello(message(HELLO))
        assert whole is not None
        self.assertTrue(whole.is_whole)
        self.assertIsNone(client_hello(message(HELLO[:33])))
        for end in range(34, len(HELLO)):
            found = client_hello(message(HELLO[:end], is_whole=False))
            assert found is not None
            self.assertFalse(found.is_whole)
            self.assertEqual(found.random, whole.random)
            self.assertIn(found.server_name, (None, whole.server_name))
            self.assertEqual(found.cipher_suites, whole.cipher_suites[: len(found.cipher_suites)])

    @given(st.binary(max_size=300), st.integers(0, 60))
    def test_any(self, data: bytes, at: int) -> None:
        """
        Any bytes, alone or in the middle of a hello, make values or none.
        """
        for body in (data, HELLO[:at] + data + HELLO[at:], hello(data)):
            found = client_hello(message(body))
            if found is not None:
                self.assertEqual(len(found.random), 32)
            server_hello(message(body))
            messages.encrypted_extensions_alpn(message(body))
            for version in (0x0303, 0x0304):
                listed = certificates(message(body), version)
                self.assertLessEqual(sum(map(len, listed)), len(body))


class HandshakeReaderTests(SynchronousTestCase):
    """
    Messages across records.
    """

    def test_across(self) -> None:
        """
        Messages are put together from records that cut them anywhere, with their frames.
        """
        data = b"\x01" + vector(3, b"hello") + b"\x02" + vector(3, b"you")
        for cut in range(1, len(data)):
            reader = HandshakeReader()
            found = reader.receive(data[:cut], [ByteSpan(0, cut, 1, 10)])
            found += reader.receive(data[cut:], [ByteSpan(0, len(data) - cut, 2, 20)])
            self.assertEqual(
                [(each.type, each.body) for each in found], [(1, b"hello"), (2, b"you")]
            )
            self.assertEqual(found[0].travel.frames, (1,) if cut >= 9 else (1, 2))
            self.assertEqual(found[1].travel.frames, (2,) if cut <= 9 else (1, 2))

    def test_too_long(self) -> None:
        """
        A message that says that it is longer than any is given up, and no memory kept for it.
        """
        reader = HandshakeReader()
        data = b"\x0b" + (MESSAGE_MAX_BYTES + 1).to_bytes(3) + b"x" * 100
        (found,) = reader.receive(data, [ByteSpan(0, len(data), 1, 1)])
        self.assertFalse(found.is_whole)
        self.assertTrue(reader.is_lost)
        for _ in range(100):
            self.assertEqual(reader.receive(data, [ByteSpan(0, len(data), 1, 1)]), [])
        self.assertEqual(len(reader._buffer), 0)

    def test_frames(self) -> None:
        """
        Of many frames the first ones and the last are named.
        """
        spans = [ByteSpan(at, at + 1, at + 1, at) for at in range(1000)]
        found = travel_of(spans)
        self.assertEqual(len(found.frames), FRAMES_CITED_MAX)
        self.assertEqual((found.frames[0], found.frames[-1]), (1, 1000))
        self.assertEqual((found.start_ns, found.end_ns), (0, 999))
