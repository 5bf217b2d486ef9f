"""
The host that a script plays against: a stack, a virtual clock, and what it has sent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from netlab.tcp.segment import Outgoing
from netlab.tcp.stack import Stack

#: How often timers may run out in one script: a few seconds' work, so that a hostile one cannot
#: make the clock run for ever. The longest of ours has some tens; a connection that is kept alive
#: by a probe every two hours would last four years.
TIMEOUTS_MAX: Final = 20_000


class TooManyTimeoutsError(Exception):
    """
    The clock was stopped.
    """


class ScriptHost:
    """
    A stack with the time that a script gives it.

    @ivar now: nanoseconds.
    @ivar stack: the machine under test.
    """

    def __init__(self, stack: Stack, now: int) -> None:
        self.stack = stack
        self.now = now
        self._sent: deque[tuple[int, Outgoing]] = deque()
        self._listeners: list[Callable[[], None]] = []
        self._alarms: list[int] = []
        self._timeouts = 0

    def on_change(self, listener: Callable[[], None]) -> None:
        """
        Have something called whenever the machine may have moved.
        """
        self._listeners.append(listener)

    def settle(self) -> None:
        """
        Collect what the machine wants to send. Call it after each call of the machine.
        """
        self._sent.extend((self.now, each) for each in self.stack.packets_to_send(self.now))
        for listener in self._listeners:
            listener()

    def wake_at(self, moment: int) -> None:
        """
        Have the clock stop once at a moment, so that listeners are called then.
        """
        self._alarms.append(moment)

    def next_moment(self) -> int | None:
        """
        Tell when something happens by itself, or C{None}.
        """
        moments = [moment for moment in self._alarms if moment > self.now]
        if (deadline := self.stack.deadline) is not None:
            moments.append(max(deadline, self.now))
        return min(moments, default=None)

    def advance(self, moment: int) -> None:
        """
        Let time pass up to a moment, with all that happens until then and at it.

        @raise TooManyTimeoutsError: more happens than any script needs.
        """
        while (due := self.next_moment()) is not None and due <= moment:
            self._timeouts += 1
            if self._timeouts > TIMEOUTS_MAX:
                raise TooManyTimeoutsError
            self.now = due
            deadline = self.stack.deadline
            if deadline is not None and deadline <= self.now:
                self.stack.timeout(self.now)
            self.settle()
        self.now = max(self.now, moment)

    def take_sent(
        self, limit: int, is_wanted: Callable[[Outgoing], bool]
    ) -> tuple[int, Outgoing] | None:
        """
        Get the next segment that the machine sends, waiting for it if need be.

        @param limit: the time until which to wait.
        @param is_wanted: of others nothing is said.
        @return: when it was sent, and what; C{None} if nothing is sent until then.
        """
        while True:
            for at, outgoing in self._drain():
                if is_wanted(outgoing):
                    return at, outgoing
            due = self.next_moment()
            if due is None or due > limit:
                return None
            self.advance(due)

    def take_following(
        self,
        limit: int,
        is_wanted: Callable[[Outgoing], bool],
        follows: Callable[[Outgoing], bool],
    ) -> tuple[int, Outgoing] | None:
        """
        Get the next segment if it goes on where another ended; otherwise leave it where it is.
        """
        found = self.take_sent(limit, is_wanted)
        if found is not None and not follows(found[1]):
            self._sent.appendleft(found)
            return None
        return found

    def _drain(self) -> Iterator[tuple[int, Outgoing]]:
        while self._sent:
            yield self._sent.popleft()
