"""
The rules that every frame obeys, each applied to one frame: values, and a verdict.

RFC 9293 gives the arithmetic (section 3.4: SYN and FIN take one sequence number each, data one a
byte), RFC 7323 section 2 the window's scale. A rule whose values were not captured gives
L{Verdict.UNKNOWN}, never L{Verdict.FAIL}: FAIL says that a number is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from netlab.analysis.explanation.books import SegmentContext
from netlab.analysis.explanation.findings import Finding, Verdict
from netlab.analysis.tcp.frames import Mark
from netlab.analysis.words.units import cite, count, duration
from netlab.capture.records import LinkType
from netlab.capture.segments import Checksum, Flag

_ACK: Final = int(Flag.ACK)
_SYN: Final = int(Flag.SYN)
_FIN: Final = int(Flag.FIN)
_RST: Final = int(Flag.RST)
_MODULUS: Final = 1 << 32

#: What L{netlab.analysis.tcp.conversation.Flow.window_shift} is where no SYN was seen.
_SHIFT_UNKNOWN: Final = -1

_LINK_NAMES: Final = {
    LinkType.NULL: "loopback",
    LinkType.LOOP: "loopback",
    LinkType.ETHERNET: "Ethernet",
    LinkType.LINUX_SLL: "Linux cooked",
    LinkType.LINUX_SLL2: "Linux cooked",
}


def link_name(link_type: int) -> str:
    """
    Name a link layer.

    @param link_type: The registry's LINKTYPE_ number.
    """
    return next((name for known, name in _LINK_NAMES.items() if known == link_type), "link")


def findings_of(entry: SegmentContext) -> tuple[Finding, ...]:
    """
    Apply every rule that concerns a frame.

    @param entry: The frame in its conversation's books.
    @return: The findings, the one that explains most first.
    """
    return tuple(_findings(entry))


def _findings(entry: SegmentContext) -> Iterator[Finding]:
    flags = entry.analysed.segment.flags
    if flags & _ACK:
        yield acknowledgement(entry)
    yield sequence(entry)
    if entry.analysed.segment.seglen:
        yield next_sequence(entry)
    if not flags & _RST:
        yield window(entry)
    if entry.analysed.len:
        yield from _room(entry)
    yield frame_length(entry)
    if entry.checksum is not Checksum.ZEROED:
        # That none was filled in yet is said once, of the whole capture.
        yield checksum(entry)
    if entry.analysed.rtt_ns is not None and entry.analysed.acked_frame:
        yield round_trip(entry)


def acknowledgement(entry: SegmentContext) -> Finding:
    """
    The acknowledgement number is the next number expected of the peer: all that it has sent, added
    up (RFC 9293 section 3.4).
    """
    assert entry.ack is not None
    raw, number = entry.analysed.ack_raw, entry.analysed.number
    total = entry.peer.sum_to(entry.ack)
    equation = f"ack {raw} = {total.text}"
    wraps = entry.ack + entry.peer.base >= _MODULUS
    if wraps:
        equation += " modulo 2^32"
    frames = tuple(sorted({*total.frames, number}))
    relative = entry.analysed.ack
    answers_syn = bool(entry.analysed.segment.flags & _SYN) and entry.peer.has_isn
    if total.is_captured and not (answers_syn and entry.ack < 1):
        sentence = (
            f"It expects number {relative} (relative) next: it has everything before, and each of "
            "the numbers before has a frame that carried it."
        )
        return Finding("acknowledgement", frames, equation, Verdict.PASS, sentence)
    if answers_syn and entry.answers_sure:
        sentence = (
            "A SYN that answers a SYN must acknowledge exactly what came with it, so that old "
            "connections are not mistaken for new ones (RFC 9293 section 3.10.7.3)."
        )
        return Finding("acknowledgement", frames, equation, Verdict.FAIL, sentence)
    if answers_syn:
        sentence = (
            "It does not acknowledge the SYN that is here; it may answer one that was missed, "
            "between the same ports."
        )
        return Finding("acknowledgement", frames, equation, Verdict.UNKNOWN, sentence)
    if entry.peer_final is not None and entry.ack > entry.peer_final:
        sentence = "It acknowledges numbers after the peer's FIN, and nothing can follow a FIN."
        return Finding("acknowledgement", frames, equation, Verdict.FAIL, sentence)
    if entry.peer_fin is not None and entry.ack > entry.peer_fin + 1:
        sentence = (
            "It acknowledges numbers after a FIN of the peer, and nothing can follow a FIN: the "
            "two disagree, and the capture does not tell which one is wrong."
        )
        return Finding("acknowledgement", frames, equation, Verdict.UNKNOWN, sentence)
    sentence = (
        "It acknowledges numbers that no frame of this capture carries: they travelled before it "
        "began, or were missed."
    )
    return Finding("acknowledgement", frames, equation, Verdict.UNKNOWN, sentence)


def sequence(entry: SegmentContext) -> Finding:
    """
    The sequence number is that of the first byte: it follows the last number sent, or repeats one.
    """
    analysed = entry.analysed
    raw, number = analysed.seq_raw, analysed.number
    flags = analysed.segment.flags
    if flags & _SYN:
        equation = f"seq {raw} = ISN {raw}"
        sentence = (
            "The initial sequence number. The sender chose it at random, so that it cannot be "
            "guessed (RFC 9293 section 3.4.1); all later numbers count from it, and a dissector "
            "shows it as 0."
        )
        if entry.expected == 0 or entry.start == 0:
            return Finding("sequence", (number,), equation, Verdict.NOTED, sentence)
    total = entry.own.sum_to(entry.start)
    equation = f"seq {raw} = {total.text}"
    if entry.start + entry.own.base >= _MODULUS:
        equation += " modulo 2^32"
    frames = tuple(sorted({*total.frames, number}))
    is_probe = bool(analysed.marks & (Mark.KEEP_ALIVE | Mark.ZERO_WINDOW_PROBE))
    fin = entry.own_fin
    # A keep-alive of old stacks brings one byte, at the number before the next: the FIN's.
    if fin is not None and analysed.len and entry.start + analysed.len > fin and not is_probe:
        # What continues within or right after the numbers of the FIN belongs to this connection.
        if entry.own_final is not None and entry.start <= entry.own_final:
            sentence = "Data with numbers after its sender's FIN, and nothing can follow a FIN."
            return Finding("sequence", frames, equation, Verdict.FAIL, sentence)
        sentence = (
            "Data with numbers after a FIN, and nothing can follow a FIN: one of the two is not "
            "what it seems (damaged, injected by a third party, or of a later connection), and "
            "the capture does not show which."
        )
        return Finding("sequence", frames, equation, Verdict.UNKNOWN, sentence)
    if entry.start == entry.expected:
        verdict = Verdict.PASS if total.is_captured else Verdict.UNKNOWN
        return Finding(
            "sequence", frames, equation, verdict, "It continues where the last one ended."
        )
    if entry.start > entry.expected:
        gap = entry.start - entry.expected
        sentence = (
            f"{count(gap, 'number')} before it {'is' if gap == 1 else 'are'} missing so far: lost, "
            "overtaken, or not captured."
        )
        return Finding("sequence", frames, equation, Verdict.UNKNOWN, sentence)
    back = entry.expected - entry.start
    if is_probe:
        sentence = (
            "A number that the peer has already: it only asks whether the peer is still there."
        )
    elif analysed.segment.seglen:
        earlier = entry.own.frames_around(max(entry.start, 0), entry.expected)
        before = tuple(frame for frame in earlier if frame < number)
        told = f" that {cite(before)} carried" if before else ""
        sentence = f"It goes back by {count(back, 'number')}{told}: sent again, or overtaken."
    else:
        sentence = f"It lags by {count(back, 'number')}: it was overtaken by what was sent later."
    return Finding("sequence", frames, equation, Verdict.NOTED, sentence)


def next_sequence(entry: SegmentContext) -> Finding:
    """
    The next sequence number is this one, plus the bytes of data, plus one each for SYN and FIN.
    """
    analysed, segment = entry.analysed, entry.analysed.segment
    terms = [f"{analysed.seq}"]
    if segment.flags & _SYN:
        terms.append("1 (SYN)")
    if segment.length:
        terms.append(f"{segment.length} (payload)")
    if segment.flags & _FIN:
        terms.append("1 (FIN)")
    following = (analysed.seq + segment.seglen) % _MODULUS
    equation = f"next seq {following} = {' + '.join(terms)}"
    sentence = "Sequence numbers count bytes, not bits; SYN and FIN consume one number each."
    return Finding("next-sequence", (analysed.number,), equation, Verdict.NOTED, sentence)


def window(entry: SegmentContext) -> Finding:
    """
    The window is the field, shifted by what its sender's SYN said, and never in a SYN.
    """
    analysed, flow = entry.analysed, entry.analysed.flow
    field, size, number = analysed.window_size_value, analysed.window_size, analysed.number
    if analysed.segment.flags & _SYN:
        equation = f"window {size} = {field}"
        sentence = "In a SYN the window is never scaled (RFC 7323 section 2.2)."
        return Finding("window", (number,), equation, Verdict.NOTED, sentence)
    if flow.window_shift == _SHIFT_UNKNOWN:
        equation = f"window {field} × 2^?"
        sentence = "The scale was announced in the SYN, which was not captured."
        return Finding("window", (number,), equation, Verdict.UNKNOWN, sentence)
    shift = max(flow.window_shift, 0)
    equation = f"window {size} = {field} × 2^{shift}"
    if shift:
        sentence = (
            f"The field counts units of {1 << shift} bytes, as the sender's SYN announced: it "
            "accepts that much beyond its acknowledgement number."
        )
    else:
        sentence = "The field counts bytes: the SYNs did not agree on a scale, or on a scale of 0."
    return Finding("window", (number,), equation, Verdict.NOTED, sentence)


def _room(entry: SegmentContext) -> Iterator[Finding]:
    """
    Data keeps within the peer's segment size and window.
    """
    analysed = entry.analysed
    size, number = analysed.len, analysed.number
    end = entry.start + size
    if entry.limit is not None and entry.ack is not None:
        room = entry.limit - entry.start
        equation = f"{size} ≤ {room} left of the window (#{entry.limit_frame})"
        frames = (entry.limit_frame, number)
        if end <= entry.limit:
            sentence = "It fits into the window that the peer offered."
            yield Finding("window-room", frames, equation, Verdict.PASS, sentence)
        else:
            equation = equation.replace("≤", ">")
            sentence = (
                "It goes beyond every window of the peer in this capture: a probe of a full "
                "window, or the capture lacks the offer."
            )
            yield Finding("window-room", frames, equation, Verdict.UNKNOWN, sentence)
    if entry.peer_mss is not None:
        frames = (entry.peer_syn_frame, number)
        if size <= entry.peer_mss:
            equation = f"{size} ≤ MSS {entry.peer_mss} (#{entry.peer_syn_frame})"
            sentence = "It does not exceed the MSS of the peer's SYN."
            yield Finding("segment-size", frames, equation, Verdict.PASS, sentence)
        else:
            equation = f"{size} > MSS {entry.peer_mss} (#{entry.peer_syn_frame})"
            sentence = (
                "Longer than a segment may be on the wire: the capture shows it before the network "
                "card cut it up, or after it was joined (segmentation offload)."
            )
            yield Finding("segment-size", frames, equation, Verdict.UNKNOWN, sentence)


def frame_length(entry: SegmentContext) -> Finding:
    """
    A frame is as long as its headers, its payload and its padding.
    """
    segment, number = entry.analysed.segment, entry.analysed.number
    if segment.fragments:
        equation = f"{segment.length} bytes of payload from {cite(segment.fragments)}"
        sentence = "The datagram arrived in fragments and was reassembled."
        frames = tuple(sorted(segment.fragments))
        return Finding("frame-length", frames, equation, Verdict.NOTED, sentence)
    link = link_name(segment.record.interface.link_type)
    parts = [
        f"{segment.link_bytes} ({link})",
        f"{segment.ip_bytes} (IPv{segment.ip_version})",
        f"{segment.tcp_bytes} (TCP)",
        f"{segment.length} (payload)",
    ]
    if not segment.link_bytes:
        del parts[0]
    padding = segment.padding_bytes
    whole = segment.record.length - min(padding, 0)
    verdict = Verdict.NOTED
    if padding > 0:
        parts.append(f"{padding} (padding)")
        sentence = f"On Ethernet a frame has at least 60 bytes; {padding} are padding."
        if segment.record.length != 60:
            sentence = f"{count(padding, 'byte')} after the packet belong to the link, not to IP."
    elif padding < 0:
        verdict = Verdict.UNKNOWN
        sentence = (
            f"Only {segment.record.length} bytes are there; by the IP header {-padding} more "
            "are part of it."
        )
    else:
        sentence = "Headers and payload, and nothing else."
    if segment.tcp_bytes > 20:
        sentence += f" {segment.tcp_bytes - 20} of TCP's {segment.tcp_bytes} bytes are options."
    equation = f"length {whole} = {' + '.join(parts)}"
    return Finding("frame-length", (number,), equation, verdict, sentence)


def checksum(entry: SegmentContext) -> Finding:
    """
    The checksum covers addresses, header and payload (RFC 9293 section 3.1). Its value is not said:
    a reader who knows the rest of a segment can find out by it what was left out of a report.
    """
    match entry.checksum:
        case Checksum.GOOD:
            verdict, equation = Verdict.PASS, "checksum: right"
            sentence = "It is the sum of the segment, which arrived as it was sent."
        case Checksum.BAD:
            verdict, equation = Verdict.FAIL, "checksum: wrong"
            sentence = (
                "It is not the sum of the segment: damaged on the way, or changed after it was "
                "captured. A receiver drops such a segment, and its sender sends it again."
            )
        case Checksum.OFFLOADED:
            verdict, equation = Verdict.NOTED, "checksum: offloaded"
            sentence = (
                "It is the sum of the pseudo-header alone. The network card was to finish it: this "
                "frame was captured on the host that sent it, before it left."
            )
        case Checksum.ZEROED:
            verdict, equation = Verdict.UNKNOWN, "checksum: zero"
            sentence = "It was not filled in yet when the frame was captured."
        case Checksum.UNCHECKABLE:
            verdict, equation = Verdict.UNKNOWN, "checksum: not known"
            sentence = "Not all of the segment was captured."
    return Finding("checksum", (entry.analysed.number,), equation, verdict, sentence)


def round_trip(entry: SegmentContext) -> Finding:
    """
    How long after a segment its acknowledgement was seen.
    """
    analysed = entry.analysed
    assert analysed.rtt_ns is not None
    frames = (analysed.acked_frame, analysed.number)
    equation = f"{duration(analysed.rtt_ns)} after #{analysed.acked_frame}"
    sentence = "From the segment to its acknowledgement, as seen where this was captured."
    return Finding("round-trip", frames, equation, Verdict.NOTED, sentence)
