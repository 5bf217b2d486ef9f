"""
Requests with a body, and what is expected of them, for the tests of L{netlab.http1.sansio.framing}
and L{netlab.http1.sansio.bodies}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.serversettings import ServerSettings
from tests.http1.deliveries import outcome_of

POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


class FramingCase(SynchronousTestCase):
    """
    What the test cases have in common.
    """

    def refuse(
        self,
        data: bytes,
        status: int = 400,
        settings: ServerSettings | None = None,
        *,
        heads: int = 0,
    ) -> None:
        """
        Expect this status, however the bytes are delivered, and that no request but the first
        C{heads} is ever run, whatever stands behind.
        """
        outcome = outcome_of(data, settings)
        self.assertEqual((outcome.status, len(outcome.heads)), (status, heads), data)
        self.assertEqual(outcome.ends, [], data)

    def refuse_body(
        self, body: bytes, status: int = 400, settings: ServerSettings | None = None
    ) -> None:
        """
        Expect the head of a chunked request and then this status.
        """
        self.refuse(CHUNKED + body, status, settings, heads=1)

    def accept_body(self, body: bytes, settings: ServerSettings | None = None) -> bytes:
        """
        Expect one complete chunked request, and return its content.
        """
        outcome = outcome_of(CHUNKED + body, settings)
        self.assertIsNone(outcome.fault, body)
        self.assertEqual(len(outcome.ends), 1, body)
        self.assertTrue(outcome.may_go_on)
        return outcome.content
