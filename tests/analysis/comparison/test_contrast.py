"""
Tests for L{netlab.analysis.comparison.contrast}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.comparison.contrast import Contrast, contrast
from netlab.capture.segments import Flag
from tests.analysis.scenes import CLIENT, SERVER, Scene, Stage

_GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
_MOVED = b"HTTP/1.1 301 Moved\r\nConnection: close\r\nLocation: /b\r\n\r\n"


def _ask(scene: Scene, answer: bytes = _OK) -> None:
    scene.say(CLIENT, _GET)
    scene.say(SERVER, answer)


def _reuse(stage: Stage) -> Stage:
    scene = stage.scene()
    scene.open()
    _ask(scene)
    stage.wait(0.1)
    _ask(scene)
    stage.wait(1)
    scene.fin(SERVER)
    scene.fin(CLIENT)
    return stage


def _two(stage: Stage, answer: bytes = _OK, idle: float = 1) -> Stage:
    for port in (40000, 40001):
        scene = stage.scene(port)
        scene.open()
        _ask(scene, answer)
        stage.wait(idle)
        scene.fin(SERVER)
        scene.fin(CLIENT)
    return stage


def _contrast(first: Stage, second: Stage) -> dict[str, Contrast]:
    return {one.question: one for one in contrast(first.dialogues(), second.dialogues())}


class ContrastTests(SynchronousTestCase):
    """
    Two exchanges are asked the same questions.
    """

    def test_alike(self) -> None:
        """
        An exchange does not differ from itself.
        """
        found = _contrast(_reuse(Stage()), _reuse(Stage()))
        self.assertEqual([one.question for one in found.values() if one.differs], [])
        asked = ("opens by", "carries", "seen again", "HTTP", "closed by")
        self.assertEqual(list(found), ["connections", *(f"connection 1: {one}" for one in asked)])

    def test_reuse_and_idle_timeout(self) -> None:
        """
        Where one exchange uses its connection again and the other opens a new one, both causes are
        told with their frames and times.
        """
        found = _contrast(_reuse(Stage()), _two(Stage()))["connections"]
        self.assertEqual((found.first.text, found.second.text), ("1 connection", "2 connections"))
        self.assertEqual((found.first.frames, found.second.frames), ((1,), (1, 8)))
        self.assertEqual(
            found.whys,
            (
                (
                    "A: the request in #6 came 0.101000 s after the answer in #5, and nobody had "
                    "closed the connection: it was used again"
                ),
                (
                    "B: the connection of #8 is new: the server had closed the one before in "
                    "#6, after 1.001000 s without a byte"
                ),
            ),
        )

    def test_connection_close(self) -> None:
        """
        Where the answer before said Connection: close, that is why there is a new connection.
        """
        found = _contrast(_reuse(Stage()), _two(Stage(), _MOVED, 0))["connections"]
        self.assertEqual(
            found.whys[1],
            "B: the connection of #8 is new: the answer in #5 had said Connection: close, and the "
            "server had closed in #6",
        )

    def test_connection_that_carries_nothing(self) -> None:
        """
        A connection that carries nothing is told so; what it was for is not known.
        """
        stage = Stage()
        for port in (40000, 40001):
            stage.scene(port).open()
        found = _contrast(_reuse(Stage()), stage)["connections"]
        self.assertEqual(
            found.whys[1],
            "B: the connection of #4 is new while the one before is open, and carries nothing",
        )

    def test_closes(self) -> None:
        """
        How a connection ends is one answer: reset, at once, crossing, half, not at all.
        """
        stages = [Stage() for _ in range(5)]
        scenes = [stage.scene() for stage in stages]
        for scene in scenes:
            scene.open()
        scenes[0].send(CLIENT, Flag.RST)
        scenes[1].fin(CLIENT)
        scenes[1].fin(SERVER)
        scenes[2].fin(CLIENT)
        scenes[2].fin(SERVER, knows=False)
        scenes[3].fin(CLIENT)
        self.assertEqual(
            [
                _contrast(stage, _reuse(Stage()))["connection 1: closed by"].first.text
                for stage in stages
            ],
            [
                "reset by the client",
                "the client first, at once",
                "both at once, the FINs cross",
                "the client first, at once, the other end does not close",
                "not closed in the capture",
            ],
        )

    def test_missing_connection(self) -> None:
        """
        Where one side has fewer connections, it has no answer to the questions about the rest.
        """
        found = _contrast(_reuse(Stage()), _two(Stage()))["connection 2: HTTP"]
        self.assertEqual(found.first.text, "no such connection")
        self.assertEqual(found.second.text, "1 request: 200")
