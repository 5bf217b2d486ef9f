"""
Tests for L{netlab.capture.dns}.
"""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.capture.dns import AAAA, CNAME, POINTERS_MAX, RECORDS_MAX, A, read_message

NAME = b"\7example\3org\0"
ASKED = b"\xc0\x0c"
"""A pointer to the name that is asked for."""


def message(
    *answers: bytes, flags: int = 0x8180, name: bytes = NAME, kind: int = A, count: int = -1
) -> bytes:
    """Write a message with one question."""
    number = len(answers) if count < 0 else count
    header = struct.pack(">HHHHHH", 7, flags, 1, number, 0, 0)
    return header + name + struct.pack(">HH", kind, 1) + b"".join(answers)


def record(kind: int, data: bytes, owner: bytes = ASKED) -> bytes:
    """Write a resource record."""
    return owner + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


class MessageTests(SynchronousTestCase):
    """
    Questions and answers.
    """

    def test_answer(self) -> None:
        """
        An answer gives the addresses of the name that was asked for, and the alias on the way.
        """
        alias = b"\3www\xc0\x0c"
        found = read_message(
            message(
                record(CNAME, alias),
                record(A, bytes([192, 0, 2, 1])),
                record(A, bytes([192, 0, 2, 2])),
            )
        )
        assert found is not None
        self.assertEqual((found.identity, found.is_answer, found.name), (7, True, "example.org"))
        self.assertEqual(found.addresses, (bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])))
        self.assertEqual((found.alias, found.failure), ("www.example.org", ""))

    def test_ipv6(self) -> None:
        """
        AAAA records give addresses of 16 bytes; one of another length is none (RFC 3596).
        """
        found = read_message(message(record(AAAA, bytes(16)), record(AAAA, bytes(4)), kind=AAAA))
        assert found is not None
        self.assertEqual((found.kind, found.addresses), (AAAA, (bytes(16),)))

    def test_question(self) -> None:
        """
        A question is none of an answer, and its records are not read.
        """
        found = read_message(message(record(A, bytes(4)), flags=0x0100))
        assert found is not None
        self.assertEqual((found.is_answer, found.addresses), (False, ()))

    def test_failure(self) -> None:
        """
        NXDOMAIN and its like are named (RFC 1035 section 4.1.1); an unknown one by its number.
        """
        found = [read_message(message(flags=0x8180 | code)) for code in (3, 11)]
        self.assertEqual(
            [each.failure for each in found if each is not None],
            ["NXDOMAIN, the name does not exist", "error 11"],
        )

    def test_truncated(self) -> None:
        """
        TC says that the rest is to be asked for over TCP.
        """
        found = read_message(message(flags=0x8380))
        self.assertTrue(found is not None and found.is_truncated)

    def test_strange_letters(self) -> None:
        """
        What could be taken for something else on a terminal or in a page is written by number.
        """
        found = read_message(message(name=b"\4\x1b[2J\5<b>.a\0"))
        self.assertEqual(found and found.name, r"\027\0912j.\060b\062\046a")

    def test_other_operations(self) -> None:
        """
        Updates, several questions and what is too short are not read.
        """
        self.assertIsNone(read_message(message(flags=0x2800)))
        self.assertIsNone(read_message(message()[:11]))
        self.assertIsNone(read_message(b"\0\1\0\0\0\2" + message()[6:]))


class HostileTests(SynchronousTestCase):
    """
    Messages made to cost time.
    """

    def test_name_that_points_at_itself(self) -> None:
        """
        Compression points backwards only, so that no name goes round.
        """
        self.assertIsNone(read_message(message(name=ASKED)))
        self.assertIsNone(read_message(message(name=b"\1a\xc0\x0c")))
        self.assertIsNone(read_message(message(name=b"\xc0\xff")))

    def test_name_that_jumps_often(self) -> None:
        """
        A name that is compressed more often than L{POINTERS_MAX} times is refused.
        """
        for jumps, is_read in ((POINTERS_MAX, True), (POINTERS_MAX + 1, False)):
            # A record of an unknown type holds the steps: each points at the one before it, the
            # first at the name that is asked for. The next record's name is the last step.
            begin = len(message()) + len(record(99, b""))
            places = [12, *range(begin, begin + 2 * (jumps - 2), 2)]
            steps = b"".join(struct.pack(">H", 0xC000 | place) for place in places)
            last = struct.pack(">H", 0xC000 | (begin + len(steps) - 2))
            found = read_message(message(record(99, steps), record(A, bytes(4), owner=last)))
            assert found is not None
            self.assertEqual(found.addresses, (bytes(4),) if is_read else ())

    def test_long_name(self) -> None:
        """
        A name of more than 255 bytes is refused (section 2.3.4).
        """
        label = b"\x3f" + b"a" * 63
        self.assertIsNotNone(read_message(message(name=label * 3 + b"\0")))
        self.assertIsNone(read_message(message(name=label * 4 + b"\0")))

    def test_many_records(self) -> None:
        """
        Of more records than L{RECORDS_MAX} the first are looked at.
        """
        found = read_message(message(*[record(A, bytes(4))] * (RECORDS_MAX + 5)))
        self.assertEqual(len(found.addresses) if found else 0, RECORDS_MAX)

    def test_records_that_are_not_there(self) -> None:
        """
        More records than there are, or one that was cut, end the answer.
        """
        found = read_message(message(record(A, bytes(4)), count=9))
        self.assertEqual(found and found.addresses, (bytes(4),))
        found = read_message(message(record(A, bytes(4)), record(A, bytes(4)))[:-1])
        self.assertEqual(found and found.addresses, (bytes(4),))

    @given(st.binary(max_size=200), st.binary(max_size=60))
    def test_anything(self, data: bytes, more: bytes) -> None:
        """
        Whatever arrives is a message or none.
        """
        read_message(data)
        read_message(message(more, count=65535))
