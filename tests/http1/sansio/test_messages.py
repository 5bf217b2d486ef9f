"""
L{netlab.http1.sansio.messages}: events are values.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.messages import (
    CONNECTION_CLOSED,
    END_OF_MESSAGE,
    ConnectionClosed,
    Content,
    EndOfMessage,
    RequestHead,
    ResponseHead,
)
from netlab.http1.sansio.target import Target, TargetForm

TARGET = Target(TargetForm.ORIGIN, b"/")


class EventTests(SynchronousTestCase):
    """
    Comparable, hashable.
    """

    def test_equal_events_are_equal(self) -> None:
        """
        And have an equal hash.
        """
        for one, other in (
            (RequestHead(b"GET", TARGET), RequestHead(b"GET", TARGET)),
            (ResponseHead(200, Fields([(b"A", b"b")])), ResponseHead(200, Fields([(b"A", b"b")]))),
            (Content(b"a"), Content(b"a")),
            (EndOfMessage(), END_OF_MESSAGE),
            (ConnectionClosed(), CONNECTION_CLOSED),
        ):
            self.assertEqual(one, other)
            self.assertEqual(hash(one), hash(other))

    def test_raw_bytes_do_not_count(self) -> None:
        """
        Two heads that say the same are equal, however they were written.
        """
        self.assertEqual(RequestHead(b"GET", TARGET, raw=b"x"), RequestHead(b"GET", TARGET))
        self.assertEqual(ResponseHead(200, raw=b"x"), ResponseHead(200))
        self.assertNotIn("raw", repr(RequestHead(b"GET", TARGET, raw=b"x")))

    def test_interim_responses(self) -> None:
        """
        Those below 200 (RFC 9110 section 15.2).
        """
        self.assertEqual(
            [ResponseHead(status).is_interim for status in (100, 103, 199, 200, 204)],
            [True, True, True, False, False],
        )
