"""
Tests for L{netlab.transport.tls.contexts}.
"""

from __future__ import annotations

import os
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

from netlab.transport.tls.contexts import (
    RenewableContext,
    TLSFilesError,
    TLSSettings,
    make_context,
    prepare_key_log,
)
from tests.transport.tls.secured import issued, settings


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
        Have a name for it.
        """
        self.path = Path(self.mktemp())

    def test_made(self) -> None:
        """
        It is made with mode 0600, whatever the mask of the process.
        """
        before = os.umask(0)
        try:
            prepare_key_log(str(self.path))
        finally:
            os.umask(before)
        self.assertEqual(0o600, self.path.stat().st_mode & 0o777)

    def test_appended(self) -> None:
        """
        One that is there is kept.
        """
        self.path.touch(0o600)
        self.path.write_text("kept")
        prepare_key_log(str(self.path))
        self.assertEqual("kept", self.path.read_text())

    def test_readable(self) -> None:
        """
        One that the group or others may read or write is refused.
        """
        self.path.touch()
        for mode in (0o640, 0o604, 0o620, 0o602, 0o666):
            self.path.chmod(mode)
            self.assertRaises(TLSFilesError, prepare_key_log, str(self.path))

    def test_no_file(self) -> None:
        """
        A link, a folder and a named pipe are refused, and nothing waits for a reader.
        """
        target = Path(self.mktemp())
        self.path.symlink_to(target)
        self.assertRaises(OSError, prepare_key_log, str(self.path))
        self.assertFalse(target.exists())
        folder = Path(self.mktemp())
        folder.mkdir(0o700)
        self.assertRaises(OSError, prepare_key_log, str(folder))
        pipe = self.mktemp()
        os.mkfifo(pipe, 0o600)
        self.assertRaises(OSError, prepare_key_log, pipe)
