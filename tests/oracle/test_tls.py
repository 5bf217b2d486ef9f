"""
What we read of TLS beside what tshark reads, and our names beside OpenSSL's.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.observations.dialogue import Dialogue
from netlab.analysis.tls.cryptographic import tools_for
from netlab.analysis.tls.keylog import parse_keylog
from netlab.analysis.tls.names import _CIPHER_SUITES
from netlab.http1.sansio.messages import RequestHead
from netlab.lab.results.judgement import read_dialogues
from tests.analysis.tls.played import REQUEST, RESPONSE, Played, Terms, begin, http_exchange
from tests.oracle.reference import TSHARK

TERMS = (
    Terms(alpn=(b"h2", b"http/1.1")),
    Terms(suites="TLS_AES_128_GCM_SHA256"),
    Terms(suites="TLS_CHACHA20_POLY1305_SHA256"),
    Terms(wants_other_group=True),
    Terms("1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    Terms("1.2", "ECDHE-ECDSA-AES256-GCM-SHA384", alpn=(b"http/1.1",)),
    Terms("1.2", "ECDHE-ECDSA-CHACHA20-POLY1305"),
    Terms("1.2", "ECDHE-ECDSA-AES128-SHA"),
)

_SECONDS = 60


def tshark(pcap: Path, keylog: Path | None, fields: Sequence[str]) -> list[list[list[str]]]:
    """
    Ask tshark for fields: of each frame that has any, of each field its values.
    """
    assert TSHARK is not None
    options = [] if keylog is None else ["-o", f"tls.keylog_file:{keylog}"]
    named = [part for field in fields for part in ("-e", field)]
    command = [TSHARK, "-2", "-n", "-r", str(pcap), "-d", "tcp.port==443,tls", *options]
    command += ["-T", "fields", "-E", "occurrence=a", "-E", "aggregator=;", *named]
    done = subprocess.run(command, capture_output=True, check=True, timeout=_SECONDS)
    rows = [line.split("\t") for line in done.stdout.decode("utf-8").splitlines()]
    return [[value.split(";") if value else [] for value in row] for row in rows]


@pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")
class TSharkTests(SynchronousTestCase):
    """
    tshark's dissector of TLS shares nothing with ours.
    """

    def _files(self, played: Played) -> tuple[Path, Path]:
        folder = Path(self.mktemp())
        folder.mkdir()
        pcap, keylog = folder / "tls.pcap", folder / "keys.txt"
        pcap.write_bytes(played.captured().close("c").pcap())
        keylog.write_bytes(played.keylog_bytes)
        return pcap, keylog

    def _ours(self, pcap: Path, keylog: Path | None) -> Dialogue:
        keys = None if keylog is None else parse_keylog(keylog.read_bytes())
        (dialogue,), _ = read_dialogues(pcap, tools_for(keys))
        return dialogue

    @pytest.mark.slow
    def test_hellos(self) -> None:
        """
        Hosts, protocols, suites, versions and the number of records of each kind are the same.
        """
        fields = (
            "tls.handshake.extensions_server_name",
            "tls.handshake.type",
            "tls.handshake.ciphersuite",
            "tls.handshake.extensions.supported_version",
            "tls.handshake.extensions_alpn_str",
            "tls.record.content_type",
            "tls.record.opaque_type",
        )
        for terms in TERMS:
            with self.subTest(terms=terms):
                pcap, _ = self._files(http_exchange(terms))
                found = self._ours(pcap, None).tls.conversation()
                rows = tshark(pcap, None, fields)
                hello = found.client_hello
                assert hello is not None
                assert found.server_hello is not None
                names = [name for row in rows for name in row[0]]
                self.assertEqual(names[0], (hello.server_name or b"").decode("ascii"))
                offered = next(row for row in rows if row[1][:1] == ["1"])
                chosen = [row for row in rows if row[1][:1] == ["2"]][-1]
                self.assertEqual(int(chosen[2][0], 0), found.server_hello.cipher_suite)
                self.assertEqual([int(suite, 0) for suite in offered[2]], list(hello.cipher_suites))
                if terms.version == "1.3":
                    self.assertEqual(int(chosen[3][0], 0), found.version)
                    self.assertEqual([int(each, 0) for each in offered[3]], list(hello.versions))
                self.assertEqual([name.encode("ascii") for name in offered[4]], list(hello.alpn))
                records = sum(len(row[5]) + len(row[6]) for row in rows)
                self.assertEqual(records, found.client.records + found.server.records)

    @pytest.mark.slow
    def test_inside(self) -> None:
        """
        With the key log, requests, statuses and alerts are the same, in the same frames.
        """
        fields = (
            "frame.number",
            "http.request.uri",
            "http.response.code",
            "tls.alert_message.desc",
            "http.content_length",
        )
        for terms in TERMS:
            if terms.suites == "ECDHE-ECDSA-AES128-SHA" or b"h2" in terms.alpn:
                continue
            with self.subTest(terms=terms):
                played = begin(terms)
                for number in range(3):
                    played.say("c", REQUEST.replace(b"secret", b"page%d" % number))
                    played.say("s", RESPONSE)
                played.close("s")
                played.close("c")
                pcap, keylog = self._files(played)
                dialogue = self._ours(pcap, keylog)
                rows = tshark(pcap, keylog, fields)
                ours = []
                for exchange in dialogue.http.exchanges:
                    request, response = exchange.request, exchange.response
                    assert request is not None
                    assert response is not None
                    assert isinstance(request.head, RequestHead)
                    target = request.head.target
                    ours.append(
                        (
                            request.last_frame,
                            (target.path + b"?" + (target.query or b"")).decode("ascii"),
                        )
                    )
                    ours.append((response.last_frame, str(exchange.status)))
                theirs = [(int(row[0][0]), text) for row in rows for text in (*row[1], *row[2])]
                self.assertEqual(ours, theirs)
                self.assertEqual(len(ours), 6)
                alerts = dialogue.tls.conversation().alerts
                self.assertEqual(
                    [(alert.travel.frames[-1], alert.description) for alert in alerts],
                    [(int(row[0][0]), int(text)) for row in rows for text in row[3]],
                )
                self.assertEqual(len(alerts), 2)


class NameTests(SynchronousTestCase):
    """
    Names of cipher suites.
    """

    @pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
    def test_cipher_suites(self) -> None:
        """
        Each is called what OpenSSL calls it, as far as OpenSSL still knows it.
        """
        listed = subprocess.run(
            ["openssl", "ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
            capture_output=True,
            check=True,
            timeout=_SECONDS,
        )
        theirs = {}
        for line in listed.stdout.decode("ascii").splitlines():
            number, _, name = line.split()[:3]
            high, low = (int(part, 16) for part in number.split(","))
            theirs[high << 8 | low] = name
        shared = set(theirs) & set(_CIPHER_SUITES)
        self.assertGreater(len(shared), 30)
        self.assertEqual(
            {number: theirs[number] for number in shared},
            {number: _CIPHER_SUITES[number] for number in shared},
        )
