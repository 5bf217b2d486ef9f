"""
L{netlab.http1.sansio.receivebuffer}: a queue of bytes that remembers how far it has been searched.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.grammar import MISPLACED_BYTE
from netlab.http1.sansio.receivebuffer import FORBIDDEN, NOT_YET, ReceiveBuffer


def buffer_of(*deliveries: bytes) -> ReceiveBuffer:
    """
    Make a buffer that has got these deliveries.
    """
    buffer = ReceiveBuffer()
    for delivery in deliveries:
        buffer.append(delivery)
    return buffer


class QueueTests(SynchronousTestCase):
    """
    What goes in comes out.
    """

    def test_is_empty_at_first(self) -> None:
        """
        A new buffer is false and has nothing to give.
        """
        buffer = ReceiveBuffer()
        self.assertEqual((len(buffer), bool(buffer), buffer.take(5)), (0, False, b""))

    def test_takes_at_most_what_is_there(self) -> None:
        """
        Asking for more gives what there is, and leaves nothing.
        """
        buffer = buffer_of(b"abc")
        self.assertEqual((buffer.take(9), len(buffer)), (b"abc", 0))

    def test_peek_keeps(self) -> None:
        """
        What has been peeked at is still there.
        """
        buffer = buffer_of(b"ab", b"cd")
        self.assertEqual(
            (buffer.peek(3), buffer.peek(9), buffer.take(4)), (b"abc", b"abcd", b"abcd")
        )

    def test_gives_bytes_whatever_holds_them(self) -> None:
        """
        What is taken is C{bytes}, hashable and frozen, also where deliveries were put together.
        """
        for buffer in (buffer_of(b"abcd"), buffer_of(b"ab", b"cd")):
            self.assertIs(type(buffer.peek(2)), bytes)
            self.assertIs(type(buffer.take(2)), bytes)
            self.assertIs(type(buffer.take_all()), bytes)

    def test_delivery_of_the_peer_is_not_changed(self) -> None:
        """
        A delivery that is put together with the next one stays as it was.
        """
        delivery = b"abc"
        buffer = buffer_of(delivery)
        buffer.take(1)
        buffer.append(b"def")
        self.assertEqual((delivery, buffer.take_all()), (b"abc", b"bcdef"))

    def test_long_prefix_is_given_up(self) -> None:
        """
        What has been taken from a long put-together buffer does not stay in memory.
        """
        buffer = buffer_of(b"a" * 100_000, b"b" * 100_000)
        taken = buffer.take(70_000) + buffer.take(70_000)
        self.assertLessEqual(len(buffer._data), 65_536 + len(buffer))
        self.assertEqual(taken + buffer.take_all(), b"a" * 100_000 + b"b" * 100_000)

    @given(st.lists(st.one_of(st.binary(max_size=9), st.integers(0, 12)), max_size=30))
    @settings(deadline=None, max_examples=200)
    def test_is_a_queue(self, steps: list[bytes | int]) -> None:
        """
        Whatever the order of appending and taking, it does what a plain C{bytes} does.
        """
        buffer, model = ReceiveBuffer(), b""
        for step in steps:
            if isinstance(step, bytes):
                buffer.append(step)
                model += step
            else:
                self.assertEqual(buffer.peek(step), model[:step])
                self.assertEqual(buffer.take(step), model[:step])
                model = model[step:]
            self.assertEqual(len(buffer), len(model))
        self.assertEqual(buffer.take_all(), model)


class FindTests(SynchronousTestCase):
    """
    Looking for a separator.
    """

    def test_counts_what_stands_before(self) -> None:
        """
        The answer is the number of bytes before the separator, counted from the first one kept.
        """
        buffer = buffer_of(b"xxab\r\ncd\r\n")
        buffer.take(2)
        self.assertEqual(buffer.find(b"\r\n", MISPLACED_BYTE), 2)
        buffer.take(4)
        self.assertEqual(buffer.find(b"\r\n", MISPLACED_BYTE), 2)

    def test_separator_may_come_in_pieces(self) -> None:
        """
        A separator cut at any place is found when its last byte comes.
        """
        for cut in range(5):
            buffer = buffer_of(b"ab" + b"\r\n\r\n"[:cut])
            expected = 2 if cut == 4 else NOT_YET
            self.assertEqual(buffer.find(b"\r\n\r\n", MISPLACED_BYTE), expected)
            buffer.append(b"\r\n\r\n"[cut:] + b"behind")
            self.assertEqual(buffer.find(b"\r\n\r\n", MISPLACED_BYTE), 2)

    def test_forbidden_byte_is_reported_before_the_separator_comes(self) -> None:
        """
        A bare LF, or a CR as soon as another byte than LF follows, is reported at once.
        """
        for wrong in (b"a\nb", b"a\x00", b"\n"):
            self.assertEqual(buffer_of(wrong).find(b"\r\n\r\n", MISPLACED_BYTE), FORBIDDEN, wrong)
        buffer = buffer_of(b"ab\r")
        self.assertEqual(buffer.find(b"\r\n\r\n", MISPLACED_BYTE), NOT_YET)
        buffer.append(b"c")
        self.assertEqual(buffer.find(b"\r\n\r\n", MISPLACED_BYTE), FORBIDDEN)

    def test_what_has_been_taken_is_next_to_nothing(self) -> None:
        """
        A CR that was the last byte of a content does not make a LF behind it a line's end, also
        where both came in one delivery.
        """
        for buffer in (buffer_of(b"\r\nGET"), buffer_of(b"\r", b"\nGET"), buffer_of(b"\r")):
            buffer.take(1)
            if not buffer:
                buffer.append(b"\nGET")
            self.assertEqual(buffer.find(b"\r\n\r\n", MISPLACED_BYTE), FORBIDDEN)

    def test_locate_looks_between_two_places(self) -> None:
        """
        A separator is found only where it stands whole between the two.
        """
        buffer = buffer_of(b"xab\r\ncd\r\n")
        buffer.take(1)
        self.assertEqual(buffer.locate(b"\r\n", 0, 4), 2)
        self.assertEqual(buffer.locate(b"\r\n", 0, 3), NOT_YET)
        self.assertEqual(buffer.locate(b"\r\n", 3, 8), 6)
        self.assertEqual(buffer.locate(b"\r\n", 7, 8), NOT_YET)

    @given(st.lists(st.text("ab\r\n\x00", max_size=5), max_size=12), st.integers(0, 6))
    @settings(deadline=None, max_examples=300)
    def test_cuts_do_not_matter(self, texts: list[str], taken: int) -> None:
        """
        After the last delivery the answer is that for one delivery, whatever was asked before.
        """
        pieces = [text.encode() for text in texts]
        whole = buffer_of(b"t" * taken + b"".join(pieces))
        whole.take(taken)
        expected = whole.find(b"\r\n\r\n", MISPLACED_BYTE)
        cut = buffer_of(b"t" * taken)
        cut.take(taken)
        found = NOT_YET
        for piece in pieces:
            cut.append(piece)
            if found == NOT_YET:  # nobody asks again after a fault
                found = cut.find(b"\r\n\r\n", MISPLACED_BYTE)
        if FORBIDDEN not in (found, expected):
            self.assertEqual(found, expected)
        elif expected >= 0:
            # The separator came in the same delivery as a fault before it: the parser finds that.
            self.assertIsNotNone(MISPLACED_BYTE.search(b"".join(pieces)[: expected + 4]))
