"""
The table of states.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.states import RECEIVES_DATA, SENDS_DATA, SYNCHRONIZED, TRANSITIONS, TCPState


class TableTests(SynchronousTestCase):
    """
    RFC 9293 section 3.3.2, figure 5.
    """

    def reached(self, start: TCPState) -> set[TCPState]:
        """
        Walk along the table.
        """
        found = {start}
        todo = [start]
        while todo:
            state = todo.pop()
            for (before, _), after in TRANSITIONS.items():
                if before is state and after not in found:
                    found.add(after)
                    todo.append(after)
        return found

    def test_every_state(self) -> None:
        """
        Each state can be reached from CLOSED, and CLOSED from each.
        """
        self.assertEqual(self.reached(TCPState.CLOSED), set(TCPState))
        for state in TCPState:
            self.assertIn(TCPState.CLOSED, self.reached(state))

    def test_data(self) -> None:
        """
        Data travel in synchronized states only.
        """
        self.assertLess(RECEIVES_DATA | SENDS_DATA, SYNCHRONIZED)
