"""
L{netlab.analysis.tls.conversation}: what OpenSSL did is what is read.
"""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.tls.observations import Decryption, Resumption, TLSConversation, TLSDirection
from netlab.analysis.tls.tools import NO_TOOLS
from tests.analysis.tls.played import (
    CONTENT,
    HOST,
    MSS,
    REQUEST,
    RESPONSE,
    Played,
    Reading,
    Terms,
    begin,
    http_exchange,
    read,
    server_of,
)

TERMS_1_3 = (
    Terms(),
    Terms(suites="TLS_AES_128_GCM_SHA256"),
    Terms(suites="TLS_CHACHA20_POLY1305_SHA256"),
    Terms(suites="TLS_AES_128_CCM_SHA256"),
)
TERMS_1_2 = (
    Terms("1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    Terms("1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"),
    Terms("1.2", "ECDHE-ECDSA-CHACHA20-POLY1305"),
    Terms("1.2", "ECDHE-ECDSA-AES256-CCM"),
)


def without_frames(conversation: TLSConversation) -> tuple[object, ...]:
    """
    Give what of a conversation does not depend on the frames that carried it.
    """

    def numbers(side: TLSDirection) -> tuple[object, ...]:
        return (
            side.records,
            side.protected_records,
            side.protected_bytes,
            side.application_records,
            side.application_bytes,
            side.tickets,
            side.last_length,
            side.unfinished_bytes,
            side.skipped_bytes,
        )

    hello = conversation.client_hello
    return (
        conversation.version,
        conversation.cipher_suite,
        None if hello is None else (hello.server_name, hello.alpn, hello.random, hello.versions),
        conversation.alpn,
        [chain.leaf for chain in conversation.certificates],
        conversation.resumption,
        [(alert.from_client, alert.level, alert.description) for alert in conversation.alerts],
        numbers(conversation.client),
        numbers(conversation.server),
        conversation.decryption,
    )


def _saves_the_certificate(first: Played, second: Played) -> bool:
    """
    Tell by lengths alone whether the server of the second connection sent no certificate.
    """
    answers = [
        next(len(data) for end, data in played.sent if end == "s") for played in (first, second)
    ]
    return answers[0] - answers[1] > len(first.leaf.public_bytes(Encoding.DER)) // 2


class HandshakeTests(SynchronousTestCase):
    """
    What the hellos say, without any secret.
    """

    def test_hello(self) -> None:
        """
        Name, protocols and versions that the client offers are read, and what the server chose.
        """
        played = begin(Terms(alpn=(b"h2", b"http/1.1")))
        found = read(played.sent, NO_TOOLS).conversation
        assert found.client_hello is not None
        self.assertEqual(found.client_hello.server_name, HOST)
        self.assertEqual(found.client_hello.alpn, (b"h2", b"http/1.1"))
        self.assertEqual(found.client_hello.versions, (0x0304,))
        self.assertIn(0x001D, found.client_hello.key_shares)
        frames = -(-len(played.sent[0][1]) // MSS)
        self.assertEqual(found.client_hello.travel.frames, tuple(range(1, frames + 1)))
        self.assertEqual(found.version_name, "TLS 1.3")
        self.assertEqual(found.cipher_suite, played.client.get_cipher_name())
        self.assertIs(found.resumption, Resumption.FULL)
        self.assertIs(found.decryption, Decryption.NO_KEYLOG)
        # What the server chose is encrypted, as is its certificate.
        self.assertIsNone(found.alpn)
        self.assertEqual(found.certificates, ())

    def test_retry(self) -> None:
        """
        A server that wants another group says so in a HelloRetryRequest, and the client begins
        again (RFC 8446 section 2.1); the exchange inside is read all the same.
        """
        played = http_exchange(Terms(wants_other_group=True))
        reading = read(played.sent, played.tools())
        found = reading.conversation
        assert found.retry is not None
        assert found.second_hello is not None
        assert found.server_hello is not None
        self.assertEqual(found.retry.group, 0x0018)
        self.assertEqual(found.second_hello.key_shares, (0x0018,))
        self.assertEqual(found.server_hello.group, 0x0018)
        self.assertFalse(found.server_hello.is_retry)
        self.assertEqual(reading.http.exchanges[0].status, 200)

    def test_certificate(self) -> None:
        """
        In TLS 1.2 the certificate travels in the open (RFC 5246 section 7.4.2).
        """
        played = begin(Terms("1.2"))
        found = read(played.sent, played.tools(with_keys=False)).conversation
        (chain,) = found.certificates
        assert chain.leaf is not None
        self.assertFalse(chain.from_client)
        self.assertTrue(chain.is_whole)
        self.assertEqual(chain.leaf.subject, "www.example.com")
        self.assertEqual(chain.leaf.issuer, "Example Authority")
        self.assertEqual(chain.leaf.names, ("www.example.com", "example.com"))
        self.assertEqual(chain.leaf.not_before, int(played.leaf.not_valid_before_utc.timestamp()))
        self.assertEqual(chain.leaf.not_after, int(played.leaf.not_valid_after_utc.timestamp()))

    def test_alpn_of_tls_1_2(self) -> None:
        """
        In TLS 1.2 the server's choice of protocol is in its hello.
        """
        played = begin(Terms("1.2", alpn=(b"http/1.1",)))
        self.assertEqual(read(played.sent, NO_TOOLS).conversation.alpn, b"http/1.1")

    def test_resumed(self) -> None:
        """
        A second connection with the first one's session is resumed: by ticket or session ID in TLS
        1.2, by pre-shared key in TLS 1.3.
        """
        for terms, expected in (
            (Terms("1.2"), Resumption.TICKET),
            (Terms("1.2", tickets=False), Resumption.SESSION_ID),
            (Terms("1.3"), Resumption.PSK),
        ):
            with self.subTest(terms=terms):
                context = server_of(terms)
                first = begin(terms, context)
                first.say("c", REQUEST)
                first.say("s", RESPONSE)
                again = Terms(terms.version, tickets=terms.tickets, before=first)
                second = begin(again, context)
                second.say("c", REQUEST)
                self.assertTrue(_saves_the_certificate(first, second))
                reading = read(second.sent, second.tools())
                self.assertIs(reading.conversation.resumption, expected)
                self.assertEqual(reading.conversation.certificates, ())
                self.assertEqual(len(reading.http.exchanges), 1)

    def test_declined(self) -> None:
        """
        A server that does not know the session any more makes a full handshake.
        """
        for version in ("1.2", "1.3"):
            with self.subTest(version=version):
                first = begin(Terms(version))
                first.say("s", RESPONSE)
                second = begin(Terms(version, before=first))
                self.assertFalse(_saves_the_certificate(first, second))
                found = read(second.sent, NO_TOOLS).conversation
                self.assertIs(found.resumption, Resumption.DECLINED)

    def test_no_common_version(self) -> None:
        """
        A server that has nothing in common says so with a fatal alert, which is in the open.
        """
        server = server_of(Terms("1.3"))
        played = begin(Terms("1.2"), server)
        found = read(played.sent, NO_TOOLS).conversation
        (alert,) = found.alerts
        self.assertEqual((alert.level_name, alert.name), ("fatal", "protocol_version"))
        self.assertFalse(alert.from_client)
        self.assertIsNone(found.server_hello)
        self.assertIs(found.resumption, Resumption.UNKNOWN)


class OpenedTests(SynchronousTestCase):
    """
    What is inside, with a key log.
    """

    def test_http(self) -> None:
        """
        With each suite the HTTP inside is read as if it had travelled in the open, and each byte
        has the frame that carried it.
        """
        for terms in (*TERMS_1_3, *TERMS_1_2):
            with self.subTest(terms=terms):
                played = http_exchange(terms)
                reading = read(played.sent, played.tools())
                (exchange,) = reading.http.exchanges
                assert exchange.request is not None
                assert exchange.response is not None
                self.assertEqual(exchange.request.head.raw, REQUEST)
                self.assertEqual(exchange.status, 200)
                self.assertEqual(exchange.response.content_length, len(CONTENT))
                found = reading.conversation
                self.assertIs(found.decryption, Decryption.OPENED)
                self.assertEqual(found.client.application_bytes, len(REQUEST))
                self.assertEqual(found.server.application_bytes, len(RESPONSE))
                first = [
                    1 + sum(-(-len(data) // MSS) for _, data in played.sent[:index])
                    for index in (*played.said, played.said[-1] + 1)
                ]
                self.assertEqual(exchange.request.first_frame, first[0])
                self.assertEqual(exchange.response.first_frame, first[1])
                self.assertEqual(exchange.response.last_frame, first[2] - 1)

    def test_closes(self) -> None:
        """
        A close_notify is known by name where it can be opened, and in TLS 1.2 as an encrypted alert
        where not (RFC 8446 section 6.1).
        """
        for terms, without in ((Terms(), []), (Terms("1.2"), ["encrypted alert"] * 2)):
            with self.subTest(terms=terms):
                played = http_exchange(terms)
                found = read(played.sent, played.tools()).conversation
                self.assertEqual(
                    [(alert.from_client, alert.name) for alert in found.alerts],
                    [(False, "close_notify"), (True, "close_notify")],
                )
                self.assertIsNotNone(found.close_notify(from_client=True))
                closed = read(played.sent, played.tools(with_keys=False)).conversation
                self.assertEqual([alert.name for alert in closed.alerts], without)
                self.assertIsNone(closed.close_notify(from_client=True))
                # An alert of TLS 1.3 is a record of 2 + 1 + 16 bytes that says it is data.
                self.assertEqual(closed.client.last_length, 19 if terms.version == "1.3" else 26)

    def test_other_keys(self) -> None:
        """
        A key log of another connection opens nothing, and says so.
        """
        played, other = http_exchange(Terms()), http_exchange(Terms())
        reading = read(played.sent, other.tools())
        self.assertIs(reading.conversation.decryption, Decryption.NOT_IN_KEYLOG)
        self.assertEqual(reading.http.exchanges, [])

    def test_wrong_keys(self) -> None:
        """
        Secrets that are not those of the connection open nothing, once, and break nothing else.
        """
        played = http_exchange(Terms())
        played.keylog[:] = [line[:-4] + b"0000" for line in played.keylog]
        reading = read(played.sent, played.tools())
        found = reading.conversation
        self.assertIs(found.decryption, Decryption.BROKEN)
        self.assertIsNotNone(found.broken)
        self.assertEqual(reading.http.exchanges, [])
        self.assertIsNone(found.server.application_bytes)

    def test_unsupported(self) -> None:
        """
        A suite with CBC is not opened; how much was said is told by the record layer.
        """
        played = http_exchange(Terms("1.2", "ECDHE-ECDSA-AES128-SHA"))
        reading = read(played.sent, played.tools())
        self.assertIs(reading.conversation.decryption, Decryption.UNSUPPORTED)
        self.assertEqual(reading.conversation.server.application_records, 1)
        self.assertIsNone(reading.conversation.server.application_bytes)

    def test_bytes_without_keys(self) -> None:
        """
        An AEAD of TLS 1.2 adds a known number of bytes, so the content's length is known without
        any secret; in TLS 1.3 neither that nor which records are data.
        """
        for terms in TERMS_1_2:
            played = http_exchange(terms)
            found = read(played.sent, NO_TOOLS).conversation
            self.assertEqual(found.server.application_bytes, len(RESPONSE), terms)
            self.assertEqual(found.client.application_bytes, len(REQUEST), terms)
        found = read(http_exchange(Terms()).sent, NO_TOOLS).conversation
        self.assertIsNone(found.server.application_records)
        self.assertIsNone(found.server.application_bytes)
        self.assertIsNone(found.server.first_application)
        self.assertEqual(found.server.protected_records, 8)

    def test_certificate_inside(self) -> None:
        """
        With secrets, TLS 1.3 shows its certificate and the protocol that was agreed on.
        """
        played = http_exchange(Terms(alpn=(b"http/1.1",)))
        found = read(played.sent, played.tools()).conversation
        self.assertEqual(found.alpn, b"http/1.1")
        (chain,) = found.certificates
        assert chain.leaf is not None
        self.assertEqual(chain.leaf.subject, "www.example.com")


class MissingTests(SynchronousTestCase):
    """
    Bytes that were not captured.
    """

    def _read(self, played: Played, lost: int) -> Reading:
        """
        Read all but one delivery.
        """
        reading = Reading(played.tools())
        for index, (end, data) in enumerate(played.sent):
            if index == lost:
                reading.receive(end, b"", len(data))
            else:
                reading.receive(end, data)
        return reading

    def test_record_missing(self) -> None:
        """
        After records that were not captured, the ones behind them are opened again, by trying how
        many they were.
        """
        for terms in (Terms(), Terms("1.2")):
            with self.subTest(terms=terms):
                played = begin(terms)
                played.say("s", b"not captured")
                lost = len(played.sent) - 1
                for _ in range(2):
                    played.say("c", REQUEST)
                    played.say("s", RESPONSE)
                reading = self._read(played, lost)
                self.assertEqual(
                    [exchange.status for exchange in reading.http.exchanges], [200, 200]
                )
                found = reading.conversation
                self.assertIs(found.decryption, Decryption.OPENED)
                self.assertEqual(found.server.missing_bytes, len(played.sent[lost][1]))

    def test_snapped(self) -> None:
        """
        Where frames are cut short, headers and hellos are still read, and nothing inside.
        """
        played = http_exchange(Terms("1.2"))
        reading = Reading(played.tools())
        for end, data in played.sent:
            for at in range(0, len(data), 1460):
                segment = data[at : at + 1460]
                reading.receive(end, segment[:60], len(segment) - len(segment[:60]))
        found = reading.conversation
        assert found.client_hello is not None
        self.assertFalse(found.client_hello.is_whole)
        self.assertEqual(found.client.cut_records, 3)
        self.assertEqual(reading.http.exchanges, [])
        self.assertGreater(found.server.missing_bytes, 4000)

    def test_from_the_middle(self) -> None:
        """
        A capture that begins within a connection shows records as soon as two follow each other.
        """
        played = http_exchange(Terms())
        for _ in range(3):
            played.sent.append(played.sent[-1])
        middle = Reading(played.tools(), is_from_start=False)
        index = next(
            index for index, (end, data) in enumerate(played.sent) if len(data) > len(RESPONSE)
        )
        for end, data in played.sent[index:]:
            middle.receive(end, data[1000:] if len(data) > 5000 else data)
        found = middle.conversation
        self.assertIs(found.decryption, Decryption.NO_HANDSHAKE)
        self.assertIsNone(found.version)
        self.assertGreater(found.client.records, 1)

    def test_hello_after_the_middle(self) -> None:
        """
        A connection that turns to TLS after something else was said (STARTTLS, CONNECT) is read
        from its ClientHello on.
        """
        played = http_exchange(Terms())
        reading = Reading(played.tools())
        for end, data in (("s", b"220 mail\r\n"), ("c", b"STARTTLS\r\n"), ("s", b"220 go\r\n")):
            self.assertFalse(reading.receive(end, data))
        self.assertFalse(reading.reader.is_tls)
        for end, data in played.sent:
            self.assertTrue(reading.receive(end, data))
        self.assertIs(reading.conversation.decryption, Decryption.OPENED)
        self.assertEqual(reading.conversation.server.application_bytes, len(RESPONSE))

    def test_tampered(self) -> None:
        """
        A bit that is changed on the way makes one record, and what follows it, unreadable.
        """
        played = http_exchange(Terms())
        index = next(
            index for index, (end, data) in enumerate(played.sent) if len(data) > len(RESPONSE)
        )
        end, data = played.sent[index]
        played.sent[index] = (end, data[:-1] + bytes((data[-1] ^ 1,)))
        reading = read(played.sent, played.tools())
        self.assertIs(reading.conversation.decryption, Decryption.BROKEN)
        self.assertIsNone(reading.http.exchanges[0].response)


class HostileTests(SynchronousTestCase):
    """
    Arbitrary bytes, in arbitrary cuts.
    """

    def test_plain(self) -> None:
        """
        What is no TLS is left to others.
        """
        reading = Reading(NO_TOOLS)
        self.assertFalse(reading.receive("c", b"GET / HTTP/1.1\r\n\r\n"))
        self.assertFalse(reading.receive("s", b"\x16\x02 no record"))
        self.assertFalse(reading.reader.is_tls)

    @settings(deadline=None, max_examples=25)
    @given(st.data())
    def test_cuts(self, data: st.DataObject) -> None:
        """
        However the streams are cut into frames, what is read is the same.
        """
        terms = data.draw(st.sampled_from((*TERMS_1_3, *TERMS_1_2)))
        played = http_exchange(terms)
        whole = read(played.sent, played.tools())
        cut = data.draw(st.integers(1, 3000))
        other = read(played.sent, played.tools(), cut)
        self.assertEqual(without_frames(other.conversation), without_frames(whole.conversation))
        self.assertEqual(other.http.exchanges[0].status, 200)

    @settings(deadline=None, max_examples=200)
    @given(st.data())
    @pytest.mark.slow
    def test_damaged(self, data: st.DataObject) -> None:
        """
        Whatever is changed, left out or put in, values come out, and no exception.
        """
        played = _KEPT[data.draw(st.sampled_from(sorted(_KEPT)))]
        tools = data.draw(st.sampled_from((NO_TOOLS, played.tools())))
        reading = Reading(tools, is_from_start=data.draw(st.booleans()))
        for end, sent in played.sent:
            kind = data.draw(st.integers(0, 9))
            at = data.draw(st.integers(0, len(sent) - 1))
            noise = data.draw(st.binary(min_size=1, max_size=8))
            match kind:
                case 0:
                    reading.receive(end, b"", len(sent))
                case 1:
                    reading.receive(end, sent[:at], len(sent) - at)
                case 2:
                    reading.receive(end, sent[:at] + noise + sent[at:])
                case 3:
                    reading.receive(end, sent[:at] + noise + sent[at + len(noise) :])
                case 4:
                    reading.receive("s" if end == "c" else "c", sent)
                case _:
                    reading.receive(end, sent)
        found = reading.conversation
        total = sum(len(sent) + 8 for _, sent in played.sent)
        self.assertLessEqual(found.client.records + found.server.records, total // 5)
        self.assertLessEqual(found.server.application_bytes or 0, total)


_KEPT: dict[str, Played] = {
    "1.3": http_exchange(Terms()),
    "1.2": http_exchange(Terms("1.2")),
}
