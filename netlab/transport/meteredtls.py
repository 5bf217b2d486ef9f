"""
Twisted's own TLS, given a few records at a time.

Twisted hands all that has arrived to OpenSSL, and serves nobody else until that has decrypted it:
thousands of KeyUpdate messages, or of records with one byte, in one delivery. Here the first few
are decrypted at once, the others when everybody else has had a turn.
"""

# mypy: allow-untyped-calls, disable-error-code="misc"
# Twisted leaves its TLS without annotations.

from __future__ import annotations

from typing import Any

from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python import log

from netlab.transport.tls.channel import CONTENTLESS_RECORDS_MAX, HANDSHAKE_RECORDS_MAX
from netlab.transport.tls.records import record_end
from netlab.transport.tls.secureserver import RECORDS_A_TURN, RECORDS_QUEUED
from netlab.transport.tls.turns import DecryptionTurns


class CountedConnection:
    """
    An C{OpenSSL.SSL.Connection} that counts how often it has had content.

    @ivar contents: how often.
    """

    def __init__(self, connection: Any) -> None:
        """
        @param connection: all else is done by it.
        """
        self._connection = connection
        self.contents = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def recv(self, most: int) -> bytes:
        """
        Decrypt content.

        @param most: how many bytes at most.
        """
        content: bytes = self._connection.recv(most)
        self.contents += 1
        return content


class MeteredTLSProtocol(TLSMemoryBIOProtocol):
    """
    One connection.
    """

    factory: MeteredTLSFactory
    _received = b""
    _contentless = 0
    _awaits_turn = False
    _is_paused = False
    _is_over = False

    def dataReceived(self, data: bytes) -> None:
        """
        Decrypt what has arrived: some of it at once.

        @param data: as read from the transport.
        """
        self._received += data
        if self._awaits_turn:
            # The protocol above has resumed reading.
            self._below.pauseProducing()
            return
        turns = self.factory.turns
        began = turns.begin()
        self._decrypt(1 if began is None else RECORDS_A_TURN)
        if began is not None:
            turns.end(began)

    def pauseProducing(self) -> None:
        """
        Leave what arrives in the kernel.
        """
        self._is_paused = True
        self._below.pauseProducing()

    def resumeProducing(self) -> None:
        """
        Read again.
        """
        self._is_paused = False
        if not self._awaits_turn:
            self._below.resumeProducing()

    def connectionLost(self, reason: Any) -> None:  # type: ignore[override]
        """
        Decrypt no more.

        @param reason: why.
        """
        self._is_over = True
        self._received = b""
        super().connectionLost(reason)

    @property
    def _below(self) -> Any:
        return self.transport

    def _decrypt(self, records_max: int) -> None:
        connection: Any = self._tlsConnection
        received, start = self._received, 0
        for _ in range(records_max):
            end = record_end(received, start)
            if end is None or self._is_over:
                break
            contents = connection.contents
            super().dataReceived(received[start:end])
            start = end
            self._contentless = 0 if connection.contents > contents else self._contentless + 1
            most = CONTENTLESS_RECORDS_MAX if connection.contents else HANDSHAKE_RECORDS_MAX
            if self._contentless > most:
                self._is_over = True
                self.abortConnection()
        self._received = b"" if self._is_over else received[start:]
        if not self._is_over and record_end(self._received, 0) is not None:
            self._awaits_turn = True
            self._below.pauseProducing()
            host = getattr(self._below.getPeer(), "host", "")
            self.factory.turns.add(self._take_turn, host)

    def _take_turn(self) -> None:
        self._awaits_turn = False
        if self._is_over:
            return
        try:
            self._decrypt(RECORDS_QUEUED)
        except BaseException:
            # As where the reactor calls a protocol that fails.
            log.err()
            self.abortConnection()
            return
        if not (self._awaits_turn or self._is_paused or self._is_over):
            self._below.resumeProducing()


class MeteredTLSFactory(TLSMemoryBIOFactory):
    """
    Makes L{MeteredTLSProtocol}s.

    @ivar turns: where decrypting waits.
    """

    protocol = MeteredTLSProtocol

    def __init__(self, certificate: Any, factory: Any, reactor: Any) -> None:
        """
        @param certificate: creates L{CountedConnection}s.
        @param factory: makes the protocols above.
        @param reactor: measures time.
        """
        super().__init__(certificate, False, factory, reactor)
        self.turns = DecryptionTurns(reactor)
