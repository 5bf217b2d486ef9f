"""
A server behind proxies that it trusts: whose requests they hand on.
"""

from __future__ import annotations

from netlab.http1.accesslog.counters import Counters
from netlab.http1.accesslog.log import AccessLog, AnswerRecorder
from netlab.http1.sansio.forwarded import TrustedProxies
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.serversettings import DateField


class ForwardedRecorder(AnswerRecorder):
    """
    Logs answers under the address of the client, where a trusted proxy says who it is.
    """

    __slots__ = ("_proxies",)

    def __init__(
        self,
        counters: Counters,
        log: AccessLog | None,
        date: DateField,
        proxies: TrustedProxies,
    ) -> None:
        """
        @param counters: as for L{AnswerRecorder}, and so are the next two.
        @param proxies: whose word counts.
        """
        super().__init__(counters, log, date)
        self._proxies = proxies

    def record(
        self, peer: bytes, head: RequestHead | None, status: int, content_bytes: int, now: float
    ) -> None:
        """
        Count and log an answer.
        """
        if head is not None:
            peer = self._proxies.peer(peer, head.fields)
        super().record(peer, head, status, content_bytes, now)
