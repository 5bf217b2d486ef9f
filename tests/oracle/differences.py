"""
The differences from tshark that we accept, by rule; docs/oracle-differences.md gives the reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from tests.oracle.comparison import Difference
from tests.oracle.reference import Row

#: Layers that are not decoded here, in tshark's words.
_OTHER_LAYERS: Final = frozenset(
    {"cfp", "chdlc", "ipoib", "juniper", "mpls", "ppp", "wg", "wlan", "fr", "atm", "pppoes"}
)

#: What tshark leaves out of a segment that an ICMP error quotes, whose end is often not there.
_NOT_QUOTED: Final = frozenset({"len", "nxtseq", "seq_raw", "ack_raw", "ack", "window_size"})


def _is_in_other_layers(difference: Difference, row: Row) -> bool:
    layers = set(row["frame.protocols"].split(":"))
    return difference.figure == "stream" and not difference.ours and bool(layers & _OTHER_LAYERS)


def _is_no_whole_segment(difference: Difference, row: Row) -> bool:
    length = row["tcp.hdr_len"]
    is_bogus = length.isdigit() and int(length) < 20
    return (
        difference.figure == "stream" and not difference.ours and (is_bogus or not row["tcp.len"])
    )


def _is_quoted(difference: Difference, row: Row) -> bool:
    layers = row["frame.protocols"].split(":")
    return bool({"icmp", "icmpv6"} & set(layers)) and difference.figure in _NOT_QUOTED | {"stream"}


def _has_bad_options(difference: Difference, row: Row) -> bool:
    return (
        difference.figure in {"bytes_in_flight", "push_bytes_sent", "rtt", "acked_frame"}
        and bool(difference.ours)
        and not difference.theirs
        and int(row["tcp.hdr_len"] or 0) > 20
    )


RULES: Final[Mapping[str, Callable[[Difference, Row], bool]]] = {
    "other-layers": _is_in_other_layers,
    "no-whole-segment": _is_no_whole_segment,
    "quoted": _is_quoted,
    "bad-options": _has_bad_options,
}
"""By name: whether a difference is of this kind."""


def rule_of(difference: Difference, row: Row | None) -> str:
    """
    Find the rule by which a difference is accepted.

    @param difference: it.
    @param row: what tshark says of the frame; C{None} where it sees no TCP there.
    @return: the rule's name; empty where there is none.
    """
    for name, applies in RULES.items():
        if row is not None and applies(difference, row):
            return name
    return ""


def unexplained(
    differences: Iterable[Difference], rows: Mapping[int, Row]
) -> tuple[list[Difference], set[str]]:
    """
    Sort differences by rule.

    A frame of a kind that tshark follows and we do not changes what tshark says of the rest of its
    conversation, so that conversation is left out from there on.

    @param differences: of one capture, in the order of frames.
    @param rows: what tshark says of its frames, by number.
    @return: those without a rule, and the rules of the others.
    """
    rules: set[str] = set()
    disturbed: set[str] = set()
    left: list[Difference] = []
    for difference in sorted(differences):
        row = rows.get(difference.number)
        stream = "" if row is None else row["tcp.stream"]
        rule = rule_of(difference, row)
        if rule in ("other-layers", "no-whole-segment"):
            disturbed.add(stream)
        elif not rule and stream in disturbed:
            rule = "after-such"
        elif (
            not rule
            and difference.figure == "completeness"
            and stream
            in {
                one["tcp.stream"]
                for number, one in rows.items()
                if number > difference.number and not one["tcp.len"]
            }
        ):
            # What the whole conversation shows is told of all its frames.
            rule = "after-such"
        if rule:
            rules.add(rule)
        else:
            left.append(difference)
    return left, rules
