"""
Claims that people make about captures, judged by the frames alone.

Each function takes a story and gives a finding: PASS where the frames bear the claim out, FAIL
where they refute it, UNKNOWN where they cannot tell. L{CLAIMS} are the ones that were once made
about the five reference exchanges; all are refuted there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from netlab.analysis.explanation.findings import Finding, Verdict
from netlab.analysis.explanation.story import CaptureStory, ConversationStory, FrameKind, FrameStory
from netlab.analysis.observations.facts import IDLE_MIN_NS
from netlab.analysis.words.units import count, duration


class Misconception(NamedTuple):
    """
    A claim about an exchange.

    @ivar exchange: The reference exchange that it was made about, or C{any}.
    @ivar text: The claim.
    @ivar judge: From a story to a finding about it.
    """

    exchange: str
    text: str
    judge: Callable[[CaptureStory], Finding]


class _End(NamedTuple):
    """
    How one conversation ended.
    """

    fins: tuple[FrameStory, ...]
    idle_ns: int

    @property
    def closer(self) -> str:
        if not self.fins:
            return "nobody"
        return "the client" if self.fins[0].is_from_client else "the server"


def numbers_count_bits(story: CaptureStory) -> Finding:
    """
    Claim that sequence numbers count bits: that a SYN takes one, or that all bits are acknowledged.
    """
    rule = "numbers-count-bits"
    data = [frame for frame in _frames(story) if frame.len and "SYN" not in frame.flags]
    syns = [frame for frame in _frames(story) if "SYN" in frame.flags and not frame.len]
    if not data or not syns:
        return _unknown(rule, "There is no SYN or no data to count by.")
    syn, first = syns[0], data[0]
    taken = first.nxtseq - first.seq - ("FIN" in first.flags)
    holds = taken == 8 * first.len
    equation = (
        f"#{first.number}: {first.nxtseq} − {first.seq} = {taken} numbers for {first.len} bytes "
        f"({8 * first.len} bits); #{syn.number}: {syn.nxtseq} − {syn.seq} = 1 number for a SYN "
        "without a byte"
    )
    sentence = (
        "Sequence numbers count bytes; SYN and FIN consume one number each, though they are one "
        "bit of the header and no byte of data."
    )
    return Finding(rule, _sorted(syn, first), equation, _verdict(holds), sentence)


def numbers_begin_alike(story: CaptureStory) -> Finding:
    """
    Claim that the raw number is where the stack starts, the same each time.
    """
    rule = "numbers-begin-alike"
    syns = [frame for frame in _frames(story) if "SYN" in frame.flags]
    if len(syns) < 2:
        return _unknown(rule, "Fewer than two SYNs were captured.")
    numbers = [frame.seq_raw for frame in syns]
    equation = " ≠ ".join(f"{frame.seq_raw} (#{frame.number})" for frame in syns[:6])
    sentence = (
        "Each direction of each connection begins at a random number of its own (RFC 9293 section "
        "3.4.1); a dissector's relative numbers only hide that."
    )
    return Finding(rule, _sorted(*syns), equation, _verdict(len(set(numbers)) == 1), sentence)


def answered_close(story: CaptureStory, first: str, stream: int = 0) -> Finding:
    """
    Claim that one end closed and the other then answered with its own FIN.

    @param story: The story.
    @param first: C{client} or C{server}: who closed, by the claim.
    @param stream: In which conversation.
    """
    rule = "answered-close"
    end = _end(story, stream)
    if len(end.fins) < 2:
        return _unknown(rule, "Not both ends closed in this capture.")
    one, two = end.fins
    has_answered = two.ack >= one.nxtseq
    holds = one.is_from_client == (first == "client") and has_answered
    relation = "≥" if has_answered else "<"
    equation = (
        f"#{two.number}: ack {two.ack} {relation} {one.nxtseq}, the number after the FIN of "
        f"#{one.number} ({'client' if one.is_from_client else 'server'})"
    )
    sentence = (
        f"#{one.number} came first and #{two.number} acknowledges it: the second FIN is an answer."
        if has_answered
        else f"The FIN of #{two.number} does not acknowledge that of #{one.number}: it left before "
        "the other had arrived. A simultaneous close; neither answers the other."
    )
    return Finding(rule, _sorted(one, two), equation, _verdict(holds), sentence)


def one_close_handshake(story: CaptureStory, stream: int = 0) -> Finding:
    """
    Claim that the close is one handshake of four parts, seen in the order 1, 3, 4, 2.
    """
    rule = "one-close-handshake"
    end = _end(story, stream)
    if len(end.fins) < 2:
        return _unknown(rule, "Not both ends closed in this capture.")
    one, two = end.fins
    frames = _conversation(story, stream).frames
    ack_one = _ack_of(one, frames)
    ack_two = _ack_of(two, frames)
    if ack_one is None or ack_two is None:
        return _unknown(rule, "Not both FINs were acknowledged in this capture.")
    order = sorted((one, two, ack_one, ack_two), key=lambda frame: frame.number)
    kinds = " ".join("FIN" if "FIN" in frame.flags else "ACK" for frame in order)
    equation = (
        f"{kinds}: FIN #{one.number} + ACK #{ack_one.number}, FIN #{two.number} + ACK "
        f"#{ack_two.number}"
    )
    depends = two.ack >= one.nxtseq
    holds = depends and [ack_one.number, ack_two.number] == [order[3].number, order[2].number]
    sentence = (
        "Two half-closes that do not wait for each other: each is a FIN and its ACK, and each "
        "direction closes by itself (RFC 9293 section 3.6)."
    )
    return Finding(rule, _sorted(one, two, ack_one, ack_two), equation, _verdict(holds), sentence)


def two_connections_a_request(story: CaptureStory) -> Finding:
    """
    Claim that a browser opens two connections for every request.
    """
    rule = "two-connections-a-request"
    asked = {each.stream: _requests(each) for each in story.conversations}
    total = sum(asked.values())
    used = [stream for stream, number in asked.items() if number]
    spare = [stream for stream, number in asked.items() if not number]
    if not total:
        return _unknown(rule, "There is no request.")
    frames = tuple(each.frames[0].number for each in story.conversations if each.frames)
    equation = f"{count(total, 'request')} on {count(len(used), 'connection')}"
    sentence = f"Each request rode on one connection: {count(total, 'request')} in all."
    if spare:
        equation += f", {count(len(spare), 'spare connection')} with 0 bytes"
        sentence += " A spare one was opened in advance and carried nothing."
    return Finding(rule, frames, equation, _verdict(len(used) >= 2 * total), sentence)


def waits_for_keep_alive(story: CaptureStory) -> Finding:
    """
    Claim that the server waited before its FIN because the client had said keep-alive.
    """
    rule = "waits-for-keep-alive"
    ends = {each.stream: _end(story, each.stream) for each in story.conversations}
    waits = {
        stream: end
        for stream, end in ends.items()
        if end.closer == "the server" and end.idle_ns >= IDLE_MIN_NS
    }
    if not waits:
        return _unknown(rule, "The server did not wait before a FIN.")
    equation = "; ".join(
        f"{duration(end.idle_ns)} idle before #{end.fins[0].number} "
        f"({count(_requests(_conversation(story, stream)), 'request')})"
        for stream, end in waits.items()
    )
    sentence = (
        "The wait is the server's idle timeout: it runs anew from the connection's last activity, "
        "whatever was said before"
    )
    if any(not _requests(_conversation(story, stream)) for stream in waits):
        sentence += "; a connection on which nobody said anything waited just as long"
    frames = tuple(end.fins[0].number for end in waits.values())
    return Finding(rule, frames, equation, Verdict.FAIL, sentence + ".")


def carries_status(story: CaptureStory, number: int, status: int) -> Finding:
    """
    Claim that a frame carries an answer's status.

    @param story: The story, with payloads.
    @param number: The frame.
    @param status: The status.
    """
    rule = "carries-status"
    frames = {frame.number: frame for frame in _frames(story)}
    start = b"HTTP/1.1 %d " % status
    found = [frame for frame in frames.values() if frame.payload.startswith(start)]
    if number not in frames or not found:
        return _unknown(rule, "The frame, or the status, is not in this capture.")
    frame = frames[number]
    equation = (
        f"#{number}: {', '.join(frame.flags)}, length of payload {frame.len}; status {status} "
        f"begins the {found[0].len} bytes of #{found[0].number}"
    )
    sentence = (
        f"The {status} travelled in #{found[0].number}. Without a length its end is the end of the "
        "stream, which is why a dissector prints it at the FIN."
    )
    holds = any(each.number == number for each in found)
    return Finding(rule, _sorted(frame, found[0]), equation, _verdict(holds), sentence)


def closed_first(story: CaptureStory, who: str, stream: int = 0) -> Finding:
    """
    Claim that one end closed first.

    @param story: The story.
    @param who: C{client} or C{server}, by the claim.
    @param stream: In which conversation.
    """
    rule = "closed-first"
    end = _end(story, stream)
    if not end.fins:
        return _unknown(rule, "Neither end closed in this capture.")
    equation = " before ".join(
        f"FIN #{frame.number} ({'client' if frame.is_from_client else 'server'})"
        for frame in end.fins
    )
    sentence = f"{end.closer.capitalize()} closed first, in #{end.fins[0].number}."
    holds = end.fins[0].is_from_client == (who == "client")
    return Finding(rule, _sorted(*end.fins), equation, _verdict(holds), sentence)


def closed_after_idling(story: CaptureStory, who: str, stream: int) -> Finding:
    """
    Claim that one end closed first, after the connection had been idle.

    @param story: The story.
    @param who: C{client} or C{server}, by the claim.
    @param stream: In which conversation.
    """
    rule = "closed-after-idling"
    end = _end(story, stream)
    if len(end.fins) < 2:
        return _unknown(rule, "Not both ends closed in this capture.")
    one, two = end.fins
    later = two.time_ns - one.time_ns
    equation = (
        f"{end.closer}'s FIN #{one.number} after {duration(end.idle_ns)} idle; the other's "
        f"#{two.number} another {duration(later)} later"
    )
    holds = one.is_from_client == (who == "client") and end.idle_ns >= IDLE_MIN_NS
    sentence = f"{end.closer.capitalize()} closed when its time was over, the other end later."
    return Finding(rule, _sorted(one, two), equation, _verdict(holds), sentence)


def same_as_before(story: CaptureStory, stream: int, before: int) -> Finding:
    """
    Claim that a conversation is the same as one before.

    @param story: The story.
    @param stream: The conversation.
    @param before: The one before.
    """
    rule = "same-as-before"
    one, two = _conversation(story, before), _conversation(story, stream)
    ends = [_end(story, each.stream) for each in (one, two)]
    bytes_sent = [sum(frame.len for frame in each.frames) for each in (one, two)]
    waited = [end.idle_ns >= IDLE_MIN_NS for end in ends]
    equation = "; ".join(
        f"conversation {each.stream}: {count(_requests(each), 'request')}, "
        f"{count(size, 'byte')}, {_ending(end)}"
        for each, size, end in zip((one, two), bytes_sent, ends, strict=True)
    )
    holds = bytes_sent[0] == bytes_sent[1] and waited[0] == waited[1]
    sentence = (
        "They are alike." if holds else "They differ in what they carried, and in why they ended."
    )
    frames = (one.frames[0].number, two.frames[0].number)
    return Finding(rule, frames, equation, _verdict(holds), sentence)


def end_alike(story: CaptureStory, one: int, two: int) -> Finding:
    """
    Claim that two conversations end alike.

    @param story: The story.
    @param one: The one conversation.
    @param two: The other.
    """
    rule = "end-alike"
    ends = [_end(story, stream) for stream in (one, two)]
    if not all(end.fins for end in ends):
        return _unknown(rule, "Not both conversations were closed in this capture.")
    equation = "; ".join(
        f"conversation {stream}: {_ending(end)}"
        for stream, end in zip((one, two), ends, strict=True)
    )
    waited = [end.idle_ns >= IDLE_MIN_NS for end in ends]
    holds = ends[0].closer == ends[1].closer and waited[0] == waited[1]
    sentence = (
        "The same end closed both, for the same reason."
        if holds
        else "One was closed by the server's idle timeout, the other by its client."
        if {ends[0].closer, ends[1].closer} == {"the client", "the server"} and any(waited)
        else "They were closed by different ends, or for different reasons."
    )
    return Finding(
        rule, _sorted(ends[0].fins[0], ends[1].fins[0]), equation, _verdict(holds), sentence
    )


#: What was claimed about the reference exchanges.
CLAIMS: Final = (
    Misconception(
        "any",
        "SYN takes one bit; the ACK acknowledged all the bits",
        numbers_count_bits,
    ),
    Misconception("any", "the raw number is where the stack starts", numbers_begin_alike),
    Misconception(
        "echo",
        "the server closed and the client then answered",
        partial(answered_close, first="server"),
    ),
    Misconception(
        "echo",
        "the close is one four-part handshake in the order 1, 3, 4, 2",
        one_close_handshake,
    ),
    Misconception(
        "redirect",
        "a browser opens two connections for every request",
        two_connections_a_request,
    ),
    Misconception(
        "notfound",
        "a browser opens two connections for every request",
        two_connections_a_request,
    ),
    Misconception(
        "single_fin",
        "the server waited before its FIN because the client said keep-alive",
        waits_for_keep_alive,
    ),
    Misconception(
        "notfound",
        "the server waited before its FIN because the client said keep-alive",
        waits_for_keep_alive,
    ),
    Misconception(
        "redirect", "frame 8 carries the 301", partial(carries_status, number=8, status=301)
    ),
    Misconception("redirect", "the client closed first", partial(closed_first, who="client")),
    Misconception(
        "redirect",
        "after a second the client closes",
        partial(closed_after_idling, who="client", stream=1),
    ),
    Misconception(
        "notfound",
        "the second connection is the same as before",
        partial(same_as_before, stream=1, before=0),
    ),
    Misconception("double_fin", "both connections end alike", partial(end_alike, one=0, two=1)),
)


def _frames(story: CaptureStory) -> list[FrameStory]:
    frames = [frame for each in story.conversations for frame in each.frames]
    return sorted(frames, key=lambda frame: frame.number)


def _conversation(story: CaptureStory, stream: int) -> ConversationStory:
    return next(each for each in story.conversations if each.stream == stream)


def _end(story: CaptureStory, stream: int) -> _End:
    """
    Find a conversation's FINs, and how long it had been idle before the first.
    """
    frames = _conversation(story, stream).frames
    fins: dict[bool, FrameStory] = {}
    active = frames[0].time_ns
    idle = 0
    for frame in frames:
        if frame.len or frame.kind is FrameKind.OPENING:
            active = frame.time_ns
        if "FIN" in frame.flags and frame.is_from_client not in fins:
            if not fins:
                idle = frame.time_ns - active
            fins[frame.is_from_client] = frame
    return _End(tuple(sorted(fins.values(), key=lambda frame: frame.number)), idle)


def _ack_of(fin: FrameStory, frames: Sequence[FrameStory]) -> FrameStory | None:
    """
    Find the frame that acknowledged a FIN.
    """
    return next(
        (
            frame
            for frame in frames
            if frame.is_from_client != fin.is_from_client
            and frame.number > fin.number
            and frame.ack >= fin.nxtseq
        ),
        None,
    )


def _requests(conversation: ConversationStory) -> int:
    """
    Count what the client asked: its turns to send.
    """
    turns = 0
    was_client = False
    for frame in conversation.frames:
        if frame.len:
            turns += frame.is_from_client and not was_client
            was_client = frame.is_from_client
    return turns


def _ending(end: _End) -> str:
    if not end.fins:
        return "not closed"
    return (
        f"closed first by {end.closer} (#{end.fins[0].number}) after {duration(end.idle_ns)} idle"
    )


def _verdict(holds: bool) -> Verdict:
    return Verdict.PASS if holds else Verdict.FAIL


def _unknown(rule: str, sentence: str) -> Finding:
    return Finding(rule, (), "", Verdict.UNKNOWN, sentence)


def _sorted(*frames: FrameStory) -> tuple[int, ...]:
    return tuple(sorted({frame.number for frame in frames}))
