"""
What of TLS takes a library of cryptography: AEAD ciphers and X.509. Nothing here decides anything.

The library is loaded when something is to be opened or read, since most captures have neither, and
loading it takes longer than telling a small capture.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final
from warnings import catch_warnings, simplefilter

from netlab.analysis.tls.keylog import KeyLog
from netlab.analysis.tls.tools import Certificate, Tools

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

NAMES_MAX: Final = 100
"""How many names of a certificate are kept."""

_TEXT_MAX: Final = 256


class _Opener:
    """
    One algorithm with its key: a L{netlab.analysis.tls.protection.AEAD}.
    """

    def __init__(
        self, cipher: AESGCM | AESCCM | ChaCha20Poly1305, invalid: type[Exception]
    ) -> None:
        self._cipher = cipher
        self._invalid = invalid

    def open(self, nonce: bytes, data: bytes, associated: bytes) -> bytes | None:
        """
        Decrypt and verify.
        """
        try:
            return self._cipher.decrypt(nonce, data, associated)
        except self._invalid:
            return None


def tools_for(keylog: KeyLog | None) -> Tools:
    """
    Give what the reading of TLS may use.

    @param keylog: the secrets, if there are any.
    """
    return Tools(keylog, make_aead, read_certificate)


def make_aead(name: str, key: bytes) -> _Opener:
    """
    Make an algorithm by its name in L{netlab.analysis.tls.keyschedule.Suite}.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

    ciphers = {"AES-GCM": AESGCM, "AES-CCM": AESCCM, "CHACHA20-POLY1305": ChaCha20Poly1305}
    return _Opener(ciphers[name](key), InvalidTag)


def read_certificate(der: bytes) -> Certificate | None:
    """
    Read what a certificate says. Nothing of it is verified.

    @return: C{None} if it cannot be read.
    """
    with catch_warnings():
        # A stranger's certificate that breaks a rule is no news for who runs this program.
        simplefilter("ignore")
        return _read(der)


def _read(der: bytes) -> Certificate | None:
    from cryptography import x509

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
    except Exception:  # noqa: BLE001, what the library raises for a stranger's bytes is not settled
        return None


def _text(name: x509.Name) -> str:
    """
    Write a distinguished name: the common name where there is one, for a reader; else all of it.
    """
    from cryptography.x509.oid import NameOID

    for attribute in name.get_attributes_for_oid(NameOID.COMMON_NAME):
        if isinstance(attribute.value, str) and attribute.value:
            return attribute.value[:_TEXT_MAX]
    return name.rfc4514_string()[:_TEXT_MAX]


def _names(found: x509.Certificate) -> tuple[str, ...]:
    """
    List the hosts that it is for, DNS names and addresses.
    """
    from cryptography import x509

    try:
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except Exception:  # noqa: BLE001, as above: without names there is still a certificate
        return ()
    names = [
        str(name.value)[:_TEXT_MAX]
        for name in extension.value
        if isinstance(name, x509.DNSName | x509.IPAddress)
    ]
    return tuple(names[:NAMES_MAX])


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
