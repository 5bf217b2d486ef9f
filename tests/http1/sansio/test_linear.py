"""
The machine's work is linear in what it receives, however that is cut: twice the bytes cost twice as
much. Work is counted, not timed: calls, and the bytes that a buffer searches or copies.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.limits import Limits
from netlab.http1.sansio.receivebuffer import ReceiveBuffer
from netlab.http1.sansio.serversettings import ServerSettings
from tests.http1.deliveries import deliver

_LARGE = 1 << 30

#: Nothing is refused for its size, which would end the work early.
_LIMITS = Limits(
    start_line_max_bytes=_LARGE,
    header_section_max_bytes=_LARGE,
    field_lines_max=_LARGE,
    content_max_bytes=_LARGE,
    chunk_extension_max_bytes=_LARGE,
    chunk_overhead_max_bytes=_LARGE,
    pipelined_max_bytes=_LARGE,
    exchanges_max=0,
)

_HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

_STREAMS: dict[str, Callable[[int], bytes]] = {
    "a target without end": lambda n: b"GET /" + b"a" * n,
    "a field value without end": lambda n: _HEAD + b"A: " + b"a" * n,
    "field lines without end": lambda n: _HEAD + b"A: b\r\n" * (n // 6),
    "one long head": lambda n: _HEAD + b"A: b\r\n" * (n // 6) + b"\r\n",
    "many requests": lambda n: (_HEAD + b"\r\n") * (n // 30),
    "content": lambda n: _HEAD + b"Content-Length: %d\r\n\r\n" % n + b"a" * n,
    "chunks of one byte": lambda n: _CHUNKED + b"1\r\na\r\n" * (n // 6),
    "a long chunk extension": lambda n: _CHUNKED + b"1;" + b"a" * n,
    "one large chunk": lambda n: _CHUNKED + b"%x\r\n" % n + b"a" * n,
    "trailers": lambda n: _CHUNKED + b"0\r\n" + b"A: b\r\n" * (n // 6),
    "a long trailer": lambda n: _CHUNKED + b"0\r\nA: " + b"b" * n,
}


@dataclass
class Work:
    """
    What was done.

    @ivar calls: of functions, ours and the interpreter's.
    @ivar touched: bytes searched and copied by buffers.
    """

    calls: int = 0
    touched: int = 0


class LinearTests(SynchronousTestCase):
    """
    Twice the bytes, twice the work.
    """

    @contextmanager
    def counting(self) -> Iterator[Work]:
        """
        Count while the block runs.
        """
        work = Work()
        find, locate = ReceiveBuffer.find, ReceiveBuffer.locate
        peek, take = ReceiveBuffer.peek, ReceiveBuffer.take

        class CountedPattern:
            def __init__(self, pattern: re.Pattern[bytes]) -> None:
                self._pattern = pattern

            def search(self, data: bytes, begin: int = 0) -> re.Match[bytes] | None:
                work.touched += len(data) - begin
                return self._pattern.search(data, begin)

        def counted_find(
            buffer: ReceiveBuffer, separator: bytes, forbidden: re.Pattern[bytes]
        ) -> int:
            at = find(buffer, separator, cast(Any, CountedPattern(forbidden)))
            work.touched += max(0, at)
            return at

        def counted_locate(buffer: ReceiveBuffer, separator: bytes, begin: int, end: int) -> int:
            work.touched += max(0, min(len(buffer), end) - begin)
            return locate(buffer, separator, begin, end)

        def counted_peek(buffer: ReceiveBuffer, count: int) -> bytes:
            work.touched += min(count, len(buffer))
            return peek(buffer, count)

        def counted_take(buffer: ReceiveBuffer, count: int) -> bytes:
            work.touched += min(count, len(buffer))
            return take(buffer, count)

        def profile(frame: object, event: str, argument: object) -> None:
            work.calls += event in {"call", "c_call"}

        counted = {
            "find": counted_find,
            "locate": counted_locate,
            "peek": counted_peek,
            "take": counted_take,
        }
        patches = [self.patch(ReceiveBuffer, name, method) for name, method in counted.items()]
        before = sys.getprofile()
        sys.setprofile(profile)
        try:
            yield work
        finally:
            sys.setprofile(before)
            for patch in patches:
                patch.restore()

    def work_of(self, data: bytes, size: int) -> Work:
        """
        Deliver these bytes in pieces of that size.
        """
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        settings = ServerSettings(_LIMITS)  # one that has no head in its memory yet
        with self.counting() as work:
            deliver(pieces, settings)
        return work

    def test_twice(self) -> None:
        """
        For each stream, whole, in pieces and byte by byte.
        """
        for name, stream in _STREAMS.items():
            for size in (1, 100, 1 << 20):
                with self.subTest(stream=name, size=size):
                    once = self.work_of(stream(1200), size)
                    twice = self.work_of(stream(2400), size)
                    self.assertLess(twice.calls, 2.2 * once.calls + 200, (name, size))
                    self.assertLess(twice.touched, 2.2 * once.touched + 200, (name, size))
