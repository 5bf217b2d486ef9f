"""
The scoreboard.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.sending.scoreboard import Scoreboard, SentSegment

STORY = st.lists(st.tuples(st.sampled_from("aslrpfun"), st.integers(0, 30)), max_size=120)


class CountTests(SynchronousTestCase):
    """
    Its counts.
    """

    @given(STORY)
    def test_any(self, story: list[tuple[str, int]]) -> None:
        """
        After any steps that a sender may take they are what a recount finds.
        """
        board = Scoreboard()
        end = una = 0
        for what, number in story:
            segments = list(board)
            chosen = segments[number % len(segments)] if segments else None
            if what == "a":
                board.add(SentSegment(end, end + 10, 0, 0))
                end += 10
            elif what == "s" and chosen and not chosen.is_sacked:
                board.mark_sacked(chosen)
            elif what == "l" and chosen and not chosen.is_sacked:
                board.mark_lost(chosen)
            elif what == "r" and chosen and not chosen.is_sacked:
                board.mark_resent(chosen, 1)
            elif what == "p" and chosen:
                una = max(una, chosen.seq + number % 11)
                while board.pop_acknowledged(una):
                    pass
                board.trim(una)
            elif what == "f" and chosen and chosen.end - chosen.seq > 4:
                board.split(chosen, chosen.seq + 3)
            elif what == "u":
                board.forget_losses()
            elif what == "n":
                board.forget_sacks()
            self.recount(board)

    def recount(self, board: Scoreboard) -> None:
        """
        Count everything anew.
        """
        segments = list(board)
        self.assertEqual(board.sacked, sum(segment.is_sacked for segment in segments))
        self.assertEqual(board.lost, sum(segment.is_lost for segment in segments))
        self.assertEqual(board.resent, sum(segment.is_resent for segment in segments))
        waiting = [segment for segment in segments if segment.is_lost and not segment.is_resent]
        self.assertEqual(board.to_resend, len(waiting))
        if waiting:
            self.assertLessEqual(board.resend_from, waiting[0].seq)
        under_way = {
            segment
            for segment in segments
            if not segment.is_sacked and (segment.is_resent or not segment.is_lost)
        }
        self.assertEqual(set(board.by_time), under_way)
        self.assertEqual(len(board), len(segments))
        ends = [segment.end for segment in segments]
        self.assertEqual(ends, sorted(ends))
        serials = [segment.serial for segment in board.by_time]
        self.assertEqual(serials, sorted(serials))

    def test_after(self) -> None:
        """
        Walking begins with the segment that has the number.
        """
        board = Scoreboard()
        for number in range(5):
            board.add(SentSegment(number * 10, number * 10 + 10, 0, 0))
        self.assertEqual([segment.seq for segment in board.after(25)], [20, 30, 40])
        self.assertEqual([segment.seq for segment in board.after(30)], [30, 40])
        board.pop_acknowledged(10)
        self.assertEqual([segment.seq for segment in board.after(0)], [10, 20, 30, 40])
