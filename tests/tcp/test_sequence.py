"""
Sequence numbers.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.sequence import MASK, unwrap


class UnwrapTests(SynchronousTestCase):
    """
    From the wire.
    """

    @given(st.integers(-(2**40), 2**40), st.integers(-(2**31) + 1, 2**31 - 1))
    def test_nearest(self, near: int, offset: int) -> None:
        """
        What is less than half the space away is found again.
        """
        self.assertEqual(unwrap((near + offset) & MASK, near), near + offset)
