"""
Tests for L{netlab.analysis.expectations.references} and the expectations that it is made of.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.expectations.expectations import Who, judge
from netlab.analysis.expectations.expected_closing import is_reset
from netlab.analysis.expectations.references import EXCHANGES, Verification, verify
from tests.analysis.dialogue_script import CLIENT, SERVER, Script, Tape

_INDEX = b"HTTP/1.1 200 OK\r\nContent-Length: 210\r\n\r\n" + bytes(210)
_RESULT = b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n" + bytes(64)
_MOVED = b"HTTP/1.1 301 Moved\r\nConnection: close\r\nLocation: /result.html\r\n\r\n"
_MISSING = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n"
_UP = (b"the quick brown fox jumps onwards", b"over the lazy dog 20")


def _get(path: bytes = b"/", option: bytes = b"keep-alive") -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nConnection: " + option + b"\r\n\r\n"


def _ask(script: Script, request: bytes, answer: bytes) -> None:
    script.client("PSH ACK", request).server("PSH ACK", answer)


def _close(script: Script, first: int, after: float) -> None:
    script.wait(after).send(first, "FIN ACK").wait(0.5).send(1 - first, "FIN ACK")


def _opened(tape: Tape, port: int = 40000) -> Script:
    """
    Shake hands on a capture; each connection has numbers of its own.
    """
    isn = (1000 * port, 3000 * port)
    return Script(ports=(port, 8080), isn=isn, tape=tape).open(rtt=0.001)


def _echo(tape: Tape) -> Script:
    scene = _opened(tape)
    for text in _UP:
        _ask(scene, text, text.upper())
    return scene.server("FIN ACK", arrives=False).client("FIN ACK")


def _single_fin(tape: Tape, idle: float = 1.0, answer: bytes = _INDEX) -> None:
    scene = _opened(tape)
    _ask(scene, _get(), _INDEX)
    scene.wait(0.1)
    _ask(scene, _get(), answer)
    _close(scene, SERVER, idle)


def _double_fin(tape: Tape, idle: float = 1.0, first_of_second: int = CLIENT) -> None:
    scene = _opened(tape, 40000)
    _ask(scene, _get(), _INDEX)
    _close(scene, SERVER, idle)
    scene = _opened(tape, 40001)
    _ask(scene, _get(), _INDEX)
    _close(scene, first_of_second, 0)


def _redirect(tape: Tape, moved: bytes = _MOVED, after_moved: float = 0, idle: float = 1) -> None:
    scene = _opened(tape, 50000)
    _ask(scene, _get(b"/redirect"), moved)
    _close(scene, SERVER, after_moved)
    scene = _opened(tape, 50001)
    _ask(scene, _get(b"/result.html"), _RESULT)
    _close(scene, SERVER, idle)


def _not_found(tape: Tape, spare: bytes = b"", *, spare_first: bool = False) -> None:
    spares = []
    if spare_first:
        spares.append(_opened(tape, 50000))
    scene = _opened(tape, 50001)
    _ask(scene, _get(b"/missing.html"), _MISSING)
    scene.server("FIN ACK")
    if not spare_first:
        spares.append(_opened(tape, 50002))
    scene.client("FIN ACK")
    if spare:
        spares[0].client("PSH ACK", spare)
    spares[0].wait(1).server("FIN ACK")


_PLAYS: dict[str, Callable[[Tape], object]] = {
    "echo": _echo,
    "single_fin": _single_fin,
    "double_fin": _double_fin,
    "redirect": _redirect,
    "notfound": _not_found,
}


def _verify(name: str, play: Callable[[Tape], object]) -> Verification:
    tape = Tape()
    play(tape)
    return verify(EXCHANGES[name], Script(tape=tape).dialogues())


def _failures(name: str, play: Callable[[Tape], object]) -> dict[str, str]:
    return {result.expectation.name: result.shown.detail for result in _verify(name, play).failures}


class ReferencesTests(SynchronousTestCase):
    """
    A named exchange is met by its own story and by no other.
    """

    def test_each_is_itself_only(self) -> None:
        """
        Each story meets the exchange of its name, and no other one.
        """
        for name, play in _PLAYS.items():
            met = [other for other in EXCHANGES if _verify(other, play).is_met]
            self.assertEqual(met, [name])

    def test_other_traffic(self) -> None:
        """
        Other conversations before, between and after do not hide a story, also where they are of
        the same client with the same server.
        """
        for name, play in _PLAYS.items():
            tape = Tape()
            _opened(tape, 60000).client("PSH ACK", b"EHLO me\r\n")
            _opened(tape, 60001)
            play(tape)
            _ask(_opened(tape, 60002), _get(b"/favicon.ico"), _MISSING)
            found = verify(EXCHANGES[name], Script(tape=tape).dialogues())
            self.assertEqual([result.expectation.name for result in found.failures], [])

    def test_frames(self) -> None:
        """
        Each expectation names the frames that show it.
        """
        results = {
            result.expectation.name: result.shown.frames
            for result in _verify("single_fin", _single_fin).results
        }
        self.assertEqual(results["opens"], (1, 2, 3))
        self.assertEqual(results["request-2"], (6,))
        self.assertEqual(results["answer-2"], (7,))
        self.assertEqual(results["server-closes-idle"], (8,))
        self.assertEqual(results["client-closes-second"], (8, 9))

    def test_spare_connection_may_open_first(self) -> None:
        """
        A browser may open its spare connection before the one that it then uses.
        """
        self.assertTrue(_verify("notfound", lambda tape: _not_found(tape, spare_first=True)).is_met)

    def test_idle_timeout(self) -> None:
        """
        The server's idle timeout is a second, neither none nor half of one nor three.
        """
        for idle in (0, 0.5, 3):
            failures = _failures("single_fin", partial(_single_fin, idle=idle))
            self.assertEqual(list(failures), ["server-closes-idle"])
        for idle in (0.95, 1.0136, 1.4):
            failures = _failures("single_fin", partial(_single_fin, idle=idle))
            self.assertEqual(failures, {})

    def test_repaired_idle_timeout(self) -> None:
        """
        Where segments were lost, the FIN may have been too, and is seen when it is sent again.
        """

        def play(tape: Tape) -> None:
            scene = _opened(tape)
            scene.client("PSH ACK", _get(), arrives=False)
            scene.client("PSH ACK", _get(), seq=1, after=0.3).server("PSH ACK", _INDEX)
            _ask(scene, _get(), _INDEX)
            _close(scene, SERVER, 2)

        self.assertEqual(_failures("single_fin", play), {})

    def test_late_answer(self) -> None:
        """
        Where segments were lost, and the last answer came again just before the FIN, the server has
        still heard nothing for a second.
        """

        def play(tape: Tape) -> None:
            scene = _opened(tape)
            scene.client("PSH ACK", _get(), arrives=False)
            scene.client("PSH ACK", _get(), seq=1, after=0.3).server("PSH ACK", _INDEX)
            scene.client("PSH ACK", _get()).server("ACK", _INDEX, is_captured=False)
            scene.server("ACK", _INDEX, seq=1 + len(_INDEX), after=0.9)
            _close(scene, SERVER, 0.1)

        self.assertEqual(_failures("single_fin", play), {})

    def test_wrong_length(self) -> None:
        """
        An answer of another length is not the reference's.
        """
        short = b"HTTP/1.1 200 OK\r\nContent-Length: 209\r\n\r\n" + bytes(209)
        self.assertEqual(
            _failures("single_fin", lambda tape: _single_fin(tape, answer=short)),
            {"answer-2": "200, 209 bytes of content after 40 bytes of head"},
        )

    def test_no_idle_close(self) -> None:
        """
        A connection that nobody closes lacks both FINs.
        """

        def play(tape: Tape) -> None:
            scene = _opened(tape)
            _ask(scene, _get(), _INDEX)
            _ask(scene, _get(), _INDEX)

        self.assertEqual(
            _failures("single_fin", play),
            {
                "server-closes-idle": "nobody sends a FIN",
                "client-closes-second": "the client sends no FIN",
            },
        )

    def test_client_closes_first(self) -> None:
        """
        Where the client closes first, that is what is said.
        """

        def play(tape: Tape) -> None:
            scene = _opened(tape)
            _ask(scene, _get(), _INDEX)
            _ask(scene, _get(), _INDEX)
            _close(scene, CLIENT, 1)

        self.assertEqual(
            _failures("single_fin", play),
            {
                "server-closes-idle": "the client closes first",
                "client-closes-second": "the client sends its FIN first",
            },
        )

    def test_no_second_connection(self) -> None:
        """
        Where the second connection is missing, each expectation of it says so.
        """
        failures = _failures("double_fin", _single_fin)
        self.assertEqual(failures["second-new-connection"], "there is no such connection")
        self.assertEqual(failures["second-client-closes-first"], "there is no such connection")
        self.assertEqual(failures["exchanges"], "2 requests")
        self.assertNotIn("server-closes-idle", failures)

    def test_both_connections_end_alike(self) -> None:
        """
        In double_fin the client closes the second connection first.
        """
        failures = _failures("double_fin", lambda tape: _double_fin(tape, first_of_second=SERVER))
        self.assertEqual(
            list(failures), ["second-client-closes-first", "second-server-closes-second"]
        )

    def test_redirect_elsewhere(self) -> None:
        """
        A Location that leads elsewhere, and a server that waits before it closes, are named.
        """
        elsewhere = _MOVED.replace(b"result", b"other")
        failures = _failures("redirect", lambda tape: _redirect(tape, elsewhere))
        self.assertIn("Location: /other.html", failures["answer-1"])
        failures = _failures("redirect", lambda tape: _redirect(tape, after_moved=1))
        self.assertEqual(list(failures), ["server-closes-at-once"])
        in_full = _MOVED.replace(b"/result", b"http://198.51.100.2:8080/result")
        self.assertTrue(_verify("redirect", lambda tape: _redirect(tape, in_full)).is_met)

    def test_spare_connection_is_used(self) -> None:
        """
        A spare connection that carries a request is no spare one.
        """
        failures = _failures("notfound", lambda tape: _not_found(tape, _get()))
        self.assertIn("second-says-nothing", failures)

    def test_no_capitals(self) -> None:
        """
        An answer that is not in capitals is named, and so are turns of another length.
        """

        def play(tape: Tape) -> None:
            scene = _opened(tape)
            for text in (_UP[0], _UP[1] + b"!"):
                _ask(scene, text, text)
            scene.server("FIN ACK").client("FIN ACK")

        self.assertEqual(
            _failures("echo", play),
            {
                "says": "33 up, 33 down, 21 up, 21 down",
                "capitals": "an answer is not its message in capitals",
            },
        )

    def test_reset(self) -> None:
        """
        A reset before the close is no close; one after it is what hosts answer to late segments.
        """

        def play(tape: Tape) -> None:
            _echo(tape).client("RST")

        self.assertEqual(_failures("echo", play), {})

        def play_reset(tape: Tape) -> None:
            scene = _opened(tape)
            for text in _UP:
                _ask(scene, text, text.upper())
            scene.server("RST ACK")

        self.assertEqual(
            _failures("echo", play_reset),
            {
                "both-close": "the client sends no FIN",
                "no-reset": "the server resets the connection",
            },
        )
        tape = Tape()
        play_reset(tape)
        (server, client) = judge(
            (is_reset(0, Who.SERVER), is_reset(0, Who.CLIENT)), Script(tape=tape).dialogues()
        )
        self.assertEqual((server.shown.is_met, server.shown.frames), (True, (8,)))
        self.assertEqual(client.shown.is_met, False)

    def test_nothing(self) -> None:
        """
        A capture without a conversation fails every expectation, and says what is not there.
        """
        for exchange in EXCHANGES.values():
            found = verify(exchange, [])
            self.assertEqual(len(found.failures), len(exchange.expectations))
            self.assertEqual(
                {result.shown.detail for result in found.failures}, {"there is no such connection"}
            )

    def test_names(self) -> None:
        """
        Within an exchange each expectation has a name of its own.
        """
        for exchange in EXCHANGES.values():
            names = [expectation.name for expectation in exchange.expectations]
            self.assertEqual(len(set(names)), len(names))
