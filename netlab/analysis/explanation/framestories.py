"""
One plain sentence for a frame, and the few words that label its arrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final, TypeAlias

from netlab.analysis.claims.claim import Claim
from netlab.analysis.explanation.books import SegmentContext
from netlab.analysis.explanation.findings import Finding, Verdict
from netlab.analysis.explanation.privacy import Discretion
from netlab.analysis.explanation.rules import findings_of
from netlab.analysis.explanation.story import (
    PAYLOAD_SHOWN_MAX_BYTES,
    Endpoint,
    FrameKind,
    FrameStory,
)
from netlab.analysis.tcp.frames import Analysed, Mark
from netlab.analysis.words.labels import labels_of
from netlab.analysis.words.sentences import frame_sentence
from netlab.analysis.words.units import cite, count, duration
from netlab.capture.segments import Flag
from netlab.capture.sendernotes import read_sender_note

#: A frame after a longer silence than this says how long it was, in nanoseconds.
_SILENCE_TOLD_NS: Final = 500_000_000

#: The names of the flags in the order in which people write them.
_FLAG_NAMES: Final = tuple(
    (int(flag), str(flag.name))
    for flag in (
        Flag.SYN,
        Flag.FIN,
        Flag.RST,
        Flag.PSH,
        Flag.ACK,
        Flag.URG,
        Flag.ECE,
        Flag.CWR,
        Flag.AE,
    )
)

_Names: TypeAlias = tuple[str, str]

_MODULUS: Final = 1 << 32

_SYN: Final = int(Flag.SYN)
_ACK: Final = int(Flag.ACK)
_FIN: Final = int(Flag.FIN)
_RST: Final = int(Flag.RST)

#: By plain integers, which are quicker to test than flags.
_MARK_NAMES: Final = {
    int(Mark.FAST_RETRANSMISSION): "fast retransmission",
    int(Mark.SPURIOUS_RETRANSMISSION): "spurious retransmission",
    int(Mark.RETRANSMISSION): "retransmission",
    int(Mark.OUT_OF_ORDER): "out of order",
    int(Mark.DUPLICATE_ACK): "duplicate ACK",
    int(Mark.LOST_SEGMENT): "previous segment not captured",
    int(Mark.ACK_LOST_SEGMENT): "acknowledges what was not captured",
    int(Mark.WINDOW_UPDATE): "window update",
    int(Mark.WINDOW_FULL): "window full",
    int(Mark.ZERO_WINDOW): "zero window",
    int(Mark.ZERO_WINDOW_PROBE): "window probe",
    int(Mark.ZERO_WINDOW_PROBE_ACK): "answer to a window probe",
    int(Mark.KEEP_ALIVE): "keep-alive",
    int(Mark.KEEP_ALIVE_ACK): "answer to a keep-alive",
    int(Mark.REUSED_PORTS): "ports used again",
}

_SPEAKING: Final = frozenset(
    {
        "keepalives.answer",
        "keepalives.possible-probe",
        "keepalives.probe",
        "windows.beyond",
        "windows.probe",
        "windows.probe-answered",
    }
)
"""Claims that say all there is to say of a frame without new data."""

_DOUBTING: Final = frozenset({"acks.never-sent", "gaps.not-captured"})
"""Claims that an ACK covers more than the frames seen before it."""

_REUSED_PORTS: Final = int(Mark.REUSED_PORTS)

_PROBES: Final = int(
    Mark.ZERO_WINDOW_PROBE | Mark.ZERO_WINDOW_PROBE_ACK | Mark.KEEP_ALIVE | Mark.KEEP_ALIVE_ACK
)


def frame_story(
    entry: SegmentContext,
    notes: Mapping[int, str],
    claims: Sequence[Claim],
    *,
    is_from_client: bool,
    discretion: Discretion,
    is_judged: bool = False,
) -> FrameStory:
    """
    Tell a frame.

    @param entry: The frame in its conversation's books.
    @param notes: What a higher protocol says in a frame, by the frame's number, such as C{GET /}.
    @param claims: Those whose effect it is.
    @param is_from_client: Whether the client sent it.
    @param discretion: What is left out.
    @param is_judged: Whether claims were made of the conversation: then they mark the frame, and
        not Wireshark's rules, which know less.
    @return: It, told.
    """
    analysed, segment, flow = entry.analysed, entry.analysed.segment, entry.analysed.flow
    names = ("the client", "the server") if is_from_client else ("the server", "the client")
    note = notes.get(analysed.number, "")
    return FrameStory(
        number=analysed.number,
        time_ns=analysed.time_ns,
        stream=analysed.stream,
        src=Endpoint(discretion.address(flow.raw_address), flow.port),
        dst=Endpoint(discretion.address(flow.peer.raw_address), flow.peer.port),
        is_from_client=is_from_client,
        flags=flag_names(segment.flags),
        seq_raw=analysed.seq_raw,
        ack_raw=analysed.ack_raw,
        seq=analysed.seq,
        ack=analysed.ack,
        len=analysed.len,
        nxtseq=analysed.nxtseq,
        window_size_value=analysed.window_size_value,
        window_size=analysed.window_size,
        completeness=analysed.completeness,
        frame_len=segment.record.length,
        bytes_in_flight=analysed.bytes_in_flight or 0,
        kind=kind_of(entry),
        marks=_marks(analysed.marks, claims) if is_judged else mark_names(analysed.marks),
        label=_label(entry, note),
        sentence=" ".join(
            text
            for text in (_sentence(entry, note, names, claims), *map(frame_sentence, claims))
            if text
        ),
        findings=_findings(entry, claims),
        payload=segment.payload[:PAYLOAD_SHOWN_MAX_BYTES] if discretion.quotes else b"",
        claims=tuple(claims),
        rtt_ns=analysed.rtt_ns,
        sacks=_sacks(analysed),
        sender=read_sender_note(segment.record.comments) if discretion.quotes else None,
    )


def _sacks(analysed: Analysed) -> tuple[tuple[int, int], ...]:
    """
    Give the ranges of a SACK option (RFC 2018 section 3) by relative numbers.
    """
    base = analysed.flow.peer.base_at(analysed.number)
    return tuple(
        ((low - base) % _MODULUS, (high - base) % _MODULUS)
        for low, high in analysed.segment.option_values.sacks
    )


def _marks(marks: int, claims: Sequence[Claim]) -> tuple[str, ...]:
    return (*labels_of(claims), *mark_names(marks & _REUSED_PORTS))


def _findings(entry: SegmentContext, claims: Sequence[Claim]) -> tuple[Finding, ...]:
    """
    Judge a frame by the rules; an ACK of what was never sent breaks one.
    """
    found = findings_of(entry)
    if any(claim.kind == "acks.never-sent" for claim in claims):
        return (found[0]._replace(verdict=Verdict.FAIL), *found[1:])
    return found


@cache
def flag_names(flags: int) -> tuple[str, ...]:
    """
    Name the flags that are set.

    @param flags: Of L{Flag}.
    """
    return tuple(name for bit, name in _FLAG_NAMES if flags & bit)


def mark_names(marks: int) -> tuple[str, ...]:
    """
    Name what is noteworthy. A retransmission of a special kind is named by that kind alone.

    @param marks: Of L{Mark}.
    """
    if not marks:
        return ()
    if marks & (Mark.FAST_RETRANSMISSION | Mark.SPURIOUS_RETRANSMISSION):
        marks &= ~int(Mark.RETRANSMISSION)
    return tuple(name for mark, name in _MARK_NAMES.items() if marks & mark)


def kind_of(entry: SegmentContext) -> FrameKind:
    """
    Tell what a frame mainly does.
    """
    flags, marks = entry.analysed.flags, entry.analysed.marks
    if flags & _RST:
        return FrameKind.RESET
    if flags & _SYN:
        return FrameKind.OPENING
    if flags & _FIN:
        return FrameKind.CLOSING
    if marks & _PROBES:
        return FrameKind.PROBE
    if entry.analysed.len:
        return FrameKind.DATA
    if entry.covers_syn:
        return FrameKind.OPENING
    if entry.covers_fin:
        return FrameKind.CLOSING
    return FrameKind.ACK


def _label(entry: SegmentContext, note: str) -> str:
    analysed = entry.analysed
    flags = ", ".join(flag_names(analysed.flags)) or "no flags"
    if not analysed.len:
        return flags
    size = count(analysed.len, "byte")
    return f"{note} · {size}" if note else f"{flags} · {size}"


def _sentence(entry: SegmentContext, note: str, names: _Names, claims: Sequence[Claim]) -> str:
    """
    Say what a frame does; nothing where a claim says that better.

    @param claims: Those whose effect it is.
    """
    flags = entry.analysed.flags
    if any(claim.topic == "copies" for claim in claims):
        return ""
    if any(claim.kind in _SPEAKING for claim in claims) and not flags & (_SYN | _FIN | _RST):
        return ""
    if any(claim.kind in _DOUBTING for claim in claims):
        # What it acknowledges is not what the frames before it carried.
        entry = entry._replace(covered=(), covered_bytes=0)
    if flags & _RST:
        text = f"{names[0]} sends a RST."
    elif flags & _SYN:
        text = _of_syn(entry, names)
    elif entry.analysed.marks & _PROBES:
        text = _of_probe(entry, names)
    elif flags & _FIN:
        text = _of_fin(entry, note, names)
    elif entry.analysed.len:
        text = _of_data(entry, note, names)
    else:
        text = _of_ack(entry, names)
    return text[0].upper() + text[1:]


def _of_syn(entry: SegmentContext, names: _Names) -> str:
    analysed = entry.analysed
    options = analysed.segment.option_values
    me, peer = names
    said = f"initial sequence number (ISN) {analysed.seq_raw}"
    if options.mss is not None:
        said += f", MSS {options.mss}"
    if analysed.flags & _ACK:
        return (
            f"{me} answers with a SYN-ACK: {said}. {peer.capitalize()}'s SYN consumed one sequence "
            "number."
        )
    return f"{me} asks {peer} for a connection: {said}."


def _of_probe(entry: SegmentContext, names: _Names) -> str:
    me, peer = names
    if not entry.analysed.segment.seglen and entry.start >= entry.expected:
        return _of_ack(entry, names)
    size = count(entry.analysed.len, "byte") if entry.analysed.len else "no data"
    return f"{me} sends {size} with a number that it has used before: it asks {peer} for an ACK."


def _of_fin(entry: SegmentContext, note: str, names: _Names) -> str:
    me, peer = names
    analysed = entry.analysed
    with_data = f"{me} sends {_data(entry, note)} and" if analysed.len else f"{me}"
    text = f"{with_data} closes its direction: a FIN consumes one sequence number"
    if entry.peer_fin is not None and entry.ack is not None and entry.ack <= entry.peer_fin:
        text += f". It does not acknowledge {peer}'s FIN"
    elif entry.covers_fin:
        text += f", and in the same frame acknowledges {peer}'s FIN"
    if entry.since_before_ns >= _SILENCE_TOLD_NS:
        text += f". Nothing had travelled for {duration(entry.since_before_ns)}"
    return text + "."


def _data(entry: SegmentContext, note: str) -> str:
    size = count(entry.analysed.len, "byte")
    return f"{size}, {note}," if note else size


def _of_data(entry: SegmentContext, note: str, names: _Names) -> str:
    size = count(entry.analysed.len, "byte")
    text = f"{names[0]} sends {f'{note} ({size})' if note else size}"
    if entry.covered_bytes and entry.covered:
        text += f" and acknowledges the {count(entry.covered_bytes, 'byte')} of "
        text += cite(entry.covered)
    if entry.since_before_ns >= _SILENCE_TOLD_NS:
        text += f", after {duration(entry.since_before_ns)} of silence"
    return text + "."


def _of_ack(entry: SegmentContext, names: _Names) -> str:
    me, peer = names
    if entry.covers_fin:
        text = f"{me} acknowledges {peer}'s FIN"
        if entry.covered_bytes:
            text += f" and the {count(entry.covered_bytes, 'byte')} before it"
        return f"{text}."
    if entry.covers_syn:
        return f"{me} acknowledges {peer}'s SYN."
    if entry.covered_bytes:
        of = f" of {cite(entry.covered)}" if entry.covered else ""
        return f"{me} acknowledges {count(entry.covered_bytes, 'byte')}{of}."
    if entry.ack_before is not None and entry.ack is not None and entry.ack < entry.ack_before:
        return f"{me} acknowledges less than an ACK captured before."
    return f"{me} acknowledges nothing new."
