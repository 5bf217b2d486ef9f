"""
Key logs in the format of SSLKEYLOGFILE (RFC 9850): one secret a line, by the client's random.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

KEYLOG_MAX_BYTES: Final = 1 << 26
"""A longer key log is refused. A connection of TLS 1.3 takes some 900 bytes of one."""

SESSIONS_MAX: Final = 100_000
"""How many connections' secrets are kept, the first ones of the file."""


class Label(StrEnum):
    """
    The secrets that are used. Others in the file are passed over.
    """

    MASTER = "CLIENT_RANDOM"
    """The master secret of TLS 1.2 and below."""

    CLIENT_HANDSHAKE = "CLIENT_HANDSHAKE_TRAFFIC_SECRET"
    SERVER_HANDSHAKE = "SERVER_HANDSHAKE_TRAFFIC_SECRET"
    CLIENT_APPLICATION = "CLIENT_TRAFFIC_SECRET_0"
    SERVER_APPLICATION = "SERVER_TRAFFIC_SECRET_0"


_LINE: Final = re.compile(
    rb"(%s) ([0-9A-Fa-f]{64}) ((?:[0-9A-Fa-f]{2}){32,64})"
    % b"|".join(label.value.encode("ascii") for label in Label)
)

Secrets = Mapping[Label, bytes]

NO_SECRETS: Final[Secrets] = MappingProxyType({})


class KeyLog:
    """
    Secrets by connection.

    @ivar left_out: how many lines were left out because there are too many connections.
    """

    __slots__ = ("_secrets", "left_out")

    def __init__(self) -> None:
        self._secrets: dict[bytes, dict[Label, bytes]] = {}
        self.left_out = 0

    def __len__(self) -> int:
        """
        Tell of how many connections there are secrets.
        """
        return len(self._secrets)

    def __contains__(self, random: bytes) -> bool:
        """
        Tell whether there is any secret of a connection.
        """
        return random in self._secrets

    def secrets(self, random: bytes) -> Secrets:
        """
        Give a connection's secrets.

        @param random: the 32 bytes of its ClientHello's random.
        """
        return self._secrets.get(random, NO_SECRETS)

    def add(self, label: Label, random: bytes, secret: bytes) -> None:
        """
        Keep a secret. Of two with the same name the first counts.
        """
        found = self._secrets.get(random)
        if found is None:
            if len(self._secrets) >= SESSIONS_MAX:
                self.left_out += 1
                return
            found = self._secrets[random] = {}
        found.setdefault(label, secret)


def parse_keylog(data: bytes, keylog: KeyLog | None = None) -> KeyLog:
    """
    Read a key log. Lines that hold no secret, or none that is used, are passed over (RFC 9850
    section 2).

    @param data: at most L{KEYLOG_MAX_BYTES}; more is not looked at.
    @param keylog: what the secrets are added to; None begins a new one.
    @return: the key log with them.
    """
    if keylog is None:
        keylog = KeyLog()
    begin = 0
    data = data[:KEYLOG_MAX_BYTES]
    while begin < len(data):
        end = data.find(b"\n", begin)
        end = len(data) if end < 0 else end
        # No line that is used is longer than this one of 15 + 1 + 64 + 1 + 128 bytes and a label.
        found = _LINE.fullmatch(data[begin:end].strip()) if end - begin <= 512 else None
        if found is not None:
            label, random, secret = found.groups()
            keylog.add(
                Label(label.decode("ascii")),
                bytes.fromhex(random.decode("ascii")),
                bytes.fromhex(secret.decode("ascii")),
            )
        begin = end + 1
    return keylog
