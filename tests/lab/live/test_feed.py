"""
Tests for L{netlab.lab.live.feed}.
"""

from __future__ import annotations

import re
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.resources.serverevents import HEARTBEAT
from netlab.lab.live.feed import (
    EVENTS_MAX,
    HEARTBEAT_SECONDS,
    KEPT_MAX_BYTES,
    LISTENERS_MAX,
    Feed,
    Listener,
    TooManyListenersError,
)


class FeedTests(SynchronousTestCase):
    """
    A log, and those who read it.
    """

    def setUp(self) -> None:
        """
        Begin the log of a run.
        """
        self.clock = Clock()
        self.feed = Feed(self.clock)
        self.feed.begin()

    def read(self, listener: Listener) -> Deferred[bytes]:
        """
        Ask for the next piece.
        """

        async def read() -> bytes:
            return await listener.__anext__()

        return Deferred.fromCoroutine(read())

    def numbers(self, piece: bytes) -> list[int]:
        """
        Read the numbers out of a piece.
        """
        return [int(found) for found in re.findall(rb'data: {"n":(\d+)}\n', piece)]

    def close(self, listener: Listener) -> None:
        """
        The client has gone.
        """

        async def close() -> None:
            await listener.aclose()

        self.successResultOf(Deferred.fromCoroutine(close()))

    def test_events(self) -> None:
        """
        An event has its type, an identifier of run and place, and JSON on one line.
        """
        self.feed.add("sent", {"text": "zwei\nZeilen \u2028 ü \ud800"})
        piece = self.successResultOf(self.read(self.feed.listen()))
        self.assertEqual(
            piece.decode(),
            'event: sent\nid: 1-0\ndata: {"text":"zwei\\nZeilen \u2028 ü ?"}\n\n',
        )

    def test_waiting(self) -> None:
        """
        Who has read everything waits for the next event, and nothing stays armed behind it.
        """
        listener = self.feed.listen()
        reading = self.read(listener)
        self.assertNoResult(reading)
        self.feed.add("sent", {"n": 1})
        self.assertEqual(self.numbers(self.successResultOf(reading)), [1])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_heartbeat(self) -> None:
        """
        Where nothing happens a heartbeat is sent, so that vanished clients are found out.
        """
        listener = self.feed.listen()
        reading = self.read(listener)
        self.clock.advance(HEARTBEAT_SECONDS - 0.01)
        self.assertNoResult(reading)
        self.clock.advance(0.01)
        self.assertEqual(self.successResultOf(reading), HEARTBEAT)
        self.feed.add("sent", {"n": 1})
        self.assertEqual(self.numbers(self.successResultOf(self.read(listener))), [1])

    def test_late_and_slow(self) -> None:
        """
        Who comes late or reads slowly gets everything in order, piece by piece.
        """
        for number in range(250):
            self.feed.add("sent", {"n": number})
        listener = self.feed.listen()
        got: list[int] = []
        while len(got) < 250:
            piece = self.numbers(self.successResultOf(self.read(listener)))
            self.assertLessEqual(len(piece), 100)
            got += piece
        self.assertEqual(got, list(range(250)))
        self.assertNoResult(self.read(listener))

    def test_coming_back(self) -> None:
        """
        Who tells the last event that it has had gets what follows; of another run, or with an
        identifier that means nothing, the whole run.
        """
        for number in range(3):
            self.feed.add("sent", {"n": number})
        for identifier, expected in (
            (b"1-0", [1, 2]),
            (b"1-1", [2]),
            (b"0-2", [0, 1, 2]),
            (b"7-1", [0, 1, 2]),
            (b"1-999", [0, 1, 2]),
            (b"-1", [0, 1, 2]),
            (b"x", [0, 1, 2]),
            (b"1-" + b"9" * 400, [0, 1, 2]),
            (None, [0, 1, 2]),
        ):
            listener = self.feed.listen(identifier)
            got = self.numbers(self.successResultOf(self.read(listener)))
            self.assertEqual(got, expected, identifier)
            self.close(listener)

    def test_another_run(self) -> None:
        """
        With another run everyone begins at its beginning, however far they were.
        """
        listener = self.feed.listen()
        for number in range(5):
            self.feed.add("sent", {"n": number})
        self.successResultOf(self.read(listener))
        waiting = self.read(listener)
        self.feed.begin()
        self.feed.add("sent", {"n": 7})
        self.assertEqual(self.numbers(self.successResultOf(waiting)), [7])

    def test_bound_of_events(self) -> None:
        """
        A run of too many events is cut short; how it ended is told all the same.
        """
        results = [self.feed.add("sent", {"n": 1}) for _ in range(EVENTS_MAX)]
        self.assertTrue(all(results[: EVENTS_MAX - 8]))
        self.assertFalse(any(results[EVENTS_MAX - 8 :]))
        self.assertTrue(self.feed.is_full)
        self.assertTrue(self.feed.add("end", {}, is_last=True))
        for _ in range(20):
            self.feed.add("end", {}, is_last=True)
        self.assertEqual(len(self.feed), EVENTS_MAX)
        self.feed.begin()
        self.assertFalse(self.feed.is_full)
        self.assertTrue(self.feed.add("sent", {"n": 1}))

    def test_bound_of_bytes(self) -> None:
        """
        Few large events are cut short as many small ones are.
        """
        large = {"text": "x" * (1 << 20)}
        kept = sum(self.feed.add("sent", large) for _ in range(40))
        self.assertEqual(kept, KEPT_MAX_BYTES // (1 << 20) - 1)
        self.assertTrue(self.feed.add("end", {}, is_last=True))

    def test_bound_of_listeners(self) -> None:
        """
        Only so many may look on; who leaves makes room.
        """
        listeners = [self.feed.listen() for _ in range(LISTENERS_MAX)]
        self.assertRaises(TooManyListenersError, self.feed.listen)
        self.close(listeners[3])
        self.close(listeners[3])
        self.assertEqual(self.feed.listeners, LISTENERS_MAX - 1)
        self.feed.listen()

    def test_a_client_that_goes(self) -> None:
        """
        Who goes while waiting leaves nothing behind.
        """
        listener = self.feed.listen()
        reading: Deferred[Any] = self.read(listener)
        reading.cancel()
        self.failureResultOf(reading, CancelledError)
        self.close(listener)
        self.assertEqual((self.feed.listeners, self.clock.getDelayedCalls()), (0, []))
        self.feed.add("sent", {"n": 1})

    def test_end(self) -> None:
        """
        At the end everyone gets the rest, and then the content ends.
        """
        behind, waiting = self.feed.listen(), self.feed.listen()
        self.feed.add("sent", {"n": 1})
        self.successResultOf(self.read(waiting))
        reading = self.read(waiting)
        self.feed.end()
        self.failureResultOf(reading, StopAsyncIteration)
        self.assertEqual(self.numbers(self.successResultOf(self.read(behind))), [1])
        self.failureResultOf(self.read(behind), StopAsyncIteration)
