"""
L{netlab.http1.framing}: how long a body is, and the codecs (RFC 9112 sections 6 and 7).
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.errors import LocalProtocolError, RemoteProtocolError
from netlab.http1.fields import NO_FIELDS, Fields
from netlab.http1.framing import (
    NO_BODY,
    BodyWriter,
    ChunkedReader,
    Delimited,
    Fixed,
    FixedReader,
    Framing,
    UntilCloseReader,
    body_reader,
    request_framing,
    response_framing,
)
from netlab.http1.limits import Limits
from netlab.http1.messages import (
    HTTP_1_0,
    HTTP_1_1,
    Content,
    EndOfMessage,
    RequestHead,
    ResponseHead,
)
from netlab.http1.receivebuffer import ReceiveBuffer
from netlab.http1.serversettings import ServerSettings
from netlab.http1.target import Target, TargetForm
from tests.http1.deliveries import outcome_of
from tests.http1.test_fields import LINES

POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
CL = b"Content-Length: "
TE = b"Transfer-Encoding: "


class FramingCase(SynchronousTestCase):
    """
    What the test cases below have in common.
    """

    def refuse(
        self,
        data: bytes,
        status: int = 400,
        settings: ServerSettings | None = None,
        *,
        heads: int = 0,
    ) -> None:
        """
        Expect this status, however the bytes are delivered, and that no request but the first
        C{heads} is ever run, whatever stands behind.
        """
        outcome = outcome_of(data, settings)
        self.assertEqual((outcome.status, len(outcome.heads)), (status, heads), data)
        self.assertEqual(outcome.ends, [], data)

    def refuse_body(
        self, body: bytes, status: int = 400, settings: ServerSettings | None = None
    ) -> None:
        """
        Expect the head of a chunked request and then this status.
        """
        self.refuse(CHUNKED + body, status, settings, heads=1)

    def accept_body(self, body: bytes, settings: ServerSettings | None = None) -> bytes:
        """
        Expect one complete chunked request, and return its content.
        """
        outcome = outcome_of(CHUNKED + body, settings)
        self.assertIsNone(outcome.fault, body)
        self.assertEqual(len(outcome.ends), 1, body)
        self.assertTrue(outcome.may_go_on)
        return outcome.content


class ContentLengthTests(FramingCase):
    """
    Content-Length, RFC 9110 section 8.6 and RFC 9112 section 6.3.
    """

    def test_delimits_the_content(self) -> None:
        """
        So many bytes, whatever they look like; what stands behind is the next request.
        """
        for content in (b"a", b"\r\n\r\n", b"GET /x HTTP/1.1\r\n\r\n", b"\x00" * 300, b"0\r\n\r\n"):
            outcome = outcome_of(POST + CL + b"%d\r\n\r\n" % len(content) + content)
            self.assertEqual((outcome.content, outcome.fault), (content, None))
            self.assertTrue(outcome.may_go_on)

    def test_zero_is_no_content(self) -> None:
        """
        C{0}, with leading zeros too, ends the request with its head.
        """
        for value in (b"0", b"000"):
            self.assertTrue(outcome_of(POST + CL + value + b"\r\n\r\n").may_go_on)

    def test_leading_zeros_are_decimal(self) -> None:
        """
        C{010} is ten, not eight.
        """
        self.assertEqual(outcome_of(POST + CL + b"010\r\n\r\n0123456789").content, b"0123456789")

    def test_what_is_no_number_is_refused(self) -> None:
        """
        Signs, underscores, other digits, prefixes, fractions, white space within, nothing.
        """
        for value in (
            b"", b"+5", b"-5", b"-0", b"5_0", b"0x5", b"5.0", b"5e1", b"5 5", b"5,", b",5",
            b"five", b"5;", b"\xb2", "٥".encode(), "５".encode(), b'"5"', b"5\x0b", b"\xa05",
            b"5\t6", b"0b1", b"1 chunked",
        ):  # fmt: skip
            self.refuse(POST + CL + value + b"\r\n\r\n12345")

    def test_duplicates_and_lists_are_refused(self) -> None:
        """
        Equal ones too: a recipient may merge them, and one that takes the first or last of two
        different ones is what request smuggling lives on.
        """
        for lines in (
            CL + b"5\r\n" + CL + b"5\r\n", CL + b"5\r\n" + CL + b"6\r\n", CL + b"5, 5\r\n",
            CL + b"5,6\r\n", CL + b"5\r\ncontent-length: 5\r\n",
            CL + b"5\r\nX: y\r\n" + CL + b"\r\n",
        ):  # fmt: skip
            self.refuse(POST + lines + b"\r\n12345")

    def test_overflow_is_refused(self) -> None:
        """
        Numbers that wrap around in 32 or 64 bits are no small numbers: 413, or 400 where no file
        could be so long.
        """
        for value, status in (
            (b"4294967296", 413), (b"4294967301", 413), (b"9223372036854775807", 413),
            (b"9223372036854775808", 400), (b"18446744073709551616", 400),
            (b"18446744073709551621", 400), (b"9" * 300, 400), (b"0" * 20 + b"5", 400),
        ):  # fmt: skip
            self.refuse(POST + CL + value + b"\r\n\r\n12345", status)

    def test_content_is_bounded(self) -> None:
        """
        Content of exactly the limit passes; one byte more is 413 before any is read.
        """
        settings = ServerSettings(Limits(content_max_bytes=5))
        self.assertEqual(outcome_of(POST + CL + b"5\r\n\r\n12345", settings).content, b"12345")
        self.refuse(POST + CL + b"6\r\n\r\n123456", 413, settings)

    def test_end_of_stream_within_content_is_a_fault(self) -> None:
        """
        A cut-off request is not complete (RFC 9112 section 8).
        """
        outcome = outcome_of(POST + CL + b"5\r\n\r\n1234", is_ended=True)
        self.assertEqual((outcome.status, outcome.content), (400, b"1234"))

    def test_similar_names_mean_nothing(self) -> None:
        """
        Only the name itself is Content-Length.
        """
        for name in (b"Content_Length", b"X-Content-Length", b"Content-Length2", b"Contentlength"):
            self.assertTrue(outcome_of(POST + name + b": 5\r\n\r\n").may_go_on)


class TransferEncodingTests(FramingCase):
    """
    Transfer-Encoding, RFC 9112 section 6.1 and 6.3.
    """

    def test_chunked_in_any_case(self) -> None:
        """
        Transfer codings are compared without case, and white space around is no part of them.
        """
        for value in (b"chunked", b"Chunked", b"CHUNKED", b"\tchunked ", b" chunked\t"):
            outcome = outcome_of(POST + TE + value + b"\r\n\r\n1\r\na\r\n0\r\n\r\n")
            self.assertEqual((outcome.content, outcome.fault), (b"a", None))

    def test_with_content_length_is_refused(self) -> None:
        """
        Section 6.3 item 3: in either order, whatever the length says (CL.TE, TE.CL).
        """
        for value in (b"0", b"5", b"", b"x", b"6"):
            for lines in (
                CL + value + b"\r\n" + TE + b"chunked\r\n",
                TE + b"chunked\r\n" + CL + value + b"\r\n",
                TE + b"chunked\r\nX: y\r\ncontent-length: " + value + b"\r\n",
            ):
                self.refuse(POST + lines + b"\r\n0\r\n\r\n")

    def test_on_http_1_0_is_refused(self) -> None:
        """
        Section 6.1: an HTTP/1.0 hop before us did not know it, so its framing is in doubt.
        """
        for lines in (
            TE + b"chunked\r\n",
            TE + b"identity\r\n",
            TE + b"chunked\r\n" + CL + b"5\r\n",
        ):
            self.refuse(b"POST / HTTP/1.0\r\nHost: a\r\n" + lines + b"\r\n0\r\n\r\n")

    def test_chunked_is_last_and_once(self) -> None:
        """
        Section 6.3 item 4: where chunked is not the final coding the length cannot be known, so
        400; repeated, in one line or over several, is 400 too (section 7.1).
        """
        for lines in (
            TE + b"chunked, gzip\r\n", TE + b"chunked, chunked\r\n",
            TE + b"chunked\r\n" + TE + b"chunked\r\n",
            TE + b"chunked\r\n" + TE + b"identity\r\n",
            TE + b"chunked\r\ntransfer-encoding: gzip\r\n", TE + b"chunked, identity\r\n",
            TE + b"x, chunked, y\r\n",
        ):  # fmt: skip
            self.refuse(POST + lines + b"\r\n0\r\n\r\n")

    def test_disguised_chunked_is_refused(self) -> None:
        """
        What one reader takes for chunked and another does not (TE.TE).
        """
        for value in (
            b"chunked;a=b", b"chunked;", b'"chunked"',
            b"chunked,", b",chunked", b", chunked", b"", b"ch unked", b"chunked chunked",
            b"\x0bchunked", b"chunked\x0b", b"\x00chunked", b"\xa0chunked", b"chun\xe9ked",
            b"=chunked", b"chunked\xff", b"chu\xc5\xbfed", "chunĸed".encode(),
        ):  # fmt: skip
            self.refuse(POST + TE + value + b"\r\n\r\n0\r\n\r\n")

    def test_unknown_codings(self) -> None:
        """
        501, before chunked or in its place (section 6.1).
        """
        for lines in (
            TE + b"gzip, chunked\r\n",
            TE + b"x,chunked\r\n",
            TE + b"gzip\r\n" + TE + b"chunked\r\n",
            TE + b"gzip\r\n",
            TE + b"identity\r\n",
            TE + b"x, y\r\n",
            TE + b"xchunked\r\n",
            TE + b"chunkedx\r\n",
            TE + b"'chunked'\r\n",
            TE + b"chunk\r\n",
        ):
            self.refuse(POST + lines + b"\r\n0\r\n\r\n", 501)

    def test_name_in_other_spellings(self) -> None:
        """
        Case does not matter; a space before the colon, or folding, is refused with the head.
        """
        body = b"1\r\na\r\n0\r\n\r\n"
        self.assertEqual(
            outcome_of(POST + b"tRANSFER-eNCODING: chunked\r\n\r\n" + body).content, b"a"
        )
        for lines in (
            b"Transfer-Encoding : chunked\r\n", b"Transfer-Encoding:\r\n chunked\r\n",
            b"X: y\r\n Transfer-Encoding: chunked\r\n", b"X: y\rTransfer-Encoding: chunked\r\n",
            b"X: y\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding\t: chunked\r\n",
        ):  # fmt: skip
            self.refuse(POST + lines + CL + b"5\r\n\r\n0\r\n\r\n")

    def test_get_with_content_is_framed_like_any_other(self) -> None:
        """
        Framing does not depend on the method (section 6.3): the content of a GET is not the next
        request (CL.0).
        """
        for method in (b"GET", b"HEAD", b"OPTIONS", b"DELETE", b"FOO"):
            for lines, body in (
                (CL + b"5", b"GET /"),
                (TE + b"chunked", b"5\r\nGET /\r\n0\r\n\r\n"),
            ):
                data = method + b" / HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n\r\n" + body
                outcome = outcome_of(data)
                self.assertEqual((outcome.content, len(outcome.heads)), (b"GET /", 1))
                self.assertTrue(outcome.may_go_on)

    def test_request_without_either_has_no_content(self) -> None:
        """
        Section 6.3 item 7: never until the connection closes.
        """
        outcome = outcome_of(POST + b"\r\n")
        self.assertEqual((outcome.content, outcome.may_go_on), (b"", True))


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


class FramingOfRequestsTests(SynchronousTestCase):
    """
    L{request_framing}, apart from the machine.
    """

    def framing(self, *lines: tuple[bytes, bytes], is_1_0: bool = False) -> Framing:
        """
        Frame a POST with these lines.
        """
        version = HTTP_1_0 if is_1_0 else HTTP_1_1
        target = Target(TargetForm.ORIGIN, b"/")
        return request_framing(RequestHead(b"POST", target, version, Fields(lines)))

    def test_the_three_framings(self) -> None:
        """
        None, fixed and chunked.
        """
        self.assertEqual(self.framing(), NO_BODY)
        self.assertEqual(self.framing((b"Content-Length", b"7")), Fixed(7))
        self.assertEqual(self.framing((b"Content-Length", b"7"), is_1_0=True), Fixed(7))
        self.assertEqual(self.framing((b"Transfer-Encoding", b"chunked")), Delimited.CHUNKED)


class FramingOfResponsesTests(SynchronousTestCase):
    """
    L{response_framing}, RFC 9112 section 6.3.
    """

    def framing(
        self,
        status: int,
        *lines: tuple[bytes, bytes],
        method: bytes = b"GET",
        is_1_0: bool = False,
    ) -> Framing:
        """
        Frame an answer with these lines.
        """
        version = HTTP_1_0 if is_1_0 else HTTP_1_1
        return response_framing(method, ResponseHead(status, Fields(lines), version=version))

    def test_no_content_whatever_the_fields_say(self) -> None:
        """
        Item 1: answers to HEAD, 1xx, 204 and 304.
        """
        for lines in ((), ((b"Content-Length", b"7"),), ((b"Transfer-Encoding", b"chunked"),)):
            self.assertEqual(self.framing(200, *lines, method=b"HEAD"), NO_BODY)
            for status in (100, 103, 204, 304):
                self.assertEqual(self.framing(status, *lines), NO_BODY)

    def test_length_chunked_or_until_close(self) -> None:
        """
        Items 4, 6 and 8.
        """
        self.assertEqual(self.framing(200, (b"Content-Length", b"0")), Fixed(0))
        self.assertEqual(self.framing(404, (b"Content-Length", b"7")), Fixed(7))
        self.assertEqual(self.framing(200, (b"Transfer-Encoding", b"chunked")), Delimited.CHUNKED)
        self.assertEqual(self.framing(200), Delimited.UNTIL_CLOSE)
        self.assertEqual(self.framing(205), Delimited.UNTIL_CLOSE)

    def test_doubts_are_errors(self) -> None:
        """
        Both fields, two lengths, no number, an unknown coding, a coding from HTTP/1.0.
        """
        for lines in (
            [(b"Content-Length", b"7"), (b"Transfer-Encoding", b"chunked")],
            [(b"Content-Length", b"7"), (b"Content-Length", b"7")],
            [(b"Content-Length", b"7, 7")],
            [(b"Content-Length", b"x")],
            [(b"Transfer-Encoding", b"gzip, chunked")],
            [(b"Transfer-Encoding", b"chunked, gzip")],
        ):
            self.assertRaises(RemoteProtocolError, self.framing, 200, *lines)
        with self.assertRaises(RemoteProtocolError):
            self.framing(200, (b"Transfer-Encoding", b"chunked"), is_1_0=True)


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
