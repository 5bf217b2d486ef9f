"""
Where a conversation was captured: at the client, at the server, on the host of both, or between.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from netlab.analysis.claims.units import duration
from netlab.analysis.observations.facts import Facts, Side
from netlab.capture.records import LinkType

_TTLS_AT_START: Final = (64, 128, 255)
"""What systems put into a packet that leaves them."""

_FASTER: Final = 5
"""How many times longer one half of the handshake must be to tell on whose side we are."""


class Place(StrEnum):
    """
    Where somebody captured.
    """

    CLIENT = "client"
    SERVER = "server"
    HOST = "one host"
    """Both ends are on the host that captured."""

    MIDDLE = "middle"
    UNKNOWN = "unknown"


class View(NamedTuple):
    """
    Where, and why we think so.

    @ivar place: Where.
    @ivar sentence: In plain words, with the reasons.
    """

    place: Place
    sentence: str


def view_of(facts: Facts, link_type: int) -> View:
    """
    Infer where a conversation was captured.

    The surest sign comes first: the same host, checksums left to the network card (only the sender
    sees them), missing padding (only the wire adds it), then the handshake's two halves.

    @param facts: What was gathered of it.
    @param link_type: The LINKTYPE_ of its frames.
    @return: The place with its reasons.
    """
    conversation = facts.conversation
    client, server = facts.client_side, facts.server_side
    if conversation.flows[0].raw_address == conversation.flows[1].raw_address or link_type in {
        LinkType.NULL,
        LinkType.LOOP,
    }:
        return View(
            Place.HOST,
            "Captured on the host that both ends run on: each frame appears once, as it leaves.",
        )
    by_checksum = _by(client.offloaded, server.offloaded, client.complete, server.complete)
    if by_checksum is not None:
        return View(
            by_checksum,
            f"Captured on the {by_checksum}'s host: only its frames have checksums that the "
            "network card was still to finish.",
        )
    if client.offloaded and server.offloaded:
        return View(
            Place.HOST, "Captured where neither end's checksums were finished: on one host."
        )
    by_padding = _by(client.short, server.short, client.padded, server.padded)
    if by_padding is not None:
        return View(
            by_padding,
            f"Captured on the {by_padding}'s host: its short frames are not padded to 60 bytes "
            "yet, those of its peer are.",
        )
    return _by_time(facts, client, server)


def _by(client_here: int, server_here: int, client_came: int, server_came: int) -> Place | None:
    """
    Conclude from signs of frames that were seen before they left, and of such that had come.
    """
    if client_here and not server_here and server_came:
        return Place.CLIENT
    if server_here and not client_here and client_came:
        return Place.SERVER
    return None


def _by_time(facts: Facts, client: Side, server: Side) -> View:
    dialogue = facts.dialogue
    if dialogue.syn is None or dialogue.syn_ack is None or dialogue.established is None:
        return View(Place.UNKNOWN, "Nothing in the frames tells where they were captured.")
    far = dialogue.syn_ack.time_ns - dialogue.syn.time_ns
    near = dialogue.established.time_ns - dialogue.syn_ack.time_ns
    halves = (
        f"the SYN was answered after {duration(far)}, that answer acknowledged after "
        f"{duration(near)}"
    )
    if far > _FASTER * max(near, 1):
        return View(Place.CLIENT, f"Captured at or near the client: {halves}.")
    if near > _FASTER * max(far, 1):
        return View(Place.SERVER, f"Captured at or near the server: {halves}.")
    is_far = [side.ttl not in _TTLS_AT_START for side in (client, server) if side.ttl]
    if len(is_far) == 2 and is_far[0] != is_far[1]:
        near_end = Place.SERVER if is_far[0] else Place.CLIENT
        return View(
            near_end,
            f"Captured near the {near_end}: its packets' time to live is as it left, that of "
            "the other end's has been counted down.",
        )
    return View(Place.MIDDLE, f"Captured between the ends, or on one host with both: {halves}.")
