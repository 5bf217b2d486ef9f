"""
What ICMP errors say of a conversation, and what their receiver does next: claims of the topic
C{icmp}.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from netlab.analysis.claims.around import Around
from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.observations.history import History, Sent
from netlab.capture.icmp import IcmpError

_ERRORS_MAX: Final = 100
"""How many errors of a conversation are judged; each costs a look at its segments."""

_HEADERS_4: Final = 40
_HEADERS_6: Final = 60
"""IP and TCP without options: a segment is at least that much longer than its data."""

_TIMESTAMPS: Final = 12
"""What timestamps take, which stand in every segment or in none."""


def claims_of(history: History, around: Around) -> Iterator[Claim]:
    """
    Judge the ICMP errors about a conversation.
    """
    errors = around.seen.errors_of(history.conversation.stream)[:_ERRORS_MAX]
    if not errors:
        return
    sent = {(each.sender, each.seq_raw, each.number): each for each in history.segments}
    numbers: dict[tuple[int, int], list[int]] = {}
    for sender, seq, number in sent:
        numbers.setdefault((sender, seq), []).append(number)
    told: set[tuple[str, Figure, int]] = set()
    for error in errors:
        end = _sender(history, error)
        before = [
            sent[end, error.seq, number]
            for number in numbers.get((end, error.seq), ())
            if number < error.number
        ]
        about = next((each for each in reversed(before) if _has_size(each, error)), None)
        yield _error(history, error, end, about, around)
        for sequel in _sequel(history, error, end, about):
            # Several errors about one flight have one sequel, told with the first of them.
            said = sequel.kind, sequel.figures.get("mtu", sequel.frames[-1]), end
            if said not in told:
                told.add(said)
                yield sequel


def _has_size(sent: Sent, error: IcmpError) -> bool:
    """
    Tell whether a segment may be what a datagram of some length carried. What comes after a pure
    ACK has the same number as that; a network card may send a long segment in pieces.
    """
    if not error.size or sent.has_syn or sent.options.multipath:
        return True
    options = _TIMESTAMPS if sent.options.timestamps is not None else 0
    if sent.options.sacks:
        options += 4 + 8 * len(sent.options.sacks)
    headers = _HEADERS_4 if error.version == 4 else _HEADERS_6
    return error.size - sent.length <= headers + options


def explained(claims: Iterable[Claim]) -> Iterator[Claim]:
    """
    Let an ICMP error explain what follows it: the silence after a SYN, and that a segment which was
    too big is sent again.
    """
    kept = list(claims)
    refused = [
        claim.frames[-1]
        for claim in kept
        if claim.kind == "icmp.error" and claim.figures["quotes"] == "SYN"
    ]
    reported = {
        claim.frames[0]
        for claim in kept
        if claim.kind == "icmp.error" and len(claim.frames) > 1 and "mtu" not in claim.figures
    }
    too_big = {
        claim.frames[0]: claim.frames[-1]
        for claim in kept
        if claim.kind == "icmp.error" and "mtu" in claim.figures and len(claim.frames) > 1
    }
    for claim in kept:
        error = too_big.get(int(claim.figures.get("first_frame", 0)), 0)
        about = reported & set(claim.frames)
        is_silence = claim.kind in {"closes.peer-silent", "resets.no-answer"} and about
        if is_silence or (refused and claim.kind == "opening.unanswered"):
            yield claim._replace(causes=("icmp-error", "unknown"))
        elif claim.kind in {"repeats.again", "repeats.timer"} and 0 < error < claim.frames[-1]:
            frames = tuple(sorted({*claim.frames, error}))
            figures = {**claim.figures, "error_frame": error}
            yield claim._replace(
                kind="repeats.after-icmp",
                frames=frames,
                figures=figures,
                known=Known.POSSIBLE,
                causes=("icmp-too-big", *(claim.causes or ("unknown",))),
            )
        else:
            yield claim


def _sender(history: History, error: IcmpError) -> int:
    """
    Tell which end sent what an error quotes.
    """
    half = len(error.key) // 2 - 2
    flow = history.conversation.flows[0]
    source = error.key[:half], int.from_bytes(error.key[-4:-2])
    return 0 if source == (flow.raw_address, flow.port) else 1


def _error(
    history: History, error: IcmpError, end: int, about: Sent | None, around: Around
) -> Claim:
    peer = history.conversation.flows[1 - end].raw_address
    figures: dict[str, Figure] = {
        "version": error.version,
        "type": error.kind,
        "code": error.code,
        "means": error.means,
        "by": "the other end" if error.sender == peer else "another host",
        "address": around.discretion.address(error.sender),
        "quotes": "nothing"
        if about is None
        else "SYN"
        if about.has_syn
        else f"{about.length} bytes"
        if about.length
        else "no data",
    }
    if error.is_too_big:
        figures["mtu"] = error.mtu
    frames = (error.number,) if about is None else (about.number, error.number)
    rule = "RFC 792" if error.version == 4 else "RFC 4443"
    return Claim("icmp.error", frames, Known.SEEN, figures, rule=rule, who=history.name(end))


def _sequel(history: History, error: IcmpError, end: int, about: Sent | None) -> Iterator[Claim]:
    after = next(
        (
            each
            for each in history.segments
            if each.number > error.number and each.sender == end and (each.length or each.has_syn)
        ),
        None,
    )
    if after is None:
        return
    who = history.name(end)
    frames = error.number, after.number
    waited = after.time_ns - error.time_ns
    if error.is_too_big and error.mtu and about is not None and after.length:
        room = error.mtu - (_HEADERS_4 if error.version == 4 else _HEADERS_6)
        room -= _TIMESTAMPS if after.options.timestamps is not None else 0
        if about.length <= room or after.data_start > about.data_start:
            return
        figures: Mapping[str, Figure] = {
            "mtu": error.mtu,
            "before": about.length,
            "length": after.length,
            "waited_ns": waited,
        }
        is_smaller = after.length <= room
        if not is_smaller and after.length > (history.conversation.flows[1 - end].mss or room):
            # Captured before its network card cuts it into segments of any length.
            return
        kind = "icmp.sends-smaller" if is_smaller else "icmp.sends-as-large"
        rule = "RFC 1191 section 3" if error.version == 4 else "RFC 8201 section 3"
        yield Claim(kind, frames, Known.SEEN, figures, rule=rule, who=who)
    elif about is not None and about.has_syn and after.has_syn and not error.is_too_big:
        yield Claim(
            "icmp.tries-again",
            frames,
            Known.SEEN,
            {"waited_ns": waited},
            rule="RFC 5461 section 2.1",
            who=who,
        )
