"""
Sentences of the topic C{icmp}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.words.phrases import amount, last, time, who, whole, word


def _error(claim: Claim) -> str:
    version = "ICMPv6" if whole(claim, "version") == 6 else "ICMP"
    numbers = f"{version} type {whole(claim, 'type')}, code {whole(claim, 'code')}"
    quoted = word(claim, "quotes")
    if len(claim.frames) > 1:
        sent = {
            "SYN": f"{who(claim)}'s SYN (#{claim.frames[0]})",
            "no data": f"{who(claim)}'s segment #{claim.frames[0]}",
        }.get(quoted, f"{who(claim)}'s segment #{claim.frames[0]} of {quoted}")
    else:
        sent = f"a segment of {who(claim)} that is not in the capture"
    text = (
        f"{word(claim, 'by')} ({word(claim, 'address')}) reports in {last(claim)} about {sent}: "
        f"{word(claim, 'means')} ({numbers})"
    )
    if "mtu" in claim.figures:
        mtu = whole(claim, "mtu")
        text += f"; the next hop takes at most {mtu} bytes (MTU)" if mtu else "; it names no MTU"
    return f"{text}."


def _smaller(claim: Claim) -> str:
    return (
        f"After #{claim.frames[0]} {who(claim)} goes on with {amount(claim, 'length')} of data per "
        f"segment instead of {whole(claim, 'before')} ({last(claim)}): with its headers that fits "
        f"the MTU of {amount(claim, 'mtu')} (path MTU discovery)."
    )


def _as_large(claim: Claim) -> str:
    return (
        f"{who(claim)} sends {amount(claim, 'length')} again in {last(claim)}, "
        f"{time(claim, 'waited_ns')} after #{claim.frames[0]} named an MTU of "
        f"{amount(claim, 'mtu')}: either that message did not reach it, or it ignores it."
    )


def _tries_again(claim: Claim) -> str:
    return (
        f"{who(claim)} does not give up at #{claim.frames[0]}: it sends its SYN again "
        f"{time(claim, 'waited_ns')} later ({last(claim)}). TCP commonly treats such an error as "
        "temporary."
    )


WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    "icmp.error": _error,
    "icmp.sends-smaller": _smaller,
    "icmp.sends-as-large": _as_large,
    "icmp.tries-again": _tries_again,
}

FRAME_WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {}
