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
from netlab.analysis.tcp.frames import Mark
from netlab.capture.segments import Flag
from tests.analysis.scenes import CLIENT, SERVER, Scene, Stage

_INDEX = b"HTTP/1.1 200 OK\r\nContent-Length: 210\r\n\r\n" + bytes(210)
_RESULT = b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n" + bytes(64)
_MOVED = b"HTTP/1.1 301 Moved\r\nConnection: close\r\nLocation: /result.html\r\n\r\n"
_MISSING = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n"
_UP = (b"the quick brown fox jumps onwards", b"over the lazy dog 20")


def _get(path: bytes = b"/", option: bytes = b"keep-alive") -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nConnection: " + option + b"\r\n\r\n"


def _ask(scene: Scene, request: bytes, answer: bytes) -> None:
    scene.say(CLIENT, request)
    scene.say(SERVER, answer)


def _close(scene: Scene, first: int, after: float) -> None:
    scene.stage.wait(after)
    scene.fin(first)
    scene.stage.wait(0.5)
    scene.fin(1 - first)


def _echo(stage: Stage) -> None:
    scene = stage.scene()
    scene.open()
    for text in _UP:
        _ask(scene, text, text.upper())
    scene.fin(SERVER)
    scene.fin(CLIENT, knows=False)


def _single_fin(stage: Stage, idle: float = 1.0, answer: bytes = _INDEX) -> None:
    scene = stage.scene()
    scene.open()
    _ask(scene, _get(), _INDEX)
    stage.wait(0.1)
    _ask(scene, _get(), answer)
    _close(scene, SERVER, idle)


def _double_fin(stage: Stage, idle: float = 1.0, first_of_second: int = CLIENT) -> None:
    scene = stage.scene(40000)
    scene.open()
    _ask(scene, _get(), _INDEX)
    _close(scene, SERVER, idle)
    scene = stage.scene(40001)
    scene.open()
    _ask(scene, _get(), _INDEX)
    _close(scene, first_of_second, 0)


def _redirect(stage: Stage, moved: bytes = _MOVED, after_moved: float = 0, idle: float = 1) -> None:
    scene = stage.scene(50000)
    scene.open()
    _ask(scene, _get(b"/redirect"), moved)
    _close(scene, SERVER, after_moved)
    scene = stage.scene(50001)
    scene.open()
    _ask(scene, _get(b"/result.html"), _RESULT)
    _close(scene, SERVER, idle)


def _not_found(stage: Stage, spare: bytes = b"", *, spare_first: bool = False) -> None:
    spares = []
    if spare_first:
        spares.append(stage.scene(50000))
        spares[0].open()
    scene = stage.scene(50001)
    scene.open()
    _ask(scene, _get(b"/missing.html"), _MISSING)
    scene.fin(SERVER)
    if not spare_first:
        spares.append(stage.scene(50002))
        spares[0].open()
    scene.fin(CLIENT)
    if spare:
        spares[0].say(CLIENT, spare)
    stage.wait(1)
    spares[0].fin(SERVER)


_PLAYS: dict[str, Callable[[Stage], None]] = {
    "echo": _echo,
    "single_fin": _single_fin,
    "double_fin": _double_fin,
    "redirect": _redirect,
    "notfound": _not_found,
}


def _verify(name: str, play: Callable[[Stage], None]) -> Verification:
    stage = Stage()
    play(stage)
    return verify(EXCHANGES[name], stage.dialogues())


def _failures(name: str, play: Callable[[Stage], None]) -> dict[str, str]:
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
            stage = Stage()
            others = [stage.scene(port) for port in (60000, 60001, 60002)]
            others[0].open()
            others[0].say(CLIENT, b"EHLO me\r\n")
            others[1].open()
            play(stage)
            others[2].open()
            _ask(others[2], _get(b"/favicon.ico"), _MISSING)
            found = verify(EXCHANGES[name], stage.dialogues())
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
        self.assertTrue(
            _verify("notfound", lambda stage: _not_found(stage, spare_first=True)).is_met
        )

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

        def play(stage: Stage) -> None:
            scene = stage.scene()
            scene.open()
            start = scene.sent[0]
            _ask(scene, _get(), _INDEX)
            scene.send(CLIENT, Flag.ACK, _get(), seq=start, marks=Mark.RETRANSMISSION)
            _ask(scene, _get(), _INDEX)
            _close(scene, SERVER, 2)

        self.assertEqual(_failures("single_fin", play), {})

    def test_late_answer(self) -> None:
        """
        Where the last answer was lost and came again just before the FIN, the server has still
        heard nothing for a second.
        """

        def play(stage: Stage) -> None:
            scene = stage.scene()
            scene.open()
            _ask(scene, _get(), _INDEX)
            scene.say(CLIENT, _get())
            stage.wait(0.9)
            scene.send(SERVER, Flag.ACK, _INDEX, marks=Mark.RETRANSMISSION)
            _close(scene, SERVER, 0.1)

        self.assertEqual(_failures("single_fin", play), {})

    def test_wrong_length(self) -> None:
        """
        An answer of another length is not the reference's.
        """
        short = b"HTTP/1.1 200 OK\r\nContent-Length: 209\r\n\r\n" + bytes(209)
        self.assertEqual(
            _failures("single_fin", lambda stage: _single_fin(stage, answer=short)),
            {"answer-2": "200, 209 bytes of content after 40 bytes of head"},
        )

    def test_no_idle_close(self) -> None:
        """
        A connection that nobody closes lacks both FINs.
        """

        def play(stage: Stage) -> None:
            scene = stage.scene()
            scene.open()
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

        def play(stage: Stage) -> None:
            scene = stage.scene()
            scene.open()
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
        failures = _failures("double_fin", lambda stage: _double_fin(stage, first_of_second=SERVER))
        self.assertEqual(
            list(failures), ["second-client-closes-first", "second-server-closes-second"]
        )

    def test_redirect_elsewhere(self) -> None:
        """
        A Location that leads elsewhere, and a server that waits before it closes, are named.
        """
        elsewhere = _MOVED.replace(b"result", b"other")
        failures = _failures("redirect", lambda stage: _redirect(stage, elsewhere))
        self.assertIn("Location: /other.html", failures["answer-1"])
        failures = _failures("redirect", lambda stage: _redirect(stage, after_moved=1))
        self.assertEqual(list(failures), ["server-closes-at-once"])
        in_full = _MOVED.replace(b"/result", b"http://10.0.0.99:8080/result")
        self.assertTrue(_verify("redirect", lambda stage: _redirect(stage, in_full)).is_met)

    def test_spare_connection_is_used(self) -> None:
        """
        A spare connection that carries a request is no spare one.
        """
        failures = _failures("notfound", lambda stage: _not_found(stage, _get()))
        self.assertIn("second-says-nothing", failures)

    def test_no_capitals(self) -> None:
        """
        An answer that is not in capitals is named, and so are turns of another length.
        """

        def play(stage: Stage) -> None:
            scene = stage.scene()
            scene.open()
            for text in (_UP[0], _UP[1] + b"!"):
                _ask(scene, text, text)
            scene.fin(SERVER)
            scene.fin(CLIENT)

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

        def play(stage: Stage) -> None:
            _echo(stage)
            stage.scenes[0].send(CLIENT, Flag.RST)

        self.assertEqual(_failures("echo", play), {})

        def play_reset(stage: Stage) -> None:
            scene = stage.scene()
            scene.open()
            for text in _UP:
                _ask(scene, text, text.upper())
            scene.send(SERVER, Flag.RST | Flag.ACK)

        self.assertEqual(
            _failures("echo", play_reset),
            {
                "both-close": "the client sends no FIN",
                "no-reset": "the server resets the connection",
            },
        )
        stage = Stage()
        play_reset(stage)
        (server, client) = judge(
            (is_reset(0, Who.SERVER), is_reset(0, Who.CLIENT)), stage.dialogues()
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
