"""
Handshake messages: bytes to values (RFC 8446 section 4, RFC 5246 section 7.4).

A message of which only the beginning was captured is read as far as it goes.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from netlab.analysis.tls.carriers import ByteSpan, Carriers, Travel, travel_of
from netlab.analysis.tls.names import TLS_1_3, is_grease
from netlab.analysis.tls.octets import EndOfOctets, Octets

MESSAGE_MAX_BYTES: Final = 1 << 17
"""A longer handshake message is not read. OpenSSL accepts chains of certificates of 100 KiB."""

NAME_MAX_BYTES: Final = 255
ALPN_MAX: Final = 16
NUMBERS_MAX: Final = 256

#: RFC 8446 section 4.1.3: the random of a ServerHello that is a HelloRetryRequest.
_RETRY: Final = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")

_HEADER_BYTES: Final = 4


class HandshakeType(IntEnum):
    """
    The messages that are read, or looked for.
    """

    CLIENT_HELLO = 1
    SERVER_HELLO = 2
    NEW_SESSION_TICKET = 4
    END_OF_EARLY_DATA = 5
    ENCRYPTED_EXTENSIONS = 8
    CERTIFICATE = 11
    CERTIFICATE_REQUEST = 13
    FINISHED = 20
    KEY_UPDATE = 24


class _Extension(IntEnum):
    SERVER_NAME = 0
    ALPN = 16
    SESSION_TICKET = 35
    PRE_SHARED_KEY = 41
    EARLY_DATA = 42
    SUPPORTED_VERSIONS = 43
    KEY_SHARE = 51
    ENCRYPTED_CLIENT_HELLO = 0xFE0D


@dataclass(frozen=True, slots=True)
class ClientHello:
    """
    What a client offers.

    @ivar travel: the frames that carried it.
    @ivar is_whole: whether all of it was captured; if not, what follows is what there is.
    @ivar random: 32 bytes, by which a key log names the connection.
    @ivar versions: those offered, the preferred one first; without the extension the one in the
        message, which stands for all below it.
    @ivar session_id: which TLS 1.2 resumes by, and TLS 1.3 sends for the sake of middleboxes.
    @ivar cipher_suites: their numbers in the client's order, without GREASE.
    @ivar server_name: the host that is asked for (SNI, RFC 6066 section 3); C{None} if none is.
    @ivar alpn: the application protocols offered (RFC 7301), the preferred one first.
    @ivar key_shares: groups for which a key is sent (TLS 1.3).
    @ivar has_ticket: whether a session ticket is sent that is not empty (RFC 5077).
    @ivar has_psk: whether a pre-shared key is offered, as a resumption of TLS 1.3 does.
    @ivar has_early_data: whether data follow before the server has answered (0-RTT).
    @ivar has_encrypted_hello: whether another hello is inside, encrypted (ECH), so that
        C{server_name} may be that of a front.
    """

    travel: Travel
    is_whole: bool
    random: bytes
    versions: tuple[int, ...]
    session_id: bytes = b""
    cipher_suites: tuple[int, ...] = ()
    server_name: bytes | None = None
    alpn: tuple[bytes, ...] = ()
    key_shares: tuple[int, ...] = ()
    has_ticket: bool = False
    has_psk: bool = False
    has_early_data: bool = False
    has_encrypted_hello: bool = False


@dataclass(frozen=True, slots=True)
class ServerHello:
    """
    What the server chose.

    @ivar travel: the frames that carried it.
    @ivar is_whole: whether all of it was captured.
    @ivar random: 32 bytes.
    @ivar version: the version chosen.
    @ivar cipher_suite: its number.
    @ivar is_retry: whether it is a HelloRetryRequest: the client is to begin again.
    @ivar session_id: the client's, if it is resumed by that, or echoed (TLS 1.3).
    @ivar group: of the key exchange, where the message says so (TLS 1.3).
    @ivar alpn: the application protocol, where it stands here (TLS 1.2).
    @ivar has_psk: whether a pre-shared key of the client's was taken (TLS 1.3).
    """

    travel: Travel
    is_whole: bool
    random: bytes
    version: int
    cipher_suite: int
    is_retry: bool = False
    session_id: bytes = b""
    group: int | None = None
    alpn: bytes | None = None
    has_psk: bool = False


@dataclass(frozen=True, slots=True)
class HandshakeMessage:
    """
    A message as it travelled.

    @ivar type: of L{HandshakeType}, or any other number.
    @ivar body: what there is of it, without its header.
    @ivar is_whole: whether that is all of it.
    @ivar travel: the frames that carried it.
    """

    type: int
    body: bytes
    is_whole: bool
    travel: Travel


class HandshakeReader:
    """
    Puts together the messages of one direction, which records cut anywhere. Holds at most
    L{MESSAGE_MAX_BYTES} and a record.

    @ivar is_lost: whether bytes are missing, so that no message can be made out any more until
        L{begin_anew}.
    """

    __slots__ = ("_base", "_buffer", "_carriers", "is_lost")

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """
        What comes next is the beginning of a message.
        """
        self._buffer = bytearray()
        self._base = 0
        self._carriers = Carriers()
        self.is_lost = False

    def receive(
        self, data: bytes, spans: list[ByteSpan], *, is_whole: bool = True
    ) -> list[HandshakeMessage]:
        """
        Take a record's content.

        @param data: what there is of it.
        @param spans: who carried it, counted from its first byte.
        @param is_whole: whether that is all of it; if not, no more will be read.
        @return: the messages that it completes and, if it is not whole, what there is of the last.
        """
        if self.is_lost or not data:
            self.is_lost = self.is_lost or not is_whole
            return []
        self._buffer += data
        for span in spans:
            self._carriers.append(span.end - span.begin, span.frame, span.time_ns)
        messages = []
        buffer = self._buffer
        while len(buffer) >= _HEADER_BYTES:
            size = _HEADER_BYTES + int.from_bytes(buffer[1:_HEADER_BYTES], "big")
            if size > _HEADER_BYTES + MESSAGE_MAX_BYTES:
                is_whole = False
                break
            if len(buffer) < size:
                break
            messages.append(self._take(size, is_whole=True))
        if not is_whole:
            if len(buffer) > _HEADER_BYTES:
                size = min(len(buffer), _HEADER_BYTES + MESSAGE_MAX_BYTES)
                messages.append(self._take(size, is_whole=False))
            self.begin_anew()
            self.is_lost = True
        return messages

    def _take(self, size: int, *, is_whole: bool) -> HandshakeMessage:
        spans = self._carriers.spans(self._base, self._base + size)
        message = HandshakeMessage(
            self._buffer[0], bytes(self._buffer[_HEADER_BYTES:size]), is_whole, travel_of(spans)
        )
        del self._buffer[:size]
        self._base += size
        self._carriers.forget(self._base)
        return message


def client_hello(message: HandshakeMessage) -> ClientHello | None:
    """
    Read a ClientHello (RFC 8446 section 4.1.2).

    @return: C{None} if not even its random can be read.
    """
    octets = Octets(message.body)
    try:
        version, random = octets.number(2), octets.take(32)
    except EndOfOctets:
        return None
    hello = ClientHello(message.travel, message.is_whole, random, (version,))
    try:
        hello = replace(hello, session_id=octets.vector(1))
        suites = octets.part(2).numbers(2)
        hello = replace(hello, cipher_suites=_without_grease(suites))
        octets.vector(1)
    except EndOfOctets:
        return replace(hello, is_whole=False)
    extensions, is_complete = _extensions(octets)
    if not is_complete:
        hello = replace(hello, is_whole=False)
    for kind, body in extensions.items():
        with suppress(EndOfOctets):
            hello = _with_extension(hello, kind, Octets(body))
    return hello


def _with_extension(hello: ClientHello, kind: int, body: Octets) -> ClientHello:
    match kind:
        case _Extension.SERVER_NAME:
            return replace(hello, server_name=_server_name(body))
        case _Extension.ALPN:
            return replace(hello, alpn=_protocols(body))
        case _Extension.SUPPORTED_VERSIONS:
            versions = _without_grease(body.part(1).numbers(2))
            return replace(hello, versions=versions or hello.versions)
        case _Extension.KEY_SHARE:
            return replace(hello, key_shares=_without_grease(_groups(body.part(2))))
        case _Extension.SESSION_TICKET:
            return replace(hello, has_ticket=len(body) > 0)
        case _Extension.PRE_SHARED_KEY:
            return replace(hello, has_psk=True)
        case _Extension.EARLY_DATA:
            return replace(hello, has_early_data=True)
        case _Extension.ENCRYPTED_CLIENT_HELLO:
            return replace(hello, has_encrypted_hello=True)
    return hello


def server_hello(message: HandshakeMessage) -> ServerHello | None:
    """
    Read a ServerHello (RFC 8446 section 4.1.3).

    @return: C{None} if what was chosen cannot be read.
    """
    octets = Octets(message.body)
    try:
        version, random, session_id = octets.number(2), octets.take(32), octets.vector(1)
        suite = octets.number(2)
        octets.number(1)
    except EndOfOctets:
        return None
    hello = ServerHello(
        message.travel,
        message.is_whole,
        random,
        version,
        suite,
        is_retry=random == _RETRY,
        session_id=session_id,
    )
    extensions, is_complete = _extensions(octets)
    if not is_complete:
        hello = replace(hello, is_whole=False)
    for kind, body in extensions.items():
        with suppress(EndOfOctets):
            match kind:
                case _Extension.SUPPORTED_VERSIONS:
                    hello = replace(hello, version=Octets(body).number(2))
                case _Extension.KEY_SHARE:
                    hello = replace(hello, group=Octets(body).number(2))
                case _Extension.PRE_SHARED_KEY:
                    hello = replace(hello, has_psk=True)
                case _Extension.ALPN:
                    hello = replace(hello, alpn=_chosen(Octets(body)))
    return hello


def encrypted_extensions_alpn(message: HandshakeMessage) -> bytes | None:
    """
    Read the application protocol that the server chose from EncryptedExtensions (TLS 1.3).
    """
    extensions, _ = _extensions(Octets(message.body))
    body = extensions.get(_Extension.ALPN)
    if body is None:
        return None
    with suppress(EndOfOctets):
        return _chosen(Octets(body))
    return None


def certificates(message: HandshakeMessage, version: int) -> tuple[bytes, ...]:
    """
    Take a Certificate message apart.

    @param version: of TLS, on which its form depends.
    @return: the certificates as DER, the peer's own first; those that were captured whole.
    """
    octets = Octets(message.body)
    found = []
    with suppress(EndOfOctets):
        if version >= TLS_1_3:
            octets.vector(1)
        listed = octets.part(3)
        while len(listed):
            found.append(listed.vector(3))
            if version >= TLS_1_3:
                listed.vector(2)
    return tuple(found)


def asks_for_keys_back(message: HandshakeMessage) -> bool:
    """
    Tell whether a KeyUpdate asks the receiver to renew its keys too (RFC 8446 section 4.6.3).
    """
    return message.body[:1] == b"\x01"


def _extensions(octets: Octets) -> tuple[dict[int, bytes], bool]:
    """
    Read extensions, of which each may be there once: of more the first counts.

    @return: their bodies by type, and whether they came to their end. The last one's body may be
        cut short if not.
    """
    found: dict[int, bytes] = {}
    if not len(octets):
        return found, True
    try:
        length = octets.number(2)
        is_complete = length <= len(octets)
        listed = Octets(octets.take(min(length, len(octets))))
        while len(listed):
            kind, length = listed.number(2), listed.number(2)
            is_complete = is_complete and length <= len(listed)
            body = listed.take(min(length, len(listed)))
            found.setdefault(kind, body)
    except EndOfOctets:
        return found, False
    return found, is_complete


def _server_name(body: Octets) -> bytes | None:
    listed = body.part(2)
    while len(listed):
        kind, name = listed.number(1), listed.vector(2)
        if kind == 0:
            return name[:NAME_MAX_BYTES]
    return None


def _protocols(body: Octets) -> tuple[bytes, ...]:
    listed = body.part(2)
    found: list[bytes] = []
    with suppress(EndOfOctets):
        while len(listed) and len(found) < ALPN_MAX:
            name = listed.vector(1)
            if not (len(name) == 2 and is_grease(int.from_bytes(name, "big"))):
                found.append(name)
    return tuple(found)


def _chosen(body: Octets) -> bytes | None:
    return next(iter(_protocols(body)), None)


def _groups(shares: Octets) -> tuple[int, ...]:
    found: list[int] = []
    with suppress(EndOfOctets):
        while len(shares) and len(found) < NUMBERS_MAX:
            found.append(shares.number(2))
            shares.vector(2)
    return tuple(found)


def _without_grease(numbers: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(number for number in numbers[:NUMBERS_MAX] if not is_grease(number))
