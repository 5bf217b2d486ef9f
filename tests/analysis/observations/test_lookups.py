"""
Tests for L{netlab.analysis.observations.lookups}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.observations.lookups import (
    ADDRESSES_MAX,
    FAILURES_MAX,
    OPEN_MAX,
    Lookups,
)
from netlab.capture.dns import A, DNSMessage

HOST, RESOLVER = b"\0\0\0\1", b"\0\0\0\2"
ASKED = HOST + RESOLVER + b"\x30\0\0\x35"
ANSWERED = RESOLVER + HOST + b"\0\x35\x30\0"


def question(name: str, identity: int = 1) -> DNSMessage:
    """Ask for a name."""
    return DNSMessage(identity, False, 0, False, name, A, (), "")


def answer(name: str, *addresses: bytes, identity: int = 1, rcode: int = 0) -> DNSMessage:
    """Answer for a name."""
    return DNSMessage(identity, True, rcode, False, name, A, addresses, "")


class LookupTests(SynchronousTestCase):
    """
    Questions and their answers.
    """

    def test_answer_of_a_question(self) -> None:
        """
        An answer is put to its question, and found by the address that it gives.
        """
        lookups = Lookups()
        lookups.receive(ASKED, 1, 10, question("a"))
        lookups.receive(ANSWERED, 2, 30, answer("a", b"\1\1\1\1"))
        found = lookups.answer_for(HOST, b"\1\1\1\1")
        assert found is not None
        self.assertEqual((found.asked, found.answered, found.name), (1, 2, "a"))
        self.assertIsNone(lookups.answer_for(RESOLVER, b"\1\1\1\1"))
        lookups.finish()
        self.assertEqual(lookups.failed, [])

    def test_answer_alone(self) -> None:
        """
        An answer whose question was not captured, or had another number, is one by itself.
        """
        lookups = Lookups()
        lookups.receive(ASKED, 1, 10, question("a", identity=9))
        lookups.receive(ANSWERED, 2, 30, answer("a", b"\1\1\1\1"))
        found = lookups.answer_for(HOST, b"\1\1\1\1")
        self.assertEqual(found and found.asked, 0)

    def test_asked_again(self) -> None:
        """
        The same question is counted, and keeps its first and its last time.
        """
        lookups = Lookups()
        lookups.receive(ASKED, 1, 10, question("a"))
        lookups.receive(ASKED, 4, 90, question("a"))
        lookups.finish()
        (found,) = lookups.failed
        self.assertEqual((found.times, found.asked_ns, found.last_ns), (2, 10, 90))

    def test_bounds(self) -> None:
        """
        However many questions, answers and failures there are, so many are kept.
        """
        lookups = Lookups()
        for number in range(OPEN_MAX + FAILURES_MAX + 9):
            lookups.receive(ASKED, number, number, question(f"{number}"))
        self.assertEqual(len(lookups.failed), FAILURES_MAX)
        for number in range(ADDRESSES_MAX + 1):
            lookups.receive(ANSWERED, number, number, answer("a", number.to_bytes(4)))
        self.assertIsNone(lookups.answer_for(HOST, bytes(4)))
        self.assertIsNotNone(lookups.answer_for(HOST, (1).to_bytes(4)))
