"""
Tests for L{netlab.capture.arp}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.capture.arp import REQUEST, Arp, read_arp

ASKS = bytes.fromhex("0001080006040001 020000000001 c0000201 000000000000 c0000209")


class ArpTests(SynchronousTestCase):
    """
    Who asks for whom.
    """

    def test_request(self) -> None:
        """
        A request names who asks and who is asked for (RFC 826).
        """
        expected = Arp(REQUEST, bytes([192, 0, 2, 1]), bytes([192, 0, 2, 9]))
        self.assertEqual(read_arp(b"link" + ASKS, 4), expected)

    def test_cut(self) -> None:
        """
        A message that was cut anywhere is none.
        """
        for cut in range(len(ASKS)):
            self.assertIsNone(read_arp(ASKS[:cut], 0))

    def test_other_addresses(self) -> None:
        """
        Addresses of other lengths or kinds are not read.
        """
        for at, value in ((2, 0x86), (4, 8), (5, 16)):
            data = bytearray(ASKS)
            data[at] = value
            self.assertIsNone(read_arp(bytes(data), 0))
