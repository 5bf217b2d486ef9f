"""
Sentences of the topics C{repeats}, C{reordering}, C{gaps} and C{copies}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from netlab.analysis.claims.claim import Claim, Known
from netlab.analysis.words.causes import possible
from netlab.analysis.words.phrases import amount, frames, last, peer, time, who, whole, word
from netlab.analysis.words.units import count


def _bytes(claim: Claim) -> str:
    first, final = whole(claim, "first"), whole(claim, "last")
    return f"byte {first}" if first == final else f"bytes {first} to {final}"


def _among(claim: Claim) -> str:
    """
    Say which bytes are missing, or among which.
    """
    whole_range = whole(claim, "last") - whole(claim, "first") + 1
    among = "" if whole_range == whole(claim, "bytes") else "among "
    return f"{among}{_bytes(claim)}"


def _carried(claim: Claim) -> str:
    """
    Say which bytes are sent again in which frame, and which frames carried them before.
    """
    text = f"{who(claim)} sends {_bytes(claim)} again in {last(claim)}"
    if "fresh_bytes" in claim.figures:
        text += f", with {amount(claim, 'fresh_bytes', 'new byte')}"
    text += f"; #{whole(claim, 'first_frame')} carried them first"
    if "latest_frame" in claim.figures:
        text += f", #{whole(claim, 'latest_frame')} last"
    if "waited_ns" in claim.figures:
        text += f", {time(claim, 'waited_ns')} earlier"
    if "discarded_frame" in claim.figures:
        text += (
            f". The checksum of #{whole(claim, 'discarded_frame')} is wrong, so {peer(claim)} "
            "discarded it"
        )
    return text


def _timeout(claim: Claim) -> str:
    text = f"{_carried(claim)}. Its retransmission timer expired ({claim.rule})"
    if "waited_before_ns" in claim.figures:
        text += (
            f": the wait has grown from {time(claim, 'waited_before_ns')}, as the timer backs off"
        )
    if "discarded_frame" in claim.figures:
        return f"{text}."
    return (
        f"{text}. The segment or its ACK was lost behind this point or came too late, or the "
        "segment was not accepted."
    )


def _timer(claim: Claim) -> str:
    return f"{_carried(claim)}. No duplicate ACK explains it.{possible(claim)}"


def _after_icmp(claim: Claim) -> str:
    return (
        f"{_carried(claim)}. Before that, #{whole(claim, 'error_frame')} had reported that it was "
        f"too big.{possible(claim)}"
    )


def _after_timeout(claim: Claim) -> str:
    head = f"{_carried(claim)}. It follows #{whole(claim, 'timeout_frame')}"
    if claim.known is Known.FOLLOWS:
        return f"{head}: after a retransmission timeout all outstanding data is sent again."
    return f"{head}, which repeats what came before.{possible(claim)}"


def _fast(claim: Claim) -> str:
    return (
        f"{_carried(claim)}. {amount(claim, 'duplicates', 'duplicate ACK')} caused it: a fast "
        f"retransmit ({claim.rule}), not a timer. {peer(claim).capitalize()} lacked these bytes: "
        "the first copy was lost or delayed behind this point."
    )


def _sack(claim: Claim) -> str:
    text = _carried(claim)
    if "recovery_frame" in claim.figures:
        text += f". It belongs to the recovery that began in #{whole(claim, 'recovery_frame')}: "
    elif whole(claim, "duplicates"):
        text += f". {amount(claim, 'duplicates', 'duplicate ACK')} with SACK caused it: "
    else:
        text += ". SACK caused it: "
    return (
        f"{text}{peer(claim)} has later bytes and reports these missing (SACK recovery, "
        f"{claim.rule}). No timer was needed."
    )


def _partial(claim: Claim) -> str:
    return (
        f"{_carried(claim)}. During the recovery that began in "
        f"#{whole(claim, 'recovery_frame')}, #{whole(claim, 'ack_frame')} acknowledged only up to "
        f"here: the next lost segment ({claim.rule})."
    )


def _after_duplicates(claim: Claim) -> str:
    text = _carried(claim)
    if whole(claim, "duplicates"):
        text += f", after {amount(claim, 'duplicates', 'duplicate ACK')}"
    if claim.figures.get("sacked_bytes"):
        text += f"; {peer(claim)} had reported {amount(claim, 'sacked_bytes')} beyond (SACK)"
    return f"{text}.{possible(claim)}"


def _again(claim: Claim) -> str:
    return f"{_carried(claim)}. No timeout, duplicate ACK or SACK before it explains why."


def _acknowledged(claim: Claim) -> str:
    text = f"{_carried(claim)}, although #{whole(claim, 'ack_frame')} had acknowledged them"
    if "since_ack_ns" in claim.figures:
        text += f" {time(claim, 'since_ack_ns')} before"
    return f"{text}: a spurious retransmission.{possible(claim)}"


def _by_sack(claim: Claim) -> str:
    first, repeat = whole(claim, "first_frame"), whole(claim, "repeat_frame")
    # A first copy that was late comes after its repeat.
    arrived = "had arrived" if first < repeat else "arrived too, later"
    return (
        f"{who(claim)} reports in {last(claim)} that {_bytes(claim)} came twice (D-SACK, "
        f"{claim.rule}): #{first} {arrived}, and the repeat in #{repeat} was spurious."
    )


def _received_twice(claim: Claim) -> str:
    return (
        f"{who(claim)} reports in {last(claim)} that {_bytes(claim)} came twice (D-SACK, "
        f"{claim.rule})."
    )


def _by_timestamp(claim: Claim) -> str:
    return (
        f"{last(claim)} echoes the timestamp of #{whole(claim, 'first_frame')}, not that of its "
        f"repeat in #{whole(claim, 'repeat_frame')}: the first copy arrived, and the repeat was "
        f"spurious ({claim.rule})."
    )


def _other_bytes(claim: Claim) -> str:
    text = (
        f"{last(claim)} carries other bytes than #{whole(claim, 'first_frame')} under the same "
        f"sequence numbers ({_bytes(claim)}): it repeats nothing"
    )
    if claim.figures["ttl"] != claim.figures["first_ttl"]:
        text += f". Its TTL is {whole(claim, 'ttl')}, that of the first {whole(claim, 'first_ttl')}"
    return f"{text}.{possible(claim)}"


def _damaged(claim: Claim) -> str:
    return (
        f"{last(claim)} carries other bytes than #{whole(claim, 'first_frame')} under the same "
        f"sequence numbers ({_bytes(claim)}); the checksum of "
        f"#{whole(claim, 'wrong_checksum_frame')} is wrong, so that one was damaged."
    )


def _signal(name: str) -> Callable[[Claim], str]:
    def words(claim: Claim) -> str:
        text = (
            f"{who(claim)} sends its {name} again in {last(claim)}; "
            f"#{whole(claim, 'first_frame')} carried it first"
        )
        if "waited_ns" in claim.figures and whole(claim, "tries") > 1:
            text += f", and it was last sent {time(claim, 'waited_ns')} earlier"
        elif "waited_ns" in claim.figures:
            text += f", {time(claim, 'waited_ns')} earlier"
        if "asked_frame" in claim.figures:
            text += f". It answers the repeated SYN in #{whole(claim, 'asked_frame')}"
        elif "ack_frame" in claim.figures:
            text += f", although #{whole(claim, 'ack_frame')} had acknowledged it"
        elif claim.known is Known.FOLLOWS:
            text += f". Its retransmission timer expired ({claim.rule})"
        return f"{text}."

    return words


def _hole(claim: Claim) -> str:
    text = f"{last(claim)} brings {_bytes(claim)}, missing since #{whole(claim, 'opened_frame')}"
    if "late_ns" in claim.figures:
        text += f" {time(claim, 'late_ns')} earlier"
    return text


def _lost_before(claim: Claim) -> str:
    return (
        f"{_hole(claim)}. After {amount(claim, 'duplicates', 'duplicate ACK')} it is a "
        f"retransmission: the first copy was lost before this point, and {peer(claim)} lacked it "
        "too."
    )


def _not_seen(claim: Claim) -> str:
    return f"{_hole(claim)}. A first copy was not captured.{possible(claim)}"


def _overtaken(claim: Claim) -> str:
    if "ip_id" in claim.figures:
        why = (
            f"its IP identification {whole(claim, 'ip_id')} is lower than "
            f"{whole(claim, 'opened_ip_id')}, so it was sent earlier"
        )
    elif claim.figures.get("evidence") == "ip-id":
        why = "its IP identification is lower, so it was sent earlier"
    else:
        why = "its timestamp is older, so it was sent earlier"
    return f"{_hole(claim)}. It was overtaken: {why}. This is reordering."


def _late_original(claim: Claim) -> str:
    shown = "IP identification" if word(claim, "evidence") == "ip-id" else "timestamp"
    return (
        f"{last(claim)} brings {_bytes(claim)} again, but its {shown} shows that it was sent "
        f"before #{whole(claim, 'repeat_frame')}: it is the earlier copy, late. This is reordering."
    )


def _late(claim: Claim) -> str:
    return f"{_hole(claim)}, sooner than a retransmission can answer.{possible(claim)}"


def _opened(claim: Claim) -> str:
    size = whole(claim, "bytes")
    return (
        f"{count(size, 'byte')} before {last(claim)} ({_bytes(claim)}) had not been captured by "
        "then."
    )


def _not_captured(claim: Claim) -> str:
    size = whole(claim, "bytes")
    if claim.causes:
        return (
            f"{count(size, 'byte')} of {who(claim)} ({_among(claim)}) are in no segment that was "
            f"read, but {last(claim)} acknowledges them: they arrived.{possible(claim)}"
        )
    if size == 1:
        return (
            f"One sequence number of {who(claim)} (a byte or a FIN) was acknowledged in "
            f"{last(claim)} but is not in the capture: it arrived, and the capture missed it."
        )
    return (
        f"{count(size, 'byte')} of {who(claim)} ({_among(claim)}) are not in the capture, but "
        f"{last(claim)} acknowledges them: they arrived, and the capture missed them. Their "
        "absence shows no loss on the network."
    )


def _never_filled(claim: Claim) -> str:
    return (
        f"{amount(claim, 'bytes')} of {who(claim)} before {last(claim)} ({_among(claim)}) are "
        f"never seen and never acknowledged.{possible(claim)}"
    )


def _after_its_ack(claim: Claim) -> str:
    return (
        f"{last(claim)} brings {_bytes(claim)}, which #{whole(claim, 'opened_frame')} had "
        f"acknowledged before they were captured.{possible(claim)}"
    )


def _throughout(claim: Claim) -> str:
    text = (
        f"{amount(claim, 'copies', 'frame')} of {whole(claim, 'copies') + whole(claim, 'packets')} "
        "are copies of a packet that was captured before"
    )
    if "after_ns" in claim.figures:
        text += f", typically {time(claim, 'after_ns')} later ({frames(claim)}, for example)"
    place = word(claim, "place")
    if place == "router":
        text += ". The TTL differs: each packet was captured before and after a router"
    elif place == "same-ttl":
        text += (
            ". The TTL is the same: captured on two interfaces, at two ports of a switch, or going "
            "and coming on a loopback"
        )
    return f"{text}. Each of them was sent once."


def _copy(claim: Claim) -> str:
    text = f"{last(claim)} is the same packet as #{whole(claim, 'original_frame')}"
    if "after_ns" in claim.figures:
        text += f", captured again {time(claim, 'after_ns')} later"
    step = whole(claim, "ttl_step")
    if step:
        where, how = ("behind", "lower") if step < 0 else ("before", "higher")
        text += f" {where} {count(abs(step), 'router')} (its TTL is {abs(step)} {how})"
    return f"{text}. Its sender sent it once."


def _single(claim: Claim) -> str:
    text = f"{last(claim)} is the same packet as #{whole(claim, 'original_frame')}"
    if "after_ns" in claim.figures:
        text += f", captured again {time(claim, 'after_ns')} later"
    return f"{text}. Its sender did not repeat it.{possible(claim)}"


def _translated(claim: Claim) -> str:
    text = (
        f"Conversations {whole(claim, 'inside')} and {whole(claim, 'outside')} are one connection, "
        f"captured before and after an address translator: {amount(claim, 'packets', 'packet')} "
        "agree in their numbers and bytes"
    )
    first, after = whole(claim, "ttl"), whole(claim, "ttl_after")
    if first != after:
        text += f", and the TTL falls from {first} to {after}"
    return f"{text} (first in {frames(claim)})."


_COUNTED: Final = {
    "timeout": "retransmission timeout",
    "after_timeout": "retransmission following a timeout",
    "timer": "retransmission by a timer",
    "fast_retransmit": "fast retransmission",
    "sack_recovery": "retransmission in SACK recovery",
    "partial_ack": "retransmission after a partial ACK",
    "after_duplicate_acks": "retransmission after duplicate ACKs or SACK",
    "again": "retransmission whose trigger is not seen",
    "acknowledged_before": "spurious retransmission (acknowledged before)",
    "first_copy_lost_before": "retransmission whose first copy was lost before this point",
    "first_copy_not_seen": "late segment whose first copy was not captured",
    "other_bytes": "segment with other bytes",
    "damaged": "damaged segment",
    "syn": "SYN sent again",
    "syn_ack": "SYN-ACK sent again",
    "fin": "FIN sent again",
    "overtaken": "overtaken segment (reordering)",
    "late": "late segment, perhaps overtaken",
    "late_original": "earlier copy that came after its repeat",
}


def _counts(claim: Claim) -> str:
    parts = [
        f"{size} × {_COUNTED[name]}"
        for name, size in claim.figures.items()
        if isinstance(size, int)
    ]
    where = " to ".join(f"#{frame}" for frame in claim.frames)
    return f"Repeats and late segments of {who(claim)} ({where}): {', '.join(parts)}."


def _stream(claim: Claim) -> str:
    text = f"{who(claim)} sends {amount(claim, 'bytes')} of data, each counted once"
    if whole(claim, "missing_bytes"):
        text += f", of which {amount(claim, 'missing_bytes')} are not in the capture"
    if whole(claim, "again_bytes"):
        text += f"; {amount(claim, 'again_bytes')} were sent again"
    return f"{text}."


_CARRIED: Final = frozenset(
    {
        "repeats.timeout",
        "repeats.timer",
        "repeats.after-timeout",
        "repeats.fast-retransmit",
        "repeats.sack-recovery",
        "repeats.partial-ack",
        "repeats.after-duplicate-acks",
        "repeats.again",
        "repeats.acknowledged-before",
    }
)
"""Kinds of one frame that carries bytes again."""

WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    "repeats.timeout": _timeout,
    "repeats.timer": _timer,
    "repeats.after-icmp": _after_icmp,
    "repeats.after-timeout": _after_timeout,
    "repeats.fast-retransmit": _fast,
    "repeats.sack-recovery": _sack,
    "repeats.partial-ack": _partial,
    "repeats.after-duplicate-acks": _after_duplicates,
    "repeats.again": _again,
    "repeats.acknowledged-before": _acknowledged,
    "repeats.spurious-by-sack": _by_sack,
    "repeats.received-twice": _received_twice,
    "repeats.spurious-by-timestamp": _by_timestamp,
    "repeats.other-bytes": _other_bytes,
    "repeats.damaged": _damaged,
    "repeats.syn": _signal("SYN"),
    "repeats.syn-ack": _signal("SYN-ACK"),
    "repeats.fin": _signal("FIN"),
    "repeats.first-copy-lost-before": _lost_before,
    "repeats.first-copy-not-seen": _not_seen,
    "repeats.counts": _counts,
    "reordering.overtaken": _overtaken,
    "reordering.late": _late,
    "reordering.late-original": _late_original,
    "gaps.opened": _opened,
    "gaps.not-captured": _not_captured,
    "gaps.never-filled": _never_filled,
    "gaps.seen-after-its-ack": _after_its_ack,
    "copies.throughout": _throughout,
    "copies.copy": _copy,
    "copies.single": _single,
    "copies.translated": _translated,
    "bytes.stream": _stream,
}


def _nothing(_claim: Claim) -> str:
    return ""


def _in_frame(words: Callable[[Claim], str]) -> Callable[[Claim], str]:
    """
    Leave out what the frame's own sentence says: who sends, and in which frame.
    """

    def shorter(claim: Claim) -> str:
        said = f"{who(claim)} sends {_bytes(claim)} again in {last(claim)}"
        return words(claim).replace(said, f"{_bytes(claim)} again", 1)

    return shorter


FRAME_WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    "repeats.counts": _nothing,
    "gaps.never-filled": _nothing,
    "copies.throughout": _nothing,
    "copies.translated": _nothing,
    "bytes.stream": _nothing,
    **{kind: _in_frame(words) for kind, words in WORDS.items() if kind in _CARRIED},
}

FRAME_ONLY: Final = frozenset(
    {"bytes.stream", "copies.copy", "gaps.opened", "repeats.after-timeout"}
)
"""Kinds that a conversation's story does not tell one by one."""
