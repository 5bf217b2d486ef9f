"""
Tests for L{netlab.analysis.tls.cryptographic}.
"""

from __future__ import annotations

import warnings

from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.tls.cryptographic import make_aead, read_certificate
from tests.analysis.tls.played import Terms, begin

DER = begin(Terms()).leaf.public_bytes(Encoding.DER)


class CertificateTests(SynchronousTestCase):
    """
    A stranger's bytes as a certificate.
    """

    def test_bad_serial(self) -> None:
        """
        A certificate that breaks a rule is read as far as it can be, without a word of warning.
        """
        at = DER.index(b"\x02\x01\x01")
        broken = DER[:at] + b"\x02\x01\x00" + DER[at + 3 :]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = read_certificate(broken)
        self.assertTrue(found is None or found.subject == "www.example.com")

    def test_bit_string_as_a_name(self) -> None:
        """
        A name that is a BIT STRING, for which the library raises a TypeError, and a country that is
        no country, of which it warns, end nothing and say nothing.
        """
        common_name = b"\x06\x03\x55\x04\x03\x0c\x0f" + b"www.example.com"
        self.assertIn(common_name, DER)
        bits = common_name.replace(b"\x0c\x0f", b"\x03\x0f")
        country = common_name.replace(b"\x55\x04\x03", b"\x55\x04\x06")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.assertIsNone(read_certificate(DER.replace(common_name, bits)))
            read_certificate(DER.replace(common_name, country))

    @given(st.integers(0, len(DER) - 1), st.binary(min_size=1, max_size=4))
    def test_any(self, at: int, noise: bytes) -> None:
        """
        Whatever is changed or missing, there is a value or none.
        """
        for data in (DER[:at], DER[:at] + noise + DER[at + len(noise) :], noise):
            found = read_certificate(data)
            if found is not None:
                self.assertLessEqual(len(found.names), 100)
                self.assertLessEqual(len(found.subject), 256)

    def test_ciphers(self) -> None:
        """
        A wrong tag opens nothing.
        """
        for name, size in (
            ("AES-GCM", 16),
            ("AES-GCM", 32),
            ("AES-CCM", 16),
            ("CHACHA20-POLY1305", 32),
        ):
            self.assertIsNone(make_aead(name, bytes(size)).open(bytes(12), bytes(32), b""))
