"""
TLS records as they are on the wire: their headers are not encrypted (RFC 8446 section 5.1).
"""

from __future__ import annotations

from typing import Final

#: Content type, two bytes of version, two of length.
HEADER_BYTES: Final = 5

#: TLS 1.2 allows the larger fragments: 2^14 bytes and 2048 that its ciphers may add.
RECORD_MAX_BYTES: Final = HEADER_BYTES + 16384 + 2048

#: The most content that one record carries.
CONTENT_MAX_BYTES: Final = 16384

CHANGE_CIPHER_SPEC: Final = 20
HANDSHAKE: Final = 22
APPLICATION_DATA: Final = 23

_LETTERS: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def record_end(received: bytes, start: int) -> int | None:
    """
    Find the end of a record.

    @param received: begins with the record, or with others before it.
    @param start: where the record begins.
    @return: where the next record begins, also for a record that is longer than allowed and will be
        refused; None while its end, or its header, has not come.
    """
    begin_content = start + HEADER_BYTES
    if len(received) < begin_content:
        return None
    length = received[start + 3] << 8 | received[start + 4]
    if length > RECORD_MAX_BYTES - HEADER_BYTES:
        return len(received)
    end = begin_content + length
    return end if end <= len(received) else None


def is_plain_http(received: bytes) -> bool:
    """
    Tell from the first byte of a connection whether it speaks HTTP where TLS is expected: a method
    begins with a letter, a record does not.

    @param received: at least one byte.
    """
    return received[0] in _LETTERS
