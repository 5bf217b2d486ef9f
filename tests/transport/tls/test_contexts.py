"""
Tests for L{netlab.transport.tls.contexts}.
"""

from __future__ import annotations

import contextlib
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)
from twisted.trial.unittest import SynchronousTestCase

from netlab.plainfile import open_private
from netlab.transport.tls import contexts
from netlab.transport.tls.contexts import (
    RenewableContext,
    TLSFilesError,
    TLSSettings,
    make_context,
)
from tests.transport.tls.secured import client_context, issued, settings


def with_file(field: str, path: str) -> TLSSettings:
    """
    Make settings of which one file is another.
    """
    others: dict[str, Any] = {field: path}
    return replace(settings(), **others)


class ContextTests(SynchronousTestCase):
    """
    Files, good and bad.
    """

    def setUp(self) -> None:
        """
        Have a folder of one's own.
        """
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()

    def write(self, name: str, content: bytes) -> str:
        """
        Write a file.
        """
        (self.folder / name).write_bytes(content)
        return str(self.folder / name)

    def test_suites(self) -> None:
        """
        All suites are forward secret and authenticate, however many this OpenSSL has.
        """
        for suite in make_context(settings()).get_ciphers():
            name = suite["name"]
            self.assertTrue(name.startswith(("TLS_", "ECDHE-")), name)
            self.assertTrue("GCM" in name or "POLY1305" in name, name)

    def test_options(self) -> None:
        """
        Renegotiation and compression are off, and nothing older than TLS 1.2 is spoken.
        """
        context = make_context(settings())
        for option in (ssl.OP_NO_RENEGOTIATION, ssl.OP_NO_COMPRESSION):
            self.assertTrue(context.options & option)
        self.assertEqual(ssl.TLSVersion.TLSv1_2, context.minimum_version)

    def test_missing(self) -> None:
        """
        A file that is not there is named.
        """
        for field in ("certificate", "key", "chain", "client_authorities", "dh_parameters"):
            with self.assertRaises(FileNotFoundError) as missing:
                make_context(with_file(field, "/nowhere"))
            self.assertEqual("/nowhere", missing.exception.filename)

    def test_no_good(self) -> None:
        """
        A file with something else in it is named.
        """
        nonsense = self.write("nonsense", b"nonsense")
        for field in ("certificate", "key", "client_authorities", "dh_parameters"):
            with self.assertRaises(TLSFilesError) as refused:
                make_context(with_file(field, nonsense))
            self.assertIn(nonsense, str(refused.exception))

    def test_other_key(self) -> None:
        """
        A key of another certificate is told as such.
        """
        authority, _ = issued()
        authority.issue(self.folder, "other")
        with self.assertRaises(TLSFilesError) as refused:
            make_context(replace(settings(), key=str(self.folder / "key.pem")))
        self.assertIn("do not match", str(refused.exception))

    def test_password(self) -> None:
        """
        A key with a password is refused: nobody is asked at the terminal.
        """
        secret = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
        )
        with self.assertRaises(TLSFilesError) as refused:
            make_context(replace(settings(), key=self.write("key", secret)))
        self.assertIn("encrypted", str(refused.exception))

    def test_renewed(self) -> None:
        """
        What is no good leaves the context as it was; what is good makes another, with its ALPN.
        """
        _, folder = issued()
        certificate = self.write("cert.pem", (folder / "cert.pem").read_bytes())
        context = RenewableContext(replace(settings(), certificate=certificate))
        context.offer([b"http/1.1"])
        before = context.current
        self.write("cert.pem", b"nonsense")
        self.assertRaises(TLSFilesError, context.renew)
        self.assertIs(before, context.current)
        self.write("cert.pem", (folder / "cert.pem").read_bytes())
        context.renew()
        self.assertIsNot(before, context.current)


class KeyLogTests(SynchronousTestCase):
    """
    A file that decrypts every connection.
    """

    def setUp(self) -> None:
        """
        Have a name for it, and another user's link that will be put in its place.
        """
        self.path = Path(self.mktemp())
        self.stolen = Path(self.mktemp())

    def test_written(self) -> None:
        """
        It has the secrets of a connection, behind what was there, and is its owner's alone.
        """
        self.path.touch(0o600)
        self.path.write_bytes(b"kept\n")
        shake_hands(make_context(settings(key_log=str(self.path))))
        lines = self.path.read_bytes().splitlines()
        self.assertEqual(b"kept", lines[0])
        self.assertIn(b"CLIENT_TRAFFIC_SECRET_0", {line.split()[0] for line in lines})
        self.assertEqual(0o600, self.path.stat().st_mode & 0o777)

    def test_not_private(self) -> None:
        """
        One that others may read is refused, and named.
        """
        self.path.touch(0o644)
        with self.assertRaisesRegex(TLSFilesError, f"{self.path}: .*chmod 600"):
            make_context(settings(key_log=str(self.path)))

    def test_swapped(self) -> None:
        """
        A link that somebody puts in its place after it was looked at gets nothing: what was looked
        at is what is written to.
        """

        def looked_at(path: str) -> int:
            descriptor = open_private(path)
            self.path.rename(self.path.with_suffix(".moved"))
            self.path.symlink_to(self.stolen.absolute())
            return descriptor

        self.patch(contexts, "open_private", looked_at)
        shake_hands(make_context(settings(key_log=str(self.path))))
        self.assertFalse(self.stolen.exists())
        self.assertIn(b"TRAFFIC_SECRET", self.path.with_suffix(".moved").read_bytes())


def shake_hands(context: ssl.SSLContext) -> None:
    """
    Let a client shake hands with a server of that context, in memory.
    """
    ways = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(*ways, server_side=True)
    client = client_context().wrap_bio(ways[1], ways[0], server_hostname="localhost")
    waiting = [client, server]
    for _ in range(10):
        for one in list(waiting):
            with contextlib.suppress(ssl.SSLWantReadError):
                one.do_handshake()
                waiting.remove(one)
    assert not waiting
