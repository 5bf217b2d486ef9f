"""
The analysis of TCP: each segment in its conversation, judged by the rules of Wireshark 4.0.

The rules are those of its documentation (User's Guide, "TCP Analysis") and of what it prints; the
order in which they are tried is part of them. L{Analyser.analyse} is one long function on purpose:
it runs once for each segment, within 5 µs.

Comparisons of sequence numbers are modulo 2**32 (RFC 9293 section 3.4). With C{d = (a - b) & MASK},
a is after b if C{0 < d <= HALF}, and before b if C{d >= HALF}. Two numbers that are exactly half
apart are each after, and before, the other, as in Wireshark.
"""

from __future__ import annotations

from typing import Final

from netlab.analysis.tcp import opening, states
from netlab.analysis.tcp.conversation import UNSEEN_WAS_ACKED, Conversation, Flow
from netlab.analysis.tcp.frames import Analysed, Mark
from netlab.analysis.tcp.limits import UNACKED_MAX, MemoryLimits
from netlab.analysis.tcp.unacked import acknowledge, extent
from netlab.capture.faults import Faults
from netlab.capture.segments import Segment

_MASK: Final = 0xFFFFFFFF
_HALF: Final = 0x80000000

_FIN: Final = 0x01
_SYN_FIN: Final = 0x03
_SYN_FIN_RST: Final = 0x07
_PSH: Final = 0x08
_ACK: Final = 0x10
_SYN_ACK: Final = 0x12

_FLIGHT_MAX: Final = 2_000_000_000
"""More bytes in flight than this are not believed."""

_FAST_NS: Final = 20_000_000
"""A fast retransmission follows the last duplicate ACK within this number of nanoseconds."""

_REORDER_NS: Final = 3_000_000
"""Out of order and not retransmitted, where the round trip time is not known."""

_UNSIGNED: Final = (1 << 64) - 1
"""Spans of time are unsigned: one that goes backwards is longer than any limit."""

_TIMESTAMPS_ONLY: Final = b"\x01\x01\x08\x0a"
"""How nearly all segments with options begin."""

_RETRANSMISSION: Final = int(Mark.RETRANSMISSION)
_FAST_RETRANSMISSION: Final = int(Mark.FAST_RETRANSMISSION)
_SPURIOUS_RETRANSMISSION: Final = int(Mark.SPURIOUS_RETRANSMISSION)
_OUT_OF_ORDER: Final = int(Mark.OUT_OF_ORDER)
_DUPLICATE_ACK: Final = int(Mark.DUPLICATE_ACK)
_LOST_SEGMENT: Final = int(Mark.LOST_SEGMENT)
_ACK_LOST_SEGMENT: Final = int(Mark.ACK_LOST_SEGMENT)
_WINDOW_UPDATE: Final = int(Mark.WINDOW_UPDATE)
_WINDOW_FULL: Final = int(Mark.WINDOW_FULL)
_ZERO_WINDOW: Final = int(Mark.ZERO_WINDOW)
_ZERO_WINDOW_PROBE: Final = int(Mark.ZERO_WINDOW_PROBE)
_ZERO_WINDOW_PROBE_ACK: Final = int(Mark.ZERO_WINDOW_PROBE_ACK)
_KEEP_ALIVE: Final = int(Mark.KEEP_ALIVE)
_KEEP_ALIVE_ACK: Final = int(Mark.KEEP_ALIVE_ACK)

_new = tuple.__new__


class Analyser:
    """
    The conversations of one capture.

    @ivar conversations: those that are remembered, in the order of their first segments.
    @ivar streams: how many there were.
    @ivar faults: what could not be followed.
    """

    def __init__(self, limits: MemoryLimits | None = None, faults: Faults | None = None) -> None:
        """
        @param limits: how much is remembered; by default everything.
        @param faults: where to tell of faults; by default a list of its own.
        """
        self.faults = Faults() if faults is None else faults
        self._table = opening.Table(MemoryLimits() if limits is None else limits, self.faults)
        self._flows = self._table.flows
        self._previous: Segment | None = None
        self._unacked_max = self._table.limits.unacked_max

    @property
    def conversations(self) -> list[Conversation]:
        """Those that are remembered, in the order of their first segments."""
        return self._table.conversations()

    def remember(self, limits: MemoryLimits) -> None:
        """
        Remember more or less from now on. What is beyond the limits already is forgotten with time.

        @param limits: how much.
        """
        self._table.limits = limits
        self._unacked_max = limits.unacked_max

    @property
    def streams(self) -> int:
        """How many there were, forgotten ones included."""
        return self._table.streams

    def stream_of(self, key: bytes) -> int | None:
        """
        Name the conversation that a segment would belong to now.

        @param key: as L{Segment.key}, of either direction.
        @return: its number; C{None} if there is none, or it is forgotten.
        """
        flow = self._flows.get(key)
        return None if flow is None else flow.conversation.stream

    def analyse(self, segment: Segment) -> Analysed:
        """
        Follow one segment. To be called in the order of capture.
        """
        (
            record,
            key,
            _,
            _,
            seq,
            ack,
            flags,
            window,
            options,
            length,
            _,
            _,
            tcp_at,
            payload_at,
            _,
            is_partial,
            _,
        ) = segment
        number = record[0]
        time_ns = record[1]
        found = self._flows.get(key)
        marks = 0
        if found is None or flags & 0x02 or is_partial:
            found, marks, is_new = self._table.find(segment, found)
            if is_partial:
                return opening.take_part(segment, found, marks, is_new=is_new)
        else:
            is_new = False
        fwd: Flow = found
        rev = fwd.peer
        conversation = fwd.conversation
        next_seq = fwd.next_seq
        last_ack = fwd.last_ack
        duplicate_ack_number = duplicate_ack_frame = 0

        if fwd.frames == 0 and fwd.base is None:
            fwd.base = seq if flags & 0x02 else (seq - 1) & _MASK
        fwd.frames += 1
        if flags & _ACK:
            if rev.base is None:
                rev.base = (ack - 1) & _MASK
            rev.is_flight_known = True
            fwd.rcv_nxt = ack

        # What the segment is by itself: probes, keep-alives, updates, repeated ACKs.
        if length == 1 and seq == next_seq and rev.window_field == 0:
            marks |= _ZERO_WINDOW_PROBE
        else:
            if window == 0 and not flags & _SYN_FIN_RST:
                marks |= _ZERO_WINDOW
            if seq != next_seq:
                if next_seq and (seq - next_seq) & _MASK <= _HALF and not flags & 0x04:
                    marks |= _LOST_SEGMENT
                    fwd.is_flight_known = False
                if length <= 1 and (seq + 1) & _MASK == next_seq and not flags & _SYN_FIN_RST:
                    marks |= _KEEP_ALIVE
            if length:
                if rev.window_shift != -1 and not flags & _SYN_FIN_RST:
                    offered = rev.window_field
                    if rev.window_shift > 0 and not rev.awaits_first_ack:
                        offered <<= rev.window_shift
                    if (seq + length - rev.last_ack - offered) & _MASK == 0:
                        marks |= _WINDOW_FULL
            elif ack == last_ack and seq == next_seq and not flags & _SYN_FIN_RST:
                if window != fwd.window_field:
                    if window:
                        marks |= _WINDOW_UPDATE
                elif window:
                    if rev.last_marks & _KEEP_ALIVE:
                        marks |= _KEEP_ALIVE_ACK
                    elif fwd.multipath == conversation.multipath:
                        count = fwd.duplicate_acks
                        count = (count + 1) & _MASK or 1
                        fwd.duplicate_acks = duplicate_ack_number = count
                        duplicate_ack_frame = fwd.first_ack_frame
                        marks |= _DUPLICATE_ACK
                elif rev.last_marks & _ZERO_WINDOW_PROBE:
                    marks |= _ZERO_WINDOW_PROBE_ACK

        if ack != last_ack:
            fwd.first_ack_frame = number
            fwd.duplicate_acks = 0

        # An ACK of what was not seen.
        ackable = rev.max_ackable
        if ackable and ack != ackable and (ack - ackable) & _MASK <= _HALF and flags & _ACK:
            if (ackable - rev.next_seq) & _MASK >= _HALF:
                rev.max_ackable = rev.next_seq
                marks |= _ACK_LOST_SEGMENT
            else:
                if rev.duplicate_acks == 0:
                    marks |= _ACK_LOST_SEGMENT
                rev.duplicate_acks = UNSEEN_WAS_ACKED

        acked_frame = rto_frame = 0
        rtt_ns = rto_ns = bytes_in_flight = push_bytes_sent = None

        # Numbers that were seen before: why?
        if length or flags & _SYN_FIN:
            end = (seq + length) & _MASK
            if not marks & _KEEP_ALIVE:
                is_old = (
                    next_seq != 0
                    and (seq - next_seq) & _MASK >= _HALF
                    and not (length > 1 and (seq + 1) & _MASK == next_seq)
                )
                peer_ack = rev.last_ack
                if length and peer_ack and (end == peer_ack or (end - peer_ack) & _MASK >= _HALF):
                    marks |= _SPURIOUS_RETRANSMISSION
                elif is_old:
                    if (
                        rev.duplicate_acks >= 2
                        and peer_ack == seq
                        and (time_ns - rev.last_ns) & _UNSIGNED < _FAST_NS
                    ):
                        marks |= _FAST_RETRANSMISSION
                    elif (time_ns - fwd.next_seq_ns) & _UNSIGNED < (
                        conversation.initial_rtt_ns & _UNSIGNED or _REORDER_NS
                    ) and next_seq != (end + 1 if flags & _SYN_FIN else end) & _MASK:
                        marks |= _OUT_OF_ORDER
                    else:
                        marks |= _RETRANSMISSION
                        if fwd.unacked:
                            _, _, rto_frame, since = fwd.unacked[0]
                        else:
                            rto_frame, since = fwd.next_seq_frame, fwd.next_seq_ns
                        rto_ns = time_ns - since
                        if rto_ns == 0:
                            rto_ns, rto_frame = None, 0
            unacked = fwd.unacked
            if len(unacked) < self._unacked_max:
                if flags & _SYN_FIN:
                    end = (end + 1) & _MASK
                if not unacked:
                    fwd.is_ordered = True
                elif seq != unacked[-1][1] and not (
                    (seq - unacked[-1][1]) & _MASK < _HALF and (end - unacked[0][0]) & _MASK < _HALF
                ):
                    fwd.is_ordered = False
                unacked.append((seq, end, number, time_ns))
                fwd.scanned_ack = -1
            elif len(unacked) < UNACKED_MAX and not fwd.is_cut:
                self._table.cut(fwd, number)
            fwd.payload_bytes += length
        else:
            end = seq

        if not marks & _ZERO_WINDOW_PROBE:
            if next_seq == 0 or (end != next_seq and (end - next_seq) & _MASK <= _HALF):
                fwd.next_seq = next_seq = end
                fwd.next_seq_frame = number
                fwd.next_seq_ns = time_ns
            if fwd.max_ackable in (0, seq):
                fwd.max_ackable = next_seq

        fwd.window_field = window
        fwd.last_ack = ack
        fwd.last_ns = time_ns
        fwd.last_marks = marks
        if conversation.multipath:
            fwd.multipath = conversation.multipath
        conversation.last_frame = number

        # What of the peer's this acknowledges: most often all that is outstanding.
        unacked = rev.unacked
        if unacked and rev.scanned_ack != ack:
            if unacked[-1][1] == ack and rev.is_ordered:
                _, _, acked_frame, since = unacked[-1]
                unacked.clear()
                rev.measured = None
            else:
                acked_frame, since = acknowledge(rev, ack)
            if acked_frame:
                rtt_ns = (time_ns - since) or None

        if length and fwd.is_flight_known and fwd.unacked:
            in_flight = (extent(fwd) - rev.sacked) & _MASK
            pushed = length if fwd.was_pushed else fwd.pushed_bytes + length
            fwd.was_pushed = flags & _PSH != 0
            fwd.pushed_bytes = pushed
            if 0 < in_flight < _FLIGHT_MAX:
                if flags & _SYN_FIN:
                    in_flight -= 1
                if in_flight:
                    bytes_in_flight = in_flight
                    push_bytes_sent = pushed

        # What holds for the segments after this one. A header that is too short to be one is not
        # believed.
        fwd.sacked = 0
        if payload_at - tcp_at >= 20:
            if is_new:
                states.begin(conversation, flags, length)
            elif flags & _SYN_FIN_RST:
                conversation.seen |= states.shown(flags, length)
            elif flags & _SYN_ACK == _ACK:
                conversation.seen |= 8 if length else 4
            if options and (options[:4] != _TIMESTAMPS_ONLY or len(options) != 12):
                opening.take_options(fwd, segment)
            if flags & _SYN_FIN_RST or not conversation.is_settled:
                states.follow(fwd, segment)
                if conversation.is_over:
                    self._table.close(conversation)
        previous = self._previous
        if previous is not None and previous[4] == seq and previous[1] == key:
            opening.compare(conversation, previous, segment)
        self._previous = segment
        return _new(
            Analysed,
            (
                segment,
                conversation,
                fwd,
                marks,
                bytes_in_flight,
                push_bytes_sent,
                acked_frame,
                rtt_ns,
                duplicate_ack_number,
                duplicate_ack_frame,
                rto_ns,
                rto_frame,
            ),
        )
