"""
How much the reading of a capture's conversations may cost, all of them together.

Packed, a thousand requests take some hundred bytes of a file; unpacked and kept, a megabyte. What
is bounded for each conversation adds up to anything: its maker chooses how many a capture has.
"""

from __future__ import annotations

from typing import Final

from netlab.capture.faults import CaptureError
from netlab.http1.sansio.messages import RequestHead, ResponseHead

KEPT_MAX_BYTES: Final = 128 << 20
"""How much the messages of all conversations may weigh that are kept: some 40,000 of a browser."""

NOT_ALL_MESSAGES: Final = (
    "The capture has more HTTP messages than are kept: conversations are read until there is no "
    "more room, and their later messages are not told."
)
"""What a report says where there was no room."""

_MESSAGE_BYTES: Final = 1000
_FIELD_BYTES: Final = 200


class Allowance:
    """
    What is left of it.

    @ivar is_used_up: whether there was no room for a message, so that some were not read.
    """

    __slots__ = ("_parts_left", "_parts_max", "_room", "is_used_up")

    def __init__(self, parts_max: int | None = None) -> None:
        """
        @param parts_max: how many heads, chunks, records and gaps are read; None is any number.
        """
        self._parts_max = self._parts_left = parts_max
        self._room = KEPT_MAX_BYTES
        self.is_used_up = False

    def spend(self, parts: int = 1) -> None:
        """
        Take note that something is read.

        @raise CaptureError: it is more than may be.
        """
        if self._parts_left is None:
            return
        self._parts_left -= parts
        if self._parts_left < 0:
            raise CaptureError(
                f"it has more than {self._parts_max:,} HTTP messages, chunks and TLS records: cut "
                "it with editcap -r"
            )

    def keeps(self, head: RequestHead | ResponseHead) -> bool:
        """
        Tell whether there is room for a message, and take it.
        """
        weight = _MESSAGE_BYTES + _FIELD_BYTES * len(head.fields) + 2 * len(head.raw)
        if weight > self._room:
            self._room = 0
            self.is_used_up = True
            return False
        self._room -= weight
        return True
