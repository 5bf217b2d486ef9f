"""
Answering connections at the door: see L{netlab.transport.door}.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.http1.server.admission import peer_of
from netlab.http1.server.repeating import count_again, finish_last
from netlab.http1.server.repeats import Repeat

if TYPE_CHECKING:
    from netlab.http1.server.factory import HTTPServerFactory
    from netlab.http1.server.protocol import HTTPServerProtocol


class Doorkeeper:
    """
    Knows the connections that come with one request, which asks for their end and whose answer is
    remembered. All that applies to a connection applies to these: admission, counting, the log.
    They need no deadline, since nothing is waited for.
    """

    def __init__(self, factory: HTTPServerFactory) -> None:
        """
        @param factory: what all connections have in common.
        """
        self._factory = factory

    def answer_at_door(self, host: str, data: bytes) -> Repeat | None:
        """
        Find the answer to a connection's first bytes.

        @param host: the peer's address.
        @param data: not empty.
        @return: None where the connection needs a protocol, if only to be refused.
        """
        factory = self._factory
        answer = factory.repeats.find_last(data, factory.seconds())
        if answer is None or not factory.gate.has_room(peer_of(host)):
            return None
        return answer

    def answered_at_door(self, host: str, answer: Repeat) -> None:
        """
        Count and log.

        @param answer: was sent whole.
        """
        factory = self._factory
        factory.counters.connections += 1
        count_again(factory, peer_of(host), answer, factory.seconds())

    def finish_from_door(self, protocol: HTTPServerProtocol, answer: Repeat, sent: int) -> None:
        """
        Send the rest of an answer in the way, and in the time, of all others.

        @param protocol: was built meanwhile, and is connected.
        @param sent: how many bytes of the answer have been sent.
        """
        finish_last(protocol, answer, sent)
