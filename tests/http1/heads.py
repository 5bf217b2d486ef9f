"""
Request heads, and what is expected of them, for the tests of L{netlab.http1.sansio.heads}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.heads import ParsedRequest, RequestParser
from netlab.http1.sansio.limits import Limits
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.serversettings import ServerSettings
from tests.http1.deliveries import outcome_of

REQUEST = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"


def parse(lines: bytes, version: bytes = b"1.1", limits: Limits | None = None) -> ParsedRequest:
    """
    Parse a request for C{/} with these field lines behind its Host.
    """
    raw = b"GET / HTTP/%b\r\nHost: a\r\n%b\r\n" % (version, lines)
    return RequestParser(limits or Limits()).parse(raw)


class HeadCase(SynchronousTestCase):
    """
    What the test cases have in common.
    """

    def refuse(
        self, data: bytes, status: int = 400, settings: ServerSettings | None = None
    ) -> None:
        """
        Expect this status as the only outcome, however the bytes are delivered.
        """
        outcome = outcome_of(data, settings)
        self.assertEqual((outcome.status, outcome.events), (status, ()), data)

    def accept(self, data: bytes, settings: ServerSettings | None = None) -> RequestHead:
        """
        Expect one complete request, however the bytes are delivered.
        """
        outcome = outcome_of(data, settings)
        self.assertIsNone(outcome.fault, data)
        self.assertEqual(len(outcome.ends), 1, data)
        return outcome.head
