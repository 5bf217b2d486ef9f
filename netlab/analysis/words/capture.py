"""
Sentences of the topic C{capture}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.words.causes import possible
from netlab.analysis.words.phrases import amount, frames, last, peer, time, who, whole, word


def _place(claim: Claim) -> str:
    agree = whole(claim, "connections")
    others = f", and {agree} connections agree" if agree > 1 else ""
    if word(claim, "evidence") == "offload":
        return (
            f"Probably captured on {who(claim)}'s host{others}: the checksum of {frames(claim)} "
            "was still to be filled in by its network card. On a host that runs virtual machines "
            "or containers, their frames look the same."
        )
    first, second = ("far_ns", "near_ns") if claim.who == "client" else ("near_ns", "far_ns")
    return (
        f"Probably captured at or near {who(claim)}{others}: the SYN was answered after "
        f"{time(claim, first)}, that answer acknowledged after {time(claim, second)} "
        f"({frames(claim)}). A {_name(peer(claim))} that is slow to answer would look the same."
    )


def _name(end: str) -> str:
    return end.removeprefix("the ")


def _one_host(claim: Claim) -> str:
    return "Both ends run on the capturing host: packets to loopback addresses do not leave it."


def _one_address(claim: Claim) -> str:
    return f"Both ends have the same address (first in {frames(claim)}).{possible(claim)}"


def _bare_link(claim: Claim) -> str:
    return (
        "The frames have no link-layer header but four bytes of address family (link type NULL or "
        f"LOOP), and the addresses are those of two hosts.{possible(claim)}"
    )


def _one_direction(claim: Claim) -> str:
    return (
        f"No segment of {who(claim)} was read, though {peer(claim)} acknowledges what it sent "
        f"({last(claim)}): what {who(claim)} sent can only be inferred.{possible(claim)}"
    )


def _times(claim: Claim) -> str:
    steps = whole(claim, "steps")
    often = f" The times of the capture go back {steps} times." if steps > 1 else ""
    return (
        f"The time of {last(claim)} is {time(claim, 'by_ns')} before that of the frame before "
        f"it.{often} Durations across such a point are left out where they would be "
        f"wrong.{possible(claim)}"
    )


def _answer_first(claim: Claim) -> str:
    answer, syn = claim.frames
    return (
        f"#{answer} acknowledges the SYN of #{syn} but stands before it in the capture, by "
        f"{time(claim, 'after_ns')}: the order of the frames and their times are not those in "
        "which they were sent (several interfaces, queues or buffers)."
    )


def _dropped(claim: Claim) -> str:
    return (
        f"The capture says itself that {amount(claim, 'frames', 'frame was', 'frames were')} "
        "dropped while capturing (interface statistics): not all that is missing here was lost on "
        "the network."
    )


def _layer(claim: Claim) -> str:
    return (
        f"{amount(claim, 'frames', 'frame carries', 'frames carry')} {word(claim, 'layer')}, which "
        f"is not decoded (first in {frames(claim)}): any TCP inside is missing here."
    )


def _no_times(claim: Claim) -> str:
    return (
        f"All {amount(claim, 'segments', 'segment')} ({frames(claim)}) have one and the same time: "
        "the capture has no times, and a duration of 0 means nothing."
    )


def _snapped(claim: Claim) -> str:
    text = (
        f"{amount(claim, 'frames', 'frame was', 'frames were')} cut to at most "
        f"{amount(claim, 'snap_bytes')} (snap length; first in {frames(claim)})."
    )
    headers = whole(claim, "headers_cut")
    if headers:
        text += (
            f" Of {amount(claim, 'headers_cut', 'segment', 'segments')} not even the TCP header is "
            "whole: ports and sizes are known, flags and numbers are not. Capture with a snap "
            "length of 128 bytes or more to see them."
        )
    return text


def _header_cut(claim: Claim) -> str:
    return (
        f"{word(claim, 'source')} port {whole(claim, 'source_port')} sent "
        f"{amount(claim, 'segments', 'segment')} to {word(claim, 'destination')} port "
        f"{whole(claim, 'destination_port')}, with {amount(claim, 'bytes')} of TCP options and "
        f"data in all (first in {frames(claim)})."
    )


def _offloaded(claim: Claim) -> str:
    text = (
        f"{_of(claim, 'checksum')} not final but the sum of the pseudo-header (first in "
        f"{frames(claim)}): "
    )
    if claim.figures["both"]:
        # What a card receives it does not leave unfinished.
        return (
            f"{text}the rest is left to a network card (checksum offload). As that holds for both "
            "ends, their packets most likely passed virtual interfaces of one machine and no "
            "card. This is not an error."
        )
    return (
        f"{text}the network card does the rest after the capture (checksum offload). This is not "
        "an error on the wire."
    )


def _zeroed(claim: Claim) -> str:
    accepted = whole(claim, "accepted")
    proof = (
        f" The data of {amount(claim, 'accepted', 'such segment')} was acknowledged, so on the "
        "wire they were right."
        if accepted
        else ""
    )
    return (
        f"{_of(claim, 'checksum')} 0 (first in {frames(claim)}): not filled in when "
        f"captured.{proof}"
    )


def _wrong(claim: Claim) -> str:
    accepted = whole(claim, "accepted")
    if accepted:
        proof = (
            f" Yet the data of {amount(claim, 'accepted', 'such segment')} was acknowledged and "
            "not sent again: it reached the receiver intact."
        )
    else:
        proof = ""
    return f"{_of(claim, 'checksum')} wrong (first in {frames(claim)}).{proof}{possible(claim)}"


def _of(claim: Claim, noun: str) -> str:
    found, checked = whole(claim, "segments"), whole(claim, "checked")
    if found == checked:
        return f"All {found} {noun}s are" if found > 1 else f"The only {noun} is"
    verb = "is" if found == 1 else "are"
    return f"{found} of {checked} {noun}s {verb}"


WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    "capture.place": _place,
    "capture.one-host": _one_host,
    "capture.one-address": _one_address,
    "capture.bare-link": _bare_link,
    "capture.one-direction": _one_direction,
    "capture.times-go-back": _times,
    "capture.no-times": _no_times,
    "capture.answer-before-syn": _answer_first,
    "capture.dropped": _dropped,
    "capture.layer-not-decoded": _layer,
    "capture.snapped": _snapped,
    "capture.header-cut": _header_cut,
    "capture.checksums-offloaded": _offloaded,
    "capture.checksums-zeroed": _zeroed,
    "capture.checksums-wrong": _wrong,
}

FRAME_WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    "capture.one-direction": lambda _: "",
}
