"""
Sentences of the topic C{resets}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.words.causes import possible, rule
from netlab.analysis.words.phrases import amount, cited, last, nothing, peer, time, who, whole

_LONG_NS: Final = 500_000_000


def _refused(claim: Claim) -> str:
    text = f"Connection refused: {who(claim)} answers the SYN #{claim.frames[0]} with a RST"
    text += f" ({last(claim)}), on port {whole(claim, 'port')}"
    return f"{text}.{possible(claim)}"


def _after_syn_ack(claim: Claim) -> str:
    when = f", {time(claim, 'after_ns')} after the SYN-ACK" if "after_ns" in claim.figures else ""
    return (
        f"{who(claim)} resets the connection before it is open ({last(claim)}{when} "
        f"#{claim.frames[-2]}): {peer(claim)}'s port is open.{possible(claim)}"
        if when
        else f"{who(claim)} resets the connection before it is open ({last(claim)}): "
        f"{peer(claim)}'s port is open.{possible(claim)}"
    )


def _unacceptable(claim: Claim) -> str:
    text = (
        f"{who(claim)} answers the ACK #{claim.frames[-2]} with a RST ({last(claim)}), as that "
        f"does not acknowledge its SYN (#{claim.frames[0]}){rule(claim)}"
    )
    if claim.who == "client":
        text += ": the RST is for the old connection"
    return f"{text}."


def _no_connection(claim: Claim) -> str:
    return (
        f"{who(claim)} answers #{claim.frames[0]} with a RST ({last(claim)}) whose number is 0: it "
        f"has no connection that the segment belongs to, and no program that listens on port "
        f"{whole(claim, 'port')}{rule(claim)}."
    )


def _without_effect(claim: Claim) -> str:
    return (
        f"The RST {last(claim)}, in {who(claim)}'s name, has no effect: a receiver obeys only one "
        f"with exactly the next number{rule(claim)}, and {who(claim)} itself sends "
        f"on.{possible(claim)}"
    )


def _own_attempt(claim: Claim) -> str:
    return f"{who(claim)} gives up its own attempt to connect with a RST ({last(claim)})."


def _unknown(claim: Claim) -> str:
    text = (
        f"{who(claim)} answers #{claim.frames[0]} with a RST ({last(claim)}) that has no ACK flag "
        "and takes its sequence number from the ACK it answers: the answer of a host that does not "
        f"know the connection{rule(claim)}"
    )
    if "silent_ns" in claim.figures and whole(claim, "silent_ns") >= _LONG_NS:
        text += f". Before #{claim.frames[0]} nothing had travelled for {time(claim, 'silent_ns')}"
    return f"{text}.{possible(claim)}"


def _closed_socket(claim: Claim) -> str:
    what = f"#{claim.frames[1]}"
    if claim.figures["fin"]:
        what = f"{peer(claim)}'s FIN ({what})"
    text = (
        f"{who(claim)} had closed (#{claim.frames[0]}), and answers {what} with a RST "
        f"({last(claim)}): its socket is gone{rule(claim)}."
    )
    if not claim.figures["unacknowledged"]:
        text += " No data is lost."
    else:
        text += f" It had not acknowledged the last {amount(claim, 'unacknowledged')} before."
    return text


def _late(claim: Claim) -> str:
    if "answered_frame" in claim.figures:
        return (
            f"{who(claim)} had closed (#{whole(claim, 'fin_frame')}), and answers {peer(claim)}'s "
            f"{amount(claim, 'late_bytes')} (#{whole(claim, 'answered_frame')}) with a RST "
            f"({last(claim)}): its socket is gone{rule(claim)}, and this data is lost."
        )
    return (
        f"{who(claim)} resets the connection ({last(claim)}) after its own FIN; since that FIN "
        f"{peer(claim)} had sent {amount(claim, 'late_bytes')} more.{possible(claim)}"
    )


def _after_fin(claim: Claim) -> str:
    text = f"{who(claim)} resets the connection ({last(claim)})"
    if "after_ns" in claim.figures:
        text += f", {time(claim, 'after_ns')}"
    text += f" after its own FIN (#{claim.frames[0]})"
    if "fin_acked" in claim.figures:
        text += ", which had been acknowledged"
    return f"{text}. {peer(claim).capitalize()} had sent no data since.{possible(claim)}"


def _instead(claim: Claim) -> str:
    text = (
        f"{who(claim)} resets the connection ({last(claim)}) instead of closing its own direction "
        f"after {peer(claim)}'s FIN (#{claim.frames[0]})."
    )
    if claim.figures["fin_acked"]:
        text += (
            " It had acknowledged everything; whether its program read it, the frames do not show."
        )
    return f"{text}{possible(claim)}"


def _abort(claim: Claim) -> str:
    text = f"{who(claim)} resets the connection ({last(claim)})"
    if "after_ns" in claim.figures and whole(claim, "after_ns") >= _LONG_NS:
        text += f" after {time(claim, 'after_ns')} of silence"
    if claim.figures["received"]:
        text += f"; it had been sent {amount(claim, 'received')}"
    return f"{text}.{possible(claim)}"


def _fast_close(claim: Claim) -> str:
    if len(claim.frames) == 1:
        return f"{who(claim)} gives up the Multipath TCP connection (MP_FASTCLOSE, {last(claim)})."
    return (
        f"{peer(claim)} gives up the Multipath TCP connection (MP_FASTCLOSE, "
        f"#{claim.frames[0]}), and the RST {last(claim)} is the answer to that{rule(claim)}."
    )


def _shut(claim: Claim) -> str:
    return (
        f"{who(claim)} gives up ({last(claim)}): {peer(claim)}'s window has been 0 for "
        f"{time(claim, 'shut_ns')}, since #{claim.frames[0]}, through "
        f"{amount(claim, 'probes', 'window probe')}.{possible(claim)}"
    )


def _keep_alives(claim: Claim) -> str:
    answered = whole(claim, "answered")
    text = f"{who(claim)} resets the connection ({last(claim)}) after "
    text += f"{amount(claim, 'unanswered', 'keep-alive')} without an answer"
    if answered:
        text += (
            "; the one before was answered"
            if answered == 1
            else f"; the {answered} before were answered"
        )
    return f"{text}.{possible(claim)}"


def _no_answer(claim: Claim) -> str:
    return (
        f"{who(claim)} gives up ({last(claim)}) after {amount(claim, 'sendings', 'sending')} of "
        f"the same bytes in {time(claim, 'waited_ns')}, none of them "
        f"acknowledged.{possible(claim)}"
    )


def _outside(claim: Claim) -> str:
    return (
        f"The RST {last(claim)} lies outside the window, {amount(claim, 'distance')} from what "
        f"{peer(claim)} expects (#{claim.frames[0]}): it is ignored{rule(claim)}."
    ) + (f" It is very likely forged: {_odd_header(claim)}" if claim.causes else "")


def _goes_on(claim: Claim) -> str:
    later = cited(claim.frames[1:])
    return f"The connection goes on after the RST #{claim.frames[0]}: both ends send ({later})."


def _other_sender(claim: Claim) -> str:
    return f"The RST {last(claim)} very likely comes from another sender: {_odd_header(claim)}"


def _odd_header(claim: Claim) -> str:
    """
    Say what of a RST's IP header is not as in its sender's other segments.
    """
    parts = []
    if "ttl" in claim.figures:
        parts.append(
            f"its time to live is {whole(claim, 'ttl')}, that of {who(claim)}'s other segments "
            f"{whole(claim, 'usual_ttl')}"
        )
    if "ip_id" in claim.figures:
        parts.append(
            f"its IP identification {whole(claim, 'ip_id')} does not follow "
            f"{whole(claim, 'usual_ip_id')}"
        )
    said = " and ".join(parts) or f"its IP header is not like that of {who(claim)}'s others"
    return f"{said}.{possible(claim)}"


def _text(claim: Claim) -> str:
    return (
        f"The RST {last(claim)} carries a diagnostic text of {amount(claim, 'bytes')}, which is "
        f"not data of the stream{rule(claim)}."
    )


def _again(claim: Claim) -> str:
    return f"{who(claim)} sends another RST ({last(claim)})."


def _answers(claim: Claim) -> str:
    return (
        f"{who(claim)} sends another RST ({last(claim)}), with the number that #{claim.frames[0]} "
        "acknowledges: that is how a closed connection answers a segment still on its way "
        "(RFC 9293 section 3.10.7.1)."
    )


def _also(claim: Claim) -> str:
    return f"{who(claim)} sends a RST too ({last(claim)}), after that of {peer(claim)}."


WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    "resets.refused": _refused,
    "resets.after-syn-ack": _after_syn_ack,
    "resets.unacceptable-ack": _unacceptable,
    "resets.no-connection": _no_connection,
    "resets.without-effect": _without_effect,
    "resets.own-attempt": _own_attempt,
    "resets.unknown-connection": _unknown,
    "resets.closed-socket": _closed_socket,
    "resets.data-after-close": _late,
    "resets.after-own-fin": _after_fin,
    "resets.instead-of-fin": _instead,
    "resets.abort": _abort,
    "resets.fast-close": _fast_close,
    "resets.window-stayed-shut": _shut,
    "resets.keep-alives-unanswered": _keep_alives,
    "resets.no-answer": _no_answer,
    "resets.outside-window": _outside,
    "resets.goes-on": _goes_on,
    "resets.other-sender": _other_sender,
    "resets.text": _text,
    "resets.again": _again,
    "resets.answers-a-segment": _answers,
    "resets.after-a-reset": _also,
}

FRAME_WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    "resets.goes-on": nothing,
}
