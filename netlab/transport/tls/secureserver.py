"""
A TCP connection with TLS on it, whose handshake is complete.
"""

# mypy: allow-untyped-calls
# Most methods of the base class have no annotations.

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Final

from twisted.internet import error, main
from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    IHandshakeListener,
    INegotiated,
    ISSLTransport,
)
from twisted.python import failure
from zope.interface import implementer

from netlab.transport.disconnection import log_exception
from netlab.transport.server import NO_DELIVERY, FastServer
from netlab.transport.tls.channel import Channel, ChannelError
from netlab.transport.tls.records import CONTENT_MAX_BYTES
from netlab.transport.tls.turns import DecryptionTurns

#: How many records of one delivery are decrypted before everybody else has a turn. Four of the
#: largest are in one delivery; those that are read for their cost alone have 23 bytes.
RECORDS_A_TURN: Final = 32

#: How many are decrypted of one connection that has waited for its turn.
RECORDS_QUEUED: Final = 8

#: How much of a file is read, encrypted and sent at a time: seven records, so that what they
#: become is within what one send takes.
FILE_PIECE_BYTES: Final = 7 * CONTENT_MAX_BYTES

#: How much may wait to be sent when TLS itself has something to say: a peer that asks for answers
#: to its KeyUpdates, and reads none, would have us keep them all.
UNREAD_MAX_BYTES: Final = 1 << 16

#: How much is gathered at most while a delivery is being served.
TOGETHER_MAX_BYTES: Final = 1 << 14

_LOST: Final = failure.Failure(main.CONNECTION_LOST)


#: How much input is dropped when a connection is closed: reads, and bytes of each.
_DROPPED_MAX_READS: Final = 4
_DROPPED_BYTES: Final = 65536


@implementer(ISSLTransport, INegotiated)
class SecureServer(FastServer):
    """
    A server's end of a TLS connection: what is written is encrypted on its way into the queue of
    the connection below, so that all that L{FastServer} does (sending at once, producers, their
    pauses, half-close, abort) is done with records.

      - A closure alert of the peer ends its half: what it has asked for can still be sent. The end
        of the TCP connection without one is C{ConnectionLost}: what came may be truncated.
      - Our closure alert goes out when all is sent, before the socket or its half is closed.
      - L{send_file_part} reads and encrypts, since the kernel cannot.

      - What is written in small pieces while a delivery is being served goes out together, and
        with the closure alert if that is the end of it.

    @ivar _unflushed: records that go out with what is sent next.
    @ivar _is_shut: our closure alert has been made.
    @ivar _awaits_turn: records wait to be decrypted, and nothing is read from the socket.
    """

    _is_shut = False
    _awaits_turn = False

    def __init__(
        self,
        *arguments: Any,
        channel: Channel,
        unsent: bytes,
        tickets: bytes,
        turns: DecryptionTurns,
        **options: Any,
    ) -> None:
        """
        @param arguments: as for L{FastServer}.
        @param channel: its handshake is complete.
        @param unsent: records that the client waits for.
        @param tickets: records that may go out with the first answer.
        @param turns: where decrypting waits.
        @param options: as for L{FastServer}.
        """
        self._channel = channel
        self._unflushed = unsent + tickets
        self._is_awaited = bool(unsent)
        self._turns = turns
        super().__init__(*arguments, **options)

    # ISSLTransport, INegotiated

    def getPeerCertificate(self) -> Any:
        """
        Give the client's certificate as Twisted does.

        @return: an C{OpenSSL.crypto.X509}; None if the client has shown none.
        """
        encoded = self.peer_certificate
        if encoded is None:
            return None
        # Not at the top: hardly any server asks for certificates, and this needs pyOpenSSL.
        from twisted.internet.ssl import Certificate

        return Certificate.load(encoded).original

    @property
    def peer_certificate(self) -> bytes | None:
        """
        The client's certificate, in DER; None if it has shown none.
        """
        return self._channel.peer_certificate

    @property
    def tls_agreement(self) -> tuple[str, str]:
        """
        The version of TLS, such as C{TLSv1.3}, and the suite by OpenSSL's name.
        """
        return self._channel.agreement

    @property
    def negotiatedProtocol(self) -> bytes | None:
        """
        What ALPN has chosen.
        """
        chosen = self._channel.application_protocol
        return None if chosen is None else chosen.encode("ascii")

    def startTLS(self, ctx: Any, normal: bool = True) -> None:
        """
        Refuse: there is TLS already.

        @raise RuntimeError: always.
        """
        raise RuntimeError("this connection has TLS already")

    # Reading

    def begin(self) -> error.ConnectionLost | error.ConnectionDone | None:
        """
        Deliver what came behind the handshake, and send what the handshake has left to be sent.

        @return: as of C{doRead}.
        """
        if self._is_awaited or (self._unflushed and not self._channel.has_record):
            # A client that asks only when the last of its handshake is acknowledged (Nagle's
            # algorithm) would wait for as long as our kernel delays that.
            self._send_records(b"")
        if IHandshakeListener.providedBy(self.protocol):
            self.protocol.handshakeCompleted()
        if not (self.connected and self.is_reading) or self.disconnecting:
            return None
        return self._decrypt_now()

    def doRead(  # type: ignore[override]
        self,
    ) -> error.ConnectionLost | error.ConnectionDone | None:
        """
        Decrypt and deliver what has arrived.

        @return: as of L{FastServer.doRead}.
        """
        if self._awaits_turn:
            return None
        try:
            data = self.socket.recv(self.bufferSize)
        except OSError as refused:
            return self._not_read(refused)
        if not data:
            return main.CONNECTION_LOST
        if len(data) == self.bufferSize:
            self._look_again()
        try:
            content = self._channel.read_one(data)
        except ChannelError:
            return self._fail()
        return self._decrypt_now() if content is None else self.receive(content)

    def _decrypt_now(self) -> error.ConnectionLost | error.ConnectionDone | None:
        """
        Decrypt and deliver what was received: one record, and more where that keeps nobody waiting.

        @return: as of C{doRead}.
        """
        began = self._turns.begin()
        if began is None:
            return self._decrypt(1)
        why = self._decrypt(RECORDS_A_TURN)
        self._turns.end(began)
        return why

    def _decrypt(self, records_max: int) -> error.ConnectionLost | error.ConnectionDone | None:
        """
        @param records_max: how many records at most.
        @return: as of C{doRead}.
        """
        channel = self._channel
        try:
            content = channel.read(records_max)
        except ChannelError:
            return self._fail()
        if not self._answer_records():
            return main.CONNECTION_LOST
        if content:
            why = self.receive(content)
            if why is not None:
                return why
        if not (self.connected and self.is_reading) or self.disconnecting or self._aborting:
            return None
        if channel.is_ended:
            return main.CONNECTION_DONE
        if channel.has_record:
            self._await_turn()
        return None

    def _answer_records(self) -> bool:
        """
        Send what TLS itself has to say to what was received.

        @return: whether the connection may go on.
        """
        answer = self._channel.output()
        if answer and not self._is_shut:
            if len(self.dataBuffer) + self._tempDataLen > UNREAD_MAX_BYTES:
                return False
            self._send_records(answer)
        return True

    def receive(self, data: bytes) -> error.ConnectionLost | error.ConnectionDone | None:
        """
        Deliver content, and send what was written meanwhile.

        @param data: not empty.
        @return: as of C{doRead}.
        """
        before = self._unflushed
        why = super().receive(data)
        if self._unflushed is not before and self.connected and not self._aborting:
            self._send_records(b"")
        return why

    def _await_turn(self) -> None:
        """
        Decrypt the rest when others have had their turn, and read nothing until then.
        """
        self._awaits_turn = True
        if self._is_watched:
            self.reactor.removeReader(self)
        self._turns.add(self._take_turn, self.hostname)

    def _take_turn(self) -> None:
        self._awaits_turn = False
        if not (self.connected and self.is_reading) or self.disconnecting or self._aborting:
            return
        why: Any
        try:
            why = self._decrypt(RECORDS_QUEUED)
            if not why and self.connected and self.is_reading and not self._awaits_turn:
                super().startReading()
        except BaseException as raised:
            why = log_exception(self, raised)
        if why:
            self.conclude(why)

    def startReading(self) -> None:
        """
        Deliver what arrives, and before that what has been received and not been delivered.
        """
        if self._channel.is_ended or self._channel.has_record:
            self.is_reading = True
            if not self._awaits_turn:
                self._await_turn()
        else:
            super().startReading()

    def readConnectionLost(self, reason: failure.Failure) -> None:
        """
        The peer's half is over; or all of it, when it was us who ended it.

        @param reason: L{error.ConnectionDone}.
        """
        if self._is_finished:
            self.finish()
        elif not self._channel.is_ended:
            # Seen by the poller and not by us: the peer is gone.
            self.connectionLost(_LOST)
        else:
            if not IHalfCloseableProtocol.providedBy(self.protocol) and self.is_drained:
                self._say_goodbye()
            super().readConnectionLost(reason)

    def _fail(self) -> error.ConnectionLost:
        """
        Send the alert that says what is wrong, if there is room for it.
        """
        alert = self._channel.output()
        if alert and self.is_drained and not self._is_shut:
            self._is_shut = True
            self._send_records(alert)
        return main.CONNECTION_LOST

    # Writing

    def write(self, data: bytes) -> None:
        """
        Encrypt and send some bytes.

        @param data: as for L{FastServer.write}.
        @raise TypeError: C{data} is not C{bytes}.
        """
        records = self._seal(data)
        if (
            self._delivery is not NO_DELIVERY
            and len(records) <= TOGETHER_MAX_BYTES
            and (self.producer is None or self.streamingProducer)
        ):
            self._unflushed = records or self._unflushed
        elif records:
            super().write(records)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """
        Encrypt and send several pieces as one.

        @param iovec: the pieces, in order.
        @raise TypeError: a piece is not C{bytes}.
        """
        pieces = list(iovec)
        for piece in pieces:
            _require_bytes(piece)
        self.write(b"".join(pieces))

    def write_more(self, data: bytes) -> None:
        """
        Send some bytes together with what follows at once.

        @param data: what to send.
        """
        # (Without data there may be records from before.)
        self._unflushed = self._seal(data) or self._unflushed

    def _seal(self, data: bytes) -> bytes:
        """
        @return: records, behind those that wait for company; nothing where nothing can be sent.
        """
        _require_bytes(data)
        if not (data and self.connected) or self._is_shut or self._writeDisconnected:
            return b""
        try:
            records = self._channel.seal(data)
        except ChannelError:
            # The connection ends when the reactor next looks at it.
            self._is_broken = True
            self.startWriting()
            return b""
        if self._unflushed:
            records, self._unflushed = self._unflushed + records, b""
        return records

    def _send_records(self, records: bytes) -> None:
        """
        Send records past L{write}, behind those that wait for company.
        """
        records, self._unflushed = self._unflushed + records, b""
        if records and self.is_drained:
            self._send_now(records, 0)
        elif records:
            super().write(records)

    # Files

    @property
    def can_send_files(self) -> bool:
        """
        Whether L{send_file_part} may be used.
        """
        return not self._is_shut

    def send_file_part(self, fd: int, start: int, count: int) -> int | None:
        """
        Read, encrypt and send a part of a file. Only while C{is_drained}, and only where no
        producer is registered but, if any, the one that calls this.

        @param fd: the file.
        @param start: where in the file to begin, in bytes.
        @param count: how many bytes at most, at least 1.
        @return: how many were taken; 0 at the end of the file; C{None} if the connection is gone:
            then a registered producer calls C{await_room}. What the kernel has no room for waits in
            the queue: C{is_drained} says so.
        @raise OSError: the file cannot be read.
        """
        piece = os.pread(fd, min(count, FILE_PIECE_BYTES), start)
        if not piece:
            return 0
        records = self._seal(piece)
        if not records:
            return None
        self._send_now(records, 0)
        return len(piece)

    # Closing

    def _say_goodbye(self) -> bool:
        """
        Send our closure alert, once. Only while C{is_drained}.

        @return: whether the kernel has taken it.
        """
        if not self._is_shut:
            self._is_shut = True
            self._send_records(self._channel.close_notify())
        return self.is_drained

    def _close_after_delivery(self) -> error.ConnectionDone | None:
        why = super()._close_after_delivery()
        if why is not None and not self._say_goodbye():
            self._is_finished = False
            self.stopReading()
            return None
        return why

    def _postLoseConnection(self) -> error.ConnectionDone | None:
        return main.CONNECTION_DONE if self._say_goodbye() else None

    def _closeSocket(self, orderly: bool) -> None:
        """
        Close. Behind our closure alert nothing that the peer has sent matters, but left unread it
        would turn our FIN into a RST: most often it is the peer's own closure alert.
        """
        if orderly:
            for _ in range(_DROPPED_MAX_READS):
                try:
                    if not self.socket.recv(_DROPPED_BYTES):
                        break
                except OSError:
                    break
        super()._closeSocket(orderly)

    def _closeWriteConnection(self) -> None:
        if self._say_goodbye():
            super()._closeWriteConnection()


def _require_bytes(data: object) -> None:
    if not isinstance(data, bytes):
        raise TypeError(f"data must be bytes, not {type(data).__name__}")
