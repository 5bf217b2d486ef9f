"""
Which conversations of a capture are explained, and which of their frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from netlab.analysis.tcp.conversation import Conversation


@dataclass(frozen=True, slots=True)
class Choice:
    """
    What is to be told: what fits all that is given.

    @ivar conversation: The one of this number, from 0.
    @ivar host: Those with an end of this address, of 4 or 16 bytes.
    @ivar port: Those with an end of this port.
    @ivar begin_ns: Those with a frame no earlier than this, and no earlier frame of them; counted
        from the capture's first frame, in nanoseconds.
    @ivar end_ns: The same with later frames.
    """

    conversation: int | None = None
    host: bytes | None = None
    port: int | None = None
    begin_ns: int | None = None
    end_ns: int | None = None

    def takes(self, conversation: Conversation) -> bool:
        """
        Tell whether a conversation may be told: by its number and its ends.
        """
        if self.conversation is not None and conversation.stream != self.conversation:
            return False
        ends = conversation.flows
        if self.host is not None and all(self.host != end.raw_address for end in ends):
            return False
        return self.port is None or any(self.port == end.port for end in ends)

    def spans(self, since_ns: int) -> bool:
        """
        Tell whether a frame is chosen: by its time.

        @param since_ns: Nanoseconds since the capture's first frame.
        """
        if self.begin_ns is not None and since_ns < self.begin_ns:
            return False
        return self.end_ns is None or since_ns <= self.end_ns

    @property
    def is_timed(self) -> bool:
        """Whether times matter."""
        return self.begin_ns is not None or self.end_ns is not None

    @property
    def takes_all(self) -> bool:
        """Whether everything is chosen."""
        return self == ALL


ALL: Final = Choice()
"""Everything."""
