"""
How a capture was made, and what of it is not to be taken for what travelled: claims of the topic
C{capture}.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from netlab.analysis.claims.around import TIMES_GO_BACK, Around
from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.observations.history import History, Sent
from netlab.capture.segments import Checksum

_SAME_TIME_MIN: Final = 8
"""So many segments do not come within one tick of a clock."""

_LAYERS_MAX: Final = 5
_PORTS_MAX: Final = 5

_SOON_NS: Final = 200_000_000
"""A SYN that comes so soon after its answer was not sent again: the first timeout is a second (RFC
6298 section 2.1), on no system less than this."""


def claims_of(histories: Sequence[History], around: Around) -> Iterator[Claim]:
    """
    Judge how a capture was made.
    """
    yield from _times(histories, around)
    yield from _no_times(histories, around)
    if around.seen.dropped:
        yield Claim("capture.dropped", (), Known.SEEN, {"frames": around.seen.dropped})
    yield from _layers(around)
    yield from _cuts(around)
    yield from _checksums(histories)


def conversation_claims_of(history: History, around: Around) -> Iterator[Claim]:
    """
    Judge whether one direction of a conversation is missing though it was heard.
    """
    for end, flow in enumerate(history.conversation.flows):
        if flow.frames or not history.is_whole:
            continue
        if all(sent.checksum is Checksum.BAD for sent in history.segments):
            # Damaged on the way, they may name other ports: there was no such connection.
            continue
        heard = _heard(history, 1 - end)
        if heard is None:
            continue
        causes = ("direction-not-captured", "other-way")
        if around.seen.unknown_layers:
            causes = ("layer-not-decoded", "unknown")
        first = history.segments[0].number
        yield Claim(
            "capture.one-direction",
            (first, heard.number) if heard.number > first else (first,),
            Known.POSSIBLE,
            causes=causes,
            who=history.name(end),
        )


def _heard(history: History, end: int) -> Sent | None:
    """
    Find a segment that shows that its sender had got something: an answer to a SYN, or an
    acknowledgement that has moved. A lone ACK may be a probe.
    """
    lowest: int | None = None
    has_opened = False
    for sent in history.segments:
        if sent.sender != end or sent.ack is None or sent.has_rst:
            has_opened = has_opened or (sent.sender == end and sent.has_syn and not sent.has_ack)
            continue
        # A number of 0 is what stands there where nothing is acknowledged, whatever the flag says.
        has_heard = sent.has_syn or (has_opened and sent.ack_raw)
        if has_heard or (lowest is not None and sent.ack > lowest):
            return sent
        lowest = sent.ack if lowest is None else lowest
    return None


def _times(histories: Sequence[History], around: Around) -> Iterator[Claim]:
    clock = around.seen.clock
    if clock.steps:
        widest = max(clock.steps, key=lambda step: step.by_ns)
        yield Claim(
            TIMES_GO_BACK,
            (widest.number - 1, widest.number),
            Known.POSSIBLE,
            {
                "by_ns": widest.by_ns,
                "steps": len(clock.steps) + clock.left_out,
            },
            causes=("records-out-of-order", "clock-set-back"),
        )
    for history in histories:
        segments = history.segments
        if len(segments) < 2 or not (segments[0].has_syn and segments[0].has_ack):
            continue
        answer = segments[0]
        syn = next((each for each in segments[1:] if each.has_syn and not each.has_ack), None)
        if syn is None or syn.sender == answer.sender or syn.end != answer.ack:
            continue
        after = syn.time_ns - answer.time_ns
        if 0 <= after < _SOON_NS:
            yield Claim(
                "capture.answer-before-syn",
                (answer.number, syn.number),
                Known.FOLLOWS,
                {"after_ns": after},
                rule="RFC 9293 section 3.5",
            )


def _no_times(histories: Sequence[History], around: Around) -> Iterator[Claim]:
    """
    Judge whether the frames have any times: that all came at once is no time.
    """
    clock = around.seen.clock
    numbers = [each.number for history in histories for each in history.segments]
    if len(numbers) >= _SAME_TIME_MIN and clock.first_ns == clock.last_ns:
        frames = min(numbers), max(numbers)
        yield Claim("capture.no-times", frames, Known.SEEN, {"segments": len(numbers)})


def undecoded(around: Around, claims: Iterable[Claim]) -> Iterator[Claim]:
    """
    Where the capture has frames that are not decoded, what no segment carried may be in them.
    """
    hides = bool(around.seen.unknown_layers or around.seen.cut_segments)
    for claim in claims:
        if hides and claim.kind == "gaps.not-captured":
            causes = ("in-what-is-not-decoded", "not-captured")
            yield claim._replace(known=Known.POSSIBLE, causes=causes)
        else:
            yield claim


def _layers(around: Around) -> Iterator[Claim]:
    layers = sorted(around.seen.unknown_layers.items(), key=lambda each: -each[1].frames)
    for name, layer in layers[:_LAYERS_MAX]:
        yield Claim(
            "capture.layer-not-decoded",
            (layer.first,),
            Known.SEEN,
            {"layer": name, "frames": layer.frames},
        )


def _cuts(around: Around) -> Iterator[Claim]:
    seen = around.seen
    if seen.cut_frames:
        headers = sum(cut.frames for cut in seen.cut_segments.values())
        yield Claim(
            "capture.snapped",
            (seen.first_cut,),
            Known.SEEN,
            {"snap_bytes": seen.snap_bytes, "frames": seen.cut_frames, "headers_cut": headers},
        )
    for key, cut in list(seen.cut_segments.items())[:_PORTS_MAX]:
        half = len(key) // 2 - 2
        source, destination = (
            around.discretion.address(address) for address in (key[:half], key[half : half * 2])
        )
        yield Claim(
            "capture.header-cut",
            (cut.first,),
            Known.SEEN,
            {
                "source": source,
                "destination": destination,
                "source_port": int.from_bytes(key[-4:-2]),
                "destination_port": int.from_bytes(key[-2:]),
                "segments": cut.frames,
                "bytes": cut.byte_count,
            },
        )


def _checksums(histories: Sequence[History]) -> Iterator[Claim]:
    found: dict[Checksum, list[tuple[History, Sent]]] = {kind: [] for kind in Checksum}
    for history in histories:
        for sent in history.segments:
            found[sent.checksum].append((history, sent))
    checked = sum(len(group) for kind, group in found.items() if kind is not Checksum.UNCHECKABLE)
    for kind, name in (
        (Checksum.OFFLOADED, "capture.checksums-offloaded"),
        (Checksum.ZEROED, "capture.checksums-zeroed"),
    ):
        group = found[kind]
        if group:
            first = min(sent.number for _, sent in group)
            ends = {(id(history), sent.sender) for history, sent in group}
            figures: dict[str, Figure] = {
                "segments": len(group),
                "checked": checked,
                "accepted": _accepted(group),
            }
            if kind is Checksum.OFFLOADED:
                figures["both"] = int(any((each, 1 - end) in ends for each, end in ends))
            yield Claim(name, (first,), Known.SEEN, figures)
    wrong = found[Checksum.BAD]
    # Where each of them is discarded, the topic damage tells of them one by one.
    if any(sent.number not in history.discarded for history, sent in wrong):
        accepted = _accepted(wrong)
        carrying = sum(1 for _, sent in wrong if sent.length)
        is_accepted = accepted == carrying > 0
        yield Claim(
            "capture.checksums-wrong",
            (min(sent.number for _, sent in wrong),),
            Known.POSSIBLE,
            {"segments": len(wrong), "checked": checked, "accepted": accepted},
            causes=("changed-after-capture", "unknown")
            if is_accepted
            else ("damaged-on-the-way", "changed-after-capture"),
        )


def _accepted(group: Sequence[tuple[History, Sent]]) -> int:
    """
    Count the segments with data that the other end acknowledged and that were not sent again.
    """
    accepted = 0
    by_history: dict[int, tuple[History, list[Sent]]] = {}
    for history, sent in group:
        by_history.setdefault(id(history), (history, []))[1].append(sent)
    for history, segments in by_history.values():
        copies: dict[tuple[int, int], int] = {}
        highest = [0, 0]
        for each in history.segments:
            if each.length:
                place = each.sender, each.data_start
                copies[place] = copies.get(place, 0) + 1
            if each.ack is not None and not each.has_rst:
                highest[1 - each.sender] = max(highest[1 - each.sender], each.ack)
        accepted += sum(
            1
            for sent in segments
            if sent.length
            and sent.data_end <= highest[sent.sender]
            and copies[sent.sender, sent.data_start] == 1
        )
    return accepted
