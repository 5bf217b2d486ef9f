"""
Opening the records of one direction: nonces, sequence numbers and epochs (RFC 8446 section 5.2 and
5.3, RFC 5288, RFC 7905). The AEAD itself is given from outside: this module only computes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from netlab.analysis.tls.keyschedule import (
    IV_BYTES,
    Keys,
    Suite,
    next_traffic_secret,
    traffic_keys,
)
from netlab.analysis.tls.records import TLSRecord

TAG_BYTES: Final = 16
_EXPLICIT_BYTES: Final = 8

TRIES_AFTER_GAP_MAX: Final = 64
"""How many records may be missing before one that is to be opened."""

TRIES_MAX: Final = 2000
"""How many vain attempts one direction of a connection may cost; one takes up to 30 µs."""


class AEAD(Protocol):
    """
    An algorithm with its key.
    """

    def open(self, nonce: bytes, data: bytes, associated: bytes) -> bytes | None:
        """
        Decrypt and verify.

        @param data: the ciphertext with its tag.
        @return: C{None} if the tag is wrong.
        """


#: From L{Suite.aead} and a key.
MakeAEAD = Callable[[str, bytes], AEAD]


class Opened(NamedTuple):
    """
    A record's content.

    @ivar type: what it really is; TLS 1.3 hides that.
    @ivar data: the content.
    @ivar begin: where in the fragment its first byte was; ciphertext is as long as plaintext.
    """

    type: int
    data: bytes
    begin: int


@dataclass(slots=True)
class _Epoch:
    """
    One set of keys, and how many records it has opened.
    """

    aead: AEAD
    iv: bytes
    sequence: int = 0


class RecordProtection:
    """
    The keys of one direction of a connection. After L{TRIES_MAX} vain attempts it opens nothing.

    @ivar is_astray: whether it is not known how many records came before the next one.
    """

    def __init__(self, make_aead: MakeAEAD, suite: Suite, keys: Keys, *, is_tls_1_3: bool) -> None:
        """
        @param keys: those of the first epoch.
        """
        self._make_aead = make_aead
        self._suite = suite
        self._is_tls_1_3 = is_tls_1_3
        self._epoch = self._begin(keys)
        self._following: bytes | None = None
        self._tries_left = TRIES_MAX
        self.is_astray = False

    @classmethod
    def of_secrets(
        cls, make_aead: MakeAEAD, suite: Suite, handshake: bytes | None, application: bytes | None
    ) -> RecordProtection | None:
        """
        Begin with secrets of TLS 1.3.

        @param handshake: the traffic secret of the handshake; without it, only what comes after can
            be opened.
        @param application: the first traffic secret of the application's data.
        """
        first = handshake or application
        if first is None:
            return None
        made = cls(make_aead, suite, traffic_keys(first, suite), is_tls_1_3=True)
        if handshake is not None:
            made._following = application
        elif application is not None:
            made._following = next_traffic_secret(application, suite)
            # The handshake's records came before, and cannot be opened.
            made.is_astray = True
        return made

    def begin_following(self) -> None:
        """
        A Finished or a KeyUpdate has come: the next record has the keys of the next epoch.
        """
        if self._following is None:
            return
        self._epoch = self._begin(traffic_keys(self._following, self._suite))
        self._following = next_traffic_secret(self._following, self._suite)

    def open(self, record: TLSRecord) -> Opened | None:
        """
        Open a record.

        Where records before it are missing, their number is found by trying, and the epoch too.

        @param record: captured as a whole.
        @return: C{None} if it cannot be opened.
        """
        self.is_astray = self.is_astray or record.is_after_gap
        if not record.is_whole:
            # It has taken its number all the same.
            self._epoch.sequence += 1
            return None
        for epoch, sequence, is_following in self._attempts():
            if self._tries_left <= 0:
                break
            opened = self._open(record, epoch, sequence)
            if opened is None:
                self._tries_left -= 1
                continue
            if is_following:
                self.begin_following()
            self._epoch.sequence = sequence + 1
            self.is_astray = False
            return opened
        return None

    def _attempts(self) -> Iterator[tuple[_Epoch, int, bool]]:
        """
        Give keys and sequence numbers to try, the likeliest first.
        """
        begin = self._epoch.sequence
        yield self._epoch, begin, False
        if not self.is_astray:
            return
        for sequence in range(begin + 1, begin + TRIES_AFTER_GAP_MAX):
            yield self._epoch, sequence, False
        if self._following is not None:
            following = self._begin(traffic_keys(self._following, self._suite))
            for sequence in range(TRIES_AFTER_GAP_MAX):
                yield following, sequence, True

    def _begin(self, keys: Keys) -> _Epoch:
        return _Epoch(self._make_aead(self._suite.aead, keys.key), keys.iv)

    def _open(self, record: TLSRecord, epoch: _Epoch, sequence: int) -> Opened | None:
        fragment = record.fragment
        if self._is_tls_1_3 or not self._suite.has_explicit_nonce:
            begin = 0
            nonce = _nonce(epoch.iv, sequence)
        else:
            begin = _EXPLICIT_BYTES
            nonce = epoch.iv + fragment[:begin]
        length = len(fragment) - begin - TAG_BYTES
        if length < 0:
            return None
        if self._is_tls_1_3:
            associated = record.header
        else:
            associated = sequence.to_bytes(8, "big") + record.header[:3] + length.to_bytes(2, "big")
        data = epoch.aead.open(nonce, fragment[begin:], associated)
        if data is None:
            return None
        if not self._is_tls_1_3:
            return Opened(record.type, data, begin)
        # RFC 8446 section 5.2: content, its type, and zeros as padding.
        content = data.rstrip(b"\x00")
        if not content:
            return None
        return Opened(content[-1], content[:-1], begin)


def _nonce(iv: bytes, sequence: int) -> bytes:
    mixed = int.from_bytes(iv, "big") ^ sequence
    return mixed.to_bytes(IV_BYTES, "big")
