"""
One-shot connections: see L{netlab.transport.oneshot}.
"""

from __future__ import annotations

from typing import Protocol

from netlab.http1.server.admission import peer_of
from netlab.http1.server.answercache import CachedAnswer
from netlab.http1.server.context import ServerContext


class Finisher(Protocol):
    """
    A connection that has got the beginning of its only answer.
    """

    def finish(self, answer: CachedAnswer, sent: int) -> None:
        """
        Send the rest of an answer, then close.
        """


class OneShotConnections:
    """
    Answers connections that come with one request, which asks for their end and whose answer is
    known. All that applies to a connection applies to these: admission, counting, the log. They
    need no deadline, since nothing is waited for.
    """

    def __init__(self, context: ServerContext) -> None:
        """
        @param context: what all connections have in common.
        """
        self._context = context

    def find_answer(self, host: str, data: bytes) -> CachedAnswer | None:
        """
        Find the answer to a connection's first bytes.

        @param host: the peer's address.
        @param data: not empty.
        @return: None where the connection needs a protocol, if only to be refused.
        """
        context = self._context
        answer = context.known.get(data)
        if answer is None or not answer.closes:
            return None
        if context.seconds() >= answer.until or not context.gate.has_room(peer_of(host)):
            return None
        return answer

    def answer_sent(self, host: str, answer: CachedAnswer) -> None:
        """
        Count and log.

        @param answer: was sent whole.
        """
        context = self._context
        context.counters.connections += 1
        context.recorder.record_again(peer_of(host), answer, context.seconds())

    def finish_rest(self, protocol: Finisher, answer: CachedAnswer, sent: int) -> None:
        """
        Send the rest of an answer in the way, and in the time, of all others.

        @param protocol: was built meanwhile, and is connected.
        @param sent: how many bytes of the answer have been sent.
        """
        protocol.finish(answer, sent)
