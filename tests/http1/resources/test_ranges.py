"""
Tests for L{netlab.http1.resources.ranges}.
"""

from __future__ import annotations

from email.message import Message
from email.parser import BytesParser

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.resources.ranges import (
    RANGES_MAX,
    ByteRange,
    NoRanges,
    RequestedRanges,
    content_range,
    multipart_byteranges,
    requested_ranges,
    unsatisfied_content_range,
)
from netlab.http1.sansio.fields import Fields

IGNORED = NoRanges.IGNORED
UNSATISFIABLE = NoRanges.UNSATISFIABLE


def ranges_of(value: bytes, size: int = 10) -> RequestedRanges:
    """
    Ask a representation of this size for these ranges.
    """
    return requested_ranges(b"GET", Fields([(b"Range", value)]), size)


class RequestedRangesTests(SynchronousTestCase):
    """
    Range, RFC 9110 section 14.
    """

    def test_single(self) -> None:
        """
        Positions count from 0 and the last one is included (section 14.1.2).
        """
        self.assertEqual(ranges_of(b"bytes=0-0"), (ByteRange(0, 0),))
        self.assertEqual(ranges_of(b"bytes=2-5"), (ByteRange(2, 5),))
        self.assertEqual(ranges_of(b"bytes=0-9"), (ByteRange(0, 9),))

    def test_open(self) -> None:
        """
        Without a last position the range goes to the end.
        """
        self.assertEqual(ranges_of(b"bytes=0-"), (ByteRange(0, 9),))
        self.assertEqual(ranges_of(b"bytes=9-"), (ByteRange(9, 9),))

    def test_last_beyond_the_end(self) -> None:
        """
        A last position behind the end means the end.
        """
        self.assertEqual(ranges_of(b"bytes=5-10"), (ByteRange(5, 9),))
        self.assertEqual(ranges_of(b"bytes=5-99999"), (ByteRange(5, 9),))

    def test_suffix(self) -> None:
        """
        A suffix counts from the end.
        """
        self.assertEqual(ranges_of(b"bytes=-1"), (ByteRange(9, 9),))
        self.assertEqual(ranges_of(b"bytes=-10"), (ByteRange(0, 9),))

    def test_suffix_longer_than_the_representation(self) -> None:
        """
        A suffix longer than the representation means all of it.
        """
        self.assertEqual(ranges_of(b"bytes=-11"), (ByteRange(0, 9),))

    def test_suffix_of_nothing(self) -> None:
        """
        A suffix of no bytes is valid and not satisfiable.
        """
        self.assertEqual(ranges_of(b"bytes=-0"), UNSATISFIABLE)

    def test_first_beyond_the_end(self) -> None:
        """
        A first position at or behind the end is not satisfiable.
        """
        self.assertEqual(ranges_of(b"bytes=10-"), UNSATISFIABLE)
        self.assertEqual(ranges_of(b"bytes=10-11"), UNSATISFIABLE)
        self.assertEqual(ranges_of(b"bytes=10-10,20-"), UNSATISFIABLE)

    def test_empty_representation(self) -> None:
        """
        No position exists in an empty representation; a suffix of it is all of it, which is
        nothing that Content-Range could name, so it is sent with 200.
        """
        self.assertEqual(ranges_of(b"bytes=0-", 0), UNSATISFIABLE)
        self.assertEqual(ranges_of(b"bytes=0-0", 0), UNSATISFIABLE)
        self.assertEqual(ranges_of(b"bytes=-0", 0), UNSATISFIABLE)
        self.assertEqual(ranges_of(b"bytes=-5", 0), IGNORED)

    def test_several(self) -> None:
        """
        Several ranges come in the order of the request, white space and empty elements around
        them left out (section 5.6.1.2).
        """
        expected = (ByteRange(4, 5), ByteRange(0, 1))
        self.assertEqual(ranges_of(b"bytes=4-5,0-1"), expected)
        self.assertEqual(ranges_of(b"bytes=4-5 ,\t0-1"), expected)
        self.assertEqual(ranges_of(b"bytes=,4-5,,0-1,"), expected)

    def test_unsatisfiable_among_several(self) -> None:
        """
        One satisfiable range is enough; the others are left out (section 14.1.2).
        """
        self.assertEqual(ranges_of(b"bytes=20-30,1-2,-0"), (ByteRange(1, 2),))

    def test_unit(self) -> None:
        """
        The name of the unit has no case (section 14.1); other units are ignored (section 14.2).
        """
        self.assertEqual(ranges_of(b"BYTES=0-0"), (ByteRange(0, 0),))
        self.assertEqual(ranges_of(b"Bytes=0-0"), (ByteRange(0, 0),))
        for value in (b"lines=0-0", b"byte=0-0", b"bytess=0-0", b"=0-0", b"none=0-0"):
            with self.subTest(value=value):
                self.assertEqual(ranges_of(value), IGNORED)

    def test_malformed(self) -> None:
        """
        A Range that breaks the grammar of section 14.1.1 anywhere is ignored as a whole, and so is
        one whose last position comes before its first.
        """
        for value in (
            b"",
            b"bytes",
            b"bytes=",
            b"bytes=,",
            b"bytes=-",
            b"bytes=5",
            b"bytes=a-b",
            b"bytes=5-4",
            b"bytes=20-4",
            b"bytes=0-1,5-4",
            b"bytes=0-1,x",
            b"bytes=0-1;2-3",
            b"bytes= 0-1",
            b"bytes =0-1",
            b"bytes: 0-1",
            b"bytes=0 -1",
            b"bytes=0- 1",
            b"bytes=+0-1",
            b"bytes=0-+1",
            b"bytes=--1",
            b"bytes=-1-2",
            b"bytes=0-1-2",
            b"bytes=0x0-0x1",
            b"bytes=0_0-1",
            b"bytes=1.0-2",
            b"bytes=0-1=",
            "bytes=\N{ARABIC-INDIC DIGIT ONE}-".encode(),
        ):
            with self.subTest(value=value):
                self.assertEqual(ranges_of(value), IGNORED)

    def test_other_methods(self) -> None:
        """
        Range is defined for GET only and ignored elsewhere, with HEAD too (section 14.2).
        """
        fields = Fields([(b"Range", b"bytes=0-0")])
        for method in (b"HEAD", b"POST", b"get", b"OPTIONS"):
            with self.subTest(method=method):
                self.assertEqual(requested_ranges(method, fields, 10), IGNORED)

    def test_absent_and_twice(self) -> None:
        """
        Range is no list-based field, so two lines of it are no valid one (section 5.3).
        """
        line = (b"Range", b"bytes=0-0")
        self.assertEqual(requested_ranges(b"GET", Fields(), 10), IGNORED)
        self.assertEqual(requested_ranges(b"GET", Fields([line, line]), 10), IGNORED)

    def test_huge_numbers(self) -> None:
        """
        Positions of any number of digits are read without overflow (section 14.1.2), also where
        Python would refuse to read them.
        """
        nines = b"9" * 8000
        self.assertEqual(ranges_of(b"bytes=0-" + nines), (ByteRange(0, 9),))
        self.assertEqual(ranges_of(b"bytes=-" + nines), (ByteRange(0, 9),))
        self.assertEqual(ranges_of(b"bytes=" + nines + b"-"), UNSATISFIABLE)
        self.assertEqual(ranges_of(b"bytes=18446744073709551616-"), UNSATISFIABLE)
        self.assertEqual(ranges_of(b"bytes=18446744073709551615-18446744073709551616"),
                         UNSATISFIABLE)  # fmt: skip

    def test_leading_zeros(self) -> None:
        """
        Leading zeros say nothing, however many there are.
        """
        self.assertEqual(ranges_of(b"bytes=" + b"0" * 5000 + b"1-002"), (ByteRange(1, 2),))
        self.assertEqual(ranges_of(b"bytes=-" + b"0" * 5000), UNSATISFIABLE)

    def test_large_representations(self) -> None:
        """
        Positions beyond 32 bits are exact.
        """
        size = 1 << 40
        self.assertEqual(
            ranges_of(b"bytes=%d-" % (size - 1), size), (ByteRange(size - 1, size - 1),)
        )

    def test_number_of_ranges(self) -> None:
        """
        The greatest number of ranges is answered in parts; one more and all is sent whole, also
        when the surplus is empty or lies behind the end (section 17.15).
        """
        size = 10 * RANGES_MAX
        most = [b"%d-%d" % (10 * i, 10 * i) for i in range(RANGES_MAX)]
        value = b"bytes=" + b",".join(most)
        answer = ranges_of(value, size)
        assert isinstance(answer, tuple)
        self.assertEqual(len(answer), RANGES_MAX)
        for surplus in (b",5-5", b",", b",99999-"):
            with self.subTest(surplus=surplus):
                self.assertEqual(ranges_of(value + surplus, size), IGNORED)

    def test_overlapping_flood(self) -> None:
        """
        Ranges that add up to more than the representation are ignored (section 17.15); those that
        add up to exactly all of it are sent.
        """
        self.assertEqual(ranges_of(b"bytes=0-,0-"), IGNORED)
        self.assertEqual(ranges_of(b"bytes=0-4,4-9"), IGNORED)
        self.assertEqual(ranges_of(b"bytes=0-4,5-9"), (ByteRange(0, 4), ByteRange(5, 9)))
        self.assertEqual(ranges_of(b"bytes=0-4,2-6"), (ByteRange(0, 4), ByteRange(2, 6)))

    @settings(deadline=None, max_examples=200)
    @given(st.binary(max_size=60), st.integers(0, 1 << 62))
    def test_any_value(self, value: bytes, size: int) -> None:
        """
        Any bytes behind the unit give ranges within the representation, or a reason for none.
        """
        answer = requested_ranges(b"GET", Fields.known([(b"Range", b"bytes=" + value)]), size)
        if isinstance(answer, tuple):
            for part in answer:
                self.assertTrue(0 <= part.first <= part.last < size)

    @settings(deadline=None, max_examples=200)
    @given(
        st.lists(
            st.tuples(
                st.one_of(st.none(), st.integers(0, 30)),
                st.one_of(st.none(), st.integers(0, 30)),
            ).filter(lambda pair: pair != (None, None)),
            min_size=1,
            max_size=6,
        ),
        st.integers(1, 25),
    )
    def test_arithmetic(self, pairs: list[tuple[int | None, int | None]], size: int) -> None:
        """
        The bytes of each answered range are those which Python's slices of the content give, and
        all of them together are no more than the content.
        """
        content = bytes(range(size))
        specs, wanted, is_valid = [], [], True
        for first, last in pairs:
            specs.append(f"{'' if first is None else first}-{'' if last is None else last}")
            if first is None:
                assert last is not None
                wanted.append(content[size - min(last, size) :])
            else:
                is_valid = is_valid and (last is None or first <= last)
                wanted.append(content[first : None if last is None else last + 1])
        wanted = [piece for piece in wanted if piece]
        answer = ranges_of(b"bytes=" + ",".join(specs).encode("ascii"), size)
        if not is_valid or (len(wanted) > 1 and sum(map(len, wanted)) > size):
            self.assertEqual(answer, IGNORED)
        elif not wanted:
            self.assertEqual(answer, UNSATISFIABLE)
        else:
            assert isinstance(answer, tuple)
            self.assertEqual([content[p.first : p.last + 1] for p in answer], wanted)
            self.assertEqual([p.length for p in answer], [len(piece) for piece in wanted])


class ContentRangeTests(SynchronousTestCase):
    """
    Content-Range, RFC 9110 section 14.4.
    """

    def test_values(self) -> None:
        """
        The values have the form of the section's examples.
        """
        self.assertEqual(content_range(ByteRange(42, 1233), 1234), b"bytes 42-1233/1234")
        self.assertEqual(unsatisfied_content_range(1234), b"bytes */1234")


class MultipartByteRangesTests(SynchronousTestCase):
    """
    multipart/byteranges, RFC 9110 section 14.6.
    """

    def test_layout(self) -> None:
        """
        The content has the layout of the section's example, and its length is exact.
        """
        content = b"0123456789"
        laid_out = multipart_byteranges(
            (ByteRange(0, 1), ByteRange(8, 9)), 10, b"text/plain", b"SEP"
        )
        body = b"".join(head + content[part.first : part.last + 1] for head, part in laid_out.parts)
        body += laid_out.tail
        self.assertEqual(
            body,
            b"--SEP\r\n"
            b"Content-Type: text/plain\r\n"
            b"Content-Range: bytes 0-1/10\r\n"
            b"\r\n"
            b"01\r\n"
            b"--SEP\r\n"
            b"Content-Type: text/plain\r\n"
            b"Content-Range: bytes 8-9/10\r\n"
            b"\r\n"
            b"89\r\n"
            b"--SEP--\r\n",
        )
        self.assertEqual(laid_out.length, len(body))
        self.assertEqual(laid_out.content_type, b"multipart/byteranges; boundary=SEP")

    def test_quoted_boundary(self) -> None:
        """
        A boundary that is no token goes as a quoted string (RFC 2046 section 5.1.1).
        """
        laid_out = multipart_byteranges((ByteRange(0, 0),) * 2, 10, b"text/plain", b"a:b")
        self.assertEqual(laid_out.content_type, b'multipart/byteranges; boundary="a:b"')

    def test_bad_boundaries(self) -> None:
        """
        A boundary that RFC 2046 section 5.1.1 does not allow is refused.
        """
        for boundary in (b"", b"a" * 71, b"a b", b'a"', b"a\r\nb", b"a\n"):
            with self.subTest(boundary=boundary):
                self.assertRaises(
                    ValueError, multipart_byteranges, (ByteRange(0, 0),) * 2, 9, b"a/b", boundary
                )

    @settings(deadline=None, max_examples=100)
    @given(
        st.lists(
            st.tuples(st.integers(0, 40), st.integers(0, 40)).map(
                lambda pair: ByteRange(min(pair), max(pair))
            ),
            min_size=2,
            max_size=5,
        )
    )
    def test_another_parser_reads_it(self, ranges: list[ByteRange]) -> None:
        """
        The standard library's MIME parser finds each part with its bytes, and the length is what
        was promised.
        """
        content = bytes(range(0x40, 0x40 + 41))
        laid_out = multipart_byteranges(ranges, len(content), b"text/plain", b"0123456789abcdef")
        pieces = [head + content[part.first : part.last + 1] for head, part in laid_out.parts]
        body = b"".join(pieces) + laid_out.tail
        self.assertEqual(len(body), laid_out.length)
        message = BytesParser().parsebytes(
            b"Content-Type: " + laid_out.content_type + b"\r\n\r\n" + body
        )
        parts = message.get_payload()
        assert isinstance(parts, list)
        messages = [part for part in parts if isinstance(part, Message)]
        self.assertEqual(
            [(part["Content-Range"], part.get_payload()) for part in messages],
            [
                (
                    f"bytes {part.first}-{part.last}/41",
                    content[part.first : part.last + 1].decode("ascii"),
                )
                for part in ranges
            ],
        )
