"""
Tests for L{netlab.analysis.http.allowance}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.http import allowance
from netlab.analysis.http.allowance import NOT_ALL_MESSAGES, Allowance
from netlab.analysis.http.exchange import ExchangeReader
from netlab.analysis.http.reassembly import Piece
from netlab.analysis.tls.conversation import TLSReader
from netlab.capture.faults import CaptureError
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.target import parse_target
from tests.analysis.dialogue_script import Script

_GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
_ROOT = parse_target(b"GET", b"/")
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"


def _piece(data: bytes, missing: int = 0) -> Piece:
    return Piece(0, data, missing, 1, 10**9)


class _AllowanceTestCase(SynchronousTestCase):
    def allowance(self, kept_max_bytes: int) -> Allowance:
        """
        Make one with less room.
        """
        self.patch(allowance, "KEPT_MAX_BYTES", kept_max_bytes)
        return Allowance()


class AllowanceTests(_AllowanceTestCase):
    """
    One allowance for all conversations of a capture.
    """

    def test_any_number(self) -> None:
        """
        Parts are bounded only where a number is given.
        """
        Allowance().spend(1 << 40)

    def test_parts(self) -> None:
        """
        Exactly as many as are allowed may be read.
        """
        shared = Allowance(3)
        shared.spend()
        shared.spend(2)
        self.assertRaisesRegex(CaptureError, "more than 3 HTTP messages", shared.spend)

    def test_room(self) -> None:
        """
        A message weighs more the longer it is and the more lines it has; where one has found no
        room, none does.
        """
        small = RequestHead(b"GET", _ROOT, raw=_GET)
        long = RequestHead(b"GET", _ROOT, raw=_GET + bytes(5000))
        many = RequestHead(b"GET", _ROOT, fields=Fields([(b"a", b"")] * 50), raw=_GET)
        for large in (long, many):
            shared = self.allowance(6000)
            self.assertTrue(shared.keeps(small))
            self.assertFalse(shared.keeps(large))
            self.assertTrue(shared.is_used_up)
            self.assertFalse(shared.keeps(small))


class AttackTests(_AllowanceTestCase):
    """
    Captures that pack much work, or many things to remember, into few bytes.
    """

    def test_many_conversations(self) -> None:
        """
        What is kept of all conversations together is bounded, and reading ends with it.
        """
        shared = self.allowance(100_000)
        readers = [ExchangeReader(shared) for _ in range(40)]
        for reader in readers:
            reader.receive(_piece(_GET * 100), from_client=True)
            reader.receive(_piece(_OK * 100), from_client=False)
        self.assertLess(sum(len(reader.exchanges) for reader in readers), 100)
        self.assertTrue(readers[0].is_partial)
        assert readers[0].fault is not None
        self.assertIn("more HTTP messages than are kept", readers[0].fault.reason)
        self.assertFalse(readers[-1].is_http)

    def test_large_answers(self) -> None:
        """
        Answers count, and interim ones, not requests alone.
        """
        head = b"HTTP/1.1 %d x\r\na: " + b"b" * 20_000 + b"\r\n\r\n"
        for answers in (head % 204 * 50, head % 103 * 50 + _OK):
            shared = self.allowance(100_000)
            reader = ExchangeReader(shared)
            reader.receive(_piece(_GET * 50), from_client=True)
            reader.receive(_piece(answers), from_client=False)
            kept = sum(
                len(message.head.raw)
                for one in reader.exchanges
                for message in (*one.interim, *filter(None, [one.response]))
            )
            self.assertLess(kept, 100_000)

    def test_story(self) -> None:
        """
        What was not read is told, and nothing is claimed to be missing for it.
        """
        self.patch(allowance, "KEPT_MAX_BYTES", 1500)
        script = Script().open().client("PSH ACK", _GET).server("PSH ACK", _OK)
        story = script.close().story()
        self.assertIn(NOT_ALL_MESSAGES, [passage.sentence for passage in story.passages])
        (conversation,) = story.conversations
        kinds = {claim.kind for claim in conversation.claims}
        self.assertIn("http.not-followed", kinds)
        self.assertFalse(kinds & {"http.unanswered", "closes.while-a-request-waits"}, kinds)

    def test_small_parts(self) -> None:
        """
        Heads, chunks, records without content and gaps each cost a part.
        """
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        until_close = b"HTTP/1.1 200 OK\r\n\r\n"

        def read(data: bytes, missing: int = 0, *, from_client: bool = False) -> None:
            shared = Allowance(100)
            ExchangeReader(shared).receive(_piece(data, missing), from_client=from_client)

        self.assertRaises(CaptureError, read, _GET * 101, from_client=True)
        self.assertRaises(CaptureError, read, b"HTTP/1.1 100 C\r\n\r\n" * 101)
        self.assertRaises(CaptureError, read, chunked + b"1\r\nx\r\n" * 101)
        self.assertRaises(CaptureError, read, until_close, 1 << 24)
        read(chunked + b"1\r\nx\r\n" * 50)
        tls = TLSReader(allowance=Allowance(100))
        record = _piece(b"\x16\x03\x01\x00\x00" * 101)
        self.assertRaises(CaptureError, tls.receive, record, ExchangeReader(), from_client=True)
