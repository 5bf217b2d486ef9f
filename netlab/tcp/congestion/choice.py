"""
Congestion controls by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from netlab.tcp.congestion.base import CongestionControl
from netlab.tcp.congestion.cubic import Cubic
from netlab.tcp.congestion.reno import Reno

KNOWN: Final[dict[str, Callable[[], CongestionControl]]] = {"reno": Reno, "cubic": Cubic}
"""What makes one, by the name that C{tcp_congestion_control} gives; more can be put in."""


def make(name: str) -> CongestionControl:
    """
    Make a congestion control for a connection. A name that is not known is that of the default.
    """
    return KNOWN.get(name, Cubic)()
