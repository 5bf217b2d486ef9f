"""
When all connections are closed.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.api.sides import Side
from netlab.lab.wire.tracker import ConnectionTracker
from tests.captures.frames import ACK, FIN, RST, SYN
from tests.lab.segments import decoded, frame


class ConnectionTrackerTests(SynchronousTestCase):
    """
    The tracker, told one segment after the other.
    """

    def verdicts(self, *segments: tuple[Side, int, int, int]) -> list[bool]:
        """
        Tell the tracker of segments, given as sender, flags, sequence and acknowledgement number.

        @return: after each, whether all is closed.
        """
        tracker = ConnectionTracker()
        verdicts = []
        for sender, flags, seq, ack in segments:
            tracker.arrived(decoded(frame(sender, flags, seq=seq, ack=ack)))
            verdicts.append(tracker.all_closed)
        return verdicts

    def test_nothing_yet(self) -> None:
        """
        Before there was a connection, none is closed.
        """
        self.assertFalse(ConnectionTracker().all_closed)

    def test_both_fins_acknowledged(self) -> None:
        """
        A connection is closed when both FINs have been acknowledged, the last sequence number
        before the wrap included.
        """
        last = 2**32 - 1
        self.assertEqual(
            self.verdicts(
                (Side.CLIENT, SYN, last - 1, 0),
                (Side.SERVER, SYN | ACK, 9, last),
                (Side.CLIENT, ACK, last, 10),
                (Side.SERVER, FIN | ACK, 10, last),
                (Side.CLIENT, FIN | ACK, last, 11),
                (Side.SERVER, ACK, 11, 0),
            ),
            [False] * 5 + [True],
        )

    def test_simultaneous_close(self) -> None:
        """
        Two FINs that cross are each acknowledged by an ACK of their own.
        """
        self.assertEqual(
            self.verdicts(
                (Side.SERVER, FIN | ACK, 10, 20),
                (Side.CLIENT, FIN | ACK, 20, 10),
                (Side.CLIENT, ACK, 21, 11),
                (Side.SERVER, ACK, 11, 21),
            ),
            [False, False, False, True],
        )

    def test_reset(self) -> None:
        """
        A reset ends a connection; a new one from the same port opens it again.
        """
        self.assertEqual(
            self.verdicts(
                (Side.CLIENT, SYN, 1, 0),
                (Side.SERVER, RST | ACK, 0, 2),
                (Side.CLIENT, SYN, 5, 0),
            ),
            [False, True, False],
        )
