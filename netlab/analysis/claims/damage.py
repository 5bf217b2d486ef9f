"""
Segments that arrive damaged: claims of the topic C{damage}.
"""

from __future__ import annotations

from collections.abc import Iterator

from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.observations.history import History, Sent
from netlab.capture.segments import Checksum, Flag

_RULE = "RFC 9293 section 3.1"


def claims_of(history: History) -> Iterator[Claim]:
    """
    Judge each segment that its receiver discards, and each that stands in for one without data. Of
    one with data the topic C{repeats} tells what was sent again.
    """
    if not history.discarded:
        return
    right = [0, 0]
    for sent in history.segments:
        right[sent.sender] += sent.checksum is Checksum.GOOD
    gone: dict[tuple[int, int, int], Sent] = {}
    for sent in history.segments:
        who = history.name(sent.sender)
        signal = sent.flags & (Flag.SYN | Flag.FIN | Flag.RST)
        key = (sent.sender, sent.seq_raw, signal)
        if sent.number in history.discarded:
            figures: dict[str, Figure] = {
                "bytes": sent.length,
                "flag": _name(sent),
                "right": right[sent.sender],
            }
            yield Claim("damage.discarded", (sent.number,), Known.FOLLOWS, figures, _RULE, who=who)
            if signal & (Flag.SYN | Flag.FIN) and not sent.length:
                gone[key] = sent
        elif (before := gone.pop(key, None)) is not None:
            passed = sent.time_ns - before.time_ns
            figures = {"flag": _name(sent)}
            if passed >= 0:
                figures["waited_ns"] = passed
            yield Claim("damage.sent-again", (before.number, sent.number), figures=figures, who=who)


def _name(sent: Sent) -> str:
    """
    Name the flag by which a segment opens, closes or resets the connection; nothing if it does not.
    """
    if sent.has_syn:
        return "SYN-ACK" if sent.has_ack else "SYN"
    return "RST" if sent.has_rst else "FIN" if sent.has_fin else ""
