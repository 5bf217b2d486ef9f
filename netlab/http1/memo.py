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
    A mapping that forgets: it holds the entries used most recently, at most twice C{entries_max}.

    Two generations stand in for an order of use: when the young one is full, the old one is
    dropped and the young one takes its place; what is used again is young again. A hit in the
    young generation, which is what a flood of equal requests makes, costs one look into a
    C{dict}; a flood of different keys costs their storing and never more memory.

    @ivar young: the young generation, for reading only: whoever cannot afford a call looks here
        first.
    """

    __slots__ = ("_entries_max", "_old", "young")

    def __init__(self, entries_max: int) -> None:
        """
        @param entries_max: how many entries a generation has, at least 1.
        """
        self._entries_max = entries_max
        self.young: dict[_K, _V] = {}
        self._old: dict[_K, _V] = {}

    def get(self, key: _K) -> _V | None:
        """
        Return what is held for this key, or None.
        """
        value = self.young.get(key)
        if value is None:
            value = self._old.pop(key, None)
            if value is not None:
                self.put(key, value)
        return value

    def put(self, key: _K, value: _V) -> None:
        """
        Hold a value, in place of an earlier one for the same key.
        """
        young = self.young
        if len(young) >= self._entries_max and key not in young:
            self._old = young.copy()
            young.clear()
        young[key] = value

    def discard(self, key: _K) -> None:
        """
        Forget this key.
        """
        self.young.pop(key, None)
        self._old.pop(key, None)

    def __len__(self) -> int:
        return len(self.young) + len(self._old)
