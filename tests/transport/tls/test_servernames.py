"""
Tests for L{netlab.transport.tls.servernames}.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netlab.transport.tls.contexts import RenewableContext, TLSSettings
from netlab.transport.tls.servernames import ContextsByName, names_of
from tests.transport.connections import Recorder
from tests.transport.tls.secured import SecureTestCase, issued
from tests.transport.traffic import echo


def issue(folder: Path, *hosts: str) -> tuple[str, str]:
    """
    Issue a certificate for some names.

    @return: the files of the certificate and of its key.
    """
    folder.mkdir(parents=True)
    issued()[0].issue(folder, "a server", *hosts)
    return str(folder / "cert.pem"), str(folder / "key.pem")


class NamesTests(SynchronousTestCase):
    """
    Which certificate is for which name.
    """

    def test_names_of(self) -> None:
        """
        A certificate's DNS names, in lower case.
        """
        certificate, _ = issue(Path(self.mktemp()), "A.example", "*.B.example")
        self.assertEqual(names_of(certificate), ["a.example", "*.b.example"])

    def test_find(self) -> None:
        """
        The name itself is before a wildcard, which covers one label; case does not matter; the
        first certificate for a name counts; for others there is none.
        """
        one, two, three = (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for _ in range(3))
        contexts = ContextsByName(
            [(["a.example", "*.b.example"], one), (["x.b.example"], two), (["a.example"], three)]
        )
        for name, expected in (
            ("a.example", one),
            ("A.EXAMPLE", one),
            ("y.b.example", one),
            ("x.b.example", two),
            ("z.y.b.example", None),
            ("b.example", None),
            ("*.a.example", None),
            ("", None),
            (None, None),
        ):
            self.assertIs(contexts.find(name), expected, name)


class HandshakeTests(SecureTestCase):
    """
    Handshakes with a server that has several.
    """

    def shown_to(self, port: Any, name: str | None) -> tuple[list[str], str | None]:
        """
        Connect, and ask for a name.

        @return: the DNS names in the certificate that is shown, and what ALPN has chosen.
        """
        self.server_name = name
        self.client_context.set_alpn_protocols(["http/1.1"])
        client: Any = self.connect(port)
        names = client.getpeercert()["subjectAltName"]
        chosen = client.selected_alpn_protocol()
        return [value for kind, value in names if kind == "DNS"], chosen

    def test_by_name(self) -> None:
        """
        Each client gets the certificate for its name, or else the first, by the same ALPN; after a
        renewal too.
        """
        folder = Path(self.mktemp()).absolute()
        first = issue(folder / "1", "a.example")
        second = issue(folder / "2", "b.example", "*.c.example")
        self.context = RenewableContext(TLSSettings(*first, others=(second,)))
        port, _factory = self.listen(lambda: Recorder(echo))
        self.context.offer([b"http/1.1"])
        for _ in range(2):
            for name, expected in (
                ("a.example", ["a.example"]),
                ("b.example", ["b.example", "*.c.example"]),
                ("x.c.example", ["b.example", "*.c.example"]),
                ("elsewhere.example", ["a.example"]),
                (None, ["a.example"]),
            ):
                self.assertEqual(self.shown_to(port, name), (expected, "http/1.1"), name)
            self.context.renew()
