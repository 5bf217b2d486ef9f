"""
Tests for L{netlab.transport.tls.description}, and the records that it does not read.
"""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from netlab.transport.tls.contexts import TLSSettings
from netlab.transport.tls.description import NotOursError, read_description


class DescriptionTests(SynchronousTestCase):
    """
    Places and files.
    """

    def test_forms(self) -> None:
        """
        Files are named, or stand in Twisted's order; paths become absolute.
        """
        for description in (
            "ssl:443:/k.pem:/c.pem",
            "ssl:port=443:certKey=/c.pem:privateKey=/k.pem",
            "ssl:443:privateKey=/k.pem:certKey=/c.pem",
        ):
            place, settings = read_description(description, TLSSettings())
            self.assertEqual("tcp:443", place)
            self.assertEqual(("/k.pem", "/c.pem"), (settings.key, settings.certificate))
        _, settings = read_description(r"ssl:443:a\:b.pem", TLSSettings())
        self.assertEqual(os.path.abspath("a:b.pem"), settings.key)

    def test_one_file(self) -> None:
        """
        A key without a certificate is in the same file; so are both by default.
        """
        _, settings = read_description("ssl:443:privateKey=/both.pem", TLSSettings())
        self.assertEqual("/both.pem", settings.certificate)
        _, settings = read_description("ssl:443", TLSSettings())
        self.assertEqual(("server.pem", "server.pem"), (settings.key, settings.certificate))

    def test_defaults(self) -> None:
        """
        What is not named comes from elsewhere.
        """
        defaults = TLSSettings("/c.pem", "/k.pem", handshake_seconds=3)
        self.assertEqual(("tcp:443", defaults), read_description("ssl:443", defaults))

    def test_others(self) -> None:
        """
        Interface and backlog are those of the place, with their backslashes; chain and parameters
        are files.
        """
        place, settings = read_description(
            r"ssl:443:interface=\:\:1:backlog=7:extraCertChain=/x:dhParameters=/d", TLSSettings()
        )
        self.assertEqual(r"tcp:443:interface=\:\:1:backlog=7", place)
        self.assertEqual(("/x", "/d"), (settings.chain, settings.dh_parameters))

    def test_refused(self) -> None:
        """
        What Twisted's parser would not take is refused.
        """
        for description in (
            "ssl",
            "ssl:x",
            "ssl:443:nonsense=1",
            "ssl:443:port=444",
            "ssl:443:key:cert:method:interface:9:more",
        ):
            self.assertRaises(ValueError, read_description, description, TLSSettings())

    def test_not_ours(self) -> None:
        """
        A method of pyOpenSSL is for Twisted's own TLS.
        """
        self.assertRaises(
            NotOursError, read_description, "ssl:443:k:c:sslmethod=TLSv1_2_METHOD", TLSSettings()
        )
