"""
One-shot connections: where a connection has one request, whose answer is known, and ends behind it,
neither protocol nor transport is built.

Most of what a connection costs, beside its system calls, is the making of what it will need if it
stays. A factory that can tell from the first bytes alone that it will not offers L{OneShotAnswers}
as its attribute C{one_shot}, and a port asks that first.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar


class OneShotAnswer(Protocol):
    """
    An answer with which a connection ends.

    @ivar data: all that is to be sent.
    """

    data: bytes


_Answer = TypeVar("_Answer", bound=OneShotAnswer)


class OneShotAnswers(Protocol[_Answer]):
    """
    Knows connections that are over with one answer.
    """

    def find_answer(self, host: str, data: bytes) -> _Answer | None:
        """
        Look for the answer to the first bytes of a connection of which nobody else knows yet.

        @param host: the peer's address.
        @param data: not empty.
        @return: an answer, behind which the connection is to be closed; None where a protocol is
            needed: then nothing has happened yet.
        """

    def answer_sent(self, host: str, answer: _Answer) -> None:
        """
        All of an answer was sent, and the connection is closed.

        @param answer: from L{find_answer}.
        """

    def finish_rest(self, protocol: Any, answer: _Answer, sent: int) -> None:
        """
        Send the rest of an answer, which the kernel did not take at once; then close.

        @param protocol: was built meanwhile, and is connected.
        @param answer: from L{find_answer}.
        @param sent: how many of its bytes have been sent.
        """
