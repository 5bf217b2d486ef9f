"""
Numbers that nobody can guess.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.isn import Secrets
from netlab.tcp.timers import MILLISECOND

A, B = (b"\x0a\0\0\1", 80), (b"\x0a\0\0\2", 5000)


class SecretsTests(SynchronousTestCase):
    """
    RFC 6528 and its relatives.
    """

    def test_clock(self) -> None:
        """
        For the same addresses the number grows by one in 4 microseconds (RFC 9293 section 3.4.1).
        """
        secrets = Secrets(b"k" * 16)
        first = secrets.initial_sequence_number(0, A, B)
        second = secrets.initial_sequence_number(MILLISECOND, A, B)
        self.assertEqual((second - first) & 0xFFFFFFFF, 250)

    def test_apart(self) -> None:
        """
        Every address, port and key makes another.
        """
        secrets, other = Secrets(b"k" * 16), Secrets(b"l" * 16)
        numbers = {
            secrets.initial_sequence_number(0, A, B),
            secrets.initial_sequence_number(0, B, A),
            secrets.initial_sequence_number(0, (A[0], 81), B),
            secrets.initial_sequence_number(0, A, (B[0], 5001)),
            other.initial_sequence_number(0, A, B),
            secrets.timestamp_offset(A, B),
        }
        self.assertEqual(len(numbers), 6)

    def test_cookie(self) -> None:
        """
        A cookie is an address's, whatever its port.
        """
        secrets = Secrets(b"k" * 16)
        self.assertEqual(len(secrets.cookie(A[0], B[0])), 8)
        self.assertNotEqual(secrets.cookie(A[0], B[0]), secrets.cookie(B[0], A[0]))
