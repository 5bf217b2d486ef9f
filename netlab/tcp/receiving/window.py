"""
How large a window the receiver advertises: RFC 9293 section 3.8.6.2.2, as Linux does it.

The receive buffer counts twice what arrives, for what the kernel needs beside the payload; so half
of it is window. The window starts at about 64 KB, grows with full segments as they come, and the
buffer grows with what the program reads in a round trip.
"""

from __future__ import annotations

from typing import Final

from netlab.tcp.settings import Settings

WINDOW_MAX_UNSCALED: Final = 0xFFFF
SHIFT_MAX: Final = 14
"""RFC 7323 section 2.3."""

INITIAL_SEGMENTS: Final = 10


class ReceiveWindow:
    """
    The window and the buffer behind it.

    @ivar buffer: bytes; half of them can be payload.
    @ivar is_fixed: whether the program has set the buffer, so that it does not grow.
    @ivar shift: what the peer shifts our windows by; 0 without window scaling.
    @ivar wnd: RCV.WND as it was advertised last, counted from C{wup}.
    @ivar wup: RCV.NXT when it was advertised.
    @ivar clamp: the largest window for now.
    """

    __slots__ = (
        "_copied",
        "_copied_mark",
        "_round_end",
        "_round_start",
        "_rtt8",
        "_space",
        "_ssthresh",
        "buffer",
        "buffer_max",
        "clamp",
        "is_fixed",
        "mss",
        "shift",
        "wnd",
        "wup",
    )

    def __init__(self, settings: Settings) -> None:
        self.buffer = settings.tcp_rmem[1]
        self.buffer_max = settings.tcp_rmem[2]
        self.is_fixed = not settings.tcp_moderate_rcvbuf
        self.shift = 0
        self.wnd = 0
        self.wup = 0
        self.clamp = WINDOW_MAX_UNSCALED
        self.mss = 0
        self._ssthresh = 0
        self._copied = 0
        self._copied_mark = 0
        self._round_end = 0
        self._round_start = 0
        self._rtt8 = 0
        self._space = 0

    @property
    def full_space(self) -> int:
        """
        The window of an empty buffer.
        """
        return self.buffer >> 1

    def open(self, mss: int, *, is_scaled: bool) -> int:
        """
        Choose the first window, and by how much windows are to be shifted.

        @param mss: the payload of the largest segment that is expected.
        @return: the shift to offer; the peer may not know the option.
        """
        self.mss = mss
        space = self.full_space
        if space > mss:
            space -= space % mss
        self.wnd = min(space, WINDOW_MAX_UNSCALED)
        self._ssthresh = self.wnd
        self._space = min(self.wnd, INITIAL_SEGMENTS * mss)
        if not is_scaled:
            return 0
        largest = max(space, self.buffer if self.is_fixed else self.buffer_max)
        return min(max(largest.bit_length() - 16, 0), SHIFT_MAX)

    def established(self, shift: int) -> None:
        """
        Begin to grow: the handshake is complete.
        """
        self.shift = shift
        self.clamp = min(self.full_space, WINDOW_MAX_UNSCALED << shift)

    @property
    def space(self) -> int:
        """
        The most that the program has read in a round trip.
        """
        return self._space

    def right_edge(self) -> int:
        """
        The sequence number behind the last byte that the peer may send.
        """
        return self.wup + self.wnd

    def select(self, nxt: int, kept: int) -> int:
        """
        Choose the window to advertise now. It never takes back what was advertised, and it does not
        open by little (silly windows).

        @param nxt: RCV.NXT.
        @param kept: bytes in the buffer.
        """
        current = self.wup + self.wnd - nxt
        window = self.wanted(current, kept)
        if window < current:
            # Never shrink the window (RFC 9293 section 3.8.6). Rounded up, so that what the shift
            # cuts off is not taken back either.
            unit = 1 << self.shift
            window = (current + unit - 1) & -unit
        return window

    def wanted(self, current: int, kept: int) -> int:
        """
        Choose the window, not looking at what was advertised.

        @param current: how much of that is left.
        @param kept: bytes in the buffer.
        """
        space = self.buffer >> 1
        full = min(space, self.clamp)
        mss = min(full, self.mss)
        if mss <= 0:
            return 0
        free = space - kept
        if free < full >> 1 and (free < full >> 4 or free < mss):
            return 0
        free = min(free, self._ssthresh, full)
        if self.shift:
            unit = 1 << self.shift
            return (free + unit - 1) & -unit
        if current <= free - mss or current > free:
            return free - free % mss
        if mss == full and free > current + (full >> 1):
            return free
        return max(current, 0)

    def advertise(self, nxt: int, kept: int) -> int:
        """
        Choose the window and remember it as advertised.

        @return: as the header has it.
        """
        shift = self.shift
        unit = 1 << shift
        left = self.wup + self.wnd - nxt
        window = self.wanted(left, kept)
        if window < left:
            window = (left + unit - 1) & -unit
        field = window >> shift
        field = min(field, WINDOW_MAX_UNSCALED)
        self.wnd = field << shift
        self.wup = nxt
        return field

    def grow(self, payload: int, kept: int) -> None:
        """
        Let the window grow with a segment that has come in order.

        @param payload: its bytes.
        @param kept: bytes in the buffer, with these.
        """
        if self._ssthresh >= self.clamp:
            return
        room = min(self.clamp, self.full_space - kept) - self._ssthresh
        if room > 0:
            self._ssthresh += min(room, max(2 * self.mss, 2 * payload))

    def measure(self, now: int, nxt: int, rtt: int) -> None:
        """
        Measure the round-trip time as the receiver sees it.

        @param rtt: by the timestamps of a full segment, or 0: then by how long the peer takes to
            fill a window.
        """
        if rtt > 0:
            self._rtt8 += rtt - (self._rtt8 >> 3) if self._rtt8 else rtt << 3
        elif nxt >= self._round_end:
            if self._round_start:
                sample = (now - self._round_start) << 3
                self._rtt8 = min(self._rtt8, sample) if self._rtt8 else sample
            self._round_end = nxt + self.wnd
            self._round_start = now

    def read(self, now: int, size: int) -> None:
        """
        Let the buffer grow if the program has read more in this round trip than in any before:
        twice that, so that a sender whose window doubles is not held up.

        @param size: bytes that were read just now.
        """
        self._copied += size
        if self._rtt8 == 0 or now - self._copied_mark < self._rtt8 >> 3:
            return
        copied = self._copied
        if copied > self._space:
            if not self.is_fixed:
                window = 2 * copied + 16 * self.mss
                window += 2 * window * (copied - self._space) // max(self._space, 1)
                buffer = min(2 * window, self.buffer_max)
                if buffer > self.buffer:
                    self.buffer = buffer
                    self.clamp = min(self.full_space, WINDOW_MAX_UNSCALED << self.shift)
            self._space = copied
        self._copied = 0
        self._copied_mark = now

    def fix(self, size: int) -> None:
        """
        Set the buffer so that this is its window, and let it not grow by itself (SO_RCVBUF).
        """
        self.buffer = 2 * size
        self.is_fixed = True
        if self.mss:
            self.clamp = min(self.full_space, WINDOW_MAX_UNSCALED << self.shift)
