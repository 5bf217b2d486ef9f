"""
Tests for L{netlab.analysis.http.reassembly}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.http.reassembly import (
    WAITING_MAX_BYTES,
    WAITING_MAX_SEGMENTS,
    Piece,
    Reassembler,
)

_TEXT = bytes(range(256)) * 2


def _receive(reassembler: Reassembler, seq: int, data: bytes, frame: int) -> tuple[Piece, ...]:
    return reassembler.receive(seq, data, len(data), frame, frame * 1000)


class ReassemblerTests(SynchronousTestCase):
    """
    One direction is put back in order.
    """

    def test_in_order(self) -> None:
        """
        Segments in order are read at once, each with its own frame.
        """
        reassembler = Reassembler()
        reassembler.begin(1001)
        self.assertEqual(_receive(reassembler, 1001, b"ab", 4), (Piece(0, b"ab", 0, 4, 4000),))
        self.assertEqual(_receive(reassembler, 1003, b"c", 6), (Piece(2, b"c", 0, 6, 6000),))

    def test_out_of_order(self) -> None:
        """
        What came too early waits for the gap before it, and keeps its frame.
        """
        reassembler = Reassembler()
        reassembler.begin(1)
        self.assertEqual(_receive(reassembler, 3, b"c", 4), ())
        self.assertEqual(
            _receive(reassembler, 1, b"ab", 5),
            (Piece(0, b"ab", 0, 5, 5000), Piece(2, b"c", 0, 4, 4000)),
        )

    def test_retransmission(self) -> None:
        """
        Bytes that come again are passed over; only those after them are read.
        """
        reassembler = Reassembler()
        reassembler.begin(1)
        _receive(reassembler, 1, b"abc", 4)
        self.assertEqual(_receive(reassembler, 1, b"abc", 5), ())
        self.assertEqual(_receive(reassembler, 2, b"bcd", 6), (Piece(3, b"d", 0, 6, 6000),))

    def test_wrap_around(self) -> None:
        """
        Sequence numbers wrap around (RFC 9293 section 3.4); offsets do not.
        """
        reassembler = Reassembler()
        reassembler.begin(0xFFFFFFFE)
        _receive(reassembler, 0xFFFFFFFE, b"abc", 4)
        self.assertEqual(_receive(reassembler, 1, b"d", 5), (Piece(3, b"d", 0, 5, 5000),))

    def test_no_beginning(self) -> None:
        """
        Where the beginning was not captured, the stream begins with the first data.
        """
        self.assertEqual(_receive(Reassembler(), 77, b"a", 1), (Piece(0, b"a", 0, 1, 1000),))

    def test_cut_frame(self) -> None:
        """
        What a capture with a snapshot length left out is missing, and what follows is in place.
        """
        reassembler = Reassembler()
        reassembler.begin(1)
        self.assertEqual(reassembler.receive(1, b"ab", 10, 4, 4000), (Piece(0, b"ab", 8, 4, 4000),))
        self.assertEqual(_receive(reassembler, 11, b"c", 5), (Piece(10, b"c", 0, 5, 5000),))

    def test_cut_frame_again(self) -> None:
        """
        A cut frame that partly repeats known bytes gives what is new, known or missing.
        """
        reassembler = Reassembler()
        reassembler.begin(1)
        _receive(reassembler, 1, b"abcd", 4)
        self.assertEqual(reassembler.receive(3, b"c", 6, 5, 5000), (Piece(4, b"", 4, 5, 5000),))

    def test_finish(self) -> None:
        """
        At the end, gaps are passed over and named, and what waited is read.
        """
        reassembler = Reassembler()
        reassembler.begin(1)
        _receive(reassembler, 3, b"c", 4)
        _receive(reassembler, 6, b"f", 5)
        self.assertEqual(
            reassembler.finish(),
            (
                Piece(0, b"", 2, 4, 4000),
                Piece(2, b"c", 0, 4, 4000),
                Piece(3, b"", 2, 5, 5000),
                Piece(5, b"f", 0, 5, 5000),
            ),
        )

    def test_waiting_is_bounded(self) -> None:
        """
        A gap is given up when too much waits behind it, in segments or in bytes.
        """
        for length, count in ((1, WAITING_MAX_SEGMENTS), (65536, WAITING_MAX_BYTES // 65536)):
            reassembler = Reassembler()
            reassembler.begin(1)
            for number in range(count):
                read = _receive(reassembler, 11 + number * length, bytes(length), number)
                self.assertEqual(read, ())
            read = _receive(reassembler, 11 + count * length, bytes(length), count)
            self.assertEqual(read[0], Piece(0, b"", 10, 0, 0))
            self.assertEqual(len(read), count + 2)

    @given(
        st.integers(0, 2**32 - 1),
        st.lists(st.tuples(st.integers(0, 511), st.integers(1, 80)), max_size=60),
        st.randoms(use_true_random=False),
    )
    def test_any_order(
        self, begin: int, extra: list[tuple[int, int]], random: st.DataObject
    ) -> None:
        """
        However a text is cut, repeated and mixed, it is read once, whole and in order.
        """
        cuts = [(at, min(64, len(_TEXT) - at)) for at in range(0, len(_TEXT), 64)]
        segments = cuts + [(at, min(length, len(_TEXT) - at)) for at, length in extra]
        random.shuffle(segments)  # type: ignore[attr-defined]
        reassembler = Reassembler()
        reassembler.begin(begin)
        read: list[Piece] = []
        for frame, (at, length) in enumerate(segments):
            data = _TEXT[at : at + length]
            read.extend(_receive(reassembler, (begin + at) % 2**32, data, frame))
        self.assertEqual(b"".join(piece.data for piece in read), _TEXT)
        self.assertEqual([piece.missing for piece in read if piece.missing], [])
        for piece in read:
            at, length = segments[piece.frame]
            self.assertTrue(at <= piece.offset and piece.end <= at + length)
