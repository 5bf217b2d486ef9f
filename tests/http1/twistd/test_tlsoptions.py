"""
Tests for L{netlab.http1.twistd.tlsoptions}.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.twistd.options import Options
from netlab.transport.certificates import RenewableTLSEndpoint
from netlab.transport.fastendpoint import SecureEndpoint
from tests.transport.tls.secured import issued


class TLSOptionsTests(SynchronousTestCase):
    """
    Command lines.
    """

    def setUp(self) -> None:
        """
        Have a certificate.
        """
        _, self.folder = issued()
        self.files = (
            "--tls-cert",
            str(self.folder / "cert.pem"),
            "--tls-key",
            str(self.folder / "key.pem"),
        )

    def parse(self, *arguments: str) -> Options:
        """
        Read a command line.
        """
        options = Options()
        options.parseOptions(arguments)
        self.addCleanup(options.root.close)
        return options

    def secured(self, options: Options) -> list[bool]:
        """
        Tell which places speak TLS on the fast transport.
        """
        return [isinstance(endpoint, SecureEndpoint) for _, endpoint in options.endpoints]

    def test_plain(self) -> None:
        """
        Without any of them nothing speaks TLS.
        """
        options = self.parse("--listen", "tcp:0")
        self.assertEqual((None, [False]), (options.tls, self.secured(options)))

    def test_all_places(self) -> None:
        """
        A certificate makes all TCP places speak TLS; behind a proxy and for the admin port it does
        not.
        """
        places = ("tcp:0", "tcp6:0", "haproxy:tcp:0")
        listen = [word for place in places for word in ("--listen", place)]
        options = self.parse(*self.files, *listen, "--admin", "tcp:0")
        self.assertEqual([True, True, False], self.secured(options))
        assert options.admin_endpoint is not None
        self.assertNotIsInstance(options.admin_endpoint[1], SecureEndpoint)
        self.assertEqual(2, len(options.renewable()))

    def test_default_place(self) -> None:
        """
        So it does for the default place.
        """
        self.assertEqual([True], self.secured(self.parse(*self.files)))

    def test_named_places(self) -> None:
        """
        Where a place asks for TLS by name, it uses the certificate, and plain ones stay plain.
        """
        options = self.parse(*self.files, "--listen", "tcp:0", "--listen", "ssl:0")
        self.assertEqual([False, True], self.secured(options))

    def test_values(self) -> None:
        """
        Paths are absolute, for a daemon changes its folder; what is not given is as without.
        """
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(self.folder)
        options = self.parse(
            "--tls-cert=cert.pem",
            "--tls-key=key.pem",
            "--client-ca=authority.pem",
            "--min-tls=1.3",
            "--handshake-timeout=2.5",
        )
        os.chdir(here)
        assert options.tls is not None
        self.assertEqual(str(self.folder / "authority.pem"), options.tls.client_authorities)
        self.assertEqual(ssl.TLSVersion.TLSv1_3, options.tls.minimum)
        self.assertEqual(2.5, options.tls.handshake_seconds)
        ((_, endpoint),) = options.renewable()
        endpoint.renew()

    def test_several(self) -> None:
        """
        Certificates and keys belong together in the order in which they come; without any key each
        is in its certificate's file.
        """
        cert, key = self.files[1], self.files[3]
        both = self.folder / "both.pem"
        both.write_bytes(Path(cert).read_bytes() + Path(key).read_bytes())
        tls = self.parse(*self.files, "--tls-key", str(both), "--tls-cert", str(both)).tls
        assert tls is not None
        self.assertEqual((tls.certificate, tls.key), (cert, key))
        self.assertEqual(tls.others, ((str(both), str(both)),))
        tls = self.parse("--tls-cert", str(both), "--tls-cert", str(both)).tls
        assert tls is not None
        self.assertEqual((tls.key, tls.others), (str(both), ((str(both), str(both)),)))

    def test_stock(self) -> None:
        """
        With Twisted's transport TLS is Twisted's, by its description.
        """
        place = f"ssl:0:{self.folder}/key.pem:{self.folder}/cert.pem"
        options = self.parse("--stock-transport", "--listen", place)
        self.assertIsInstance(options.endpoints[0][1], RenewableTLSEndpoint)

    def test_refused(self) -> None:
        """
        What makes no sense is refused in one line that names the option.
        """
        place = f"ssl:0:{self.folder}/key.pem:{self.folder}/cert.pem"
        for arguments, problem in (
            (("--tls-key", "key.pem"), "--tls-key: a key without a certificate"),
            ((*self.files, "--tls-cert", "b.pem"), "--tls-key: 1 keys for 2 certificates"),
            (("--min-tls", "1.3"), "--min-tls: no place speaks TLS"),
            ((*self.files, "--listen", "haproxy:tcp:0"), "--tls-cert: no place speaks TLS"),
            ((*self.files, "--listen", "unix:/sock"), "--tls-cert: no place speaks TLS"),
            ((*self.files, "--stock-transport"), "--tls-cert: not with --stock-transport"),
            (("--min-tls", "1.1", "--listen", place), "--min-tls '1.1': not a version"),
            (("--handshake-timeout", "0", *self.files), "--handshake-timeout '0': too small"),
            (("--tls-cert", "/nowhere"), "cannot be used .No such file or directory: /nowhere"),
            (("--tls-cert", str(self.folder / "key.pem")), "not a certificate and its key"),
            (("--tls-cert", str(self.folder / "key.pem")), "no certificate is in .*key.pem"),
            ((*self.files, "--tls-keylog", "/dev/null"), "/dev/null: it is not a regular file"),
            (
                ("--min-tls=1.3", "--listen", place + ":sslmethod=TLSv1_2_METHOD"),
                "sslmethod was asked for",
            ),
        ):
            with self.assertRaisesRegex(UsageError, problem):
                self.parse(*arguments)
