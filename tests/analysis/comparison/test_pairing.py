"""
Tests for L{netlab.analysis.comparison.pairing}.
"""

from __future__ import annotations

import io

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.comparison.pairing import pair
from netlab.analysis.comparison.sightings import Sightings
from netlab.analysis.tcp.pipeline import Pipeline
from netlab.capture.reading import read_capture
from tests.analysis.dialogue_script import CLIENT, SERVER, Script
from tests.captures.faults import FOLDER, NAMES


def seen(pcap: bytes) -> Sightings:
    """
    Read a capture for comparing.
    """
    capture = Sightings()
    for analysed in Pipeline(read_capture(io.BytesIO(pcap), "test.pcap")).segments():
        capture.receive(analysed)
    capture.dialogues.finish()
    return capture


def pairs(one: Script, other: Script) -> list[tuple[int, int]]:
    """
    Pair two written captures.

    @return: the numbers of the conversations that are paired.
    """
    found = pair(seen(one.pcap()), seen(other.pcap()))
    return [(mine.conversation.stream, theirs.conversation.stream) for mine, theirs in found]


def told(question: bytes, answer: bytes, **how: tuple[int, int]) -> Script:
    """
    Write a conversation.
    """
    return Script(**how).open().say(CLIENT, question).say(SERVER, answer).close()  # type: ignore[arg-type]


class PairTests(SynchronousTestCase):
    """
    What makes conversations of two captures one.
    """

    def test_same(self) -> None:
        """
        The same numbers and bytes are one conversation, also behind a translator that changes one
        port.
        """
        mine = told(b"ask", b"answer")
        self.assertEqual(pairs(mine, told(b"ask", b"answer")), [(0, 0)])
        self.assertEqual(pairs(mine, told(b"ask", b"answer", ports=(61000, 8080))), [(0, 0)])
        self.assertEqual(pairs(mine, told(b"ask", b"answer", ports=(40000, 80))), [(0, 0)])

    def test_other_ports(self) -> None:
        """
        No translator changes both ports.
        """
        other = told(b"ask", b"answer", ports=(61000, 80))
        self.assertEqual(pairs(told(b"ask", b"answer"), other), [])

    def test_other_bytes(self) -> None:
        """
        With the same numbers, but other bytes in them, they are two.
        """
        self.assertEqual(pairs(told(b"ask", b"answer"), told(b"say", b"nothin")), [])

    def test_other_ends(self) -> None:
        """
        A stream ends at one number, wherever it is seen.
        """
        self.assertEqual(pairs(told(b"ask", b"answer"), told(b"ask more", b"answer")), [])

    def test_of_several(self) -> None:
        """
        Of several with the same numbers the one that agrees is taken, each once.
        """
        mine = Script().open().say(CLIENT, b"two").close()
        other = Script().open().say(CLIENT, b"one").close()
        other.another(40001, isn=(1_000_000, 5_000_000)).open().say(CLIENT, b"two").close()
        self.assertEqual(pairs(mine, other), [(0, 1)])

    def test_without_the_opening(self) -> None:
        """
        Without a handshake a segment with the same raw numbers and bytes pairs them; with other
        bytes it does not.
        """

        def middle(data: bytes) -> Script:
            return Script().begins(client=500, server=900).say(CLIENT, data).say(SERVER, b"yes")

        self.assertEqual(pairs(middle(b"go on"), middle(b"go on")), [(0, 0)])
        self.assertEqual(pairs(middle(b"go on"), middle(b"so it")), [(0, 0)])
        other = Script().begins(client=500, server=900).say(CLIENT, b"so it").say(SERVER, b"boo")
        self.assertEqual(pairs(middle(b"go on"), other), [])

    def test_made_up_captures(self) -> None:
        """
        The tiny captures share sequence numbers, addresses and ports: only the pairs among them are
        taken for two views of one exchange. (Those of f42 differ in nothing but times.)
        """
        captures = {
            name: seen((FOLDER / f"{name}.pcap").read_bytes())
            for name in NAMES
            if name.startswith(("f07", "f15", "f51", "f58"))
        }
        paired = {
            (one, other)
            for one in captures
            for other in captures
            if one < other and pair(captures[one], captures[other])
        }
        wanted = {(name, f"{name[:-2]}_b") for name in captures if name.startswith("f58")}
        self.assertEqual(paired, {both for both in wanted if both[0] != both[1]})
