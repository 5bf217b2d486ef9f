"""
Tests for L{netlab.analysis.http.exchange}.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.http import exchange
from netlab.analysis.http.exchange import ExchangeReader
from netlab.analysis.http.messages import HTTPExchange, HTTPFault, Message, MessageEnd
from netlab.analysis.http.reassembly import Piece
from tests.worked import lines_run

_GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
_MOVED = b"HTTP/1.1 301 Moved Permanently\r\nConnection: close\r\nLocation: /b\r\n\r\n"
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"


@dataclass
class _Wire:
    """
    Sends pieces to a reader, one a frame, each a second after the last.
    """

    reader: ExchangeReader = field(default_factory=ExchangeReader)
    frame: int = 0
    offsets: list[int] = field(default_factory=lambda: [0, 0])

    def up(self, data: bytes, missing: int = 0) -> int:
        return self._send(data, missing, from_client=True)

    def down(self, data: bytes, missing: int = 0) -> int:
        return self._send(data, missing, from_client=False)

    def end(self, *, from_client: bool) -> int:
        self.frame += 1
        self.reader.receive_end(self.frame, self.frame * 10**9, from_client=from_client)
        return self.frame

    def _send(self, data: bytes, missing: int, *, from_client: bool) -> int:
        self.frame += 1
        at = self.offsets[from_client]
        piece = Piece(at, data, missing, self.frame, self.frame * 10**9)
        self.reader.receive(piece, from_client=from_client)
        self.offsets[from_client] = piece.end
        return self.frame


def _response(one: HTTPExchange) -> Message:
    assert one.response is not None
    return one.response


class ExchangeReaderTests(SynchronousTestCase):
    """
    Requests and answers are matched, and each part is traced to its frame.
    """

    def test_exchange(self) -> None:
        """
        A request and its answer make an exchange, with the frames that carried them.
        """
        wire = _Wire()
        wire.up(_GET)
        wire.down(_OK)
        (one,) = wire.reader.exchanges
        assert one.request is not None
        self.assertEqual((one.method, one.status), (b"GET", 200))
        self.assertEqual((one.request.first_frame, one.request.end_frame), (1, 1))
        self.assertEqual((one.request.length, one.request.end), (len(_GET), MessageEnd.NO_CONTENT))
        answer = _response(one)
        self.assertEqual((answer.first_frame, answer.end_frame), (2, 2))
        self.assertEqual(
            (answer.head_length, answer.body_length, answer.content_length, answer.end),
            (len(_OK) - 3, 3, 3, MessageEnd.LENGTH),
        )
        self.assertEqual(wire.reader.fault, None)

    def test_frames_of_parts(self) -> None:
        """
        A status line, the end of its head and the end of its body may come in three frames.
        """
        wire = _Wire()
        wire.up(_GET)
        wire.down(_OK[:5])
        wire.down(_OK[5:-2])
        self.assertEqual(_response(wire.reader.exchanges[0]).end, None)
        wire.down(_OK[-2:])
        answer = _response(wire.reader.exchanges[0])
        self.assertEqual(
            (answer.first_frame, answer.head_frame, answer.last_frame, answer.end_frame),
            (2, 3, 4, 4),
        )
        self.assertEqual((answer.first_time_ns, answer.last_time_ns), (2 * 10**9, 4 * 10**9))

    def test_reuse(self) -> None:
        """
        A second request on the connection is an exchange of its own, and not pipelined.
        """
        wire = _Wire()
        for _ in range(2):
            wire.up(_GET)
            wire.down(_OK)
        self.assertEqual([one.is_pipelined for one in wire.reader.exchanges], [False, False])
        self.assertEqual([_response(one).first_frame for one in wire.reader.exchanges], [2, 4])

    def test_pipelining(self) -> None:
        """
        Requests that do not wait for answers are matched with them in order (RFC 9112 section
        9.3.2), also where several share a frame.
        """
        wire = _Wire()
        wire.up(_GET + b"HEAD / HTTP/1.1\r\nHost: a.example\r\n\r\n" + _GET)
        wire.down(_OK + _OK[:-3] + _CHUNKED)
        self.assertEqual(
            [(one.method, one.status, one.is_pipelined) for one in wire.reader.exchanges],
            [(b"GET", 200, False), (b"HEAD", 200, True), (b"GET", 200, True)],
        )
        self.assertEqual(
            [_response(one).end for one in wire.reader.exchanges],
            [MessageEnd.LENGTH, MessageEnd.NO_CONTENT, MessageEnd.LAST_CHUNK],
        )
        self.assertEqual(wire.reader.fault, None)

    def test_end_of_stream(self) -> None:
        """
        An answer without a length ends with the stream (RFC 9112 section 6.3 item 8): its status
        line is in one frame, its end in another.
        """
        wire = _Wire()
        wire.up(_GET)
        wire.down(_MOVED)
        answer = _response(wire.reader.exchanges[0])
        self.assertEqual((answer.end, answer.end_frame), (None, None))
        wire.end(from_client=False)
        self.assertEqual((answer.end, answer.end_frame), (MessageEnd.END_OF_STREAM, 3))
        self.assertEqual((answer.first_frame, answer.last_frame), (2, 2))
        self.assertEqual((answer.length, answer.content_length), (len(_MOVED), 0))

    def test_cut_short(self) -> None:
        """
        A stream that ends within a body or a head is a fault of the end that sent it.
        """
        for sent, reason in (
            (_OK[:-1], "the stream ended within a message"),
            (_OK[:9], "the stream ended within a head"),
        ):
            wire = _Wire()
            wire.up(_GET)
            wire.down(sent)
            wire.end(from_client=False)
            self.assertEqual(
                wire.reader.fault, HTTPFault(from_client=False, frame=3, reason=reason)
            )

    def test_interim_responses(self) -> None:
        """
        Interim responses (RFC 9110 section 15.2) come before the final one of the same exchange.
        """
        wire = _Wire()
        wire.up(
            b"PUT / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        wire.down(b"HTTP/1.1 100 Continue\r\n\r\n")
        wire.up(b"hi")
        wire.down(_OK)
        (one,) = wire.reader.exchanges
        assert one.request is not None
        self.assertEqual([message.first_frame for message in one.interim], [2])
        self.assertEqual((one.status, _response(one).first_frame), (200, 4))
        self.assertEqual((one.request.end_frame, one.request.content_length), (3, 2))

    def test_tunnel(self) -> None:
        """
        After 101, or 2xx to a CONNECT, the bytes are another protocol's and no fault.
        """
        connect = b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n"
        for request, answer in (
            (_GET, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"),
            (connect, b"HTTP/1.1 200 Connection established\r\n\r\n"),
        ):
            wire = _Wire()
            wire.up(request)
            wire.down(answer + b"\x16\x03\x01")
            wire.up(b"\x16\x03\x01\x02\x00\x01")
            self.assertTrue(wire.reader.is_tunnel)
            self.assertEqual((len(wire.reader.exchanges), wire.reader.fault), (1, None))

    def test_no_request(self) -> None:
        """
        A connection without a byte has no exchange and no fault: it was a spare one.
        """
        wire = _Wire()
        wire.end(from_client=False)
        wire.end(from_client=True)
        self.assertEqual((wire.reader.exchanges, wire.reader.fault), ([], None))
        self.assertFalse(wire.reader.is_http)

    def test_answer_without_request(self) -> None:
        """
        An answer that nobody asked for is an exchange without a request.
        """
        wire = _Wire()
        wire.down(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        (one,) = wire.reader.exchanges
        self.assertEqual((one.request, one.method, one.status), (None, b"", 408))

    def test_other_protocol(self) -> None:
        """
        What is not HTTP is named by the first frame that could not be read, and goes no further.
        """
        wire = _Wire()
        wire.down(b"220 mail.example ESMTP\r\n")
        wire.up(b"EHLO me\r\n")
        self.assertFalse(wire.reader.is_http)
        self.assertEqual(
            wire.reader.fault, HTTPFault(False, 1, "the answer is not HTTP/1.0 or HTTP/1.1")
        )

    def test_gap_in_a_body(self) -> None:
        """
        Bytes that were not captured within a body of known length leave the next message readable.
        """
        wire = _Wire()
        wire.up(_GET)
        wire.down(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc", 99997)
        wire.up(_GET)
        wire.down(_OK)
        first, second = wire.reader.exchanges
        self.assertEqual(
            (_response(first).content_length, _response(first).missing), (100000, 99997)
        )
        self.assertEqual((second.status, wire.reader.fault), (200, None))

    def test_gap_beyond_a_body(self) -> None:
        """
        A gap that hides where a message begins is a fault; reading goes on where a piece begins
        with a start line, and an answer then belongs to the last request before it.
        """
        wire = _Wire()
        wire.up(_GET)
        wire.down(_OK[:-3], 13)
        wire.up(_GET)
        wire.down(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        first, second = wire.reader.exchanges
        self.assertEqual((first.status, _response(first).missing), (200, 3))
        self.assertEqual(second.status, 404)
        self.assertEqual(wire.reader.fault, HTTPFault(False, 2, "13 bytes were not captured"))

    def test_middle(self) -> None:
        """
        Where the beginning was not captured, reading begins with the first start line.
        """
        wire = _Wire(ExchangeReader(is_from_start=False))
        wire.down(b"the rest of something")
        wire.up(_GET)
        wire.down(_OK)
        (one,) = wire.reader.exchanges
        self.assertEqual((one.method, one.status, wire.reader.fault), (b"GET", 200, None))

    def test_exchanges_are_bounded(self) -> None:
        """
        Beyond a bound, exchanges are only counted.
        """
        self.patch(exchange, "EXCHANGES_MAX", 2)
        wire = _Wire()
        for _ in range(3):
            wire.up(_GET)
            wire.down(_OK)
        self.assertEqual((len(wire.reader.exchanges), wire.reader.exchanges_uncounted), (2, 1))

    def test_work_without_requests(self) -> None:
        """
        Answers to a request that never ends, in segments of a byte, take work in proportion.
        """

        def lines(count: int) -> int:
            wire = _Wire()
            wire.up(b"GET / HTTP/1.1\r\na: ")
            for _ in range(count):
                wire.up(b"b")
            return lines_run(lambda: [wire.down(_OK) for _ in range(count)])

        self.assertLess(lines(400), 6 * lines(100))

    @given(st.lists(st.integers(1, 200), max_size=30), st.lists(st.integers(1, 300), max_size=30))
    def test_cuts(self, up_cuts: list[int], down_cuts: list[int]) -> None:
        """
        Where segments are cut changes nothing but the frames' numbers.
        """
        up = _GET + b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody" + _GET
        down = _OK + _CHUNKED + _MOVED + b"rest"
        wire = _Wire()
        for data, cuts, send in ((up, up_cuts, wire.up), (down, down_cuts, wire.down)):
            at = 0
            for length in [*cuts, len(data)]:
                send(data[at : at + length])
                at += length
        wire.end(from_client=False)
        self.assertEqual(
            [
                (one.method, one.status, _response(one).length, _response(one).end)
                for one in wire.reader.exchanges
            ],
            [
                (b"GET", 200, len(_OK), MessageEnd.LENGTH),
                (b"POST", 200, len(_CHUNKED), MessageEnd.LAST_CHUNK),
                (b"GET", 301, len(_MOVED) + 4, MessageEnd.END_OF_STREAM),
            ],
        )
        self.assertEqual(wire.reader.fault, None)

    @given(
        st.lists(st.tuples(st.booleans(), st.binary(max_size=40), st.integers(0, 5)), max_size=20)
    )
    def test_any_bytes(self, pieces: list[tuple[bool, bytes, int]]) -> None:
        """
        Whatever the bytes are, reading them never fails.
        """
        wire = _Wire(ExchangeReader(is_from_start=len(pieces) % 2 == 0))
        for from_client, data, missing in pieces:
            begin = (_GET if from_client else _OK)[: 10 * missing]
            (wire.up if from_client else wire.down)(begin + data, missing)
        wire.end(from_client=True)
        wire.end(from_client=False)
        for one in wire.reader.exchanges:
            self.assertTrue(one.request is not None or one.interim or one.response is not None)
