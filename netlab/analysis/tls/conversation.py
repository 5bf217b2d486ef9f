"""
TLS over a connection: the two streams of bytes to what is the case, and to what was said inside.
"""

from __future__ import annotations

import re
from typing import Final

from netlab.analysis.http.allowance import Allowance
from netlab.analysis.http.exchange import ExchangeReader
from netlab.analysis.http.reassembly import Piece
from netlab.analysis.tls import messages
from netlab.analysis.tls.carriers import Travel
from netlab.analysis.tls.keylog import NO_SECRETS, Label
from netlab.analysis.tls.keyschedule import SUITES, is_usable, key_block
from netlab.analysis.tls.messages import (
    ClientHello,
    HandshakeMessage,
    HandshakeType,
    ServerHello,
)
from netlab.analysis.tls.names import TLS_1_3
from netlab.analysis.tls.observations import (
    Alert,
    CertificateChain,
    Decryption,
    Resumption,
    TLSConversation,
)
from netlab.analysis.tls.protection import TAG_BYTES, Opened, RecordProtection
from netlab.analysis.tls.records import ContentType, RecordReader, TLSRecord, begins_record
from netlab.analysis.tls.sidereading import SideReading
from netlab.analysis.tls.tools import NO_TOOLS, Tools

ALERTS_MAX: Final = 100
"""How many alerts of a connection are kept, the first ones."""

CHAINS_MAX: Final = 4
"""How many Certificate messages of a connection are read."""

SEARCHED_MAX_BYTES: Final = 1 << 17
"""How much of a direction that was captured from its middle is searched for records."""

#: A record with a hello: where a connection turns to TLS after something else was said.
_HELLO: Final = re.compile(rb"\x16\x03[\x00-\x03]..[\x01\x02]\x00..\x03[\x00-\x03]", re.DOTALL)

#: A fragment that begins with a hello: where a handshake is read again after bytes are missing.
_HELLO_MESSAGE: Final = re.compile(rb"[\x01\x02]\x00..\x03[\x00-\x03]", re.DOTALL)

_ALERT_BYTES: Final = 2

_EXPLICIT_NONCE_BYTES: Final = 8


def begins_with_hello(data: bytes) -> bool | None:
    """
    Tell whether bytes begin with a record that begins with a hello.

    @return: true for a ClientHello, false for a ServerHello, C{None} for anything else.
    """
    if _HELLO.match(data) is None:
        return None
    return data[5] == messages.HandshakeType.CLIENT_HELLO


class TLSReader:
    """
    Reads the two streams of one connection as TLS, if they are.

    It is given what was captured in the order in which it was captured. Memory is bounded by two
    records and a handshake message of each direction, and the bounds named here; application data
    are handed on and not kept.
    """

    def __init__(
        self,
        tools: Tools = NO_TOOLS,
        allowance: Allowance | None = None,
        *,
        is_from_start: bool = True,
    ) -> None:
        """
        @param tools: secrets, and what takes a library of cryptography.
        @param allowance: what reading may cost, together with others; None for this one alone.
        @param is_from_start: whether the capture holds the beginning of both streams.
        """
        self._tools = tools
        self._allowance = allowance or Allowance()
        self._is_from_start = is_from_start
        self._client = SideReading(is_from_start=is_from_start)
        self._server = SideReading(is_from_start=is_from_start)
        self._client_hello: ClientHello | None = None
        self._second_hello: ClientHello | None = None
        self._retry: ServerHello | None = None
        self._server_hello: ServerHello | None = None
        self._alpn: bytes | None = None
        self._chains: list[CertificateChain] = []
        self._alerts: list[Alert] = []
        self._asks: Travel | None = None
        self._broken: Travel | None = None
        self._is_renegotiated = False
        self._is_followed = True

    @property
    def is_tls(self) -> bool:
        """
        Whether any record was found.
        """
        return bool(self._client.records or self._server.records)

    def receive(self, piece: Piece, http: ExchangeReader, *, from_client: bool) -> bool:
        """
        Take the next bytes of one direction.

        @param piece: what follows in its stream.
        @param http: is given what can be opened of the application data.
        @param from_client: whose they are.
        @return: whether they are TLS's, and so nothing for another reader.
        """
        side = self._client if from_client else self._server
        if not side.is_claimed:
            if begins_with_hello(piece.data):
                self._claim()
                side.reader = RecordReader()
            elif not side.is_heard and self._is_from_start and begins_record(piece.data):
                self._claim()
            elif self._is_from_start or side.reader.skipped > SEARCHED_MAX_BYTES:
                side.is_heard = True
                return False
        elif not side.records and begins_with_hello(piece.data) is not None:
            side.reader = RecordReader()
        side.is_heard = True
        records = side.reader.receive(piece)
        self._allowance.spend(len(records))
        for record in records:
            self._claim()
            self._take(record, side, http)
        return side.is_claimed

    def stop(self) -> None:
        """
        Keep no bytes: nothing more will be given.
        """
        self._is_followed = False
        for side in (self._client, self._server):
            side.reader.forget()
            side.handshake.begin_anew()
            side.inner_handshake.begin_anew()
            side.protection = None

    def conversation(self) -> TLSConversation:
        """
        Say what is the case so far.
        """
        decryption = self._decryption()
        is_opened = decryption is Decryption.OPENED
        is_hidden = self._is_tls_1_3 and not is_opened
        client, server = (
            side.summary(
                knows_application=self._server_hello is not None
                and (not self._is_tls_1_3 or (is_opened and side.is_opened)),
                knows_bytes=(is_opened and side.is_opened)
                if self._is_tls_1_3
                else self._overhead is not None,
            )
            for side in (self._client, self._server)
        )
        return TLSConversation(
            client_hello=self._client_hello,
            retry=self._retry,
            second_hello=self._second_hello,
            server_hello=self._server_hello,
            alpn=self._alpn,
            certificates=tuple(self._chains),
            asks_for_certificate=self._asks,
            resumption=self._resumption(),
            alerts=tuple(self._alerts),
            client=client,
            server=server,
            client_finished=self._client.finished_record(may_be_hidden=is_hidden),
            server_finished=self._server.finished,
            decryption=decryption,
            broken=self._broken,
            is_renegotiated=self._is_renegotiated,
            is_followed=self._is_followed,
        )

    # Which bytes are TLS

    def _claim(self) -> None:
        """
        From now on both directions are read as TLS, each from its next byte.
        """
        if not self._client.is_claimed:
            for side in (self._client, self._server):
                side.is_claimed = True
                if self._is_from_start:
                    # What an end said before need not have ended where a record begins.
                    side.reader = RecordReader(is_from_start=not side.is_heard)

    # Records

    def _take(self, record: TLSRecord, side: SideReading, http: ExchangeReader) -> None:
        side.records += 1
        side.last_length = record.length
        if not record.is_whole:
            side.cut_records += 1
        match record.type:
            case ContentType.CHANGE_CIPHER_SPEC:
                self._take_change(side)
            case ContentType.ALERT:
                self._take_alert(record, side, http)
            case ContentType.HANDSHAKE:
                self._take_handshake(record, side, http)
            case ContentType.APPLICATION_DATA:
                self._take_application(record, side, http)
            case ContentType.HEARTBEAT:
                pass

    @property
    def _is_tls_1_3(self) -> bool:
        chosen = self._server_hello or self._retry
        return chosen is not None and chosen.version >= TLS_1_3

    def _take_change(self, side: SideReading) -> None:
        """
        In TLS 1.2 what follows is protected; in TLS 1.3 the record is there for middleboxes only.
        """
        if self._is_tls_1_3:
            return
        if side.is_protected:
            self._is_renegotiated = True
            side.protection = None
            return
        side.is_protected = True
        side.protect(self._protection_1_2(side))

    def _take_alert(self, record: TLSRecord, side: SideReading, http: ExchangeReader) -> None:
        travel = record.travel
        if not side.is_protected and record.length == _ALERT_BYTES and record.is_whole:
            self._note_alert(record.fragment, travel, side)
            return
        opened = self._open(record, side, http) if side.is_protected else None
        if opened is not None and len(opened.data) == _ALERT_BYTES:
            self._note_alert(opened.data, travel, side)
            self._end_if_notified(opened.data, travel, side, http)
        elif len(self._alerts) < ALERTS_MAX and record.length > _ALERT_BYTES:
            self._alerts.append(Alert(side is self._client, travel, None, None))

    def _end_if_notified(
        self, data: bytes, travel: Travel, side: SideReading, http: ExchangeReader
    ) -> None:
        """
        After close_notify an end says no more: what has no length ends there (RFC 9112 section
        9.8), and not with the FIN.
        """
        if data[1] == 0:
            http.receive_end(travel.frames[-1], travel.end_ns, from_client=side is self._client)

    def _note_alert(self, data: bytes, travel: Travel, side: SideReading) -> None:
        if len(self._alerts) < ALERTS_MAX:
            self._alerts.append(Alert(side is self._client, travel, data[0], data[1]))

    def _take_handshake(self, record: TLSRecord, side: SideReading, http: ExchangeReader) -> None:
        travel = record.travel
        if side.is_protected:
            # Finished, and what TLS 1.2 says later: a new handshake, a ticket.
            if side.finished is None:
                side.finished = travel
            opened = self._open(record, side, http)
            if opened is not None:
                self._take_inner(opened, record, side)
            return
        if record.is_after_gap:
            side.handshake.begin_anew()
            side.handshake.is_lost = _HELLO_MESSAGE.match(record.fragment) is None
        for message in side.handshake.receive(
            record.fragment,
            record.carriers_of(0, len(record.fragment)),
            is_whole=record.is_whole,
        ):
            self._take_message(message, side)

    def _take_application(self, record: TLSRecord, side: SideReading, http: ExchangeReader) -> None:
        travel = record.travel
        side.note_protected(record, travel)
        if side.protection is None:
            if self._server_hello is not None and not self._is_tls_1_3:
                side.note_application(max(0, record.length - (self._overhead or 0)), travel)
            return
        opened = self._open(record, side, http)
        if opened is None:
            if not self._is_tls_1_3:
                side.note_application(max(0, record.length - (self._overhead or 0)), travel)
            return
        match opened.type:
            case ContentType.APPLICATION_DATA:
                self._hand_on(opened, record, side, travel, http)
            case ContentType.HANDSHAKE:
                self._take_inner(opened, record, side)
            case ContentType.ALERT if len(opened.data) == _ALERT_BYTES:
                self._note_alert(opened.data, travel, side)
                self._end_if_notified(opened.data, travel, side, http)
            case _:
                pass

    @property
    def _overhead(self) -> int | None:
        """
        By how much a protected record of TLS 1.2 is longer than its content, if its suite tells.
        """
        suite = None if self._server_hello is None else SUITES.get(self._server_hello.cipher_suite)
        if suite is None:
            return None
        return TAG_BYTES + (_EXPLICIT_NONCE_BYTES if suite.has_explicit_nonce else 0)

    def _hand_on(
        self,
        opened: Opened,
        record: TLSRecord,
        side: SideReading,
        travel: Travel,
        http: ExchangeReader,
    ) -> None:
        """
        Give application data to the reader of HTTP, each byte with the frame that carried it.
        """
        data = opened.data
        side.note_application(len(data), travel)
        for span in record.carriers_of(opened.begin, opened.begin + len(data)):
            part = data[span.begin : span.end]
            piece = Piece(side.offset, part, 0, span.frame, span.time_ns)
            side.offset += len(part)
            http.receive(piece, from_client=side is self._client)

    # Handshake messages

    def _take_inner(self, opened: Opened, record: TLSRecord, side: SideReading) -> None:
        """
        Read the messages of a protected record.
        """
        if opened.type != ContentType.HANDSHAKE:
            return
        spans = record.carriers_of(opened.begin, opened.begin + len(opened.data))
        if record.is_after_gap:
            side.inner_handshake.begin_anew()
        for message in side.inner_handshake.receive(opened.data, spans):
            match message.type:
                case HandshakeType.FINISHED:
                    side.finished = record.travel
                    if self._is_tls_1_3 and side.protection is not None:
                        side.protection.begin_following()
                case HandshakeType.KEY_UPDATE if self._is_tls_1_3:
                    side.key_updates += 1
                    if side.protection is not None:
                        side.protection.begin_following()
                case HandshakeType.ENCRYPTED_EXTENSIONS:
                    self._alpn = messages.encrypted_extensions_alpn(message)
                case (
                    HandshakeType.CERTIFICATE
                    | HandshakeType.CERTIFICATE_REQUEST
                    | HandshakeType.NEW_SESSION_TICKET
                ):
                    self._take_message(message, side)
                case _:
                    pass

    def _take_message(self, message: HandshakeMessage, side: SideReading) -> None:
        is_client = side is self._client
        match message.type:
            case HandshakeType.CLIENT_HELLO if is_client:
                self._take_client_hello(message)
            case HandshakeType.SERVER_HELLO if not is_client:
                self._take_server_hello(message)
            case HandshakeType.CERTIFICATE:
                self._take_certificate(message, is_client=is_client)
            case HandshakeType.CERTIFICATE_REQUEST if not is_client:
                self._asks = self._asks or message.travel
            case HandshakeType.NEW_SESSION_TICKET if not is_client:
                side.tickets += 1
            case _:
                pass

    def _take_client_hello(self, message: HandshakeMessage) -> None:
        hello = messages.client_hello(message)
        if self._client_hello is None:
            self._client_hello = hello
            self._begin_protection()
        elif self._retry is not None and self._second_hello is None:
            self._second_hello = hello

    def _take_server_hello(self, message: HandshakeMessage) -> None:
        hello = messages.server_hello(message)
        if hello is None or self._server_hello is not None:
            return
        if hello.is_retry:
            self._retry = self._retry or hello
            return
        self._server_hello = hello
        self._alpn = hello.alpn
        self._begin_protection()

    def _take_certificate(self, message: HandshakeMessage, *, is_client: bool) -> None:
        chosen = self._server_hello
        if len(self._chains) >= CHAINS_MAX or chosen is None:
            return
        found = messages.certificates(message, chosen.version)
        read = self._tools.read_certificate
        leaf = read(found[0]) if found and read is not None else None
        self._chains.append(
            CertificateChain(is_client, message.travel, len(found), leaf, message.is_whole)
        )

    # Opening records

    def _begin_protection(self) -> None:
        """
        Both hellos may be there now. In TLS 1.2 it is ChangeCipherSpec that changes the keys, but a
        capture may show that of an end before the other's hello.
        """
        if self._is_tls_1_3:
            self._begin_protection_1_3()
            return
        for side in (self._client, self._server):
            if side.is_protected and side.protection is None:
                side.protect(self._protection_1_2(side), is_late=True)

    def _begin_protection_1_3(self) -> None:
        hello, chosen, make_aead = self._client_hello, self._server_hello, self._tools.make_aead
        if hello is None or chosen is None or make_aead is None or not self._has_secrets:
            return
        suite = SUITES[chosen.cipher_suite]
        secrets = self._secrets
        size = 48 if suite.hash == "sha384" else 32
        usable = {label: secret for label, secret in secrets.items() if len(secret) == size}
        for side, handshake, application in (
            (self._client, Label.CLIENT_HANDSHAKE, Label.CLIENT_APPLICATION),
            (self._server, Label.SERVER_HANDSHAKE, Label.SERVER_APPLICATION),
        ):
            side.protect(
                RecordProtection.of_secrets(
                    make_aead, suite, usable.get(handshake), usable.get(application)
                )
            )

    def _protection_1_2(self, side: SideReading) -> RecordProtection | None:
        hello, chosen, make_aead = self._client_hello, self._server_hello, self._tools.make_aead
        if hello is None or chosen is None or make_aead is None or not self._has_secrets:
            return None
        suite = SUITES[chosen.cipher_suite]
        keys = key_block(self._secrets[Label.MASTER], hello.random, chosen.random, suite)
        return RecordProtection(make_aead, suite, keys[side is not self._client], is_tls_1_3=False)

    @property
    def _secrets(self) -> dict[Label, bytes]:
        keylog, hello = self._tools.keylog, self._client_hello
        return dict(NO_SECRETS if keylog is None or hello is None else keylog.secrets(hello.random))

    @property
    def _has_secrets(self) -> bool:
        chosen = self._server_hello
        suite = None if chosen is None else SUITES.get(chosen.cipher_suite)
        if chosen is None or suite is None:
            return False
        return is_usable(self._secrets, suite, is_tls_1_3=chosen.version >= TLS_1_3)

    def _open(self, record: TLSRecord, side: SideReading, http: ExchangeReader) -> Opened | None:
        """
        Open a record; where that fails, its direction is not opened any further.
        """
        if side.protection is None:
            return None
        from_client = side is self._client
        opened = side.protection.open(record)
        if opened is not None:
            side.opened_records += 1
            return opened
        travel = record.travel
        hello = self._client_hello
        if not side.opened_records and from_client and hello is not None and hello.has_early_data:
            side.early_records += 1
            return None
        if not record.is_whole:
            reason = "a TLS record was not captured as a whole"
            http.skip(travel.frames[0], reason, from_client=from_client)
        elif not side.protection.is_astray:
            self._broken = self._broken or travel
            side.protection = None
            reason = "a TLS record could not be decrypted"
            http.skip(travel.frames[0], reason, from_client=from_client)
        return None

    # What follows from all that

    def _resumption(self) -> Resumption:
        hello, chosen = self._client_hello, self._server_hello
        if hello is None or chosen is None:
            return Resumption.UNKNOWN
        if chosen.version >= TLS_1_3:
            if chosen.has_psk:
                return Resumption.PSK
            return Resumption.DECLINED if hello.has_psk else Resumption.FULL
        is_offered = hello.has_ticket or bool(hello.session_id and TLS_1_3 not in hello.versions)
        is_resumed = (
            bool(chosen.session_id)
            and chosen.session_id == hello.session_id
            and not any(not chain.from_client for chain in self._chains)
        )
        if is_resumed:
            return Resumption.TICKET if hello.has_ticket else Resumption.SESSION_ID
        return Resumption.DECLINED if is_offered else Resumption.FULL

    def _decryption(self) -> Decryption:
        if self._tools.keylog is None or not len(self._tools.keylog):
            return Decryption.NO_KEYLOG
        if self._client_hello is None or self._server_hello is None:
            return Decryption.NO_HANDSHAKE
        if self._client_hello.random not in self._tools.keylog:
            return Decryption.NOT_IN_KEYLOG
        if self._server_hello.cipher_suite not in SUITES:
            return Decryption.UNSUPPORTED
        if not self._has_secrets:
            return Decryption.NOT_IN_KEYLOG
        if self._broken is not None:
            return Decryption.BROKEN
        has_opened = self._client.opened_records or self._server.opened_records
        return Decryption.OPENED if has_opened else Decryption.NOTHING_OPENED
