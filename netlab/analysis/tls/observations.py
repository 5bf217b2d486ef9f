"""
What is the case on a TLS connection: values with the frames that show them, and no sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from netlab.analysis.tls import names
from netlab.analysis.tls.carriers import Travel
from netlab.analysis.tls.messages import ClientHello, ServerHello
from netlab.analysis.tls.tools import Certificate


class Resumption(Enum):
    """
    Whether keys of an earlier connection were used.
    """

    UNKNOWN = "the handshake was not captured"
    FULL = "a full handshake; nothing was offered to resume"
    DECLINED = "resumption was offered, and the server chose a full handshake"
    SESSION_ID = "resumed by session ID"
    """RFC 5246 section 7.3: the server sends the client's session ID back, and no certificate."""

    TICKET = "resumed by session ticket"
    """RFC 5077."""

    PSK = "resumed by pre-shared key"
    """RFC 8446 section 2.2; a key agreed in another way looks the same."""


class Decryption(Enum):
    """
    What became of the protected records.
    """

    NO_KEYLOG = "no key log was given"
    NO_HANDSHAKE = "the hellos, which name the secrets, were not captured"
    NOT_IN_KEYLOG = "the key log has no secret of this connection"
    UNSUPPORTED = "its cipher suite is not one that is opened"
    OPENED = "opened"
    NOTHING_OPENED = "the secrets are there, and no record that they open"
    BROKEN = "a record could not be opened with the secrets of the key log"


@dataclass(frozen=True, slots=True)
class Alert:
    """
    An alert (RFC 8446 section 6).

    @ivar from_client: who sent it.
    @ivar travel: the frames that carried it.
    @ivar level: 1 is a warning, 2 is fatal; C{None} where it is encrypted.
    @ivar description: its number; C{None} where it is encrypted.
    """

    from_client: bool
    travel: Travel
    level: int | None
    description: int | None

    @property
    def is_encrypted(self) -> bool:
        """
        Whether it is known only that it is an alert.
        """
        return self.description is None

    @property
    def is_close_notify(self) -> bool:
        """
        Whether its sender says that it sends no more (RFC 8446 section 6.1).
        """
        return self.description == 0

    @property
    def name(self) -> str:
        """
        Its description by name.
        """
        if self.description is None:
            return "encrypted alert"
        return names.alert_name(self.description)

    @property
    def level_name(self) -> str:
        """
        Its level by name; empty where it is encrypted.
        """
        return "" if self.level is None else names.level_name(self.level)


@dataclass(frozen=True, slots=True)
class CertificateChain:
    """
    A Certificate message.

    @ivar from_client: who sent it.
    @ivar travel: the frames that carried it.
    @ivar count: how many certificates it has, of those captured.
    @ivar leaf: what the first says, the peer's own; C{None} if there is none, or it cannot be read.
    @ivar is_whole: whether all of it was captured.
    """

    from_client: bool
    travel: Travel
    count: int
    leaf: Certificate | None
    is_whole: bool


@dataclass(frozen=True, slots=True)
class TLSDirection:
    """
    One end's records.

    @ivar records: how many.
    @ivar protected_records: how many of them are protected: application data and, in TLS 1.3, all
        after the hellos.
    @ivar protected_bytes: bytes of their fragments, as they travelled.
    @ivar first_protected: the first of them, which in a handshake holds the Finished.
    @ivar first_protected_length: the length of that one's fragment.
    @ivar last_protected: the last of them.
    @ivar opened_records: how many protected records were opened, in TLS 1.2 with those of the
        handshake and alerts.
    @ivar last_length: the length of the last record's fragment.
    @ivar application_records: those with application data; C{None} where that is not known (TLS
        1.3 without secrets).
    @ivar application_bytes: bytes of application data, unprotected; C{None} where not known.
    @ivar first_application: the first record with application data, where that is known.
    @ivar last_application: the last record with application data, where that is known.
    @ivar early_records: records of early data (0-RTT), which are not opened.
    @ivar key_updates: how many KeyUpdates it sent, as far as records were opened.
    @ivar tickets: how many session tickets it sent, as far as they could be seen.
    @ivar cut_records: how many records were not captured as a whole.
    @ivar missing_bytes: how many bytes of the stream were not captured.
    @ivar skipped_bytes: how many bytes that were captured belong to no record that was made out.
    @ivar unfinished_bytes: how many bytes of a record stand at the end, the rest of which never
        came.
    """

    records: int = 0
    protected_records: int = 0
    protected_bytes: int = 0
    first_protected: Travel | None = None
    first_protected_length: int = 0
    last_protected: Travel | None = None
    opened_records: int = 0
    last_length: int = 0
    application_records: int | None = None
    application_bytes: int | None = None
    first_application: Travel | None = None
    last_application: Travel | None = None
    early_records: int = 0
    key_updates: int = 0
    tickets: int = 0
    cut_records: int = 0
    missing_bytes: int = 0
    skipped_bytes: int = 0
    unfinished_bytes: int = 0


@dataclass(frozen=True, slots=True)
class TLSConversation:
    """
    What the two ends of a connection did in TLS.

    @ivar client_hello: the client's first; C{None} if it was not captured.
    @ivar retry: the server's HelloRetryRequest, if there was one.
    @ivar second_hello: the client's answer to that.
    @ivar server_hello: what the server chose; C{None} if it was not captured, or never came.
    @ivar alpn: the application protocol that was agreed on, where that could be read.
    @ivar certificates: Certificate messages, the server's and the client's, as far as they could be
        read: in TLS 1.3 they are encrypted.
    @ivar asks_for_certificate: the server's request for one of the client's.
    @ivar resumption: whether keys of an earlier connection were used.
    @ivar alerts: in the order in which they came, at most
        L{netlab.analysis.tls.conversation.ALERTS_MAX}.
    @ivar client: the client's records.
    @ivar server: the server's records.
    @ivar client_finished: the record with the client's Finished. In TLS 1.3, without secrets, the
        first protected one, if it is long enough; it may also begin a certificate of the client's.
    @ivar server_finished: the record with the server's Finished; in TLS 1.3 only secrets show it.
    @ivar decryption: what became of the protected records.
    @ivar broken: the record that could not be opened.
    @ivar is_renegotiated: whether new keys were agreed on within the connection (TLS 1.2); what
        comes then is not opened.
    @ivar is_followed: whether it was read to the capture's end; of large captures only the
        beginning of a conversation is, and then all counts are those of the beginning.
    """

    client_hello: ClientHello | None
    retry: ServerHello | None
    second_hello: ClientHello | None
    server_hello: ServerHello | None
    alpn: bytes | None
    certificates: tuple[CertificateChain, ...]
    asks_for_certificate: Travel | None
    resumption: Resumption
    alerts: tuple[Alert, ...]
    client: TLSDirection
    server: TLSDirection
    client_finished: Travel | None
    server_finished: Travel | None
    decryption: Decryption
    broken: Travel | None
    is_renegotiated: bool
    is_followed: bool

    @property
    def version(self) -> int | None:
        """
        The version that was chosen.
        """
        chosen = self.server_hello or self.retry
        return None if chosen is None else chosen.version

    @property
    def version_name(self) -> str:
        """
        Its name; C{TLS} where it is not known.
        """
        return "TLS" if self.version is None else names.version_name(self.version)

    @property
    def cipher_suite(self) -> str | None:
        """
        The name of the cipher suite that was chosen.
        """
        if self.server_hello is None:
            return None
        return names.cipher_suite_name(self.server_hello.cipher_suite)

    @property
    def is_tls_1_3(self) -> bool:
        """
        Whether TLS 1.3 was chosen.
        """
        return self.version is not None and self.version >= names.TLS_1_3

    def close_notify(self, *, from_client: bool) -> Alert | None:
        """
        Give an end's close_notify, if one could be read.
        """
        for alert in self.alerts:
            if alert.from_client == from_client and alert.is_close_notify:
                return alert
        return None
