"""
The certificates of tests: clients that are strict must trust them.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.certificates import Authority


class AuthorityTests(SynchronousTestCase):
    """
    Tests of L{Authority}.
    """

    def test_strictly_right(self) -> None:
        """
        A client that checks by all rules of RFC 5280, as Python does from 3.13 on, trusts a server
        with such a certificate.
        """
        folder = Path(self.mktemp())
        folder.mkdir()
        authority = Authority()
        authority.issue(folder, "server")
        of_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        of_server.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        of_client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        of_client.load_verify_locations(authority.write(folder / "authority.pem"))
        of_client.verify_flags |= ssl.VERIFY_X509_STRICT
        to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = of_server.wrap_bio(to_server, to_client, server_side=True)
        client = of_client.wrap_bio(to_client, to_server, server_hostname="localhost")
        # Client hello; the server's part; the client's end of it; the server's.
        self.assertRaises(ssl.SSLWantReadError, client.do_handshake)
        self.assertRaises(ssl.SSLWantReadError, server.do_handshake)
        client.do_handshake()
        server.do_handshake()
        certificate = client.getpeercert()
        assert certificate is not None
        self.assertIn((("commonName", "server"),), certificate["subject"])
