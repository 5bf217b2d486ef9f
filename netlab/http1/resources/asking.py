"""
Who asks: the peer of the request that a resource is just being asked to answer.

A head is what was received, and says nothing of its sender; and most resources do not care. The
server notes the peer before it calls a resource.
"""

from __future__ import annotations

from typing import Final


class Asking:
    """
    @ivar peer: the client's address; empty where it has none. It holds while C{respond},
        C{receiver} or what that returned is called, and not after.
    """

    __slots__ = ("peer",)

    def __init__(self) -> None:
        self.peer = b""


ASKING: Final = Asking()
