"""
What of TLS takes a library of cryptography: AEAD ciphers and X.509. Nothing here decides anything.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.x509.oid import NameOID

from netlab.analysis.tls.tools import Certificate

NAMES_MAX: Final = 100
"""How many names of a certificate are kept."""

_TEXT_MAX: Final = 256


class _Opener:
    """
    One algorithm with its key: a L{netlab.analysis.tls.protection.AEAD}.
    """

    def __init__(self, cipher: AESGCM | ChaCha20Poly1305) -> None:
        self._cipher = cipher

    def open(self, nonce: bytes, data: bytes, associated: bytes) -> bytes | None:
        """
        Decrypt and verify.
        """
        try:
            return self._cipher.decrypt(nonce, data, associated)
        except InvalidTag:
            return None


def make_aead(name: str, key: bytes) -> _Opener:
    """
    Make an algorithm by its name in L{netlab.analysis.tls.keyschedule.Suite}.
    """
    return _Opener(AESGCM(key) if name == "AES-GCM" else ChaCha20Poly1305(key))


def read_certificate(der: bytes) -> Certificate | None:
    """
    Read what a certificate says. Nothing of it is verified.

    @return: C{None} if it cannot be read.
    """
    try:
        found = x509.load_der_x509_certificate(der)
        return Certificate(
            _text(found.subject),
            _text(found.issuer),
            _seconds(found.not_valid_before_utc),
            _seconds(found.not_valid_after_utc),
            _names(found),
            found.subject == found.issuer,
        )
    except (ValueError, x509.InvalidVersion, UnsupportedAlgorithm, OverflowError):
        return None


def _text(name: x509.Name) -> str:
    """
    Write a distinguished name: the common name where there is one, for a reader; else all of it.
    """
    for attribute in name.get_attributes_for_oid(NameOID.COMMON_NAME):
        if isinstance(attribute.value, str) and attribute.value:
            return attribute.value[:_TEXT_MAX]
    return name.rfc4514_string()[:_TEXT_MAX]


def _names(found: x509.Certificate) -> tuple[str, ...]:
    """
    List the hosts that it is for, DNS names and addresses.
    """
    try:
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (
        x509.ExtensionNotFound,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
        ValueError,
    ):
        return ()
    names = [
        str(name.value)[:_TEXT_MAX]
        for name in extension.value
        if isinstance(name, x509.DNSName | x509.IPAddress)
    ]
    return tuple(names[:NAMES_MAX])


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
