"""
Records of TLS 1.3 written by hand (RFC 8446 sections 5 and 7), for what no library lets a client
send: floods of KeyUpdate, records of one byte, padding.

The secret comes from the key log of a client that has shaken hands in the ordinary way.
"""

from __future__ import annotations

import struct
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

APPLICATION_DATA = 23
HANDSHAKE = 22
ALERT = 21

_SUITES: dict[str, tuple[type[AESGCM | ChaCha20Poly1305], int, hashes.HashAlgorithm]] = {
    "TLS_AES_128_GCM_SHA256": (AESGCM, 16, hashes.SHA256()),
    "TLS_AES_256_GCM_SHA384": (AESGCM, 32, hashes.SHA384()),
    "TLS_CHACHA20_POLY1305_SHA256": (ChaCha20Poly1305, 32, hashes.SHA256()),
}


class RecordWriter:
    """
    A client's side of a connection whose handshake is complete, and on which it has sent nothing.
    """

    def __init__(self, suite: str, secret: bytes) -> None:
        """
        @param suite: the name of the cipher suite.
        @param secret: C{CLIENT_TRAFFIC_SECRET_0}.
        """
        self._cipher, self._key_size, self._hash = _SUITES[suite]
        self._use(secret)

    def record(self, content: bytes, kind: int = APPLICATION_DATA, padding: int = 0) -> bytes:
        """
        Encrypt a record.

        @param content: what it carries.
        @param kind: its content type.
        @param padding: how many zeros follow that.
        """
        inner = content + bytes([kind]) + bytes(padding)
        header = struct.pack("!BHH", APPLICATION_DATA, 0x0303, len(inner) + 16)
        nonce = bytes(a ^ b for a, b in zip(self._iv, struct.pack("!4xQ", self._sent), strict=True))
        self._sent += 1
        return header + self._key.encrypt(nonce, inner, header)

    def key_update(self, *, is_requested: bool = False, padding: int = 0) -> bytes:
        """
        Say that new keys follow, and use them.

        @param is_requested: the server shall do so as well.
        @param padding: as for L{record}.
        """
        message = bytes([24, 0, 0, 1, is_requested])
        written = self.record(message, HANDSHAKE, padding)
        self._use(self._expand(self._secret, b"traffic upd", self._hash.digest_size))
        return written

    def _use(self, secret: bytes) -> None:
        self._secret = secret
        self._key = self._cipher(self._expand(secret, b"key", self._key_size))
        self._iv = self._expand(secret, b"iv", 12)
        self._sent = 0

    def _expand(self, secret: bytes, label: bytes, length: int) -> bytes:
        name = b"tls13 " + label
        info = struct.pack("!HB", length, len(name)) + name + b"\0"
        return HKDFExpand(self._hash, length, info).derive(secret)


def secret_in(key_log: Path, client_random: bytes | None = None) -> bytes:
    """
    Find the secret of a client's content.

    @param key_log: was written by the client.
    @param client_random: of which connection; None for the last one.
    @return: the secret.
    """
    lines = [line.split() for line in key_log.read_text().splitlines()]
    found = [
        bytes.fromhex(words[2])
        for words in lines
        if words[0] == "CLIENT_TRAFFIC_SECRET_0"
        and client_random in (None, bytes.fromhex(words[1]))
    ]
    return found[-1]
