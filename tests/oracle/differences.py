"""
The differences from tshark that we accept, by rule; docs/oracle-differences.md gives the reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from tests.oracle.comparison import Difference
from tests.oracle.reference import MARKS, Row

#: Layers that are not decoded here, in tshark's words: Juniper's headers, ATM, Cisco's metadata,
#: a Cisco frame's own framing, WireGuard with its keys.
_OTHER_LAYERS: Final = frozenset({"atm", "cfp", "cmd", "juniper", "wg"})

#: Figures that a segment has by itself, whatever came before it. No conversation that was seen in
#: part, and no dissector, excuses that they differ.
_OF_THE_SEGMENT: Final = frozenset(
    {
        "time",
        "src",
        "dst",
        "srcport",
        "dstport",
        "flags",
        "seq_raw",
        "ack_raw",
        "len",
        "window_size_value",
    }
)

#: Protocols whose dissectors begin or announce conversations of their own.
_MEDDLERS: Final = frozenset({"vnc", "ftp-data"})

#: What tshark prints after a segment's options.
_ANALYSIS: Final = frozenset(
    {
        "bytes_in_flight",
        "push_bytes_sent",
        "rtt",
        "acked_frame",
        "duplicate_ack_number",
        "duplicate_ack_frame",
    }
)

_NANOSECONDS: Final = 10**9
_WORD: Final = 1 << 32


def _layers(row: Row) -> set[str]:
    return set(row["frame.protocols"].split(":"))


def _is_in_other_layers(difference: Difference, row: Row) -> bool:
    is_unseen = difference.figure == "stream" and not difference.ours
    return is_unseen and bool(_layers(row) & _OTHER_LAYERS)


def _is_no_whole_segment(difference: Difference, row: Row) -> bool:
    length = row["tcp.hdr_len"]
    is_bogus = length.isdigit() and int(length) < 20
    is_unseen = difference.figure == "stream" and not difference.ours
    return (is_unseen or not difference.theirs) and (is_bogus or not row["tcp.len"])


def _is_quoted(difference: Difference, row: Row) -> bool:
    return not difference.theirs and bool({"icmp", "icmpv6"} & _layers(row))


def _has_bad_options(difference: Difference, row: Row) -> bool:
    if difference.theirs:
        return False
    is_analysis = difference.figure in _ANALYSIS and int(row["tcp.hdr_len"] or 0) > 20
    return is_analysis or (difference.figure in MARKS and bool(row["_ws.malformed"]))


def _is_impossible_time(difference: Difference, row: Row) -> bool:
    del row
    if difference.figure not in ("time", "rtt") or not difference.ours or not difference.theirs:
        return False
    return any(
        (ours - theirs) % _WORD == 0
        for ours in _nanoseconds(difference.ours)
        for theirs in _nanoseconds(difference.theirs)
    )


def _nanoseconds(text: str) -> tuple[int, ...]:
    """
    Read a time, whose fraction may be more than a second and whose sign may be that of the seconds
    or of the fraction alone.
    """
    seconds, _, fraction = text.partition(".")
    wholes = {int(seconds) * _NANOSECONDS, abs(int(seconds)) * _NANOSECONDS}
    return tuple(whole + part for whole in wholes for part in (int(fraction), -int(fraction)))


RULES: Final[Mapping[str, Callable[[Difference, Row], bool]]] = {
    "other-layers": _is_in_other_layers,
    "quoted": _is_quoted,
    "no-whole-segment": _is_no_whole_segment,
    "bad-options": _has_bad_options,
    "impossible-time": _is_impossible_time,
}
"""By name: whether a difference is of this kind."""


def unexplained(
    differences: Iterable[Difference], rows: Mapping[int, Row]
) -> tuple[list[Difference], set[str]]:
    """
    Sort differences by rule.

    @param differences: of one capture.
    @param rows: what tshark says of its frames, by number.
    @return: those without a rule, and the rules of the others.
    """
    meddled = {_ends(row) for row in rows.values() if _layers(row) & _MEDDLERS}
    unseen = _first_unseen(differences := sorted(differences), rows)
    rules: set[str] = set()
    left: list[Difference] = []
    for difference in differences:
        row = rows.get(difference.number)
        if row is None:
            if _is_quote_without_stream(difference):
                rules.add("quoted")
            else:
                left.append(difference)
            continue
        rule = next((name for name, applies in RULES.items() if applies(difference, row)), "")
        first = unseen.get(row["tcp.stream"])
        is_of_the_segment = difference.figure in _OF_THE_SEGMENT
        if not rule and first is not None and not is_of_the_segment:
            # tshark has seen frames of this conversation that we have not: that changes figures of
            # later frames, and what is said of the whole conversation in earlier ones too.
            is_later = difference.number > first or difference.figure == "completeness"
            rule = "other-layers" if is_later else ""
        if not rule and _ends(row) in meddled and not is_of_the_segment:
            rule = "dissectors"
        if rule:
            rules.add(rule)
        else:
            left.append(difference)
    return left, rules


def _first_unseen(differences: Iterable[Difference], rows: Mapping[int, Row]) -> dict[str, int]:
    """
    Find, by conversation, the first frame that tshark has seen and we have not.
    """
    first: dict[str, int] = {}
    for difference in differences:
        row = rows.get(difference.number)
        if row is not None and _is_in_other_layers(difference, row):
            first.setdefault(row["tcp.stream"], difference.number)
    return first


def _ends(row: Row) -> frozenset[tuple[str, str]]:
    source = row["ip.src"] or row["ipv6.src"]
    target = row["ip.dst"] or row["ipv6.dst"]
    return frozenset({(source, row["tcp.srcport"]), (target, row["tcp.dstport"])})


def _is_quote_without_stream(difference: Difference) -> bool:
    """
    Tell whether tshark gives a frame no stream because it quotes too little of a segment.
    """
    return difference.figure == "stream" and difference.is_quoted
