"""
Putting fragmented IP datagrams together (RFC 791 section 3.2, RFC 8200 section 4.5), bounded.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from netlab.capture.faults import Faults

DATAGRAMS_MAX: Final = 256
"""Datagrams that may wait for fragments; of more, the oldest is given up."""

HELD_MAX_BYTES: Final = 4 << 20
"""All fragments that wait; of more, the oldest datagram's are given up. Linux keeps 4 MiB too."""

FRAGMENTS_MAX: Final = 512
"""Fragments of one datagram; 65,535 bytes in the smallest usual MTU are 120."""

DATAGRAM_MAX_BYTES: Final = 65535


class _Waiting:
    """
    What has come of one datagram.
    """

    __slots__ = ("held", "numbers", "pieces", "total")

    def __init__(self) -> None:
        self.held = 0
        self.pieces: list[tuple[int, bytes]] = []
        self.numbers: list[int] = []
        self.total: int | None = None


class Reassembly:
    """
    The datagrams that wait for fragments.
    """

    def __init__(self, faults: Faults) -> None:
        self._waiting: dict[Hashable, _Waiting] = {}
        self._held = 0
        self._faults = faults

    def add(
        self, key: Hashable, number: int, offset: int, data: bytes, *, has_more: bool
    ) -> tuple[bytes, tuple[int, ...]] | None:
        """
        Take a fragment.

        @param key: what a datagram's fragments share: addresses, protocol, identification.
        @param number: of the frame.
        @param offset: of the data in the datagram's payload, in bytes.
        @param has_more: other fragments follow.
        @return: the whole payload and the frames that it came in, or C{None} as long as some of it
            is missing. Where fragments overlap, the first that came stands.
        """
        if offset + len(data) > DATAGRAM_MAX_BYTES:
            self._faults.add("fragment", "A fragment ends beyond 65,535 bytes.", number)
            return None
        waiting = self._waiting.get(key)
        if waiting is None:
            if len(self._waiting) >= DATAGRAMS_MAX:
                self._give_up_oldest()
            waiting = self._waiting[key] = _Waiting()
        waiting.pieces.append((offset, data))
        waiting.numbers.append(number)
        waiting.held += len(data)
        self._held += len(data)
        if not has_more:
            waiting.total = offset + len(data)
        if waiting.total is None or waiting.held < waiting.total:
            whole = None
        else:
            whole = _join(waiting.pieces, waiting.total)
        if whole is not None:
            self._forget(key)
            return whole, tuple(waiting.numbers)
        if len(waiting.pieces) >= FRAGMENTS_MAX:
            self._forget(key)
            self._faults.add("fragment", "A datagram has too many fragments.", number)
        while self._held > HELD_MAX_BYTES:
            self._give_up_oldest()
        return None

    def _forget(self, key: Hashable) -> _Waiting:
        waiting = self._waiting.pop(key)
        self._held -= waiting.held
        return waiting

    def _give_up_oldest(self) -> None:
        waiting = self._forget(next(iter(self._waiting)))
        self._faults.add(
            "fragment",
            "A datagram's other fragments have not come; it was given up to save memory.",
            waiting.numbers[0],
        )

    def end(self) -> None:
        """
        Tell of the datagrams that never became whole.
        """
        for waiting in self._waiting.values():
            self._faults.add(
                "fragment",
                f"Of a datagram in fragments, {len(waiting.pieces)} came and others did not; it "
                f"was not decoded.",
                waiting.numbers[-1],
            )
        self._waiting.clear()
        self._held = 0


def _join(pieces: list[tuple[int, bytes]], total: int) -> bytes | None:
    whole = bytearray()
    # A stable sort: of two that begin alike, the first that came.
    for offset, data in sorted(pieces, key=lambda piece: piece[0]):
        if offset > len(whole):
            return None
        whole += data[len(whole) - offset :]
    return bytes(whole[:total]) if len(whole) >= total else None
