"""
What the ends did in TLS: claims of the topics C{tls} and C{alerts}.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.observations.history import History, Sent
from netlab.analysis.tls.carriers import Travel
from netlab.analysis.tls.messages import ClientHello
from netlab.analysis.tls.names import alert_name, group_name, version_name
from netlab.analysis.tls.observations import (
    Alert,
    CertificateChain,
    Decryption,
    Resumption,
    TLSConversation,
    TLSDirection,
)

_SECOND_NS: Final = 1_000_000_000
_DAY_SECONDS: Final = 86_400
_FATAL: Final = 2

#: The fragment of a record of TLS 1.3 with an alert: two bytes, the hidden type, and the tag.
_ALERT_RECORD_BYTES: Final = 19

_QUOTED_MAX: Final = 64
_NAMES_TOLD: Final = 3
_ALERTS_TOLD_MAX: Final = 10


def claims_of(history: History) -> Iterator[Claim]:
    """
    Judge what a conversation did in TLS.
    """
    found = history.tls
    if found is None:
        return
    yield from _hellos(found)
    yield from _resumption(found)
    for chain in found.certificates:
        yield from _certificate(chain)
    if found.asks_for_certificate is not None:
        yield Claim("tls.certificate-request", _frames(found.asks_for_certificate), who="server")
    yield from _handshake(found)
    yield from _alerts(history, found)
    yield from _refusal(found)
    yield from _decryption(history, found)
    if found.is_followed:
        yield from _unanswered(history, found)
        yield from _talk(found)
        yield from _ends(history, found)
        yield from _left_out(found)


def _hellos(found: TLSConversation) -> Iterator[Claim]:
    hello, chosen = found.client_hello, found.server_hello
    if hello is not None:
        yield Claim("tls.client-hello", _frames(hello.travel), figures=_offer(hello), who="client")
    if found.retry is not None:
        figures: dict[str, Figure] = {"group": group_name(found.retry.group or 0)}
        frames = [found.retry.travel]
        if chosen is not None and chosen.travel.start_ns >= found.retry.travel.start_ns:
            figures["cost_ns"] = chosen.travel.start_ns - found.retry.travel.start_ns
            frames.append(chosen.travel)
        yield Claim(
            "tls.retry",
            _frames(*frames),
            Known.FOLLOWS,
            figures,
            rule="RFC 8446 section 4.1.4",
            who="server",
        )
    if chosen is not None:
        figures = {"version": version_name(chosen.version), "suite": found.cipher_suite or ""}
        if chosen.group is not None:
            figures["group"] = group_name(chosen.group)
        if found.alpn is not None:
            figures["alpn_text"] = _quoted(found.alpn)
        yield Claim("tls.server-hello", _frames(chosen.travel), figures=figures, who="server")


def _offer(hello: ClientHello) -> dict[str, Figure]:
    figures: dict[str, Figure] = {
        "versions": ", ".join(version_name(version) for version in hello.versions[:5]),
        "suites": len(hello.cipher_suites),
    }
    if hello.server_name is not None:
        figures["server_name_text"] = _quoted(hello.server_name)
    if hello.alpn:
        figures["alpn_text"] = ", ".join(_quoted(name) for name in hello.alpn[:5])
    if hello.has_encrypted_hello:
        figures["encrypted_hello"] = 1
    if hello.has_early_data:
        figures["early_data"] = 1
    if not hello.is_whole:
        figures["is_cut"] = 1
    return figures


def _resumption(found: TLSConversation) -> Iterator[Claim]:
    hello, chosen = found.client_hello, found.server_hello
    if hello is None or chosen is None:
        return
    ways = {
        Resumption.SESSION_ID: ("session ID", "RFC 5246 section 7.3"),
        Resumption.TICKET: ("session ticket", "RFC 5077 section 3.1"),
        Resumption.PSK: ("pre-shared key", "RFC 8446 section 2.2"),
    }
    frames = _frames(hello.travel, chosen.travel)
    if found.resumption in ways:
        way, rule = ways[found.resumption]
        yield Claim("tls.resumed", frames, Known.FOLLOWS, {"by": way}, rule, who="server")
    elif found.resumption is Resumption.DECLINED:
        yield Claim("tls.not-resumed", frames, who="server")


def _certificate(chain: CertificateChain) -> Iterator[Claim]:
    who = _who(from_client=chain.from_client)
    leaf = chain.leaf
    if leaf is None:
        kind = (
            "tls.certificate-unread"
            if chain.count or not chain.is_whole
            else "tls.certificate-none"
        )
        yield Claim(kind, _frames(chain.travel), figures={"count": chain.count}, who=who)
        return
    figures: dict[str, Figure] = {
        "count": chain.count,
        "not_before": leaf.not_before,
        "not_after": leaf.not_after,
        "subject_text": _quoted(leaf.subject),
        "issuer_text": _quoted(leaf.issuer),
        "names": len(leaf.names),
        "self_issued": int(leaf.is_self_issued),
    }
    if leaf.names:
        figures["names_text"] = ", ".join(_quoted(name) for name in leaf.names[:_NAMES_TOLD])
    yield Claim("tls.certificate", _frames(chain.travel), figures=figures, who=who)
    now = chain.travel.start_ns // _SECOND_NS
    if not leaf.not_before <= now <= leaf.not_after:
        is_over = now > leaf.not_after
        away = now - leaf.not_after if is_over else leaf.not_before - now
        yield Claim(
            "alerts.certificate-not-valid",
            _frames(chain.travel),
            Known.FOLLOWS,
            {"is_over": int(is_over), "days": away // _DAY_SECONDS},
            "RFC 5280 section 4.1.2.5",
            who=who,
        )


def _handshake(found: TLSConversation) -> Iterator[Claim]:
    """
    From the ClientHello to the last Finished. Whether the first protected record of a client in TLS
    1.3 holds one is a rule's word where no secret shows it; with early data it does not.
    """
    hello, client, server = found.client_hello, found.client_finished, found.server_finished
    if hello is None or found.server_hello is None or client is None:
        return
    if server is None and not found.is_tls_1_3:
        return
    if (
        found.is_tls_1_3
        and found.decryption is not Decryption.OPENED
        and found.client.missing_bytes
    ):
        # The first protected record that was captured need not be the first that was sent.
        return
    if hello.has_early_data and found.decryption is not Decryption.OPENED:
        return
    # In TLS 1.3 the client's Finished is an answer to the server's.
    last = client if server is None else max(client, server, key=lambda each: each.frames[-1])
    took_ns = last.end_ns - hello.travel.start_ns
    answer = found.retry or found.server_hello
    answered_ns = answer.travel.start_ns - hello.travel.end_ns
    if min(took_ns, answered_ns) < 0:
        # The capture's clock was set back in between.
        return
    yield Claim(
        "tls.handshake",
        _frames(hello.travel, last),
        Known.FOLLOWS,
        {
            "took_ns": took_ns,
            "answered_ns": answered_ns,
            "retried": int(found.retry is not None),
        },
        "RFC 8446 section 2" if found.is_tls_1_3 else "RFC 5246 section 7.3",
    )


def _unanswered(history: History, found: TLSConversation) -> Iterator[Claim]:
    """
    A ClientHello and no record of the server's after it.
    """
    hello = found.client_hello
    if hello is None or found.server.records or found.server.missing_bytes:
        return
    answers = [
        each
        for each in history.segments
        if each.number > hello.travel.frames[-1] and history.name(each.sender) == "server"
    ]
    spoken = next((each for each in answers if each.length and not each.has_rst), None)
    if spoken is not None:
        if found.server.skipped_bytes and _begins(history, spoken):
            frames = _and(_frames(hello.travel), spoken.number)
            yield Claim("alerts.answered-without-tls", frames, who="server")
        return
    if found.server.unfinished_bytes or not _has_said_nothing(history, "server"):
        return
    end = next((each for each in answers if each.has_rst or each.has_fin), None)
    if end is not None:
        yield Claim(
            "alerts.hello-refused",
            _and(_frames(hello.travel), end.number),
            Known.POSSIBLE,
            {"flag": "RST" if end.has_rst else "FIN"},
            causes=("server-speaks-no-tls", "server-refuses-hello", "device-on-the-way", "unknown"),
            who="server",
        )
    elif history.is_whole:
        yield Claim("alerts.hello-unanswered", _frames(hello.travel), who="client")


def _talk(found: TLSConversation) -> Iterator[Claim]:
    for who, side in (("client", found.client), ("server", found.server)):
        if side.application_records:
            travels = [each for each in (side.first_application, side.last_application) if each]
            figures: dict[str, Figure] = {"records": side.application_records}
            if side.application_bytes is not None:
                figures["bytes"] = side.application_bytes
            yield Claim("tls.application-data", _frames(*travels), figures=figures, who=who)
        elif side.application_records is None and side.protected_records:
            yield _protected(side, who)
        if side.early_records:
            first = side.first_protected
            frames = _frames(first) if first is not None else ()
            yield Claim("tls.early-data", frames, figures={"records": side.early_records}, who=who)
        if side.key_updates and side.last_protected is not None:
            frames = _frames(side.last_protected)
            yield Claim("tls.key-update", frames, figures={"count": side.key_updates}, who=who)


def _protected(side: TLSDirection, who: str) -> Claim:
    travels = [each for each in (side.first_protected, side.last_protected) if each is not None]
    return Claim(
        "tls.protected",
        _frames(*travels),
        figures={"records": side.protected_records, "bytes": side.protected_bytes},
        who=who,
    )


def _alerts(history: History, found: TLSConversation) -> Iterator[Claim]:
    for alert in found.alerts[:_ALERTS_TOLD_MAX]:
        who = _who(from_client=alert.from_client)
        frames = _frames(alert.travel)
        if alert.description is None:
            fin = _next_end(history, alert, own=True)
            if fin is not None and fin.has_fin and _is_last(history, who, frames[-1], fin):
                yield Claim(
                    "tls.encrypted-alert",
                    _and(frames, fin.number),
                    Known.POSSIBLE,
                    causes=("close-notify", "unknown"),
                    who=who,
                )
            else:
                yield Claim("tls.encrypted-alert", frames, who=who)
            continue
        if alert.is_close_notify:
            yield Claim("tls.close-notify", frames, who=who)
            continue
        figures: dict[str, Figure] = {
            "level": alert.level_name,
            "alert": alert_name(alert.description),
            "number": alert.description,
        }
        yield Claim("alerts.sent", frames, figures=figures, who=who)
        end = _next_end(history, alert)
        if alert.level == _FATAL and end is not None:
            yield Claim(
                "alerts.ended",
                _and(frames, end.number),
                Known.FOLLOWS,
                {"flag": "RST" if end.has_rst else "FIN", "alert": alert_name(alert.description)},
                "RFC 8446 section 6.2",
                who=history.name(end.sender),
            )


def _next_end(history: History, alert: Alert, *, own: bool = False) -> Sent | None:
    """
    Give the first RST or FIN that comes with an alert or after it.
    """
    sender = _who(from_client=alert.from_client)
    for each in history.segments:
        if each.number < alert.travel.frames[-1] or not (each.has_rst or each.has_fin):
            continue
        if not own or history.name(each.sender) == sender:
            return each
    return None


def _ends(history: History, found: TLSConversation) -> Iterator[Claim]:
    """
    Hold each end's close against what TLS asks for (RFC 8446 section 6.1): that close_notify comes
    before it, so that nobody on the way can cut the data short.
    """
    for who, side in (("client", found.client), ("server", found.server)):
        closing = next(
            (
                each
                for each in history.segments
                if history.name(each.sender) == who and (each.has_fin or each.has_rst)
            ),
            None,
        )
        if closing is None or found.server_hello is None or not history.is_whole:
            continue
        notified = found.close_notify(from_client=who == "client")
        own = [alert for alert in found.alerts if alert.from_client == (who == "client")]
        if notified is not None:
            if closing.has_rst and closing.number > notified.travel.frames[-1]:
                yield Claim(
                    "tls.reset-after-close-notify",
                    _and(_frames(notified.travel), closing.number),
                    Known.FOLLOWS,
                    rule="RFC 8446 section 6.1",
                    who=who,
                )
        elif (
            not side.protected_records
            or own
            or side.missing_bytes
            or side.skipped_bytes
            or not _is_last(history, who, closing.number, closing)
        ):
            continue
        elif not found.is_tls_1_3 or side.opened_records == side.protected_records:
            if closing.has_fin and not side.cut_records and _is_whole(history, found, who):
                yield Claim(
                    "alerts.no-close-notify",
                    (closing.number,),
                    Known.FOLLOWS,
                    rule="RFC 8446 section 6.1",
                    who=who,
                )
        elif (
            closing.has_fin
            and side.last_length == _ALERT_RECORD_BYTES
            and side.last_protected is not None
            and side.protected_records > 1
        ):
            frames = sorted({*_frames(side.last_protected), closing.number})
            if frames[-1] == closing.number:
                yield Claim(
                    "tls.hidden-close-notify",
                    tuple(frames),
                    Known.POSSIBLE,
                    causes=("close-notify", "other-alert", "two-bytes-of-data"),
                    who=who,
                )


def _refusal(found: TLSConversation) -> Iterator[Claim]:
    """
    A client that cannot go on says so in its first protected record of TLS 1.3, where its Finished
    should be. What it says is encrypted, but no Finished is so short.
    """
    first = found.client.first_protected
    if (
        first is not None
        and found.is_tls_1_3
        and found.decryption is not Decryption.OPENED
        and found.client.first_protected_length == _ALERT_RECORD_BYTES
        and found.client_hello is not None
        and not found.client_hello.has_early_data
        and not found.client.missing_bytes
    ):
        yield Claim(
            "alerts.hidden-refusal",
            _frames(first),
            Known.FOLLOWS,
            rule="RFC 8446 section 4.4.4",
            who="client",
        )


def _decryption(history: History, found: TLSConversation) -> Iterator[Claim]:
    hello = found.client_hello
    frames = () if hello is None else _frames(hello.travel)
    match found.decryption:
        case Decryption.NO_KEYLOG | Decryption.NOTHING_OPENED:
            return
        case Decryption.OPENED:
            http = history.http
            figures: dict[str, Figure] = {
                "suite": found.cipher_suite or "",
                "exchanges": len(http.exchanges) + http.exchanges_uncounted,
            }
            if found.alpn is not None:
                figures["alpn_text"] = _quoted(found.alpn)
            yield Claim("tls.opened", frames, figures=figures)
            if found.is_renegotiated:
                yield Claim("tls.renegotiated", frames)
            return
        case Decryption.NO_HANDSHAKE:
            kind = "tls.keys-unnamed"
        case Decryption.NOT_IN_KEYLOG:
            kind = "tls.keys-missing"
        case Decryption.UNSUPPORTED:
            kind = "tls.suite-not-opened"
        case Decryption.BROKEN:
            kind = "tls.keys-wrong"
            frames = frames if found.broken is None else _frames(found.broken)
    yield Claim(kind, frames, figures={"suite": found.cipher_suite or ""})


def _left_out(found: TLSConversation) -> Iterator[Claim]:
    for who, side in (("client", found.client), ("server", found.server)):
        figures: dict[str, Figure] = {
            name: number
            for name, number in (
                ("missing_bytes", side.missing_bytes),
                ("cut_records", side.cut_records),
                ("skipped_bytes", side.skipped_bytes),
                ("unfinished_bytes", side.unfinished_bytes),
            )
            if number
        }
        if figures:
            frames = _frames(side.last_protected) if side.last_protected is not None else ()
            yield Claim("tls.incomplete", frames, figures=figures, who=who)


def _frames(*travels: Travel) -> tuple[int, ...]:
    return tuple(sorted({frame for travel in travels for frame in travel.frames}))


def _is_last(history: History, who: str, number: int, fin: Sent) -> bool:
    """
    Tell whether the bytes of a frame, or those before it, are the last that an end sent before its
    FIN: nothing follows them, and nothing is missing in between.
    """
    reached = 1
    for each in history.segments:
        if each.number > number or history.name(each.sender) != who:
            continue
        if each.length and not each.has_rst:
            reached = max(reached, each.data_end)
    return fin.end - fin.has_fin == reached


def _is_whole(history: History, found: TLSConversation, who: str) -> bool:
    """
    Tell whether TLS was read from an end's first byte on.
    """
    own = [each for each in history.segments if history.name(each.sender) == who]
    hello = found.client_hello
    return bool(own) and own[0].has_syn and hello is not None and hello.is_whole


def _begins(history: History, spoken: Sent) -> bool:
    """
    Tell whether a segment holds the first byte that its sender sent, by the number of its SYN.
    """
    syns = [each for each in history.segments if each.has_syn and each.sender == spoken.sender]
    return bool(syns) and spoken.data_start == 1


def _has_said_nothing(history: History, who: str) -> bool:
    """
    Tell whether an end that was seen sent no byte, by its own numbers and by what was acknowledged.
    """
    own = [each for each in history.segments if history.name(each.sender) == who]
    peers = [each.ack for each in history.segments if history.name(each.sender) != who]
    return bool(
        history.is_whole
        and own
        and own[0].has_syn
        and all(each.data_start <= 1 for each in own)
        and all(ack is None or ack <= 1 for ack in peers)
    )


def _and(frames: tuple[int, ...], number: int) -> tuple[int, ...]:
    """
    Add the frame that is the effect, which may also have carried the cause.
    """
    return tuple(sorted({*frames, number}))


def _who(*, from_client: bool) -> str:
    return "client" if from_client else "server"


def _quoted(text: bytes | str) -> str:
    """
    Make what came from the wire printable, and short.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    shown = "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte != 0x5C else f"\\x{byte:02x}"
        for byte in data[:_QUOTED_MAX]
    )
    return shown if len(data) <= _QUOTED_MAX else shown + "…"
