"""
The two ends of a wire.
"""

from __future__ import annotations

import enum


class Side(enum.Enum):
    """
    One end, and the host on it.
    """

    CLIENT = "client"
    SERVER = "server"

    @property
    def other(self) -> Side:
        """
        The other end.
        """
        return Side.SERVER if self is Side.CLIENT else Side.CLIENT
