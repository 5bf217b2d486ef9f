"""
Which of several certificates a client gets: the one for the server name that it asks for (SNI, RFC
6066 section 3).
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509


def names_of(path: str) -> list[str]:
    """
    Read for which server names a certificate is: its DNS names (RFC 6125 section 6.4), in lower
    case. One for C{*.example.org} is for each name with one label before C{.example.org}.

    @param path: PEM; the first certificate in it counts.
    @raise OSError: the file cannot be read.
    @raise ValueError: it is no certificate.
    """
    certificate = x509.load_pem_x509_certificate(Path(path).read_bytes())
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in extension.value.get_values_for_type(x509.DNSName)]


class ContextsByName:
    """
    The contexts of several certificates.
    """

    def __init__(self, named: Iterable[tuple[list[str], ssl.SSLContext]]) -> None:
        """
        @param named: names and the context that is for them; of two for one name the first.
        """
        self._contexts: dict[str, ssl.SSLContext] = {}
        for names, context in named:
            for name in names:
                self._contexts.setdefault(name, context)

    def find(self, name: str | None) -> ssl.SSLContext | None:
        """
        Find the context for a server name.

        @param name: as a client has sent it; None where it has sent none.
        @return: None where no certificate is for that name.
        """
        if name is None:
            return None
        name = name.lower()
        exact = self._contexts.get(name)
        if exact is not None:
            return exact
        _label, _dot, domain = name.partition(".")
        return self._contexts.get(f"*.{domain}")

    def choose(self, tls: ssl.SSLObject, name: str | None, _default: ssl.SSLContext) -> None:
        """
        Take another context than the default, where there is one. It is an C{sni_callback}: what it
        raises would end the handshake.
        """
        found = self.find(name)
        if found is not None:
            tls.context = found
