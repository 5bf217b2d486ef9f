"""
How many connections each of several processes has, in memory that they share.

On a busy machine the first worker that wakes takes everybody who waits before another one runs.
With these counts a worker sees that it has more than its share, and lets the others go first.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from typing import Final

_WIDTH: Final = 4
_NONE: Final = 0xFFFFFFFF
"""What stands for a process that takes no connections."""


class WorkerShares:
    """
    The counts.
    """

    def __init__(self, descriptor: int) -> None:
        """
        @param descriptor: of a file that L{create_shares} has made; it may be closed afterwards.
        """
        self._counts = memoryview(mmap.mmap(descriptor, 0)).cast("I")

    def note(self, slot: int, count: int | None) -> None:
        """
        Say how many connections a process has.

        @param slot: the process's number, from 0.
        @param count: None for a process that takes none.
        """
        self._counts[slot] = _NONE if count is None else count

    def has_its_share(self, slot: int) -> bool:
        """
        Tell whether a process has notably more connections than the one that has the fewest.
        """
        least = min(self._counts)
        return self._counts[slot] > least + 1 + (least >> 3)


def create_shares(count: int) -> int:
    """
    Make a file without a name for L{WorkerShares}; at first nobody takes connections.

    @param count: of processes.
    @return: its descriptor.
    """
    with tempfile.TemporaryFile() as file:
        file.write(_NONE.to_bytes(_WIDTH) * count)
        file.flush()
        return os.dup(file.fileno())
