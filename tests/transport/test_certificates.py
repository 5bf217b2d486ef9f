"""
Tests for L{netlab.transport.certificates}.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IStreamServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import CertificateOptions
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.test.iosim import connectedServerAndClient
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from netlab.transport.certificates import RenewableTLSEndpoint, with_absolute_paths
from netlab.transport.tls.contexts import TLSFilesError
from tests.certificates import Authority


class PathTests(SynchronousTestCase):
    """
    Descriptions with absolute paths.
    """

    def test_forms(self) -> None:
        """
        Named or by place, a relative path becomes absolute, and nothing else changes.
        """
        here = os.getcwd().replace(":", r"\:")
        for description, absolute in (
            ("ssl:443:key.pem:cert.pem", f"ssl:443:{here}/key.pem:{here}/cert.pem"),
            (
                "ssl:port=443:certKey=c.pem:privateKey=k.pem",
                f"ssl:port=443:certKey={here}/c.pem:privateKey={here}/k.pem",
            ),
            ("ssl:443:/k.pem:extraCertChain=c", f"ssl:443:/k.pem:extraCertChain={here}/c"),
            (r"ssl:443:/a\:b\\c:interface=\:\:1", r"ssl:443:/a\:b\\c:interface=\:\:1"),
            ("ssl:443", f"ssl:443:privateKey={here}/server.pem"),
        ):
            self.assertEqual(with_absolute_paths(description), absolute)


class RenewalTests(SynchronousTestCase):
    """
    A certificate that changes on disk.
    """

    def setUp(self) -> None:
        """
        Make a certificate.
        """
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.authority = Authority()
        self.authority.issue(self.folder, "first")
        self.reactor = MemoryReactorClock()
        self.endpoint = RenewableTLSEndpoint(
            self.reactor, f"ssl:0:{self.folder}/key.pem:{self.folder}/cert.pem:interface=127.0.0.1"
        )

    def listen(self) -> Any:
        """
        Listen, and give the factory of what is connected.
        """
        self.successResultOf(self.endpoint.listen(Factory.forProtocol(Protocol)))
        ((port, factory, backlog, interface),) = self.reactor.tcpServers
        self.assertEqual((port, backlog, interface), (0, 50, "127.0.0.1"))
        verifyObject(IOpenSSLServerConnectionCreator, self.endpoint._certificate)
        return factory

    def subject(self, server: Any) -> str:
        """
        Connect a client, and give the common name of the certificate that it is shown.
        """
        options: Any = CertificateOptions()
        factory = TLSMemoryBIOFactory(options, True, Factory.forProtocol(Protocol), Clock())
        client, _, pump = connectedServerAndClient(
            lambda: server.buildProtocol(None), lambda: factory.buildProtocol(None)
        )
        pump.flush()
        name: str = client.getPeerCertificate().get_subject().CN
        return name

    def test_interface(self) -> None:
        """
        It is a server's endpoint.
        """
        verifyObject(IStreamServerEndpoint, self.endpoint)

    def test_renewed(self) -> None:
        """
        Until it is renewed the certificate stays the same; from then on there is another.
        """
        server = self.listen()
        self.assertEqual(self.subject(server), "first")
        self.authority.issue(self.folder, "second")
        self.assertEqual(self.subject(server), "first")
        self.endpoint.renew()
        self.assertEqual(self.subject(server), "second")

    def test_folder_changed(self) -> None:
        """
        Relative paths are found again after the process has gone to another folder.
        """
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(self.folder)
        endpoint = RenewableTLSEndpoint(self.reactor, "ssl:0:key.pem:cert.pem")
        os.chdir("/")
        endpoint.renew()

    def test_no_good(self) -> None:
        """
        Files that are missing, malformed or do not fit each other leave all as it was.
        """
        server = self.listen()
        certificate = self.folder / "cert.pem"
        certificate.write_text("nonsense")
        self.assertRaises(TLSFilesError, self.endpoint.renew)
        certificate.unlink()
        self.assertRaises(OSError, self.endpoint.renew)
        other = self.folder / "other"
        other.mkdir()
        self.authority.issue(other, "other")
        (other / "cert.pem").rename(certificate)
        self.assertRaises(TLSFilesError, self.endpoint.renew)
        self.assertEqual(self.subject(server), "first")

    def test_what_is_wrong(self) -> None:
        """
        A file that is no certificate, and a key that is another's, are said to be just that.
        """
        (self.folder / "nonsense").write_bytes(b"nonsense")
        other = self.folder / "other"
        other.mkdir()
        self.authority.issue(other, "other")
        for key, certificate, why in (
            ("nonsense", "cert.pem", "not a certificate and its key, in PEM"),
            ("key.pem", "nonsense", "not a certificate and its key, in PEM"),
            ("other/key.pem", "cert.pem", "do not match"),
        ):
            place = f"ssl:0:{self.folder}/{key}:{self.folder}/{certificate}"
            with self.assertRaisesRegex(TLSFilesError, why):
                RenewableTLSEndpoint(self.reactor, place)

    def test_refused_at_once(self) -> None:
        """
        A certificate that does not fit its key is an error when the options are read.
        """
        other = self.folder / "other"
        other.mkdir()
        self.authority.issue(other, "other")
        description = f"ssl:0:{self.folder}/key.pem:{other}/cert.pem"
        self.assertRaises(TLSFilesError, RenewableTLSEndpoint, self.reactor, description)
