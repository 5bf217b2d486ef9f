"""
L{netlab.http1.sansio.errors}: the two kinds of fault.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.errors import LocalProtocolError, ProtocolError, RemoteProtocolError


class ErrorTests(SynchronousTestCase):
    """
    One for the peer's faults, one for ours.
    """

    def test_are_told_apart(self) -> None:
        """
        Neither is the other; both are protocol errors.
        """
        self.assertTrue(issubclass(RemoteProtocolError, ProtocolError))
        self.assertTrue(issubclass(LocalProtocolError, ProtocolError))
        self.assertFalse(issubclass(RemoteProtocolError, LocalProtocolError))
        self.assertFalse(issubclass(LocalProtocolError, RemoteProtocolError))

    def test_remote_fault_says_status_and_reason(self) -> None:
        """
        For the answer and for the log.
        """
        error = RemoteProtocolError(431, "the header section is too long")
        self.assertEqual((error.status, error.explanation), (431, "the header section is too long"))
        self.assertEqual(str(error), "431 the header section is too long")
