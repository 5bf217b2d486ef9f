"""
TLS on a connection that has already been used.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet import error, tcp

from tests.certificates import Authority
from tests.transport.connections import TURN_SECONDS, TURNS_MAX, ConnectionTestCase, Recorder
from tests.transport.traffic import MUCH

if TYPE_CHECKING:
    _Cases = ConnectionTestCase
else:
    # Not a test case by itself: the classes at the end are.
    _Cases = object


class UpgradeMixin(_Cases):
    """
    The cases.
    """

    def test_upgrade(self) -> None:
        """
        After startTLS everything goes through TLS, queue or not, up to the close.
        """
        try:
            from twisted.internet import ssl as twisted_ssl
        except ImportError as missing:
            self.skipTest(f"TLS needs pyOpenSSL: {missing}")
        folder = Path(self.mktemp())
        folder.mkdir()
        Authority().issue(folder, "localhost")
        pem = (folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes()
        options = twisted_ssl.PrivateCertificate.loadPEM(pem).options()

        def act(protocol: Any, data: bytes) -> None:
            transport = protocol.transport
            if data == b"start":
                transport.write(b"go")
                transport.startTLS(options)
            elif data == b"much":
                transport.write(MUCH)
            elif data == b"bye":
                transport.writeSequence([b"good", b"bye"])
                transport.loseConnection()

        protocol, client = self.connected(Recorder(act))
        client.send(b"start")
        self.assertEqual(b"go", self.read_bytes(client, 2))
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        secure = context.wrap_socket(client, do_handshake_on_connect=False)
        self._clients.append(secure)
        self._wait(secure.do_handshake)
        secure.send(b"much")
        got = bytearray()
        while len(got) < len(MUCH):
            part = self._wait(lambda: secure.recv(65536))
            self.assertNotEqual(b"", part)
            got += part
        self.assertTrue(got == MUCH)
        secure.send(b"bye")
        self.assertEqual(b"goodbye", self._wait(lambda: secure.recv(100)))
        self.assertEqual(b"", self._wait(lambda: secure.recv(100)))
        self._wait(secure.unwrap).close()
        self.turn_until(lambda: protocol.lost)
        self.assertEqual([error.ConnectionDone], protocol.reasons)

    def _wait(self, act: Any) -> Any:
        """
        Turn the reactor until TLS has what it waits for.
        """
        for _ in range(TURNS_MAX):
            try:
                return act()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                self.reactor.iterate(TURN_SECONDS)
        raise AssertionError("it did not happen")


class StockUpgradeTests(UpgradeMixin, ConnectionTestCase):
    """
    On Twisted's own transport.
    """

    port_class = tcp.Port


class FastUpgradeTests(UpgradeMixin, ConnectionTestCase):
    """
    On the fast path.
    """
