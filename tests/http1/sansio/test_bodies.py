"""
L{netlab.http1.sansio.bodies}: reading and writing bodies, chunked ones above all (RFC 9112 section
7).
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.bodies import (
    BodyWriter,
    ChunkedReader,
    FixedReader,
    UntilCloseReader,
    body_reader,
)
from netlab.http1.sansio.errors import LocalProtocolError
from netlab.http1.sansio.fields import NO_FIELDS, Fields
from netlab.http1.sansio.framing import Delimited, Fixed
from netlab.http1.sansio.limits import Limits
from netlab.http1.sansio.messages import Content, EndOfMessage
from netlab.http1.sansio.receivebuffer import ReceiveBuffer
from netlab.http1.sansio.serversettings import ServerSettings
from tests.http1.bodies import CHUNKED, FramingCase
from tests.http1.deliveries import outcome_of
from tests.http1.sansio.test_fields import LINES


class ChunkedTests(FramingCase):
    """
    chunked-body, RFC 9112 section 7.1.
    """

    def test_chunks_are_joined(self) -> None:
        """
        Sizes are hexadecimal in either case, with leading zeros; content may hold anything.
        """
        self.assertEqual(
            self.accept_body(
                b"1\r\na\r\n0A\r\n0123456789\r\nc\r\n\r\n0\r\n\r\nGET /\r\n000\r\n\r\n"
            ),
            b"a0123456789\r\n0\r\n\r\nGET /",
        )
        self.assertEqual(self.accept_body(b"0\r\n\r\n"), b"")

    def test_size_is_ascii_hexadecimal_digits_alone(self) -> None:
        """
        What C{int(…, 16)}, C{strtol} or C{parseInt} let through besides is refused.
        """
        for size in (
            b"", b"g", b"+1", b"-1", b"0x1", b"0X1", b"1_0", b" 1", b"1 ", b"\t1", b"1\t", b"1 1",
            b"1.0", "１".encode(), b"\xb2", b"1;", b"1 ;", b"x", b"1g", b"1,2", b"0x", b"1h", b"-0",
            b"+0", b"\x0b1",
        ):  # fmt: skip
            self.refuse_body(size + b"\r\na\r\n0\r\n\r\n")

    def test_size_overflow(self) -> None:
        """
        A size that wraps around in 32 or 64 bits is not small; digits are counted, leading zeros
        among them.
        """
        self.refuse_body(b"100000001\r\na\r\n0\r\n\r\n", 413)
        self.refuse_body(b"7fffffffffffffff\r\na\r\n0\r\n\r\n", 413)
        self.refuse_body(b"ffffffffffffffff\r\na\r\n0\r\n\r\n")
        self.refuse_body(b"10000000000000001\r\na\r\n0\r\n\r\n")
        self.refuse_body(b"0" * 16 + b"1\r\na\r\n0\r\n\r\n")
        self.assertEqual(self.accept_body(b"0" * 15 + b"1\r\na\r\n0\r\n\r\n"), b"a")

    def test_lines_end_with_crlf_alone(self) -> None:
        """
        A bare LF or CR ends no chunk line (TERM.EXT, EXT.TERM attacks), also within extensions.
        """
        for body in (
            b"1\na\r\n0\r\n\r\n", b"1\ra\r\n0\r\n\r\n", b"1;a\nb\r\na\r\n0\r\n\r\n",
            b"1;a\rb\r\na\r\n0\r\n\r\n", b"0\n\n", b"0\r\n\n", b"0\n\r\n", b"0\r\r",
            b'1;a="\n"\r\na\r\n0\r\n\r\n', b"1\r\r\na\r\n0\r\n\r\n",
        ):  # fmt: skip
            self.refuse_body(body)

    def test_chunk_is_followed_by_crlf(self) -> None:
        """
        The two bytes behind a chunk are looked at: neither skipped nor searched for.
        """
        for body in (
            b"1\r\naXX0\r\n\r\n", b"1\r\na0\r\n\r\n", b"1\r\na\n0\r\n\r\n", b"1\r\na\r0\r\n\r\n",
            b"1\r\nab\r\n0\r\n\r\n", b"2\r\na\r\n0\r\n\r\n", b"1\r\na\n\r0\r\n\r\n",
            b"1\r\na \r\n0\r\n\r\n",
        ):  # fmt: skip
            outcome = outcome_of(CHUNKED + body)
            self.assertEqual(outcome.status, 400, body)
            self.assertEqual(outcome.ends, [])

    def test_last_chunk_is_followed_by_an_empty_line(self) -> None:
        """
        Without it the message is not complete, and the next request is no trailer field.
        """
        self.refuse_body(b"0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        outcome = outcome_of(CHUNKED + b"0\r\n", is_ended=True)
        self.assertEqual(outcome.status, 400)

    def test_end_of_stream_within_the_body_is_a_fault(self) -> None:
        """
        Wherever it comes before the last byte (RFC 9112 section 8).
        """
        body = b"1;a=b\r\na\r\n0\r\nA: b\r\n\r\n"
        for length in range(len(body)):
            outcome = outcome_of(CHUNKED + body[:length], is_ended=True)
            self.assertEqual((outcome.status, outcome.ends), (400, []), body[:length])

    def test_extensions_are_ignored_when_valid(self) -> None:
        """
        Section 7.1.1: names, tokens and quoted strings; anything else is 400.
        """
        for extension in (b";a", b";a=b", b' ; a = "b;c=\\"d"', b";a;b;c=d"):
            self.assertEqual(
                self.accept_body(b"1" + extension + b"\r\na\r\n0" + extension + b"\r\n\r\n"), b"a"
            )
        for extension in (
            b";",
            b";a=",
            b';a="',
            b";a b",
            b"; =b",
            b";\x00",
            b" a",
            b";a=b c",
            b";a=\x7f",
        ):
            self.refuse_body(b"1" + extension + b"\r\na\r\n0\r\n\r\n")

    def test_extension_of_one_chunk_is_bounded(self) -> None:
        """
        Exactly the limit passes; one byte more is 400, also while the line has not ended.
        """
        settings = ServerSettings(Limits(chunk_size_max_digits=4, chunk_extension_max_bytes=10))
        self.accept_body(b"1;aaaaaaaaa\r\na\r\n0\r\n\r\n", settings)
        self.refuse_body(b"1;aaaaaaaaaa\r\na\r\n0\r\n\r\n", 400, settings)
        self.refuse_body(b"1;" + b"a" * 14, 400, settings)
        self.refuse_body(b"1;" + b" " * 14, 400, settings)

    def test_extensions_of_all_chunks_are_bounded(self) -> None:
        """
        Many short extensions cost as much as one long one.
        """
        settings = ServerSettings(Limits(chunk_overhead_max_bytes=10))
        self.accept_body(b"1;a\r\nx\r\n" * 5 + b"0\r\n\r\n", settings)
        self.refuse_body(b"1;a\r\nx\r\n" * 6 + b"0\r\n\r\n", 400, settings)

    def test_content_is_bounded(self) -> None:
        """
        Content of exactly the limit passes; the chunk size that makes it more is 413 at once.
        """
        settings = ServerSettings(Limits(content_max_bytes=5))
        self.assertEqual(self.accept_body(b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n", settings), b"abcde")
        outcome = outcome_of(CHUNKED + b"2\r\nab\r\n4\r\ncdef\r\n0\r\n\r\n", settings)
        self.assertEqual((outcome.status, outcome.content), (413, b"ab"))
        self.refuse_body(b"6\r\n", 413, settings)

    def test_trailers_come_with_the_end(self) -> None:
        """
        Section 7.1.2: fields like any other, kept apart from the header section; framing fields
        among them frame nothing.
        """
        outcome = outcome_of(CHUNKED + b"0\r\nA: b\r\nContent-Length: 5\r\nHost: x\r\n\r\n")
        self.assertEqual(
            outcome.ends[0].trailers.lines,
            ((b"A", b"b"), (b"Content-Length", b"5"), (b"Host", b"x")),
        )
        self.assertNotIn(b"a", outcome.head.fields)
        self.assertTrue(outcome.may_go_on)

    def test_wrong_trailers_are_refused(self) -> None:
        """
        They are field lines as strict as those of a header section.
        """
        for line in (
            b"A",
            b"A : b",
            b" A: b",
            b": b",
            b"A: \x00",
            b"A: b\nC: d",
            b"A: b\rC: d",
            b"A: b\r\n c",
        ):
            self.refuse_body(b"0\r\n" + line + b"\r\n\r\n")

    def test_trailer_section_is_bounded(self) -> None:
        """
        In bytes and in lines, inclusive: 431; whichever fault is met first counts.
        """
        settings = ServerSettings(Limits(header_section_max_bytes=60, field_lines_max=4))
        self.accept_body(b"0\r\n" + b"A: " + b"b" * 55 + b"\r\n\r\n", settings)
        self.refuse_body(b"0\r\n" + b"A: " + b"b" * 56 + b"\r\n\r\n", 431, settings)
        self.refuse_body(b"0\r\n" + b"A: " + b"b" * 90, 431, settings)
        self.accept_body(b"0\r\n" + b"A: b\r\n" * 4 + b"\r\n", settings)
        self.refuse_body(b"0\r\n" + b"A: b\r\n" * 5 + b"\r\n", 431, settings)
        self.refuse_body(b"0\r\nA: \x00\r\n" + b"A: b\r\n" * 5 + b"\r\n", 400, settings)
        self.refuse_body(b"0\r\nA: \x00" + b"b" * 90 + b"\r\n\r\n", 400, settings)
        self.refuse_body(b"0\r\nA: " + b"b" * 90 + b"\x00\r\n\r\n", 431, settings)

    def test_wrong_byte_is_answered_at_once(self) -> None:
        """
        A chunk line or trailer that can no longer become one is refused before its end comes.
        """
        for begun in (
            b"1\n",
            b"1\x00",
            b"1\rX",
            b"1\r\na\n",
            b"1\r\naX",
            b"0\r\n\n",
            b"0\r\nA\x00",
        ):
            self.assertEqual(outcome_of(CHUNKED + begun).status, 400, begun)


class ReaderTests(SynchronousTestCase):
    """
    The readers one by one.
    """

    def test_each_framing_has_its_reader(self) -> None:
        """
        L{body_reader} knows all framings.
        """
        limits = Limits()
        self.assertIsInstance(body_reader(Fixed(3), limits), FixedReader)
        self.assertIsInstance(body_reader(Delimited.CHUNKED, limits), ChunkedReader)
        self.assertIsInstance(body_reader(Delimited.UNTIL_CLOSE, limits), UntilCloseReader)

    def test_chunked_content_is_unbounded_unless_a_bound_is_given(self) -> None:
        """
        A client reads answers of any length; a server gives its bound.
        """
        buffer = ReceiveBuffer()
        buffer.append(b"200000\r\nabc")
        self.assertEqual(body_reader(Delimited.CHUNKED, Limits()).read(buffer), Content(b"abc"))

    def test_until_close(self) -> None:
        """
        All there is, until the stream ends.
        """
        reader, buffer = UntilCloseReader(), ReceiveBuffer()
        self.assertIsNone(reader.read(buffer))
        buffer.append(b"abc")
        self.assertEqual(reader.read(buffer), Content(b"abc"))
        self.assertEqual(reader.read_end(), EndOfMessage())

    def test_fixed_ends_once_complete(self) -> None:
        """
        The end of stream behind a complete body is no fault, and bytes behind it stay.
        """
        reader, buffer = FixedReader(3), ReceiveBuffer()
        buffer.append(b"abcdef")
        self.assertEqual(reader.read(buffer), Content(b"abc"))
        self.assertEqual(reader.read(buffer), EndOfMessage())
        self.assertEqual(reader.read_end(), EndOfMessage())
        self.assertEqual(buffer.take_all(), b"def")


class BodyWriterTests(SynchronousTestCase):
    """
    What we send ourselves.
    """

    def test_fixed(self) -> None:
        """
        Content passes as it is; more, or less at the end, than its length is a mistake of ours.
        """
        writer = BodyWriter(Fixed(3))
        self.assertEqual(writer.write(b"ab"), b"ab")
        self.assertRaises(LocalProtocolError, writer.write, b"cd")
        self.assertRaises(LocalProtocolError, writer.write_end, NO_FIELDS)
        self.assertEqual(writer.write(b"c") + writer.write_end(NO_FIELDS), b"c")

    def test_chunked(self) -> None:
        """
        Each piece is a chunk; an empty one is nothing, because a chunk of size 0 is the last.
        """
        writer = BodyWriter(Delimited.CHUNKED)
        self.assertEqual(writer.write(b"x" * 26), b"1a\r\n" + b"x" * 26 + b"\r\n")
        self.assertEqual(writer.write(b""), b"")
        self.assertEqual(writer.write_end(Fields([(b"A", b"b")])), b"0\r\nA: b\r\n\r\n")

    def test_until_close(self) -> None:
        """
        Content passes as it is, and nothing marks its end.
        """
        writer = BodyWriter(Delimited.UNTIL_CLOSE)
        self.assertEqual(writer.write(b"ab") + writer.write_end(NO_FIELDS), b"ab")

    def test_content_that_leaves_by_another_way(self) -> None:
        """
        It is counted against the length, and cannot be chunked.
        """
        writer = BodyWriter(Fixed(3))
        writer.count(2)
        self.assertRaises(LocalProtocolError, writer.count, 2)
        writer.count(1)
        self.assertEqual(writer.write_end(NO_FIELDS), b"")
        self.assertRaises(LocalProtocolError, BodyWriter(Delimited.CHUNKED).count, 1)
        BodyWriter(Delimited.UNTIL_CLOSE).count(9)

    def test_trailers_need_chunks(self) -> None:
        """
        Only a chunked body has a trailer section (RFC 9112 section 7.1.2).
        """
        trailers = Fields([(b"A", b"b")])
        for framing in (Fixed(0), Delimited.UNTIL_CLOSE):
            self.assertRaises(LocalProtocolError, BodyWriter(framing).write_end, trailers)

    @given(
        st.lists(st.binary(max_size=20), max_size=6),
        LINES,
        st.lists(st.integers(0, 200), max_size=5),
    )
    @settings(deadline=None, max_examples=200)
    def test_writing_then_reading_chunks_is_identity(
        self, pieces: list[bytes], lines: list[tuple[bytes, bytes]], cuts: list[int]
    ) -> None:
        """
        Content and trailers come out as they went in, however the bytes are cut.
        """
        writer, reader, buffer = (
            BodyWriter(Delimited.CHUNKED),
            ChunkedReader(Limits()),
            ReceiveBuffer(),
        )
        wire = b"".join(map(writer.write, pieces)) + writer.write_end(Fields(lines))
        content, end, begin = b"", None, 0
        for cut in sorted({min(cut, len(wire)) for cut in cuts} | {len(wire)}):
            buffer.append(wire[begin:cut])
            begin = cut
            while (event := reader.read(buffer)) is not None:
                if isinstance(event, EndOfMessage):
                    end = event
                    break
                content += event.data
        self.assertEqual((content, end), (b"".join(pieces), EndOfMessage(Fields(lines))))
        self.assertEqual(len(buffer), 0)
