"""
Tests for L{netlab.capture.sendernotes}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.capture.sendernotes import (
    NOTE_MAX_CHARACTERS,
    SSTHRESH_UNKNOWN,
    SenderNote,
    read_sender_note,
    sender_notes_of,
    write_sender_note,
)

NOTE = SenderNote(
    "fast retransmit", 10, 7, 1448, 9, 40_000_000, 240_000_000, "recovery", 3, 1, 5, 6, 7,
    "retransmission", 200_000_000, 2,
)  # fmt: skip


class SenderNoteTests(SynchronousTestCase):
    """
    Notes as comments.
    """

    def test_both_ways(self) -> None:
        """
        What is written is read, also among other comments, and with no timer running.
        """
        for note in (NOTE, NOTE._replace(timer="", timer_ns=0)):
            comments = ("On the wire: delayed", write_sender_note(note), "another")
            self.assertEqual(read_sender_note(comments), note)

    @given(st.integers(0, 2**62), st.integers(0, 2**62))
    def test_numbers(self, first: int, second: int) -> None:
        """
        Numbers of any size that we have come back.
        """
        note = NOTE._replace(srtt_ns=first, unsent=second)
        self.assertEqual(read_sender_note((write_sender_note(note),)), note)

    def test_bytes(self) -> None:
        """
        Windows are told in bytes, a threshold that nothing has set as none.
        """
        self.assertEqual((NOTE.cwnd_bytes, NOTE.ssthresh_bytes), (14480, 7 * 1448))
        self.assertIsNone(NOTE._replace(ssthresh=SSTHRESH_UNKNOWN).ssthresh_bytes)

    def test_others(self) -> None:
        """
        Anyone may write such a comment: one that is not whole, or holds anything else than texts
        and numbers, is none.
        """
        whole = write_sender_note(NOTE)
        for text in (
            "",
            whole[:-3],
            whole.replace("cwnd=10", "cwnd=-10"),
            whole.replace("cwnd=10", "cwnd=" + "1" * 20),
            whole.replace("cwnd=10", "ssthresh=10"),
            whole.replace("fast retransmit", "<script>"),
            whole.replace("fast retransmit", "x" * 100),
            whole.replace("recovery=recovery", "recovery=\x1b[31m"),
            whole + "; more=1",
        ):
            self.assertIsNone(read_sender_note((text,)))

    def test_bounds(self) -> None:
        """
        Of a frame's comments at most one is kept, and no long one.
        """
        whole = write_sender_note(NOTE)
        self.assertEqual(sender_notes_of(("a" * 100, whole, whole)), (whole,))
        self.assertEqual(sender_notes_of((whole + " " * NOTE_MAX_CHARACTERS,)), ())

    @given(st.text(max_size=200))
    def test_anything(self, text: str) -> None:
        """
        Any text is read without a fault.
        """
        read_sender_note((f"Sender's TCP: {text}",))
