"""
A host's or a router's network interface: it sends one frame after the other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from netlab.simulation.clock import NANOSECONDS, VirtualClock

GIGABIT: Final = 1_000_000_000
"""Bits per second."""

ANSWER_NS: Final = 2_000
"""How long TCP and the interface take to send something."""

QUEUE_MAX: Final = 1000
"""As Linux's txqueuelen."""

_OVERHEAD_BYTES: Final = 24
"""What Ethernet sends around a frame: preamble, check sequence and gap."""


class NetworkInterface:
    """
    Sends and receives frames.

    @ivar address: its Ethernet address, 6 bytes.
    @ivar lost: how many frames found the queue full.
    """

    def __init__(
        self,
        clock: VirtualClock,
        address: bytes,
        receive: Callable[[bytes], None],
        *,
        rate: int = GIGABIT,
        queue: int = QUEUE_MAX,
    ) -> None:
        """
        @param receive: is called with each frame that arrives.
        @param rate: bits per second.
        @param queue: how many frames may wait to be sent; more are lost.
        """
        self.address = address
        self.lost = 0
        self._clock = clock
        self._receive = receive
        self._rate = rate
        self._queue = queue
        self._output: Callable[[bytes], None] | None = None
        self._waiting: deque[bytes] = deque()
        self._free_at = 0

    def attach(self, output: Callable[[bytes], None] | None) -> None:
        """
        Connect it to a wire, or to none.

        @param output: is called with each frame when it leaves.
        """
        self._output = output

    @property
    def queued(self) -> int:
        """
        How many frames wait behind the one that is sent next.
        """
        return max(0, len(self._waiting) - 1)

    def send(self, frame: bytes) -> bool:
        """
        Send a frame, when those before it have left.

        @return: whether there was room for it.
        """
        if self._output is None:
            return True
        # The one that is being sent next is no longer in the queue.
        if len(self._waiting) > self._queue:
            self.lost += 1
            return False
        self._waiting.append(frame)
        if len(self._waiting) == 1:
            # Never within the call: who sends is not to meet what becomes of it. What answers a
            # frame takes a moment.
            due = max(self._free_at, self._clock.now + ANSWER_NS)
            self._clock.post(due, self._send_next)
        return True

    def frame_arrives(self, frame: bytes) -> None:
        """
        Take a frame from the wire.
        """
        if self._output is not None:
            self._receive(frame)

    def _send_next(self) -> None:
        frame = self._waiting.popleft()
        bits = (len(frame) + _OVERHEAD_BYTES) * 8
        self._free_at = self._clock.now + bits * NANOSECONDS // self._rate
        if self._waiting:
            self._clock.post(self._free_at, self._send_next)
        if self._output is not None:
            self._output(frame)
