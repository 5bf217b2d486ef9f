"""
A bounded memo for pure functions of received bytes.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class Memo(Generic[_K, _V]):
    """
    A mapping that forgets: it holds the entries used most recently, at most twice C{entries_max}
    of them, which together weigh at most twice C{weight_max}.

    Two generations stand in for an order of use: when the young one is full, the old one is
    dropped and the young one takes its place; what is used again is young again. A flood
    of different keys costs their storing and never more memory.
    """

    __slots__ = ("_entries_max", "_old", "_weight", "_weight_max", "_young")

    def __init__(self, entries_max: int, weight_max: int = 1 << 62) -> None:
        """
        @param entries_max: how many entries a generation has, at least 1.
        @param weight_max: how much a generation's entries weigh, usually in bytes.
        """
        self._entries_max = entries_max
        self._weight_max = weight_max
        self._weight = 0
        self._young: dict[_K, tuple[_V, int]] = {}
        self._old: dict[_K, tuple[_V, int]] = {}

    def get(self, key: _K) -> _V | None:
        """
        Return what is held for this key, or None.
        """
        entry = self._young.get(key)
        if entry is None:
            entry = self._old.pop(key, None)
            if entry is None:
                return None
            self.put(key, *entry)
        return entry[0]

    def put(self, key: _K, value: _V, weight: int = 0) -> None:
        """
        Hold a value, in place of an earlier one for the same key.

        @param weight: what the entry weighs; one that weighs more than a generation is not held.
        """
        young = self._young
        if weight > self._weight_max:
            self.discard(key)
            return
        replaced = young.pop(key, None)
        if replaced is not None:
            self._weight -= replaced[1]
        if len(young) >= self._entries_max or self._weight + weight > self._weight_max:
            self._old = young
            self._young = young = {}
            self._weight = 0
        self._weight += weight
        young[key] = (value, weight)

    def discard(self, key: _K) -> None:
        """
        Forget this key.
        """
        entry = self._young.pop(key, None)
        if entry is not None:
            self._weight -= entry[1]
        self._old.pop(key, None)

    def clear(self) -> None:
        """
        Forget everything.
        """
        self._young, self._old = {}, {}
        self._weight = 0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
