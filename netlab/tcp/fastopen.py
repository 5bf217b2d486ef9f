"""
Fast open: data in the SYN, allowed by a cookie (RFC 7413).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from netlab.tcp.isn import COOKIE_BYTES, Secrets
from netlab.tcp.settings import (
    FASTOPEN_CLIENT,
    FASTOPEN_CLIENT_NO_COOKIE,
    FASTOPEN_SERVER,
    FASTOPEN_SERVER_NO_COOKIE,
    Settings,
)

COOKIES_MAX: Final = 1024
"""Servers whose cookies are remembered; the one not used for longest is forgotten."""

_COOKIE_MIN_BYTES: Final = 4
_COOKIE_MAX_BYTES: Final = 16


class FastOpen:
    """
    The cookies of a host: those of servers, as a client, and its own, as a server.

    @ivar settings: the host's.
    """

    __slots__ = ("_known", "_secrets", "settings")

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self.settings = settings
        self._secrets = secrets
        self._known: OrderedDict[bytes, tuple[bytes, int]] = OrderedDict()

    def cookie_for(self, server: bytes) -> bytes | None:
        """
        Say what a SYN with data shows a server.

        @return: empty if it is to ask for a cookie, and carry no data; C{None} for no option.
        """
        bits = self.settings.tcp_fastopen
        if not bits & FASTOPEN_CLIENT:
            return None
        known = self._known.get(server)
        if known is not None:
            self._known.move_to_end(server)
            return known[0]
        return None if bits & FASTOPEN_CLIENT_NO_COOKIE else b""

    def sends_data(self, cookie: bytes | None) -> bool:
        """
        Whether a SYN with this cookie carries data.
        """
        return bool(cookie) or bool(self.settings.tcp_fastopen & FASTOPEN_CLIENT_NO_COOKIE)

    def mss(self, server: bytes, otherwise: int) -> int:
        """
        Say how large a segment the server took when it gave the cookie (RFC 7413 section 4.1.3.1).

        @param otherwise: where that is not known.
        """
        known = self._known.get(server)
        return otherwise if known is None else known[1]

    def remember(self, server: bytes, cookie: bytes, mss: int) -> None:
        """
        Remember a server's cookie and MSS (RFC 7413 section 4.1.3.1).
        """
        if _COOKIE_MIN_BYTES <= len(cookie) <= _COOKIE_MAX_BYTES and not len(cookie) % 2:
            self._known[server] = (cookie, mss)
            self._known.move_to_end(server)
            if len(self._known) > COOKIES_MAX:
                self._known.popitem(last=False)

    def is_server(self) -> bool:
        """
        Whether a listener may take data from a SYN.
        """
        return bool(self.settings.tcp_fastopen & FASTOPEN_SERVER)

    def accepts(self, server: bytes, client: bytes, cookie: bytes | None) -> bool:
        """
        Whether the data of a SYN are taken: its cookie is the one that we gave this address, so it
        is no address that somebody made up (RFC 7413 section 4.2).
        """
        if self.settings.tcp_fastopen & FASTOPEN_SERVER_NO_COOKIE:
            return True
        return cookie is not None and cookie == self._secrets.cookie(server, client)

    def answer(self, server: bytes, client: bytes, cookie: bytes | None) -> bytes | None:
        """
        Say what the SYN-ACK has: a cookie where one was asked for, or a wrong one was shown.
        """
        if cookie is None:
            return None
        right = self._secrets.cookie(server, client)
        return None if cookie == right and len(cookie) == COOKIE_BYTES else right
