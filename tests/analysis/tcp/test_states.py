"""
The states of both ends (RFC 9293 section 3.3.2).
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.tcp.conversation import State, Transition
from tests.analysis.wire import ACK, FIN, RST, SYN, Wire


class StateTests(SynchronousTestCase):
    """
    L{netlab.analysis.tcp.states}.
    """

    def setUp(self) -> None:
        """Make the wire."""
        self.wire = Wire()

    def states(self) -> tuple[State, State]:
        """The first sender's state, and the other end's."""
        one, other = self.wire.analyser.conversations[-1].flows
        return one.state, other.state

    def test_opening(self) -> None:
        """
        A three-way handshake (section 3.5, figure 6): each end is where its last segment, or the
        other's that has arrived, has brought it.
        """
        self.wire.client(1000, 0, SYN)
        self.assertEqual(self.states(), (State.SYN_SENT, State.LISTEN))
        self.wire.server(5000, 1001, SYN | ACK)
        self.assertEqual(self.states(), (State.ESTABLISHED, State.SYN_RECEIVED))
        self.wire.client(1001, 5001)
        self.assertEqual(self.states(), (State.ESTABLISHED, State.ESTABLISHED))
        conversation = self.wire.analyser.conversations[0]
        self.assertEqual(conversation.opener, 0)
        self.assertEqual(
            [(move.number, move.flow, move.after) for move in conversation.transitions],
            [
                (1, 0, State.SYN_SENT),
                (1, 1, State.LISTEN),
                (2, 1, State.SYN_RECEIVED),
                (2, 0, State.ESTABLISHED),
                (3, 1, State.ESTABLISHED),
            ],
        )
        self.assertIsInstance(conversation.transitions[0], Transition)

    def test_answerAlone(self) -> None:
        """
        Where the first SYN was not captured, the answer tells who opened.
        """
        self.wire.server(5000, 1001, SYN | ACK)
        conversation = self.wire.analyser.conversations[0]
        self.assertEqual(conversation.client.port, 4000)
        self.assertEqual(self.states(), (State.SYN_RECEIVED, State.ESTABLISHED))
        self.wire.client(1001, 5001)
        self.assertEqual(self.states(), (State.ESTABLISHED, State.ESTABLISHED))

    def test_oneDirection(self) -> None:
        """
        Where the answer was not captured, the ACK proves it.
        """
        self.wire.client(1000, 0, SYN)
        self.wire.client(1001, 5001)
        self.assertEqual(self.states()[0], State.ESTABLISHED)

    def test_simultaneousOpening(self) -> None:
        """
        Two SYNs that cross (section 3.5, figure 7).
        """
        self.wire.client(1000, 0, SYN)
        self.wire.server(5000, 0, SYN)
        self.assertEqual(self.states(), (State.SYN_RECEIVED, State.SYN_RECEIVED))
        self.wire.client(1000, 5001, SYN | ACK)
        self.wire.server(5000, 1001, SYN | ACK)
        self.wire.client(1001, 5001)
        self.wire.server(5001, 1001)
        self.assertEqual(self.states(), (State.ESTABLISHED, State.ESTABLISHED))

    def test_closeInFour(self) -> None:
        """
        An orderly close in four segments (section 3.6, case 1; figure 12).
        """
        self.wire.open()
        for send, expected in [
            (lambda: self.wire.client(1001, 5001, FIN | ACK), ("FIN-WAIT-1", "ESTABLISHED")),
            (lambda: self.wire.server(5001, 1002), ("FIN-WAIT-2", "CLOSE-WAIT")),
            (lambda: self.wire.server(5001, 1002, ACK, 10), ("FIN-WAIT-2", "CLOSE-WAIT")),
            (lambda: self.wire.server(5011, 1002, FIN | ACK), ("FIN-WAIT-2", "LAST-ACK")),
            (lambda: self.wire.client(1002, 5012), ("TIME-WAIT", "CLOSED")),
        ]:
            send()
            self.assertEqual(tuple(state.value for state in self.states()), expected)
        conversation = self.wire.analyser.conversations[0]
        self.assertTrue(conversation.is_over)
        client, server = conversation.flows
        self.assertEqual((client.fin, client.fin_frame), (1001, 4))
        self.assertEqual((server.fin, server.fin_frame), (5011, 7))

    def test_closeInThree(self) -> None:
        """
        FIN answered by FIN with ACK in one segment.
        """
        self.wire.open()
        self.wire.server(5001, 1001, FIN | ACK)
        self.wire.client(1001, 5002, FIN | ACK)
        self.assertEqual(self.states(), (State.LAST_ACK, State.FIN_WAIT_2))
        self.wire.server(5002, 1002)
        self.assertEqual(self.states(), (State.CLOSED, State.TIME_WAIT))

    def test_simultaneousClose(self) -> None:
        """
        Two FINs that cross, though the capture shows one of them first: neither acknowledges the
        other (section 3.6, case 3; figure 13).
        """
        self.wire.open()
        self.wire.client(1001, 5001, FIN | ACK)
        self.wire.server(5001, 1001, FIN | ACK)
        self.assertEqual(self.states(), (State.FIN_WAIT_1, State.FIN_WAIT_1))
        self.wire.client(1002, 5002)
        self.assertEqual(self.states(), (State.CLOSING, State.FIN_WAIT_2))
        self.wire.server(5002, 1002)
        self.assertEqual(self.states(), (State.TIME_WAIT, State.TIME_WAIT))

    def test_reset(self) -> None:
        """
        A reset closes both ends at once.
        """
        self.wire.open()
        self.wire.server(5001, 1001, RST | ACK)
        self.assertEqual(self.states(), (State.CLOSED, State.CLOSED))
        self.assertEqual(self.wire.analyser.conversations[0].flows[1].reset_frame, 4)

    def test_refused(self) -> None:
        """
        A SYN that is answered by a reset: the connection was refused.
        """
        self.wire.client(1000, 0, SYN)
        self.wire.server(0, 1001, RST | ACK)
        self.assertEqual(self.states(), (State.CLOSED, State.CLOSED))

    def test_middle(self) -> None:
        """
        What sends data or ACKs without a SYN has been open before the capture.
        """
        self.wire.client(1001, 5001, ACK, 5)
        self.assertEqual(self.states(), (State.ESTABLISHED, State.ESTABLISHED))
        self.wire.server(5001, 1006, FIN | ACK)
        self.wire.client(1006, 5002, FIN | ACK)
        self.wire.server(5002, 1007)
        self.assertTrue(self.wire.analyser.conversations[0].is_over)

    def test_bounded(self) -> None:
        """
        However often the ends change, a bounded number of changes is kept.
        """
        for number in range(300):
            self.wire.client(1000, 0, SYN)
            self.wire.server(5000 + number, 1001, SYN | ACK)
            self.wire.client(1001, 5001 + number, RST)
        conversation = self.wire.analyser.conversations[0]
        self.assertLessEqual(len(conversation.transitions), 64)
        self.assertLessEqual(len(conversation.flows[1].rebased or ()), 64)
