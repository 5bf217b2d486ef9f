"""
When what arrives is acknowledged: RFC 9293 section 3.8.6.3, as Linux does it.

An ACK is due with every second full segment. Below that it is delayed by 40 ms, more or less as the
data come, so that it can travel with an answer; but not at first, when the peer's congestion
window grows only as fast as it hears of us: then each segment is acknowledged at once.
"""

from __future__ import annotations

from typing import Final

from netlab.tcp.timers import MILLISECOND

DELAY_MIN: Final = 40 * MILLISECOND
DELAY_MAX: Final = 200 * MILLISECOND
"""RFC 9293 allows 500 ms."""

QUICK_ACKS_MAX: Final = 16
_SEGMENT_MIN: Final = 88
_SEGMENT_GUESS_MAX: Final = 536


class AckPolicy:
    """
    What is known of how the peer sends, and what follows for ACKs.

    @ivar quick: this many more segments are acknowledged at once.
    @ivar is_interactive: what arrives is usually answered, so that an ACK can wait for the answer.
    @ivar delay: of an ACK, for now.
    @ivar received_at: when the last payload arrived.
    @ivar segment: the size of the peer's full segments, as far as is known.
    @ivar is_pushed: a segment that was not full has arrived since the last ACK: the peer may have
        nothing more to say.
    @ivar is_pushed_twice: so have two.
    """

    __slots__ = (
        "_last_odd_size",
        "delay",
        "is_interactive",
        "is_pushed",
        "is_pushed_twice",
        "quick",
        "received_at",
        "segment",
    )

    def __init__(self) -> None:
        self.quick = 0
        self.is_interactive = False
        self.delay = 0
        self.received_at = 0
        self.segment = _SEGMENT_GUESS_MAX
        self.is_pushed = False
        self.is_pushed_twice = False
        self._last_odd_size = 0

    def expect(self, mss: int, window: int) -> None:
        """
        Guess the size of the peer's segments before there is any: rather too low, which costs an
        ACK, than too high.
        """
        self.segment = max(min(mss, window // 2, _SEGMENT_GUESS_MAX), _SEGMENT_MIN)

    def data_arrives(self, now: int, size: int, window: int, rto: int, *, is_last: bool) -> None:
        """
        Learn from a payload.

        @param size: its bytes, at least 1.
        @param window: what was advertised last.
        @param is_last: it had PSH, FIN or URG.
        """
        if size >= self.segment:
            self.segment = size
            self._last_odd_size = 0
        else:
            self._note_odd(size, is_last=is_last)
        if self.delay == 0:
            self.hurry(window, QUICK_ACKS_MAX)
            self.delay = DELAY_MIN
        else:
            gap = now - self.received_at
            if gap <= DELAY_MIN // 2:
                self.delay = (self.delay >> 1) + DELAY_MIN // 2
            elif gap < self.delay:
                self.delay = min((self.delay >> 1) + gap, rto)
            elif gap > rto:
                # The peer has been silent and will start slowly again.
                self.hurry(window, QUICK_ACKS_MAX)
        self.received_at = now

    def _note_odd(self, size: int, *, is_last: bool) -> None:
        # Two of the same size in a row are what the peer takes for full.
        if size >= _SEGMENT_GUESS_MAX or (size >= _SEGMENT_MIN - 40 and not is_last):
            if size == self._last_odd_size:
                self.segment = size
                return
            self._last_odd_size = size
        else:
            self._last_odd_size = 0
        self.is_pushed_twice = self.is_pushed
        self.is_pushed = True

    def hurry(self, window: int, most: int) -> None:
        """
        Acknowledge the next segments at once: as many as fill half the window.
        """
        quick = min(max(window // (2 * self.segment), 2), most)
        self.quick = max(self.quick, quick)

    def enter_quick(self, window: int, most: int) -> None:
        """
        Begin again as with a new connection: something is out of order, or was lost.
        """
        self.hurry(window, most)
        self.is_interactive = False
        self.delay = DELAY_MIN

    @property
    def is_quick(self) -> bool:
        """
        Whether each segment is acknowledged at once.
        """
        return self.quick > 0 and not self.is_interactive

    def data_is_sent(self, now: int) -> None:
        """
        Note that a payload leaves: soon after one has arrived, it is an answer.
        """
        if now - self.received_at < self.delay:
            self.is_interactive = True

    def ack_is_sent(self) -> None:
        """
        Note that an ACK leaves, alone or with data.
        """
        self.is_pushed = self.is_pushed_twice = False
        if self.quick:
            self.quick -= 1
            if self.quick == 0:
                self.delay = DELAY_MIN

    def due(self, now: int, srtt: int, running: int) -> int:
        """
        Choose when a delayed ACK is to be sent.

        @param srtt: 0 if it is not known.
        @param running: when the delay that is running ends.
        """
        delay = self.delay
        if delay > DELAY_MIN:
            most = DELAY_MAX if self.is_interactive or self.is_pushed else 500 * MILLISECOND
            if srtt:
                most = min(max(srtt, DELAY_MIN), most)
            delay = min(delay, most)
        return min(now + delay, running)

    def delay_is_over(self, rto: int) -> None:
        """
        Learn from a delay in which no answer and no second segment came.
        """
        if self.is_interactive:
            self.is_interactive = False
            self.delay = DELAY_MIN
        else:
            self.delay = min(self.delay << 1, rto)
