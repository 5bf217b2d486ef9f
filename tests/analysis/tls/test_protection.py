"""
Tests for L{netlab.analysis.tls.protection}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.tls.carriers import ByteSpan
from netlab.analysis.tls.keyschedule import SUITES, Keys
from netlab.analysis.tls.protection import (
    TRIES_AFTER_GAP_MAX,
    TRIES_MAX,
    RecordProtection,
)
from netlab.analysis.tls.records import ContentType, TLSRecord


class Counting:
    """
    A cipher that opens what it is told to, and counts how often it was asked.

    @ivar asked: the sequence numbers that were tried.
    """

    def __init__(self, opens: int | None = None) -> None:
        self.asked: list[int] = []
        self._opens = opens

    def open(self, nonce: bytes, data: bytes, associated: bytes) -> bytes | None:
        """
        Open the record of one number.
        """
        self.asked.append(int.from_bytes(nonce, "big"))
        return b"data\x17\x00\x00" if self.asked[-1] == self._opens else None


def record(*, is_after_gap: bool = False, size: int = 40, length: int | None = None) -> TLSRecord:
    """
    Make a protected record.
    """
    return TLSRecord(
        ContentType.APPLICATION_DATA,
        0x0303,
        size if length is None else length,
        bytes(size),
        (ByteSpan(0, size + 5, 1, 1),),
        is_after_gap,
    )


def protection(cipher: Counting) -> RecordProtection:
    """
    Protect by TLS 1.3; the nonce is the sequence number.
    """
    return RecordProtection(
        lambda name, key: cipher, SUITES[0x1301], Keys(bytes(16), bytes(12)), is_tls_1_3=True
    )


class ProtectionTests(SynchronousTestCase):
    """
    Sequence numbers, and what looking for them may cost.
    """

    def test_padding(self) -> None:
        """
        Zeros behind the type are padding (RFC 8446 section 5.4).
        """
        opened = protection(Counting(0)).open(record())
        assert opened is not None
        self.assertEqual((opened.type, opened.data), (ContentType.APPLICATION_DATA, b"data"))

    def test_no_trial(self) -> None:
        """
        Where nothing is missing, one number is tried.
        """
        cipher = Counting(3)
        self.assertIsNone(protection(cipher).open(record()))
        self.assertEqual(cipher.asked, [0])

    def test_after_gap(self) -> None:
        """
        After a gap the next numbers are tried, and the count goes on from the one that opens.
        """
        cipher = Counting(5)
        guarded = protection(cipher)
        self.assertIsNotNone(guarded.open(record(is_after_gap=True)))
        self.assertEqual(cipher.asked, [0, 1, 2, 3, 4, 5])
        self.assertFalse(guarded.is_astray)
        self.assertIsNone(guarded.open(record()))
        self.assertEqual(cipher.asked[6:], [6])

    def test_bound_of_a_gap(self) -> None:
        """
        So many numbers are tried and no more.
        """
        cipher = Counting(TRIES_AFTER_GAP_MAX)
        self.assertIsNone(protection(cipher).open(record(is_after_gap=True)))
        self.assertEqual(len(cipher.asked), TRIES_AFTER_GAP_MAX)

    def test_bound(self) -> None:
        """
        Vain attempts are few in all, however many records come.
        """
        cipher = Counting()
        guarded = protection(cipher)
        for _ in range(1000):
            self.assertIsNone(guarded.open(record(is_after_gap=True)))
        self.assertEqual(len(cipher.asked), TRIES_MAX)

    def test_cut_record(self) -> None:
        """
        A record that was not captured whole has a number too.
        """
        cipher = Counting(1)
        guarded = protection(cipher)
        self.assertIsNone(guarded.open(record(length=80)))
        self.assertEqual(cipher.asked, [])
        self.assertIsNotNone(guarded.open(record()))

    def test_too_short(self) -> None:
        """
        What has no room for a tag is not given to a cipher.
        """
        cipher = Counting(0)
        self.assertIsNone(protection(cipher).open(record(size=15)))
        self.assertEqual(cipher.asked, [])
