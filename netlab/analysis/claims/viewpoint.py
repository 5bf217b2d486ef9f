"""
Where a capture was taken: a claim only where all of its conversations agree, and as a possible one.

Two signs tell of a place. The halves of a handshake: the near end answers at once. Checksums
that the network card was to finish: only the sender's host sees them so. Padding tells nothing: a
switch, a router and a virtual network pad and strip as they like.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from ipaddress import ip_address
from typing import Final, NamedTuple

from netlab.analysis.claims.around import Around
from netlab.analysis.claims.claim import Claim, Known
from netlab.analysis.observations.clock import Clock
from netlab.analysis.observations.history import History, Sent
from netlab.capture.records import LinkType
from netlab.capture.segments import Checksum

_NEAR_MAX_NS: Final = 100_000_000
"""No way to a host nearby takes longer."""

_FASTER: Final = 5
"""How many times longer one half of the handshake must be to tell on whose side we are."""

_FAR_MIN_NS: Final = 300_000
"""How long it must be: below it, hosts differ by more than ways do."""

_OPENING_MAX: Final = 8
"""Among how many segments the handshake is looked for."""

INFERRED_PLACES: Final = frozenset(
    {"capture.place", "capture.one-host", "capture.one-address", "capture.bare-link"}
)
"""Kinds of claims that need not be made where somebody knows the place."""

_BARE_LINKS: Final = frozenset({int(LinkType.NULL), int(LinkType.LOOP)})


class Place(StrEnum):
    """
    Where somebody captured.
    """

    CLIENT = "client"
    SERVER = "server"


class View(NamedTuple):
    """
    Where, if somebody knows and need not infer it.

    @ivar place: Where.
    @ivar sentence: In plain words.
    """

    place: Place
    sentence: str


class Sign(NamedTuple):
    """
    What a conversation tells of the place.

    @ivar who: the end that is near.
    @ivar near: its address.
    @ivar far: the other's address.
    @ivar evidence: C{handshake} or C{offload}.
    @ivar frames: that show it.
    @ivar far_ns: of the handshake, how long the half towards the far end took.
    @ivar near_ns: and the other half.
    """

    who: str
    near: bytes
    far: bytes
    evidence: str
    frames: tuple[int, ...]
    far_ns: int = 0
    near_ns: int = 0


def claims_of(histories: Sequence[History], around: Around) -> Iterator[Claim]:
    """
    Judge where a capture was taken.
    """
    apart = [history for history in histories if not _is_one_host(history)]
    if not apart:
        yield from _one_host(histories)
        return
    yield from _bare_link(apart, around)
    signs = [sign for history in apart for sign in _signs(history, around.seen.clock)]
    if not signs or len(apart) < len(histories):
        return
    near, far = {sign.near for sign in signs}, {sign.far for sign in signs}
    ends = {sign.who for sign in signs}
    if near & far or len(ends) > 1:
        return
    # Only the sender's own host sees an unfinished checksum; times tell no more than nearness.
    first = next((sign for sign in signs if sign.evidence == "offload"), signs[0])
    figures: dict[str, int | str] = {
        "evidence": first.evidence,
        "connections": len({sign.frames[0] for sign in signs if sign.evidence == first.evidence}),
    }
    if first.evidence == "handshake":
        figures |= {"far_ns": first.far_ns, "near_ns": first.near_ns}
    other = "server" if first.who == "client" else "client"
    causes = {
        "handshake": (f"near-the-{first.who}", f"{other}-answers-late"),
        "offload": (f"on-the-host-of-the-{first.who}", "on-the-host-of-a-virtual-machine"),
    }
    yield Claim(
        "capture.place",
        first.frames,
        Known.POSSIBLE,
        figures,
        causes=causes[first.evidence],
        who=first.who,
    )


def _is_one_host(history: History) -> bool:
    one, other = (flow.raw_address for flow in history.conversation.flows)
    return one == other or (ip_address(one).is_loopback and ip_address(other).is_loopback)


def _one_host(histories: Sequence[History]) -> Iterator[Claim]:
    if not histories or not histories[0].segments:
        return
    figures = {"connections": len(histories)}
    frames = (histories[0].segments[0].number,)
    address = ip_address(histories[0].conversation.flows[0].raw_address)
    if address.is_loopback:
        rule = "RFC 1122 section 3.2.1.3" if address.version == 4 else "RFC 4291 section 2.5.3"
        yield Claim("capture.one-host", frames, Known.FOLLOWS, figures, rule=rule)
    else:
        causes = ("one-host", "false-address")
        yield Claim("capture.one-address", frames, Known.POSSIBLE, figures, causes=causes)


def _bare_link(histories: Sequence[History], around: Around) -> Iterator[Claim]:
    """
    A link header that is an address family alone, between addresses of two hosts.
    """
    if around.seen.links and around.seen.links <= _BARE_LINKS and histories[0].segments:
        yield Claim(
            "capture.bare-link",
            (histories[0].segments[0].number,),
            Known.POSSIBLE,
            causes=("tunnel-interface", "loopback-interface"),
        )


def _signs(history: History, clock: Clock) -> Iterator[Sign]:
    client = history.client
    addresses = [flow.raw_address for flow in history.conversation.flows]

    def sign(
        near: int, evidence: str, frames: tuple[int, ...], far_ns: int = 0, near_ns: int = 0
    ) -> Sign:
        return Sign(
            history.name(near),
            addresses[near],
            addresses[1 - near],
            evidence,
            frames,
            far_ns,
            near_ns,
        )

    shaken = _handshake(history)
    if shaken is not None:
        syn, answer, opened = shaken
        frames = (syn.number, answer.number, opened.number)
        first, second = answer.time_ns - syn.time_ns, opened.time_ns - answer.time_ns
        is_sure = min(first, second) >= 0 and not clock.back_ns(syn.number, opened.number)
        longer, shorter = max(first, second), min(first, second)
        is_near = shorter <= _NEAR_MAX_NS and longer >= _FASTER * shorter
        if is_sure and longer >= _FAR_MIN_NS and is_near:
            near = client if first > second else 1 - client
            yield sign(near, "handshake", frames, longer, shorter)
    unfinished: list[Sent | None] = [None, None]
    finished = [0, 0]
    for sent in history.segments:
        if sent.checksum is Checksum.OFFLOADED:
            unfinished[sent.sender] = unfinished[sent.sender] or sent
        elif sent.checksum is Checksum.GOOD:
            finished[sent.sender] += 1
    for end, found in enumerate(unfinished):
        if found is not None and unfinished[1 - end] is None and finished[1 - end]:
            yield sign(end, "offload", (found.number,))


def _handshake(history: History) -> tuple[Sent, Sent, Sent] | None:
    """
    Find a handshake without anything between or before: one SYN, its answer, the ACK of that.
    """
    opening = history.segments[:_OPENING_MAX]
    if len(opening) < 3:
        return None
    syn, answer, opened = opening[:3]
    if not syn.has_syn or syn.has_ack or not answer.has_syn or not answer.has_ack:
        return None
    if opened.has_syn or opened.has_rst or not opened.has_ack:
        return None
    if syn.sender != opened.sender or answer.sender == syn.sender:
        return None
    if answer.ack != syn.end or opened.ack != answer.end:
        return None
    return (syn, answer, opened) if all(not each.has_syn for each in opening[3:]) else None
