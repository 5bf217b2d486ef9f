"""
Which claims the frames refute.

Each rule looks at one claim and the frames, and nothing else; what it says is why the claim cannot
be true. A claim that no rule refutes need not be true, but a claim that one refutes is false.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.truth.claimed import Claimed, claims_of
from tests.truth.contradictions import RULES as CONTRADICTIONS
from tests.truth.contradictions import one_answer_each
from tests.truth.evidence import evidence_lacks
from tests.truth.frames import ACK, FIN, RST, SYN, Frame

_KNOWN: Final = ("seen", "follows", "possible")

#: No segment is counted as longer, however long its header says that it is.
_LENGTH_MAX: Final = 1 << 17

#: Within how long the same packet is captured again at another point.
_COPIES_NS: Final = 10_000_000

#: How a sentence says that it does not know.
_POSSIBLE: Final = re.compile(r"(?i)possibl|probabl|likely|perhaps|may |might |could |seem|suggest")

_CITED: Final = re.compile(r"#(\d+)")


@dataclass(frozen=True, slots=True)
class Refuted:
    """
    A claim that cannot be true.

    @ivar claim: the claim.
    @ivar why: what in the frames contradicts it.
    """

    claim: Claimed
    why: str

    def __str__(self) -> str:
        where = "" if self.claim.stream is None else f"conversation {self.claim.stream}: "
        claimed = f"{where}{self.claim.kind} {list(self.claim.frames)}"
        return f"{claimed}: {self.why}\n    {self.claim.sentence}"


def refuted(document: Mapping[str, Any], frames: Mapping[int, Frame]) -> list[Refuted]:
    """
    Find the claims of a JSON report that the capture's frames contradict.
    """
    by_stream: dict[int, list[Frame]] = {}
    for frame in frames.values():
        by_stream.setdefault(frame.stream, []).append(frame)
    found = []
    for claim in claims_of(document):
        talk = by_stream.get(claim.stream, []) if claim.stream is not None else []
        for rule in (*_RULES, *CONTRADICTIONS):
            why = rule(claim, frames, talk)
            if why:
                found.append(Refuted(claim, why))
    by_conversation: dict[int, list[Claimed]] = {}
    for claim in claims_of(document):
        if claim.stream is not None:
            by_conversation.setdefault(claim.stream, []).append(claim)
    for claims in by_conversation.values():
        found += [Refuted(claim, why) for claim, why in one_answer_each(claims)]
    return found


def _frames_are_there(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    A claim cites frames in ascending order, those of its conversation.
    """
    if list(claim.frames) != sorted(set(claim.frames)):
        return "its frames are not ascending"
    if claim.stream is None:
        return None
    for number in claim.frames:
        frame = frames.get(number)
        # What is cited beside segments (ICMP, DNS, ARP) has no stream to compare.
        is_of_others = claim.kind.startswith(("copies.", "reason.", "reasons."))
        if frame is None or frame.is_quoted or is_of_others:
            continue
        if frame.stream != claim.stream:
            return f"#{number} belongs to conversation {frame.stream}"
    return None


def _words_cite_what_the_claim_rests_on(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    A sentence cites no frame but those of its claim.
    """
    cited = {int(number) for number in _CITED.findall(claim.sentence)}
    beyond = sorted(
        number
        for number in cited - set(claim.frames)
        # "#4 to #9" spells out the ends of a run.
        if not claim.frames or not claim.frames[0] <= number <= claim.frames[-1]
    )
    return f"its words cite {beyond}, it does not" if beyond else None


def _is_known_somehow(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    What follows names its rule; what is possible names the causes, and so says its sentence.
    """
    if claim.known not in _KNOWN:
        return f"it is {claim.known!r}"
    if claim.known == "follows" and not claim.rule:
        return "it follows from no rule"
    if claim.known == "possible" and not claim.causes:
        return "it is possible and names no cause"
    if claim.causes and not _POSSIBLE.search(claim.sentence):
        return "it has possible causes, but is told as a fact"
    return None


def _durations_are_those_of_the_frames(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    No duration is negative, or longer than all that was captured.
    """
    if claim.kind.startswith("capture."):
        # The clock itself may be what it is about.
        return None
    times = [frame.time_ns for frame in frames.values()]
    whole = max(times) - min(times) if times else 0
    for name, value in claim.figures.items():
        if not name.endswith("_ns"):
            continue
        if value < 0:
            return f"{name} is negative: {value}"
        # What is not TCP may have been captured before and after it.
        if value > whole + 3_600 * 10**9:
            return f"{name} is {value}, longer than the capture"
    return None


def _sent_again_shares_bytes(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    What is sent again was sent before: the frame that is named carried those very bytes, earlier.
    """
    first = claim.figures.get("first_frame")
    if not claim.kind.startswith("repeats.") or not isinstance(first, int) or not claim.frames:
        return None
    # What reports a repeat comes after it.
    number = claim.figures.get("repeat_frame", claim.frames[-1])
    if claim.kind == "repeats.spurious-by-sack" and "repeat_frame" not in claim.figures:
        number = claim.frames[-2]
    repeat, original = frames.get(number), frames.get(first)
    if repeat is None or original is None:
        return f"#{first} or #{number} is no TCP segment"
    # A report that both arrived says nothing of their order.
    is_report = claim.kind == "repeats.spurious-by-sack"
    if is_report and max(original.number, repeat.number) >= claim.frames[-1]:
        return f"#{claim.frames[-1]} reports what comes after it"
    if original.number >= repeat.number and not is_report:
        return f"#{first} does not come before #{repeat.number}"
    is_same = repeat.carries_bytes_of(original)
    if claim.kind in {"repeats.other-bytes", "repeats.damaged"}:
        return f"#{repeat.number} carries the same bytes as #{first}" if is_same else None
    if claim.kind in {"repeats.syn", "repeats.syn-ack", "repeats.fin"}:
        return None if original.src == repeat.src else f"#{first} is of the other end"
    return f"#{first} carries no byte of #{repeat.number}" if is_same is False else None


def _three_duplicates_come_before(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    A fast retransmission needs three duplicate ACKs of its first number before it.
    """
    if claim.kind != "repeats.fast-retransmit":
        return None
    repeat = frames[claim.frames[-1]]
    asking = [
        frame
        for frame in talk
        if frame.number < repeat.number
        and frame.src != repeat.src
        and frame.has(ACK)
        and not frame.length
        and (repeat.seq - frame.ack) % 2**32 < 2**31
        and (frame.ack - repeat.seq) % 2**32 in (0, *range(1, repeat.length or 1))
    ]
    return None if len(asking) >= 3 else f"only {len(asking)} ACKs of {repeat.seq} come before it"


#: Who must have sent the last frame that a claim cites, by the beginning of its kind: True is whom
#: the claim is about.
_SENDERS: Final[Mapping[str, bool | None]] = {
    "repeats.": True,
    "resets.abort": True,
    "resets.closed-socket": True,
    "resets.refused": True,
    "closes.first": True,
    "closes.second": True,
    "windows.closed": True,
    "windows.closed-to-the-end": None,
    "windows.probe": True,
    "windows.reopened": True,
    "keepalives.probe": True,
    "acks.": True,
}


def _the_right_end_sends(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    Whom a claim is about has sent what it says.
    """
    if not claim.who or not claim.frames or claim.stream is None:
        return None
    is_about = max(
        ((len(kind), who) for kind, who in _SENDERS.items() if claim.kind.startswith(kind)),
        default=(0, None),
    )[1]
    frame = frames.get(claim.frames[-1])
    if is_about is None or frame is None or claim.kind.endswith((".counts", "-answered")):
        return None
    return None if _sender(claim, frame) == claim.who else f"#{frame.number} is of the other end"


def _flags_are_set(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    A handshake has its SYNs, a close its FIN, a reset its RST.
    """
    cited = [frames[number] for number in claim.frames if number in frames]
    if claim.kind == "opening.handshake":
        wanted = [(SYN,), (SYN, ACK), (ACK,)]
        # Records may be out of order.
        cited.sort(key=lambda f: (not f.has(SYN), f.has(ACK)))
        if len(cited) != 3 or not all(f.has(*w) for f, w in zip(cited, wanted, strict=True)):
            return "these frames are no SYN, SYN-ACK and ACK"
    both = {frame.src for frame in cited if frame.has(SYN)}
    if claim.kind in {"opening.simultaneous", "opening.split-handshake"} and len(both) < 2:
        return "not both ends send a SYN"
    if claim.kind in {"closes.first", "closes.begins-with-fin"} and not cited[-1].has(FIN):
        return f"#{cited[-1].number} has no FIN"
    both = {frame.src for frame in cited if frame.has(FIN)}
    if claim.kind in {"closes.second", "closes.simultaneous"} and len(both) < 2:
        return "not both ends send a FIN in these frames"
    is_reset = claim.kind.startswith("resets.") and claim.kind != "resets.goes-on"
    if is_reset and claim.known != "possible" and not any(frame.has(RST) for frame in cited):
        return "none of these frames has RST"
    return None


def _absence_is_true(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    Nobody "does not answer" who has sent a segment.
    """
    if claim.kind == "opening.unanswered":
        others = [f.number for f in talk if f.src != claim.client and not f.is_quoted]
        return f"the server sends #{others[0]}" if others else None
    if claim.kind == "closes.first":
        last = claim.frames[-1]
        before = [
            f.number
            for f in talk
            if f.has(FIN) and f.number < last and not f.is_quoted and f.is_sound is not False
        ]
        return f"#{before[0]} has a FIN before it" if before else None
    return None


def _nothing_travels_while_idle(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    Where a connection is called idle no data travels.
    """
    idle = claim.figures.get("idle_ns")
    if not claim.kind.startswith("closes.") or not isinstance(idle, int):
        return None
    end = frames[claim.frames[-1]]
    busy = [
        frame.number
        for frame in talk
        if end.time_ns - idle < frame.time_ns < end.time_ns
        and frame.length > 1
        and not _is_copy(frame, talk)
    ]
    return f"#{busy[0]} carries data meanwhile" if busy else None


def _is_copy(frame: Frame, talk: Sequence[Frame]) -> bool:
    """
    Tell whether the same packet was captured just before: a router's both sides, say.
    """
    return any(
        before.number < frame.number
        and 0 <= frame.time_ns - before.time_ns < _COPIES_NS
        and (before.src, before.seq, before.length, before.ip_id)
        == (frame.src, frame.seq, frame.length, frame.ip_id)
        for before in talk
    )


def _windows_are_what_is_said(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    A window is 0 where it is called closed, and not where it is called open again.
    """
    if claim.kind == "windows.closed" and frames[claim.frames[-1]].window:
        return f"the window of #{claim.frames[-1]} is not 0"
    if claim.kind == "windows.reopened" and not frames[claim.frames[-1]].window:
        return f"the window of #{claim.frames[-1]} is 0"
    closed = claim.figures.get("closed_frame")
    if isinstance(closed, int) and frames[closed].window:
        return f"the window of #{closed} is not 0"
    return None


def _bytes_are_of_the_stream(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    Of a stream no more bytes are counted than its segments carry different ones.
    """
    if claim.kind != "bytes.stream":
        return None
    own = [f for f in talk if _sender(claim, f) == claim.who and f.length and not f.is_quoted]
    count = claim.figures["bytes"] - claim.figures["missing_bytes"]
    if not own:
        return f"nothing of it is here, and {count} bytes are counted" if count else None
    carried: set[int] = set()
    for frame in own:
        start = frame.distance(own[0]) + bool(frame.flags & SYN) - bool(own[0].flags & SYN)
        carried.update(range(start, start + min(frame.length, _LENGTH_MAX)))
    return f"{len(carried)} different bytes are here, not {count}" if count > len(carried) else None


def _what_is_discarded_has_no_effect(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    What is called discarded has a wrong checksum, and most of its sender's are right; no connection
    is closed or reset by it.
    """
    if claim.kind == "damage.discarded":
        (number,) = claim.frames
        # Of a segment whose header makes no sense tshark does not know.
        if frames[number].is_sound:
            return f"the checksum of #{number} is not wrong"
        own = [frame.is_sound for frame in talk if frame.src == frames[number].src]
        return None if own.count(True) > own.count(False) else "hardly a checksum is right"
    if not claim.kind.startswith(("closes.first", "closes.second", "resets.")) or not claim.frames:
        return None
    last = frames.get(claim.frames[-1])
    if last is None or last.is_sound is not False or last.length:
        return None
    own = [frame.is_sound for frame in talk if frame.src == last.src]
    lasting = [frame for frame in talk if frame.src != last.src and frame.has(ACK)]
    if any((frame.ack - last.seq) % 2**32 == 1 for frame in lasting):
        return None
    is_odd = own.count(True) > own.count(False)
    return f"#{last.number} has a wrong checksum" if is_odd else None


def _waits_are_between_the_frames(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    A wait is no longer than the time between the first and the last frame that show it.
    """
    waited = claim.figures.get("waited_ns")
    cited = [frames[number] for number in claim.frames if number in frames]
    if not isinstance(waited, int) or len(cited) < 2 or len(cited) != len(claim.frames):
        return None
    span = cited[-1].time_ns - cited[0].time_ns
    return f"from #{cited[0].number} to #{cited[-1].number} it is {span}" if waited > span else None


def _sender(claim: Claimed, frame: Frame) -> str:
    return "client" if frame.src == claim.client else "server"


_RULES: Final[tuple[Callable[..., str | None], ...]] = (
    _frames_are_there,
    _words_cite_what_the_claim_rests_on,
    _is_known_somehow,
    _durations_are_those_of_the_frames,
    _sent_again_shares_bytes,
    _three_duplicates_come_before,
    _the_right_end_sends,
    _flags_are_set,
    _absence_is_true,
    _nothing_travels_while_idle,
    _windows_are_what_is_said,
    _bytes_are_of_the_stream,
    _what_is_discarded_has_no_effect,
    evidence_lacks,
    _waits_are_between_the_frames,
)
