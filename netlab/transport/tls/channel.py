"""
A server's side of one TLS connection: records in, content out, and the reverse.

There is no socket here. OpenSSL is given one whole record at a time, for two reasons. A single
call of its C{SSL_read} on a descriptor returns only when it has content or the descriptor is empty,
so a peer that sends KeyUpdate messages as fast as they are processed keeps it from returning at
all. And a record that brings no content can be counted.
"""

from __future__ import annotations

import ssl
from typing import Final

from netlab.transport.tls.records import (
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    CONTENT_MAX_BYTES,
    HEADER_BYTES,
    record_end,
)

#: How many records without content may come in a row, after the handshake: KeyUpdate, attempts to
#: renegotiate, warnings, fragments of either. OpenSSL itself ends a connection after 32 records
#: that are empty; for KeyUpdate it has no limit.
CONTENTLESS_RECORDS_MAX: Final = 32

#: How many records a handshake may take. Most clients send three or four; one that sends a
#: certificate chain in small fragments sends more.
HANDSHAKE_RECORDS_MAX: Final = 64


class ChannelError(Exception):
    """
    The peer has broken a rule of TLS, or a limit of ours. L{Channel.output} has the alert.
    """


class Channel:
    """
    One connection.

    @ivar is_ended: the peer has sent its closure alert: no content will follow.
    """

    __slots__ = (
        "_at",
        "_contentless",
        "_incoming",
        "_outgoing",
        "_received",
        "_tls",
        "is_ended",
    )

    def __init__(self, context: ssl.SSLContext) -> None:
        """
        @param context: the certificate and what is allowed.
        """
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        # What OpenSSL has not been given yet begins at _at.
        self._received = b""
        self._at = 0
        self._contentless = 0
        self.is_ended = False

    # Receiving

    def receive(self, data: bytes) -> None:
        """
        Take what has arrived. The caller bounds how much: it asks for more only when
        L{has_record} is false.
        """
        self._received = self._received[self._at :] + data
        self._at = 0

    @property
    def has_record(self) -> bool:
        """
        Whether a whole record waits.
        """
        return record_end(self._received, self._at) is not None

    def shake(self) -> bool:
        """
        Go on with the handshake as far as what was received allows.

        @return: whether it is complete. Then records may wait that came behind it.
        @raise ChannelError: the handshake has failed.
        """
        while kind := self._feed():
            self._count(HANDSHAKE_RECORDS_MAX)
            if kind == CHANGE_CIPHER_SPEC:
                # It never is the last of a flight.
                continue
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError as error:
                raise ChannelError(_explain(error)) from error
            self._contentless = 0
            return True
        return False

    def read_one(self, data: bytes) -> bytes | None:
        """
        Decrypt a delivery that is one record of application data, as most are.

        @param data: not empty.
        @return: its content; None if it is none such, or has no content: then what matters of it is
            found out by L{receive} and L{read}, or has been.
        @raise ChannelError: as of L{read}.
        """
        if (
            data[0] != APPLICATION_DATA
            or len(self._received) != self._at
            or len(data) < HEADER_BYTES
            or (data[3] << 8 | data[4]) + HEADER_BYTES != len(data)
        ):
            self.receive(data)
            return None
        self._incoming.write(data)
        return self._read_record(len(data)) or None

    def read(self, records_max: int) -> bytes:
        """
        Decrypt records that were received.

        @param records_max: how many at most, at least 1.
        @return: their content; empty if they have none.
        @raise ChannelError: a record cannot be decrypted, or too many have had no content.
        """
        pieces = []
        for _ in range(records_max):
            if self.is_ended or not self._feed():
                break
            pieces.append(self._read_record(CONTENT_MAX_BYTES))
        return b"".join(pieces)

    def _read_record(self, most: int) -> bytes:
        """
        Read the content of the one record that OpenSSL was given.
        """
        try:
            content = self._tls.read(most)
        except ssl.SSLWantReadError:
            self._count(CONTENTLESS_RECORDS_MAX)
            return b""
        except ssl.SSLZeroReturnError:
            # Ours has been sent before.
            self.is_ended = True
            return b""
        except ssl.SSLError as error:
            raise ChannelError(_explain(error)) from error
        if content:
            self._contentless = 0
        else:
            self.is_ended = True
        return content

    def _feed(self) -> int:
        """
        Give OpenSSL the next record.

        @return: its content type; 0 if there is none.
        """
        start = self._at
        end = record_end(self._received, start)
        if end is None:
            return 0
        kind = self._received[start]
        with memoryview(self._received) as received:
            self._incoming.write(received[start:end])
        if end == len(self._received):
            self._received, self._at = b"", 0
        else:
            self._at = end
        # Nothing has the type 0 (RFC 8446 section 5.1): OpenSSL will say so.
        return kind or HEADER_BYTES

    def _count(self, most: int) -> None:
        self._contentless += 1
        if self._contentless > most:
            raise ChannelError(f"more than {most} records without content")

    # Sending

    def seal(self, data: bytes) -> bytes:
        """
        Encrypt content, behind what L{output} would give.

        @param data: not empty. The handshake is complete, and L{close_notify} was not called.
        @return: records.
        @raise ChannelError: the connection has failed before.
        """
        try:
            if len(data) <= CONTENT_MAX_BYTES:
                self._tls.write(data)
                return self._outgoing.read()
            pieces = []
            # Each write is a record, and taking each at once keeps OpenSSL's buffer small.
            with memoryview(data) as rest:
                for start in range(0, len(data), CONTENT_MAX_BYTES):
                    self._tls.write(rest[start : start + CONTENT_MAX_BYTES])
                    pieces.append(self._outgoing.read())
            return b"".join(pieces)
        except ssl.SSLError as error:
            raise ChannelError(_explain(error)) from error

    def close_notify(self) -> bytes:
        """
        End our side, once.

        @return: the closure alert, behind what L{output} would give.
        """
        try:
            self._tls.unwrap()
        except ssl.SSLWantReadError:
            # The peer's own alert has not come: nobody waits for it (RFC 8446 section 6.1).
            pass
        except ssl.SSLError:
            # The connection has failed: its alert has been sent, or there is nobody to send one to.
            self.is_ended = True
        return self._outgoing.read()

    def output(self) -> bytes:
        """
        Take what TLS itself has to send: its side of the handshake, tickets, answers to KeyUpdate,
        alerts.
        """
        return self._outgoing.read() if self._outgoing.pending else b""

    # What was agreed

    @property
    def may_hold_tickets(self) -> bool:
        """
        Whether what a complete handshake leaves to be sent is tickets and nothing else. In TLS 1.2
        the client waits for our last message.
        """
        return self._tls.version() == "TLSv1.3"

    @property
    def agreement(self) -> tuple[str, str]:
        """
        The version of TLS and the suite by OpenSSL's name; empty before the handshake is complete.
        """
        cipher = self._tls.cipher()
        return self._tls.version() or "", "" if cipher is None else cipher[0]

    @property
    def application_protocol(self) -> str | None:
        """
        What ALPN has chosen (RFC 7301).
        """
        return self._tls.selected_alpn_protocol()

    @property
    def peer_certificate(self) -> bytes | None:
        """
        The peer's certificate, in DER; None if it has shown none.
        """
        return self._tls.getpeercert(binary_form=True)


def _explain(error: ssl.SSLError) -> str:
    return error.reason or str(error)
