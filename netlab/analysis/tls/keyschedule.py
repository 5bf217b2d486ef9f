"""
From secrets to keys: the functions of RFC 8446 section 7 and RFC 5246 section 5.
"""

from __future__ import annotations

import hmac
from typing import Final, NamedTuple

from netlab.analysis.tls.keylog import Label, Secrets


class Suite(NamedTuple):
    """
    What protects records.

    @ivar aead: the algorithm: C{AES-GCM}, C{AES-CCM} or C{CHACHA20-POLY1305}.
    @ivar hash: of the key schedule, by hashlib's name.
    @ivar key_bytes: length of a key.
    @ivar has_explicit_nonce: whether TLS 1.2 sends eight bytes of the nonce in each record
        (RFC 5288 section 3); else it is made as in TLS 1.3 (RFC 7905 section 2).
    """

    aead: str
    hash: str
    key_bytes: int
    has_explicit_nonce: bool


_AES_128: Final = Suite("AES-GCM", "sha256", 16, has_explicit_nonce=True)
_AES_256: Final = Suite("AES-GCM", "sha384", 32, has_explicit_nonce=True)
_AES_128_CCM: Final = Suite("AES-CCM", "sha256", 16, has_explicit_nonce=True)
_AES_256_CCM: Final = Suite("AES-CCM", "sha256", 32, has_explicit_nonce=True)
_CHACHA20: Final = Suite("CHACHA20-POLY1305", "sha256", 32, has_explicit_nonce=False)

#: Cipher suites whose records can be opened. In TLS 1.2 the key exchange does not matter here: the
#: key log has the master secret.
SUITES: Final = {
    0x1301: _AES_128,
    0x1302: _AES_256,
    0x1303: _CHACHA20,
    0x1304: _AES_128_CCM,
    0x009C: _AES_128,
    0x009E: _AES_128,
    0x00A8: _AES_128,
    0x00AA: _AES_128,
    0x00AC: _AES_128,
    0xC02B: _AES_128,
    0xC02F: _AES_128,
    0x009D: _AES_256,
    0x009F: _AES_256,
    0x00A9: _AES_256,
    0x00AB: _AES_256,
    0x00AD: _AES_256,
    0xC02C: _AES_256,
    0xC030: _AES_256,
    0xCCA8: _CHACHA20,
    0xCCA9: _CHACHA20,
    0xCCAA: _CHACHA20,
    0xCCAB: _CHACHA20,
    0xCCAC: _CHACHA20,
    0xCCAD: _CHACHA20,
    0xCCAE: _CHACHA20,
    0xC09C: _AES_128_CCM,
    0xC09E: _AES_128_CCM,
    0xC0A4: _AES_128_CCM,
    0xC0A6: _AES_128_CCM,
    0xC0AC: _AES_128_CCM,
    0xC09D: _AES_256_CCM,
    0xC09F: _AES_256_CCM,
    0xC0A5: _AES_256_CCM,
    0xC0A7: _AES_256_CCM,
    0xC0AD: _AES_256_CCM,
}

IV_BYTES: Final = 12
_IMPLICIT_IV_BYTES: Final = 4
_MASTER_SECRET_BYTES: Final = 48


class Keys(NamedTuple):
    """
    The keys of one direction.

    @ivar key: of the AEAD.
    @ivar iv: 12 bytes, or 4 where records send the rest.
    """

    key: bytes
    iv: bytes


def expand_label(secret: bytes, label: bytes, length: int, hash_name: str) -> bytes:
    """
    HKDF-Expand-Label with an empty context (RFC 8446 section 7.1, RFC 5869 section 2.3).

    @param label: without C{tls13}.
    @param length: in bytes, at most 255 times the hash's.
    """
    full = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes((len(full),)) + full + b"\x00"
    made = block = b""
    counter = 0
    while len(made) < length:
        counter += 1
        block = hmac.digest(secret, block + info + bytes((counter,)), hash_name)
        made += block
    return made[:length]


def traffic_keys(secret: bytes, suite: Suite) -> Keys:
    """
    Make the keys of TLS 1.3 (RFC 8446 section 7.3).

    @param secret: of the traffic of one direction, of one epoch.
    """
    return Keys(
        expand_label(secret, b"key", suite.key_bytes, suite.hash),
        expand_label(secret, b"iv", IV_BYTES, suite.hash),
    )


def next_traffic_secret(secret: bytes, suite: Suite) -> bytes:
    """
    Make the secret that follows a KeyUpdate (RFC 8446 section 7.2).
    """
    return expand_label(secret, b"traffic upd", len(secret), suite.hash)


def pseudo_random(secret: bytes, label: bytes, seed: bytes, length: int, hash_name: str) -> bytes:
    """
    The PRF of TLS 1.2 (RFC 5246 section 5).
    """
    seed = label + seed
    made = b""
    chained = seed
    while len(made) < length:
        chained = hmac.digest(secret, chained, hash_name)
        made += hmac.digest(secret, chained + seed, hash_name)
    return made[:length]


def key_block(
    master: bytes, client_random: bytes, server_random: bytes, suite: Suite
) -> tuple[Keys, Keys]:
    """
    Make the keys of TLS 1.2 (RFC 5246 section 6.3); an AEAD has no MAC keys.

    @return: the client's and the server's.
    """
    iv_bytes = _IMPLICIT_IV_BYTES if suite.has_explicit_nonce else IV_BYTES
    size = suite.key_bytes
    block = pseudo_random(
        master, b"key expansion", server_random + client_random, 2 * (size + iv_bytes), suite.hash
    )
    ivs = block[2 * size :]
    return Keys(block[:size], ivs[:iv_bytes]), Keys(block[size : 2 * size], ivs[iv_bytes:])


def is_usable(secrets: Secrets, suite: Suite, *, is_tls_1_3: bool) -> bool:
    """
    Tell whether the secrets that a connection needs are there, and of the right length.
    """
    if not is_tls_1_3:
        return len(secrets.get(Label.MASTER, b"")) == _MASTER_SECRET_BYTES
    size = 48 if suite.hash == "sha384" else 32
    return any(len(secrets.get(label, b"")) == size for label in Label if label is not Label.MASTER)
