"""
L{netlab.http1.sansio.framing}: how long a body is (RFC 9112 section 6).
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.framing import (
    NO_BODY,
    Delimited,
    Fixed,
    Framing,
    request_framing,
    response_framing,
)
from netlab.http1.sansio.limits import Limits
from netlab.http1.sansio.messages import HTTP_1_0, HTTP_1_1, RequestHead, ResponseHead
from netlab.http1.sansio.serversettings import ServerSettings
from netlab.http1.sansio.target import Target, TargetForm
from tests.http1.bodies import POST, FramingCase
from tests.http1.deliveries import outcome_of

CL = b"Content-Length: "
TE = b"Transfer-Encoding: "


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
            (b"18446744073709551621", 400), (b"9" * 300, 400),
        ):  # fmt: skip
            self.refuse(POST + CL + value + b"\r\n\r\n12345", status)

    def test_leading_zeros(self) -> None:
        """
        Any number of leading zeros changes nothing: 1*DIGIT.
        """
        for zeros in (1, 20, 5000):
            data = POST + CL + b"0" * zeros + b"5\r\n\r\n12345"
            self.assertEqual(outcome_of(data, ServerSettings(Limits())).content, b"12345")

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
