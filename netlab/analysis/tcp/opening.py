"""
Which conversation a segment belongs to, and what else happens rarely: options, quotes, copies.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from itertools import islice
from typing import Final

from netlab.analysis.tcp.conversation import Conversation, Flow
from netlab.analysis.tcp.frames import Analysed, Mark
from netlab.analysis.tcp.limits import MemoryLimits
from netlab.analysis.tcp.states import begin, notice_opening, shown
from netlab.capture.faults import Faults
from netlab.capture.segments import Segment

_SYN_ACK: Final = 0x12
_SYN: Final = 0x02
_REUSED: Final = int(Mark.REUSED_PORTS)
_SACK_RANGES_MAX: Final = 3
"""How many of a SACK option's ranges count for bytes in flight."""

_REBASED_MAX: Final = 64
_EXAMINED: Final = 16
_FORGOTTEN_AT_ONCE: Final = 2
"""More than one, so that fewer become as many as are to be remembered where the limit sinks."""

_COPY_NS: Final = 10_000_000
"""A copy of a frame follows it within this number of nanoseconds; no retransmission does."""


class Table:
    """
    The conversations that are remembered.

    @ivar flows: the sender's flow of each L{Segment.key}.
    @ivar limits: of what is remembered.
    @ivar streams: how many conversations there were.
    """

    def __init__(self, limits: MemoryLimits, faults: Faults) -> None:
        self.flows: dict[bytes, Flow] = {}
        self.limits = limits
        self.streams = 0
        self._faults = faults
        # Ordered, since a plain dict whose first entries are deleted is slow to begin to iterate.
        self._open: OrderedDict[int, Conversation] = OrderedDict()
        self._closed: deque[Conversation] = deque()
        self._has_forgotten_closed = False

    def conversations(self) -> list[Conversation]:
        """
        Return those that are remembered, in the order of their first segments.
        """
        found = [*self._open.values(), *self._closed]
        return sorted(found, key=lambda conversation: conversation.stream)

    def find(self, segment: Segment, found: Flow | None) -> tuple[Flow, int, bool]:
        """
        Find or begin a segment's conversation.

        A SYN with a new number begins a new conversation between the same ports.

        @param found: what L{flows} has for the segment.
        @return: the sender's flow, a L{Mark} or 0, and whether nothing was known of these ports.
        """
        if found is None:
            return self._begin(segment), 0, True
        kind = segment.flags & _SYN_ACK
        if not kind & _SYN or found.base is None:
            return found, 0, False
        if kind == _SYN:
            if segment.seq != found.base:
                self.close(found.conversation)
                flow = self._begin(segment)
                flow.conversation.seen = 1
                return flow, _REUSED, False
            # The same SYN again. An RST may have moved the next number; it begins anew.
            found.next_seq = found.max_ackable
            return found, 0, False
        if segment.seq != found.base:
            _rebase(found, segment)
            return found, _REUSED, False
        return found, 0, False

    def close(self, conversation: Conversation) -> None:
        """
        Take note that a conversation is over.
        """
        if self._open.pop(conversation.stream, None) is None:
            return
        self._closed.append(conversation)
        for _ in range(_FORGOTTEN_AT_ONCE):
            if self.limits.closed_max and len(self._closed) > self.limits.closed_max:
                self._forget(self._closed.popleft())
                self._has_forgotten_closed = True

    def cut(self, flow: Flow, number: int) -> None:
        """
        Tell that an end has more segments outstanding than are remembered.

        @param flow: of that end.
        @param number: the first frame that is not.
        """
        flow.is_cut = True
        self._faults.add(
            "unacknowledged",
            f"Of conversation {flow.conversation.stream} one end has more than "
            f"{self.limits.unacked_max} segments outstanding, and no more are remembered: from "
            "here on its bytes in flight, round trips and retransmissions may differ from "
            "Wireshark's.",
            number,
        )

    def _begin(self, segment: Segment) -> Flow:
        key = segment.key
        half = len(key) // 2 - 2
        fwd = Flow(0, key[:half], segment.srcport)
        rev = Flow(1, key[half : half * 2], segment.dstport)
        conversation = Conversation(self.streams, (fwd, rev), segment.record.number)
        self.streams += 1
        if self._has_forgotten_closed and not segment.flags & _SYN:
            self._faults.add(
                "forgotten",
                f"Conversation {conversation.stream} begins without a SYN and may be the rest of "
                "one that is over and was forgotten to save memory; then its number, and the "
                "numbers of all after it, differ from Wireshark's.",
                segment.record.number,
            )
        for _ in range(_FORGOTTEN_AT_ONCE):
            if self.limits.open_max and len(self._open) >= self.limits.open_max:
                self._forget_silent()
        self._open[conversation.stream] = conversation
        # Where both ends have the same address and port, the sender's is the first.
        self.flows[segment.reverse_key] = rev
        self.flows[key] = fwd
        return fwd

    def _forget_silent(self) -> None:
        silent = min(
            islice(self._open.values(), _EXAMINED), key=lambda candidate: candidate.last_frame
        )
        del self._open[silent.stream]
        self._faults.add(
            "forgotten",
            f"Conversation {silent.stream} was forgotten to save memory, as {self.limits.open_max} "
            f"others are open; what comes of it later counts as new.",
            silent.last_frame,
        )
        self._forget(silent)

    def _forget(self, conversation: Conversation) -> None:
        one, other = conversation.flows
        for flow in (one, other):
            peer = flow.peer
            key = (
                flow.raw_address
                + peer.raw_address
                + flow.port.to_bytes(2, "big")
                + peer.port.to_bytes(2, "big")
            )
            # A later conversation between the same ports may have taken the place.
            if self.flows.get(key) is flow:
                del self.flows[key]


def _rebase(flow: Flow, segment: Segment) -> None:
    if flow.rebased is None:
        flow.rebased = [(flow.answer_frame, flow.base or 0)] if flow.answer_frame else []
    if len(flow.rebased) < _REBASED_MAX:
        flow.rebased.append((segment.record.number, segment.seq))
    flow.base = segment.seq


def take_options(flow: Flow, segment: Segment) -> None:
    """
    Keep what a segment's options say about its sender.
    """
    values = segment.option_values
    if values.window_shift is not None:
        # RFC 7323 section 2.3: more than 14 is to be taken for 14.
        flow.window_shift = min(values.window_shift, 14)
    if values.sacks:
        flow.sacked = sum(
            (end - begin) & 0xFFFFFFFF for begin, end in values.sacks[:_SACK_RANGES_MAX]
        )
    if values.multipath:
        flow.conversation.multipath |= values.multipath
    if segment.flags & _SYN:
        if values.mss is not None:
            flow.mss = values.mss
        flow.sack_permitted = flow.sack_permitted or values.sack_permitted


def take_part(segment: Segment, flow: Flow, marks: int, *, is_new: bool) -> Analysed:
    """
    Take note of a partial segment: of its flags and options, but of no number.

    @param flow: of its sender.
    @param marks: what has been found already.
    @param is_new: nothing was known of these ports before.
    """
    conversation = flow.conversation
    conversation.last_frame = segment.record.number
    conversation.quoted += segment.is_quoted
    if is_new:
        begin(conversation, segment.flags, 0)
    else:
        conversation.seen |= shown(segment.flags, 0)
    take_options(flow, segment)
    notice_opening(flow, segment)
    return Analysed(segment, conversation, flow, marks, None, None, 0, None, 0, 0, None, 0)


def compare(conversation: Conversation, previous: Segment, segment: Segment) -> None:
    """
    Count a frame that is an exact copy of the one before.

    @param previous: has the same key and sequence number.
    """
    is_same = (
        previous[5:10] == segment[5:10]
        and previous.ip_id == segment.ip_id
        and 0 <= segment.record.time_ns - previous.record.time_ns < _COPY_NS
        and previous.payload == segment.payload
    )
    # Without an identification, one bare ACK is like the next.
    if is_same and (segment.ip_id or segment.length or segment.flags & 0x07):
        conversation.copies += 1
