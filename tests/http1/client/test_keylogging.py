"""
Tests for L{netlab.http1.client.keylogging}.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.client.keylogging import KeyLogFile, KeyLogFileError, LoggingTrustRoot


class KeyLogFileTests(SynchronousTestCase):
    """
    The file is for its owner alone.
    """

    def test_made(self) -> None:
        """
        A new file has mode 0600 whatever the umask is, and lines are added to one that is there.
        """
        path = self.mktemp()
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        for line in (b"CLIENT_RANDOM 00 11", b"CLIENT_RANDOM 22 33"):
            file = KeyLogFile(path)
            file.write(line)
            file.close()
            self.assertIsNone(file.fault)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(Path(path).read_bytes(), b"CLIENT_RANDOM 00 11\nCLIENT_RANDOM 22 33\n")

    def test_not_private(self) -> None:
        """
        A file that others may read gets no secret, and the text names it.
        """
        path = Path(self.mktemp())
        path.write_bytes(b"")
        path.chmod(0o640)
        with self.assertRaisesRegex(KeyLogFileError, f"key log {path}: .*chmod 600"):
            KeyLogFile(str(path))
        self.assertEqual(path.read_bytes(), b"")

    def test_full_disk(self) -> None:
        """
        A line that cannot be written is a fault that is kept, and no exception in OpenSSL's midst.
        """
        file = KeyLogFile(self.mktemp())
        file.close()
        file.write(b"CLIENT_RANDOM 00 11")
        assert file.fault is not None
        self.assertIn("Bad file descriptor", file.fault)
        file.write(b"CLIENT_RANDOM 22 33")


class LoggingTrustRootTests(SynchronousTestCase):
    """
    Whom a client trusts stays what it was.
    """

    def test_callback(self) -> None:
        """
        A context that is given the trust root writes its secrets, and still verifies.
        """
        lines: list[bytes] = []
        client_context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        LoggingTrustRoot(lines.append)._addCACertsToContext(client_context)
        client = SSL.Connection(client_context, None)
        client.set_connect_state()
        with self.assertRaises(SSL.WantReadError):
            client.do_handshake()
        self.assertEqual(lines, [])
        from tests.analysis.tls.played import Terms, server_of

        server = SSL.Connection(server_of(Terms()), None)
        server.set_accept_state()
        server.bio_write(client.bio_read(1 << 16))
        with self.assertRaises(SSL.WantReadError):
            server.do_handshake()
        client.bio_write(server.bio_read(1 << 16))
        client.do_handshake()
        self.assertIn(b"CLIENT_HANDSHAKE_TRAFFIC_SECRET", {line.split()[0] for line in lines})
