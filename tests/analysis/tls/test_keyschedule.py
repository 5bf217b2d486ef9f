"""
Tests for L{netlab.analysis.tls.keyschedule}, by vectors that others published.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.tls.keyschedule import SUITES, pseudo_random, traffic_keys


class KeyScheduleTests(SynchronousTestCase):
    """
    Keys from secrets.
    """

    def test_rfc_8448(self) -> None:
        """
        The server's handshake keys of the simple handshake in RFC 8448 section 3.
        """
        secret = "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"
        keys = traffic_keys(bytes.fromhex(secret), SUITES[0x1301])
        self.assertEqual(keys.key.hex(), "3fce516009c21727d0f2e4e86ee403bc")
        self.assertEqual(keys.iv.hex(), "5d313eb2671276ee13000b30")

    def test_pseudo_random(self) -> None:
        """
        The vector for P_SHA256 that the IETF's TLS list has used since 2008.
        """
        made = pseudo_random(
            bytes.fromhex("9bbe436ba940f017b17652849a71db35"),
            b"test label",
            bytes.fromhex("a0ba9f936cda311827a6f796ffd5198c"),
            100,
            "sha256",
        )
        self.assertEqual(
            made.hex(),
            "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e"
            "14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5"
            "a72e5a5110fff70187347b66",
        )
