"""
Sentences of the topics C{tls} and C{alerts}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.words.causes import possible
from netlab.analysis.words.phrases import amount, frames, last, time, who, whole, word
from netlab.analysis.words.units import cite

_LEFT_OUT: Final = (
    ("missing_bytes", ("byte was not captured", "bytes were not captured")),
    (
        "cut_records",
        ("record was not captured as a whole", "records were not captured as a whole"),
    ),
    (
        "skipped_bytes",
        ("byte belongs to no record that was found", "bytes belong to no record that was found"),
    ),
    ("unfinished_bytes", ("byte at the end begins a record", "bytes at the end begin a record")),
)


def _client_hello(claim: Claim) -> str:
    text = f"TLS ClientHello ({frames(claim)}): the client offers {word(claim, 'versions')}"
    if name := word(claim, "server_name_text"):
        text += f" for the host {name} (SNI)"
    if protocols := word(claim, "alpn_text"):
        text += f" and the application protocols {protocols} (ALPN)"
    text += "."
    if "encrypted_hello" in claim.figures:
        text += " A second hello is inside, encrypted (ECH), so the host may be another."
    if "early_data" in claim.figures:
        text += " It announces early data (0-RTT)."
    if "is_cut" in claim.figures:
        text += " Only its beginning was captured."
    return text


def _server_hello(claim: Claim) -> str:
    text = (
        f"ServerHello ({frames(claim)}): the server chooses {word(claim, 'version')} with "
        f"{word(claim, 'suite')}"
    )
    if group := word(claim, "group"):
        text += f" and a key exchange with {group}"
    if protocol := word(claim, "alpn_text"):
        text += f"; the application protocol is {protocol} (ALPN)"
    return text + "."


def _retry(claim: Claim) -> str:
    cost = f", which costs {time(claim, 'cost_ns')}" if "cost_ns" in claim.figures else ""
    return (
        f"The server answers the first ClientHello with a HelloRetryRequest (#{claim.frames[0]}): "
        f"it asks for a key share of the group {word(claim, 'group')}, for which the client had "
        f"sent none{cost} ({claim.rule})."
    )


def _resumed(claim: Claim) -> str:
    if word(claim, "by") == "pre-shared key":
        return (
            f"The ends use a pre-shared key ({frames(claim)}), that of an earlier session or one "
            f"arranged by other means: the server sends no certificate ({claim.rule})."
        )
    return (
        f"The session is resumed by {word(claim, 'by')} ({frames(claim)}): the server sends no "
        f"certificate ({claim.rule})."
    )


def _not_resumed(claim: Claim) -> str:
    return (
        f"The client offers to resume an earlier session; the server chooses a full handshake "
        f"({frames(claim)})."
    )


def _certificate(claim: Claim) -> str:
    chain = amount(claim, "count", "certificate")
    text = f"The {claim.who} sends {chain} ({frames(claim)})"
    if subject := word(claim, "subject_text"):
        issuer = word(claim, "issuer_text")
        signed = "self-issued" if whole(claim, "self_issued") else f"issued by {issuer}"
        text += f": {subject}, {signed}"
    if "not_before" in claim.figures:
        since, until = whole(claim, "not_before"), whole(claim, "not_after")
        text += f", valid from {_date(since)} to {_date(until)}"
    if names := word(claim, "names_text"):
        more = whole(claim, "names") - names.count(", ") - 1
        text += f", for {names}" + (f" and {more} more" if more > 0 else "")
    return text + "."


def _certificate_unread(claim: Claim) -> str:
    return f"The {claim.who} sends a certificate ({frames(claim)}) that cannot be read."


def _certificate_none(claim: Claim) -> str:
    return f"The {claim.who} is asked for a certificate and sends none ({frames(claim)})."


def _certificate_not_valid(claim: Claim) -> str:
    days = ""
    if "days" in claim.figures:
        away = whole(claim, "days")
        days = "less than a day " if not away else f"{away} day{'' if away == 1 else 's'} "
    state = (
        f"expired {days}before" if whole(claim, "is_over") else f"is not valid until {days}after"
    )
    return (
        f"The {claim.who}'s certificate {state} this capture, by the capture's clock "
        f"({frames(claim)}; {claim.rule}). A peer whose clock agrees and that checks it refuses it."
    )


def _handshake(claim: Claim) -> str:
    answer = "HelloRetryRequest" if whole(claim, "retried") else "ServerHello"
    return (
        f"The TLS handshake takes {time(claim, 'took_ns')} (#{claim.frames[0]} to {last(claim)}); "
        f"the {answer} comes {time(claim, 'answered_ns')} after the ClientHello."
    )


def _application_data(claim: Claim) -> str:
    text = (
        f"{who(claim)} sends {amount(claim, 'records', 'record')} of application data "
        f"({_reach(claim)})"
    )
    if "bytes" in claim.figures:
        text += f", {amount(claim, 'bytes')} without TLS's overhead"
    return text + "."


def _protected(claim: Claim) -> str:
    return (
        f"{who(claim)} sends {amount(claim, 'records', 'encrypted record')} with "
        f"{amount(claim, 'bytes')} ({_reach(claim)}). In TLS 1.3, without the secrets "
        "(--keylog), the rest of the handshake, alerts and application data look alike."
    )


def _early_data(claim: Claim) -> str:
    return (
        f"{who(claim)} sends {amount(claim, 'records', 'record')} of early data (0-RTT), which "
        "are not decrypted here."
    )


def _key_update(claim: Claim) -> str:
    return f"{who(claim)} renews its keys {amount(claim, 'count', 'time')} (KeyUpdate)."


def _close_notify(claim: Claim) -> str:
    return (
        f"{who(claim)} sends the alert close_notify ({frames(claim)}): it will send no more data."
    )


def _encrypted_alert(claim: Claim) -> str:
    text = f"{who(claim)} sends an encrypted alert ({frames(claim)})."
    if claim.causes:
        alert = cite(claim.frames[:-1] or claim.frames)
        text = f"{who(claim)} sends an encrypted alert ({alert}), and then its FIN ({last(claim)})."
        text += possible(claim)
    return text


def _hidden_close_notify(claim: Claim) -> str:
    return (
        f"{who(claim)}'s last record before its FIN ({last(claim)}) has 19 bytes, the length of an "
        f"encrypted alert of TLS 1.3 ({cite(claim.frames[:-1] or claim.frames)}).{possible(claim)}"
    )


def _reset_after_close_notify(claim: Claim) -> str:
    return (
        f"{who(claim)} had sent close_notify ({cite(claim.frames[:-1])}) before its RST "
        f"({last(claim)}): all that it had to send came before; the RST only refuses what the "
        f"other end still sends ({claim.rule})."
    )


def _no_close_notify(claim: Claim) -> str:
    return (
        f"{who(claim)} closes ({last(claim)}) without close_notify: by TLS alone, the other end "
        f"cannot tell this from data cut short ({claim.rule})."
    )


def _sent(claim: Claim) -> str:
    return (
        f"{who(claim)} sends the {word(claim, 'level')} alert {word(claim, 'alert')} "
        f"({whole(claim, 'number')}) in {frames(claim)}."
    )


def _ended(claim: Claim) -> str:
    return (
        f"The {word(claim, 'flag')} of {who(claim)} ({last(claim)}) follows the fatal alert "
        f"{word(claim, 'alert')} (#{claim.frames[0]}): after it neither end sends anything more "
        f"({claim.rule})."
    )


def _hello_refused(claim: Claim) -> str:
    return (
        f"The ClientHello (#{claim.frames[0]}) is answered by a {word(claim, 'flag')} "
        f"({last(claim)}) and no byte.{possible(claim)}"
    )


def _hello_unanswered(claim: Claim) -> str:
    return f"No byte from the server answers the ClientHello ({frames(claim)}) in this capture."


def _answered_without_tls(claim: Claim) -> str:
    return (
        f"The ClientHello (#{claim.frames[0]}) is answered by bytes that are not TLS "
        f"({last(claim)}): the server speaks something else at this port."
    )


def _hidden_refusal(claim: Claim) -> str:
    return (
        f"The client breaks off the handshake: its first encrypted record ({frames(claim)}) has 19 "
        f"bytes, an alert's length and too short for the Finished that should be there "
        f"({claim.rule}). The alert itself is encrypted; a client that refuses the server's "
        "certificate does this."
    )


def _certificate_request(claim: Claim) -> str:
    return f"The server asks the client for a certificate ({frames(claim)})."


def _opened(claim: Claim) -> str:
    if whole(claim, "exchanges"):
        return "The TLS records are decrypted; the HTTP reported here was inside them."
    protocol = word(claim, "alpn_text")
    named = f" The ends agreed on {protocol} (ALPN)." if protocol else ""
    return f"The TLS records are decrypted; no HTTP/1.1 was found inside.{named}"


def _keys_unnamed(_: Claim) -> str:
    return (
        "The key log is of no use here: the hellos, which identify the secrets, were not captured."
    )


def _keys_missing(claim: Claim) -> str:
    return f"The key log has no secret for this connection's ClientHello ({frames(claim)})."


def _suite_not_opened(claim: Claim) -> str:
    return f"Records of {word(claim, 'suite')} are not decrypted by netlab."


def _keys_wrong(claim: Claim) -> str:
    return (
        f"The record in {frames(claim)} cannot be decrypted with the secrets of the key log; what "
        "follows it in that direction is not decrypted."
    )


def _renegotiated(_: Claim) -> str:
    return (
        "A second handshake within the connection changes the keys; what follows is not decrypted."
    )


def _incomplete(claim: Claim) -> str:
    parts = [amount(claim, name, *nouns) for name, nouns in _LEFT_OUT if name in claim.figures]
    rest = " whose rest is not in this capture" if "unfinished_bytes" in claim.figures else ""
    return f"Of the TLS records of {who(claim)}, {'; '.join(parts)}{rest}."


def _reach(claim: Claim) -> str:
    """
    Cite the first frame and the last.
    """
    first = f"#{claim.frames[0]}"
    return first if len(claim.frames) == 1 else f"{first} to {last(claim)}"


def _date(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    "tls.client-hello": _client_hello,
    "tls.server-hello": _server_hello,
    "tls.retry": _retry,
    "tls.resumed": _resumed,
    "tls.not-resumed": _not_resumed,
    "tls.certificate": _certificate,
    "tls.certificate-unread": _certificate_unread,
    "tls.certificate-none": _certificate_none,
    "tls.handshake": _handshake,
    "tls.application-data": _application_data,
    "tls.protected": _protected,
    "tls.early-data": _early_data,
    "tls.key-update": _key_update,
    "tls.close-notify": _close_notify,
    "tls.encrypted-alert": _encrypted_alert,
    "tls.hidden-close-notify": _hidden_close_notify,
    "tls.reset-after-close-notify": _reset_after_close_notify,
    "tls.opened": _opened,
    "tls.keys-unnamed": _keys_unnamed,
    "tls.keys-missing": _keys_missing,
    "tls.suite-not-opened": _suite_not_opened,
    "tls.keys-wrong": _keys_wrong,
    "tls.renegotiated": _renegotiated,
    "tls.incomplete": _incomplete,
    "alerts.sent": _sent,
    "alerts.ended": _ended,
    "alerts.no-close-notify": _no_close_notify,
    "alerts.certificate-not-valid": _certificate_not_valid,
    "alerts.hello-refused": _hello_refused,
    "alerts.hello-unanswered": _hello_unanswered,
    "alerts.answered-without-tls": _answered_without_tls,
    "alerts.hidden-refusal": _hidden_refusal,
    "tls.certificate-request": _certificate_request,
}


def _handshake_ends(claim: Claim) -> str:
    return f"The TLS handshake is over, {time(claim, 'took_ns')} after the ClientHello."


def _nothing(_: Claim) -> str:
    return ""


FRAME_WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    "tls.handshake": _handshake_ends,
    "tls.application-data": _nothing,
    "tls.protected": _nothing,
    "tls.early-data": _nothing,
    "tls.key-update": _nothing,
    "tls.opened": _nothing,
    "tls.keys-unnamed": _nothing,
    "tls.keys-missing": _nothing,
    "tls.suite-not-opened": _nothing,
    "tls.renegotiated": _nothing,
    "tls.incomplete": _nothing,
    "alerts.hello-unanswered": _nothing,
}
"""What is said of the conversation and not repeated at the frame with which it ends."""
