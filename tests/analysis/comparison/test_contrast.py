"""
Tests for L{netlab.analysis.comparison.contrast}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.comparison.contrast import Contrast, contrast
from tests.analysis.dialogue_script import SERVER, Script

_GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
_MOVED = b"HTTP/1.1 301 Moved\r\nConnection: close\r\nLocation: /b\r\n\r\n"


def _ask(script: Script, answer: bytes = _OK) -> None:
    script.client("PSH ACK", _GET).server("PSH ACK", answer)


def _close(script: Script, first: int) -> None:
    script.send(first, "FIN ACK").send(1 - first, "FIN ACK")


def _opened() -> Script:
    return Script().open(rtt=0.001)


def _reuse() -> Script:
    script = _opened()
    _ask(script)
    _ask(script.wait(0.1))
    _close(script.wait(1), SERVER)
    return script


def _two(answer: bytes = _OK, idle: float = 1) -> Script:
    script = Script()
    for port in (40000, 40001):
        script.another(port).open(rtt=0.001)
        _ask(script, answer)
        _close(script.wait(idle), SERVER)
    return script


def _contrast(first: Script, second: Script) -> dict[str, Contrast]:
    return {one.question: one for one in contrast(first.dialogues(), second.dialogues())}


class ContrastTests(SynchronousTestCase):
    """
    Two exchanges are asked the same questions.
    """

    def test_alike(self) -> None:
        """
        An exchange does not differ from itself.
        """
        found = _contrast(_reuse(), _reuse())
        self.assertEqual([one.question for one in found.values() if one.differs], [])
        asked = ("opens by", "carries", "seen again", "HTTP", "closed by")
        self.assertEqual(list(found), ["connections", *(f"connection 1: {one}" for one in asked)])

    def test_reuse_and_idle_timeout(self) -> None:
        """
        Where one exchange uses its connection again and the other opens a new one, both causes are
        told with their frames and times.
        """
        found = _contrast(_reuse(), _two())["connections"]
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
        found = _contrast(_reuse(), _two(_MOVED, 0))["connections"]
        self.assertEqual(
            found.whys[1],
            "B: the connection of #8 is new: the answer in #5 had said Connection: close, and the "
            "server had closed in #6",
        )

    def test_connection_that_carries_nothing(self) -> None:
        """
        A connection that carries nothing is told so; what it was for is not known.
        """
        two = _opened().another(40001).open(rtt=0.001)
        found = _contrast(_reuse(), two)["connections"]
        self.assertEqual(
            found.whys[1],
            "B: the connection of #4 is new while the one before is open, and carries nothing",
        )

    def test_closes(self) -> None:
        """
        How a connection ends is one answer: reset, at once, crossing, half, not at all.
        """
        closes = (
            _opened().client("RST"),
            _opened().client("FIN ACK").server("FIN ACK"),
            _opened().client("FIN ACK", arrives=False).server("FIN ACK"),
            _opened().client("FIN ACK"),
            _opened(),
        )
        self.assertEqual(
            [
                _contrast(script, _reuse())["connection 1: closed by"].first.text
                for script in closes
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
        found = _contrast(_reuse(), _two())["connection 2: HTTP"]
        self.assertEqual(found.first.text, "no such connection")
        self.assertEqual(found.second.text, "1 request: 200")
