"""
What led to a connection, or to none: claims of the topics C{dns} and C{arp}.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from netlab.analysis.claims.around import Around
from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.observations.history import History
from netlab.analysis.observations.lookups import Lookup
from netlab.capture.dns import AAAA, A

_PATIENCE_NS: Final = 1_000_000_000
"""How long a capture must go on after a question to claim that it has no answer."""

_REQUESTS_MIN: Final = 3
"""How often a host must be asked for before it is claimed that it does not answer."""

_NEIGHBOURS_MAX: Final = 5

_KINDS: Final = {A, AAAA}


def conversation_claims_of(history: History, around: Around) -> Iterator[Claim]:
    """
    Judge whether a name was looked up that the server's address answers.
    """
    lookup = around.seen.lookup_of(history.conversation.stream)
    if lookup is None or not history.segments:
        return
    syn = history.segments[0]
    client = history.conversation.flows[history.client]
    if not syn.has_syn or syn.has_ack or syn.sender != history.client:
        return
    if lookup.host != client.raw_address or lookup.answered >= syn.number:
        return
    figures: dict[str, Figure] = {
        "name_text": lookup.name,
        "record": _record(lookup),
        "before_ns": syn.time_ns - lookup.answered_ns,
    }
    frames: tuple[int, ...] = (lookup.answered, syn.number)
    if lookup.asked:
        figures["took_ns"] = lookup.answered_ns - lookup.asked_ns
        frames = (lookup.asked, *frames)
    yield Claim("dns.answered", frames, Known.SEEN, figures, rule="RFC 1035", who="client")


def claims_of(_: Sequence[History], around: Around) -> Iterator[Claim]:
    """
    Judge names that have no address, and hosts that do not answer ARP: why there is no connection.
    """
    yield from _names(around)
    yield from _neighbours(around)


def _names(around: Around) -> Iterator[Claim]:
    lookups = around.seen.lookups
    failed: dict[tuple[bytes, str], list[Lookup]] = {}
    for lookup in lookups.failed:
        if not lookups.has_address(lookup.host, lookup.name):
            failed.setdefault((lookup.host, lookup.name), []).append(lookup)
    for (_, name), group in failed.items():
        answered = [each for each in group if each.answered]
        kinds = {each.kind for each in answered}
        if answered and not any(each.failure for each in answered) and kinds != _KINDS:
            # It has no address of one kind; of the other nobody asked here.
            continue
        if answered:
            # An error says more than an answer without an address does.
            last = next((each for each in answered if each.failure), answered[0])
            figures: dict[str, Figure] = {
                "name_text": name,
                "record": _record(last),
                "failure": last.failure or "the name has none, of IPv4 or IPv6",
            }
            shown = (last.asked, last.answered) if last.asked else (last.answered,)
            yield Claim("dns.failed", shown, Known.SEEN, figures, rule="RFC 1035 section 4.1.1")
            continue
        frames = tuple(sorted({frame for each in group for frame in (each.asked, each.last)}))
        waited = around.seen.clock.last_ns - max(each.last_ns for each in group)
        if waited >= _PATIENCE_NS:
            yield Claim(
                "dns.unanswered",
                frames,
                Known.SEEN,
                {"name_text": name, "questions": sum(each.times for each in group)},
                causes=("lost-on-the-way", "filtered", "host-down", "other-direction-not-captured"),
            )


def _neighbours(around: Around) -> Iterator[Claim]:
    found = [
        (both, asked)
        for both, asked in around.seen.unanswered_requests()
        if asked.frames >= _REQUESTS_MIN
    ]
    found.sort(key=lambda each: -each[1].frames)
    for (sender, target), asked in found[:_NEIGHBOURS_MAX]:
        yield Claim(
            "arp.unanswered",
            (asked.first, asked.last),
            Known.SEEN,
            {
                "requests": asked.frames,
                "by": around.discretion.address(sender),
                "address": around.discretion.address(target),
            },
            rule="RFC 1122 section 2.3.2.1",
            causes=("no-such-host", "reply-not-captured"),
        )


def _record(lookup: Lookup) -> str:
    return "A" if lookup.kind == A else "AAAA"
