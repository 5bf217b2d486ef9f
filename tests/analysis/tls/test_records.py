"""
Tests for L{netlab.analysis.tls.records}.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappush
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.http.reassembly import Piece
from netlab.analysis.tls import records as layer
from netlab.analysis.tls.records import (
    FRAGMENT_MAX_BYTES,
    RECORD_MAX_BYTES,
    ContentType,
    RecordReader,
    TLSRecord,
    begins_record,
)


def record(fragment: bytes, kind: int = 23, version: int = 0x0303) -> bytes:
    """
    Write a record.
    """
    return bytes((kind, *version.to_bytes(2), *len(fragment).to_bytes(2))) + fragment


def read(
    parts: Iterable[tuple[bytes, int]], *, is_from_start: bool = True
) -> tuple[list[TLSRecord], RecordReader]:
    """
    Read parts, each with how many bytes after it were not captured. Frames count from 1.
    """
    reader = RecordReader(is_from_start=is_from_start)
    records: list[TLSRecord] = []
    offset = 0
    for number, (data, missing) in enumerate(parts, 1):
        records += reader.receive(Piece(offset, data, missing, number, number * 1000))
        offset += len(data) + missing
    return records, reader


class RecordTests(SynchronousTestCase):
    """
    Streams that were captured whole.
    """

    def test_cuts(self) -> None:
        """
        At every single cut a record is read from two frames, each byte from the one that had it.
        """
        data = record(b"hello", 22, 0x0301)
        for cut in range(1, len(data)):
            (found,), reader = read([(data[:cut], 0), (data[cut:], 0)])
            self.assertEqual(found.type, ContentType.HANDSHAKE)
            self.assertEqual((found.version, found.length), (0x0301, 5))
            self.assertEqual(found.fragment, b"hello")
            self.assertTrue(found.is_whole)
            self.assertFalse(found.is_after_gap)
            self.assertEqual(found.header + found.fragment, data)
            self.assertEqual(
                [(span.begin, span.end, span.frame) for span in found.spans],
                [(0, cut, 1), (cut, len(data), 2)],
            )
            self.assertEqual(found.travel, ((1, 2), 1000, 2000))
            carried = {span.frame: span.end - span.begin for span in found.carriers_of(0, 5)}
            self.assertEqual(carried.get(1, 0), max(cut - 5, 0))
            self.assertEqual(reader.unfinished_bytes, 0)

    def test_several(self) -> None:
        """
        One frame may carry many records, also empty ones, and the longest there may be.
        """
        longest = bytes(FRAGMENT_MAX_BYTES)
        data = record(b"") + record(longest) + record(b"x")
        found, _ = read([(data, 0)])
        self.assertEqual([each.length for each in found], [0, FRAGMENT_MAX_BYTES, 1])

    def test_unfinished(self) -> None:
        """
        What has begun and not ended is no record, and its bytes are counted.
        """
        found, reader = read([(record(b"hello")[:-1], 0)])
        self.assertEqual(found, [])
        self.assertEqual(reader.unfinished_bytes, 9)

    def test_implausible(self) -> None:
        """
        What no header may say is passed over, and reading goes on where two records follow.
        """
        for junk in (b"\x19\x03\x03\x00\x01x", b"\x17\x02\x03\x00\x01x", b"\x17\x03\x03\xff\xffx"):
            data = junk + record(b"one") + record(b"two")
            found, reader = read([(record(b"zero") + data, 0)])
            self.assertEqual([each.fragment for each in found], [b"zero", b"one", b"two"])
            self.assertEqual([each.is_after_gap for each in found], [False, True, False])
            self.assertEqual(reader.skipped, len(junk))


class GapTests(SynchronousTestCase):
    """
    Bytes that were not captured.
    """

    def test_within(self) -> None:
        """
        A gap within a record leaves the next one where its header says that it is.
        """
        data = record(b"0123456789")
        found, reader = read([(data[:8], 4), (data[12:] + record(b"next"), 0)])
        self.assertEqual([each.fragment for each in found], [b"012", b"next"])
        self.assertEqual([each.is_whole for each in found], [False, True])
        self.assertEqual([each.is_after_gap for each in found], [False, False])
        self.assertEqual((reader.missing, reader.skipped), (4, 0))

    def test_to_the_end(self) -> None:
        """
        So does one that ends with the record.
        """
        data = record(b"0123456789")
        found, _ = read([(data[:8], 7), (record(b"next"), 0)])
        self.assertEqual([each.fragment for each in found], [b"012", b"next"])

    def test_beyond(self) -> None:
        """
        A gap that hides a header is passed over: what follows is read from the first record that
        another one follows.
        """
        data = record(b"0123456789")
        tail = record(b"one") + record(b"two")
        found, reader = read([(data[:8], 8), (b"junk" + tail, 0)])
        self.assertEqual([each.fragment for each in found], [b"012", b"one", b"two"])
        self.assertEqual([each.is_after_gap for each in found], [False, True, False])
        self.assertEqual(reader.skipped, 4)

    def test_at_the_gaps_end(self) -> None:
        """
        A record that begins right after a gap is read by itself.
        """
        data = record(b"0123456789")
        found, _ = read([(data[:8], 100), (record(b"one"), 0)])
        self.assertEqual([each.fragment for each in found], [b"012", b"one"])
        self.assertTrue(found[1].is_after_gap)
        found, _ = read([(record(b"one"), 0)], is_from_start=False)
        self.assertEqual([each.fragment for each in found], [b"one"])

    def test_one_is_not_enough(self) -> None:
        """
        A header by itself is no proof.
        """
        found, reader = read([(b"junk" + record(b"one") + b"junk", 0)], is_from_start=False)
        self.assertEqual(found, [])
        self.assertTrue(reader.is_lost)

    def test_memory(self) -> None:
        """
        However much is passed over, two records' bytes are kept, and each byte is looked at once.
        """
        reader = RecordReader(is_from_start=False)
        for number in range(200):
            reader.receive(Piece(number * 1460, b"\x17\x03\x03" * 486 + b"xx", 0, number + 1, 0))
            self.assertLessEqual(len(reader._buffer), 2 * RECORD_MAX_BYTES)
            self.assertLessEqual(len(reader._candidates), 2 * RECORD_MAX_BYTES // 3)


class WorkTests(SynchronousTestCase):
    """
    Streams that are made to cost more than their length.
    """

    def test_lost_again_and_again(self) -> None:
        """
        Where each record is followed by a header that is none, each header is noted once, not once
        for every time that reading is lost.
        """
        noted = 0

        def note(heap: list[tuple[int, int]], candidate: tuple[int, int]) -> None:
            nonlocal noted
            noted += 1
            heappush(heap, candidate)

        self.patch(layer, "heappush", note)
        for units in (300, 3000):
            noted = 0
            found, reader = read([((record(b"A") + b"\x17\x03\x03\xff\xff") * units, 0)])
            self.assertEqual([each.fragment for each in found], [b"A"] * units)
            self.assertEqual(reader.passed_over, 5 * units)
            self.assertLessEqual(noted, units)

    def test_nothing_stays(self) -> None:
        """
        Nothing that was noted of bytes stays when they have been read.
        """
        held = record(record(b"B") * 100)
        _, reader = read([(b"\x00" + held + record(b"C") + record(b"D" * 200), 0)])
        self.assertEqual(reader.is_lost, False)
        self.assertEqual(reader._candidates, [])


_FRAGMENTS = st.binary(max_size=40)
_STREAMS = st.lists(
    st.one_of(
        st.builds(record, _FRAGMENTS, st.integers(19, 25), st.sampled_from([0x301, 0x303, 0x305])),
        st.binary(max_size=12),
    ),
    max_size=8,
).map(b"".join)


class PropertyTests(SynchronousTestCase):
    """
    Any bytes.
    """

    @given(_STREAMS, st.booleans(), st.lists(st.integers(0, 400), max_size=6))
    def test_cuts_do_not_matter(self, data: bytes, is_from_start: bool, cuts: list[int]) -> None:
        """
        Records are the same however a stream is cut, and together are no longer than it.
        """
        edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
        pieces = [(data[begin:end], 0) for begin, end in pairwise(edges) if end > begin]
        whole, reader = read([(data, 0)] if data else [], is_from_start=is_from_start)
        cut, other = read(pieces, is_from_start=is_from_start)
        single, last = read([(data[at : at + 1], 0) for at in range(len(data))],
                            is_from_start=is_from_start)  # fmt: skip
        for records, each in ((cut, other), (single, last)):
            self.assertEqual(
                [found._replace(spans=()) for found in records],
                [found._replace(spans=()) for found in whole],
            )
            self.assertEqual(each.skipped, reader.skipped)
            self.assertEqual(each.unfinished_bytes, reader.unfinished_bytes)
        taken = sum(5 + found.length for found in whole)
        self.assertLessEqual(taken + reader.skipped + reader.unfinished_bytes, len(data))

    @given(st.lists(st.tuples(_STREAMS, st.integers(0, 30)), max_size=6), st.booleans())
    def test_gaps(self, parts: list[tuple[bytes, int]], is_from_start: bool) -> None:
        """
        Whatever is missing, no record has more bytes than were captured, and each says by whom it
        was carried.
        """
        found, reader = read(parts, is_from_start=is_from_start)
        captured = sum(len(data) for data, _ in parts)
        self.assertLessEqual(sum(len(each.fragment) for each in found), captured)
        self.assertEqual(reader.missing, sum(missing for _, missing in parts))
        for each in found:
            self.assertTrue(each.spans)
            self.assertLessEqual(len(each.fragment), each.length)
            self.assertEqual(each.spans[0].begin, 0)

    @given(st.binary(max_size=6))
    def test_begins(self, data: bytes) -> None:
        """
        What begins a record does so with any of its beginnings.
        """
        if begins_record(data):
            self.assertTrue(all(begins_record(data[:end]) for end in range(1, len(data))))
