"""
The timers of a connection: which there are, and which are running.

They are three: one for the sender, one for the ACK that is owed, one for the connection as a
whole. What each of them is running for is its L{Timer}; to start it for one thing stops it for
another, as in Linux. So a loss probe takes the place of the retransmission timeout that would come
later anyway, and starts that when it has been sent.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

NANOSECONDS: Final = 1_000_000_000
"""In a second."""

MILLISECOND: Final = 1_000_000
"""In nanoseconds."""

NEVER: Final = 1 << 62
"""A deadline that does not come."""

_SENDER, _ACK, _CONNECTION = range(3)


class Timer(Enum):
    """
    What a timer may run for.

    @ivar label: its name.
    @ivar slot: which of the three timers it is.
    @ivar text: what ends when it does.
    @ivar rule: where that is said.
    """

    label: str
    slot: int
    text: str
    rule: str

    RETRANSMISSION = "retransmission", _SENDER, "the wait for an ACK", "RFC 6298"
    LOSS_PROBE = "loss probe", _SENDER, "the wait before a tail loss probe", "RFC 8985 section 7"
    REORDERING = (
        "reordering",
        _SENDER,
        "the time given to a segment that others overtook",
        "RFC 8985 section 6.3",
    )
    WINDOW_PROBE = (
        "window probe",
        _SENDER,
        "the wait for a zero window to open",
        "RFC 9293 section 3.8.6.1",
    )
    DELAYED_ACK = "delayed ACK", _ACK, "the delay of an ACK", "RFC 9293 section 3.8.6.3"
    KEEP_ALIVE = (
        "keep-alive",
        _CONNECTION,
        "the silence before a keep-alive probe",
        "RFC 9293 section 3.8.4",
    )
    FIN_WAIT_2 = (
        "FIN-WAIT-2",
        _CONNECTION,
        "the wait for the FIN of a peer after the program has gone",
        "RFC 9293 section 3.6.1",
    )
    TIME_WAIT = "TIME-WAIT", _CONNECTION, "2 MSL", "RFC 9293 section 3.6.1"

    def __init__(self, name: str, slot: int, text: str, rule: str) -> None:
        self.label = name
        self.slot = slot
        self.text = text
        self.rule = rule


class Timers:
    """
    The three timers.

    @ivar deadline: when the first of them ends, or L{NEVER}.
    """

    __slots__ = ("_at", "_running", "deadline")

    def __init__(self) -> None:
        self.deadline = NEVER
        self._at = [NEVER, NEVER, NEVER]
        self._running: list[Timer | None] = [None, None, None]

    def start(self, timer: Timer, at: int) -> None:
        """
        Let a timer end then, instead of whatever it was running for.
        """
        slot = timer.slot
        self._running[slot] = timer
        self._at[slot] = at
        self.deadline = min(self._at)

    def stop(self, *timers: Timer) -> None:
        """
        Stop timers, as far as they are running.
        """
        for timer in timers:
            slot = timer.slot
            if self._running[slot] is timer:
                self._running[slot] = None
                self._at[slot] = NEVER
        self.deadline = min(self._at)

    def stop_ack(self) -> None:
        """
        Stop what an ACK waits for.
        """
        if self._running[_ACK] is not None:
            self._running[_ACK] = None
            self._at[_ACK] = NEVER
            self.deadline = min(self._at)

    def stop_sender(self) -> None:
        """
        Stop what the sender waits for.
        """
        self._running[_SENDER] = None
        self._at[_SENDER] = NEVER
        self.deadline = min(self._at)

    def stop_all(self) -> None:
        """
        Stop all three.
        """
        self._running = [None, None, None]
        self._at = [NEVER, NEVER, NEVER]
        self.deadline = NEVER

    @property
    def sender(self) -> Timer | None:
        """
        What the sender waits for.
        """
        return self._running[_SENDER]

    @property
    def sender_at(self) -> int:
        """
        When that ends, or L{NEVER}.
        """
        return self._at[_SENDER]

    @property
    def connection(self) -> Timer | None:
        """
        What the connection as a whole waits for.
        """
        return self._running[_CONNECTION]

    def at(self, timer: Timer) -> int:
        """
        Tell when a timer ends, or L{NEVER} if it is not running.
        """
        slot = timer.slot
        return self._at[slot] if self._running[slot] is timer else NEVER

    def pop_expired(self, now: int) -> Timer | None:
        """
        Stop the earliest timer whose time has come.

        @return: which it was; C{None} if none has ended.
        """
        deadline = self.deadline
        if deadline > now:
            return None
        slot = self._at.index(deadline)
        timer = self._running[slot]
        self._running[slot] = None
        self._at[slot] = NEVER
        self.deadline = min(self._at)
        return timer
