"""
What has to be told, thing by thing: a dialogue for each, the kinds of claim that tell of it, and
what must not be claimed beside it. The table is in docs/claims.md, "What tells of what".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.words.sentences import WORDS
from tests.analysis.dialogue_script import CLIENT, SERVER, Script
from tests.analysis.transfer.judged import sack, stamp
from tests.captures import frames
from tests.captures.frames import Checksum

GET: Final = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

_ROOT: Final = Path(__file__).resolve().parents[3]
_SACKED: Final = frames.syn_options(1460, 7, sack_permitted=True)


def opened(**how: object) -> Script:
    """
    Shake hands.
    """
    return Script(**how).open()  # type: ignore[arg-type]


def asked() -> Script:
    """
    Shake hands, and let a request be answered.
    """
    return opened().say(CLIENT, GET).say(SERVER, OK)


def flight(script: Script, count: int, *, lost: int = -1, rtt: float = 0.02) -> Script:
    """
    Let the server send full segments; one may be lost behind this point, and the client's duplicate
    ACKs name those after it.
    """
    first = script.next[SERVER]
    for index in range(count):
        data = bytes([97 + index]) * 1000
        script.server("ACK", data, after=0.0001, arrives=index < lost or lost < 0)
    if lost < 0:
        return script.client("ACK", after=rtt)
    hole = first + 1000 * lost
    script.client("ACK", ack=hole, after=rtt)
    for index in range(lost + 1, count):
        seen = sack((hole + 1000, first + 1000 * (index + 1)))
        script.client("ACK", ack=hole, options=seen, after=0.0001)
    return script


def repair(script: Script, index: int, *, after: float) -> Script:
    """
    Send one of those segments again.
    """
    start = 1 + 1000 * index
    return script.server("ACK", bytes([97 + index]) * 1000, seq=start, after=after)


def refused() -> Script:
    """A RST answers the SYN."""
    return Script().client("SYN").server("RST ACK", seq=0, after=0.02)


def unknown() -> Script:
    """A RST without ACK, whose number is the ACK of what it answers, after 15 minutes."""
    return asked().client("PSH ACK", GET, after=900).server("RST", after=0.02)


def unread() -> Script:
    """The client resets while the server sends."""
    return opened().say(CLIENT, GET).server("ACK", b"x" * 1000).client("RST ACK", after=0.01)


def after_own_fin() -> Script:
    """FIN, then RST, and no data between."""
    script = asked().client("FIN ACK").server("ACK", after=0.02)
    return script.client("RST ACK", after=60)


def in_the_handshake() -> Script:
    """RST right after the SYN-ACK."""
    return Script().client("SYN").server("SYN ACK", after=0.02).client("RST", seq=1, after=0.0001)


def keep_alives_ran_out() -> Script:
    """Three keep-alives without an answer, then RST."""
    script = asked()
    for _ in range(3):
        script.client("ACK", seq=script.next[CLIENT] - 1, after=75)
    return script.client("RST ACK", after=75)


def probes_ran_out() -> Script:
    """The window stays 0 through probes."""
    script = flight(opened().say(CLIENT, GET), 4).client("ACK", window=0)
    for wait in (0.2, 0.4, 0.8):
        script.server("ACK", seq=script.next[SERVER] - 1, after=wait)
        script.client("ACK", window=0, after=0.02)
    return script.server("RST ACK", after=60)


def fast_close() -> Script:
    """MP_FASTCLOSE, answered by RST."""
    option = b"\x1e\x0c\x70\x00" + b"k" * 8
    return asked().client("ACK", options=option).server("RST", after=0.02)


def forged() -> Script:
    """A RST from far outside the window, with another TTL and identification."""
    script = opened(ttl=(64, 52)).say(CLIENT, GET).say(SERVER, OK).say(CLIENT, GET)
    script.server("RST", seq=900_000, ttl=240, ip_id=40_000)
    return script.say(SERVER, OK).close()


def goes_on() -> Script:
    """A RST, and both ends send after it."""
    return asked().server("RST ACK").say(SERVER, OK).say(CLIENT, GET).close()


def idle_timeout() -> Script:
    """An exchange, five seconds with nothing under way, and the server closes."""
    return asked().close(SERVER, after=5)


def closes_after_a_repeat() -> Script:
    """The last bytes had to be sent again; the close follows at once."""
    script = opened().say(CLIENT, GET).server("PSH ACK", OK, arrives=False)
    return script.server("PSH ACK", OK, seq=1, after=1.2).client("ACK", after=0.02).close(SERVER)


def request_waits() -> Script:
    """The server closes, and the request has no answer."""
    return opened().say(CLIENT, GET).close(SERVER, after=30)


def cut_off() -> Script:
    """The client closes in the middle of a download."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n"
    return opened().say(CLIENT, GET).say(SERVER, head + b"x" * 1000).close(CLIENT)


def fin_wait() -> Script:
    """An acknowledged FIN waits for the other."""
    script = asked().client("FIN ACK").server("ACK", after=0.02)
    return script.server("FIN ACK", after=3).client("ACK")


def half_close() -> Script:
    """The client closes its direction; the server sends on."""
    script = opened().client("PSH ACK", b"ask").client("FIN ACK").server("ACK", after=0.02)
    script.server("PSH ACK", b"answer").client("ACK").server("FIN ACK").client("ACK")
    return script


def unanswered() -> Script:
    """SYNs with waits that double."""
    script = Script().client("SYN")
    for wait in (1, 2, 4):
        script.client("SYN", seq=0, after=wait)
    return script


def syn_lost() -> Script:
    """The second SYN is answered."""
    script = Script().client("SYN", arrives=False).client("SYN", seq=0, after=1)
    return script.server("SYN ACK", after=0.02).client("ACK")


def syn_ack_lost() -> Script:
    """A SYN-ACK is here, and the SYN comes again."""
    script = Script().client("SYN").server("SYN ACK", after=0.02, arrives=False)
    script.client("SYN", seq=0, after=1).server("SYN ACK", seq=0, after=0.02)
    return script.client("ACK")


def simultaneous_open() -> Script:
    """Both ends send SYN, then SYN-ACK."""
    script = Script().client("SYN", arrives=False).server("SYN", after=0.001)
    script.client("SYN ACK", seq=0).server("SYN ACK", seq=0, ack=1).client("ACK", ack=1)
    return script


def old_connection() -> Script:
    """An ACK with a strange number answers the SYN."""
    script = Script().client("SYN").server("ACK", seq=700_000, ack=900_000, after=0.02)
    script.client("RST", seq=900_000).client("SYN", seq=0, after=1)
    return script.server("SYN ACK", seq=0, after=0.02).client("ACK", seq=1)


def fast_open() -> Script:
    """Data in the SYN, which the SYN-ACK covers."""
    cookie = frames.syn_options(1460) + b"\x01\x01\x22\x0a" + b"c" * 8
    script = Script().client("SYN", b"x" * 50, options=cookie)
    return script.server("SYN ACK", after=0.02).client("ACK")


def odd_syn() -> Script:
    """SYN, FIN and URG together."""
    return Script().client("SYN FIN URG").server("RST ACK", seq=0, after=0.02)


def timeout() -> Script:
    """The wait doubles."""
    script = opened().client("PSH ACK", GET, arrives=False)
    for wait in (0.3, 0.6, 1.2):
        script.client("PSH ACK", GET, seq=1, after=wait)
    return script.server("ACK", ack=29, after=0.02)


def three_duplicates() -> Script:
    """Three duplicate ACKs without SACK."""
    script = opened().say(CLIENT, GET)
    for index in range(5):
        script.server("ACK", bytes([97 + index]) * 1000, after=0.0001)
    for _ in range(4):
        script.client("ACK", ack=1, after=0.001)
    return repair(script, 0, after=0.001).client("ACK", after=0.02)


def sack_recovery() -> Script:
    """Duplicate ACKs that name what came."""
    script = Script().open(options=_SACKED).say(CLIENT, GET)
    return repair(flight(script, 6, lost=1), 1, after=0.001).client("ACK", after=0.02)


def tail_probe() -> Script:
    """The last segment again after two round trips: a probe or a timer."""
    script = Script().open(options=_SACKED).say(CLIENT, GET).server("PSH ACK", b"a" * 1000)
    return script.server("PSH ACK", b"a" * 1000, seq=1, after=0.1).client("ACK", after=0.02)


def lost_before() -> Script:
    """A hole that is filled late, after duplicate ACKs: the first copy was lost before here."""
    script = Script().open(options=_SACKED).say(CLIENT, GET)
    script.server("ACK", b"a" * 1000)
    script.server("ACK", b"b" * 1000, is_captured=False, arrives=False)
    for index in (2, 3, 4):
        data = bytes([97 + index]) * 1000
        script.server("ACK", data, seq=1 + 1000 * index, arrives=False, after=0.001)
        script.client("ACK", ack=1001, options=sack((2001, 3001 + 1000 * (index - 2))))
    script.server("ACK", b"b" * 1000, seq=1001, after=0.25)
    return script.client("ACK", ack=5001, after=0.02)


def overtaken() -> Script:
    """A segment with a lower identification comes late."""
    script = opened().say(CLIENT, GET)
    script.server("ACK", b"b" * 1000, seq=1001, ip_id=212, arrives=False)
    script.server("ACK", b"a" * 1000, seq=1, ip_id=211, after=0.0002, arrives=False)
    return script.client("ACK", ack=2001, after=0.02)


def spurious() -> Script:
    """A D-SACK, and an ACK that echoes the first copy's time stamp, tell of a needless repeat."""
    script = opened().say(CLIENT, GET)
    script.server("ACK", b"a" * 1000, options=stamp(100, 1))
    script.server("ACK", b"a" * 1000, seq=1, after=0.3, options=stamp(400, 1))
    return script.client("ACK", after=0.001, options=stamp(2, 100) + sack((1, 1001)))


def span_port() -> Script:
    """Each packet twice, the second with a TTL one less."""
    script = Script()
    for who, flags, data in (
        (CLIENT, "SYN", b""), (SERVER, "SYN ACK", b""), (CLIENT, "ACK", b""),
        (CLIENT, "PSH ACK", GET), (SERVER, "PSH ACK", OK), (CLIENT, "ACK", b""),
    ):  # fmt: skip
        start, number = script.next[who], 500 + len(script.records)
        script.send(who, flags, data, after=0.01, ip_id=number)
        script.send(who, flags, data, after=0.00003, ip_id=number, seq=start, ttl=63)
    return script


def injected() -> Script:
    """Other bytes under numbers that were used before."""
    script = opened(ttl=(64, 52)).say(CLIENT, GET)
    script.server("PSH ACK", b"evil", ttl=240, arrives=False)
    return script.server("PSH ACK", b"good", seq=1, after=0.005).client("ACK", after=0.001)


def window_full() -> Script:
    """The window is used up."""
    script = Script(window=4000).open().say(CLIENT, GET)
    return flight(script, 4)


def update() -> Script:
    """A larger window, and nothing acknowledged."""
    return opened().client("ACK", window=65000).say(CLIENT, GET)


def nagle() -> Script:
    """A small write waits for the delayed ACK of the one before."""
    script = opened(isn=(1, 2)).say(CLIENT, b"a" * 500, rtt=0.001)
    for _ in range(3):
        script.client("ACK", b"b" * 10).server("ACK", after=0.04)
        script.client("PSH ACK", b"c" * 10, after=0.0001)
        script.server("PSH ACK", b"d" * 10, after=0.001).client("ACK")
    return script


def pushes() -> Script:
    """PSH parts what was sent."""
    script = opened()
    for _ in range(3):
        script.client("ACK", b"a" * 1460).client("PSH ACK", b"b" * 540).server("ACK", after=0.02)
    return script


def one_window() -> Script:
    """A window of 4000 bytes, used up once per round trip of 100 ms."""
    script = Script(window=4000).open(rtt=0.1).say(CLIENT, GET, rtt=0.1)
    for _ in range(5):
        flight(script, 4, rtt=0.1)
    return script


def silent_reader() -> Script:
    """The client's window is shut, and opens after nine seconds."""
    script = flight(opened().say(CLIENT, GET), 4).client("ACK", window=0)
    return script.client("ACK", window=8000, after=9)


def slow_server() -> Script:
    """The ACK came after 10 ms, the answer after 3 s."""
    script = opened(isn=(1, 2)).client("PSH ACK", GET).server("ACK", after=0.01)
    return script.server("PSH ACK", OK, after=3).client("ACK")


def slow_client() -> Script:
    """Six seconds between an answer and the next request."""
    return asked().say(CLIENT, GET, after=6).say(SERVER, OK)


def slow_start() -> Script:
    """Flights that double."""
    script = Script().open(rtt=0.1).say(CLIENT, GET, rtt=0.1)
    for count in (2, 4, 8):
        flight(script, count, rtt=0.1)
    return script


def rule_broken() -> Script:
    """A request without Host."""
    return opened().say(CLIENT, b"GET / HTTP/1.1\r\n\r\n").say(SERVER, OK)


def incomplete() -> Script:
    """A request that never became complete, and 408."""
    script = opened().say(CLIENT, b"GET / HT")
    return script.say(SERVER, b"HTTP/1.1 408 No\r\nContent-Length: 0\r\n\r\n", after=2)


def gap() -> Script:
    """Acknowledged bytes of an answer are not here."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n"
    script = opened().say(CLIENT, GET).server("ACK", head + b"x" * 1000)
    script.server("PSH ACK", b"x" * 1000, is_captured=False)
    return script.client("ACK", after=0.02).say(CLIENT, GET).say(SERVER, OK)


def upgrade() -> Script:
    """101."""
    asking = GET[:-2] + b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
    return opened().say(CLIENT, asking).say(SERVER, answer).say(SERVER, b"\x81\x05hello")


def interim() -> Script:
    """100, then the answer."""
    asking = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    script = opened().say(CLIENT, asking).say(SERVER, b"HTTP/1.1 100 Continue\r\n\r\n")
    return script.say(CLIENT, b"ab").say(SERVER, OK)


def pipelined() -> Script:
    """The second request leaves before the first answer can be known."""
    script = opened().client("PSH ACK", GET).client("PSH ACK", GET)
    return script.say(SERVER, OK, after=0.02).say(SERVER, OK)


def without_request() -> Script:
    """The request was acknowledged, and not captured."""
    script = opened().client("PSH ACK", GET, is_captured=False)
    return script.server("ACK", after=0.02).say(SERVER, OK)


def damaged() -> Script:
    """A FIN with a wrong checksum."""
    script = asked()
    script.server("FIN ACK", checksum=Checksum.BAD, arrives=False, seq=script.next[SERVER])
    return script.say(CLIENT, GET).say(SERVER, OK).close()


#: What is named, the dialogue, kinds that tell of it, kinds that must not be claimed beside.
THINGS: Final[tuple[tuple[Callable[[], Script], set[str], set[str]], ...]] = (
    (refused, {"resets.refused"}, {"opening.unanswered"}),
    (unknown, {"resets.unknown-connection"}, {"resets.abort"}),
    (unread, {"resets.abort"}, {"closes.first"}),
    (after_own_fin, {"resets.after-own-fin", "closes.first"}, {"resets.data-after-close"}),
    (in_the_handshake, {"resets.after-syn-ack"}, {"reasons.no-bytes"}),
    (keep_alives_ran_out, {"resets.keep-alives-unanswered"}, {"resets.abort"}),
    (probes_ran_out, {"resets.window-stayed-shut"}, {"keepalives.probe", "resets.abort"}),
    (fast_close, {"resets.fast-close"}, {"acks.duplicate", "resets.abort"}),
    (forged, {"resets.outside-window", "closes.first"}, {"resets.abort"}),
    (goes_on, {"resets.goes-on", "closes.first"}, set()),
    (idle_timeout, {"closes.idle"}, {"closes.while-a-request-waits"}),
    (closes_after_a_repeat, {"closes.first"}, {"closes.idle"}),
    (request_waits, {"closes.while-a-request-waits"}, {"closes.idle"}),
    (cut_off, {"closes.answer-cut-off"}, {"closes.idle"}),
    (fin_wait, {"closes.fin-wait-2", "closes.time-wait"}, {"closes.half-close"}),
    (half_close, {"closes.half-close", "closes.time-wait"}, {"closes.fin-wait-2"}),
    (unanswered, {"opening.unanswered"}, {"capture.one-direction"}),
    (syn_lost, {"opening.syn-lost", "opening.handshake"}, {"opening.syn-ack-lost"}),
    (syn_ack_lost, {"opening.syn-ack-lost"}, {"opening.syn-lost"}),
    (simultaneous_open, {"opening.simultaneous"}, {"opening.unanswered"}),
    (old_connection, {"opening.old-connection"}, {"windows.reopened", "opening.unanswered"}),
    (fast_open, {"opening.fast-open-accepted"}, {"repeats.timeout"}),
    (odd_syn, {"opening.odd-flags"}, {"closes.first"}),
    (timeout, {"repeats.timeout"}, {"repeats.fast-retransmit"}),
    (three_duplicates, {"repeats.fast-retransmit", "acks.duplicate"}, {"repeats.timeout"}),
    (sack_recovery, {"repeats.sack-recovery", "acks.duplicate-for-hole"}, {"repeats.timeout"}),
    (tail_probe, {"repeats.timer"}, {"repeats.timeout", "repeats.again"}),
    (lost_before, {"repeats.first-copy-lost-before"}, {"reordering.overtaken"}),
    (overtaken, {"reordering.overtaken"}, {"repeats.first-copy-lost-before"}),
    (spurious, {"repeats.spurious-by-sack", "repeats.spurious-by-timestamp"}, set()),
    (span_port, {"copies.copy"}, {"repeats.timeout", "repeats.again", "acks.duplicate"}),
    (injected, {"repeats.other-bytes"}, {"repeats.timeout", "repeats.again"}),
    (window_full, {"windows.full"}, {"windows.closed"}),
    (update, {"windows.raised"}, {"windows.reopened"}),
    (nagle, {"delays.nagle", "delays.delayed-ack", "delays.nagle-total"}, set()),
    (pushes, {"delays.pushes"}, set()),
    (one_window, {"windows.one-a-round-trip"}, {"delays.slow-start"}),
    (silent_reader, {"windows.closed", "windows.reopened"}, {"delays.server"}),
    (slow_server, {"delays.server", "delays.shares"}, {"delays.client"}),
    (slow_client, {"delays.client", "delays.shares"}, {"delays.server"}),
    (slow_start, {"delays.slow-start"}, {"windows.one-a-round-trip"}),
    (rule_broken, {"http.rule-broken", "http.exchange"}, {"http.request-not-captured"}),
    (incomplete, {"http.request-incomplete"}, {"http.request-not-captured"}),
    (gap, {"http.bytes-not-captured", "gaps.not-captured"}, {"http.pipelined"}),
    (upgrade, {"http.upgrade"}, {"http.unanswered", "http.surplus"}),
    (interim, {"http.interim", "http.exchange"}, set()),
    (pipelined, {"http.pipelined"}, set()),
    (without_request, {"http.request-not-captured"}, {"http.unasked"}),
    (damaged, {"damage.discarded"}, {"closes.idle", "http.unanswered"}),
)


class NamedThingsTests(SynchronousTestCase):
    """
    Each thing by its dialogue.
    """

    def test_things(self) -> None:
        """
        What is named is told, and its look-alikes are not.
        """
        for write, told, never in THINGS:
            kinds = {
                claim.kind
                for conversation in write().story().conversations
                for claim in conversation.claims
            }
            self.assertLessEqual(told, kinds, write.__name__)
            self.assertEqual(never & kinds, set(), write.__name__)

    def test_table(self) -> None:
        """
        The table in the documentation names kinds that there are, and every dialogue of this file.
        """
        text = (_ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
        table = text.partition("## What tells of what")[2].partition("\n## ")[0]
        kinds = set(re.findall(r"`([a-z]+\.[a-z0-9-]+)`", table))
        self.assertEqual(kinds - set(WORDS), set())
        named = set(re.findall(r"\b([a-z_]+)\b", table))
        self.assertEqual({write.__name__ for write, _, _ in THINGS} - named, set())
