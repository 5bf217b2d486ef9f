"""
Tests for L{netlab.analysis.words.sentences}, and that docs/claims.md is complete.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import netlab.analysis.claims
import netlab.analysis.transfer
from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.words.causes import CAUSES
from netlab.analysis.words.sentences import FRAME_WORDS, WORDS, frame_sentence, sentence
from tests.captures.faults import NAMES, fault_story

CATALOGUE = Path(__file__).resolve().parents[3] / "docs" / "claims.md"

_ROW = re.compile(r"^\| `([a-z0-9.-]+)` \|", re.MULTILINE)


def _kinds_in_source() -> set[str]:
    """
    Give every string of the judges that looks like a kind of a topic with words.
    """
    topics = {kind.partition(".")[0] for kind in WORDS}
    found = set()
    folders = (*netlab.analysis.claims.__path__, *netlab.analysis.transfer.__path__)
    for path in (path for folder in folders for path in Path(folder).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                topic, dot, name = node.value.partition(".")
                if dot and topic in topics and re.fullmatch(r"[a-z0-9-]+", name):
                    found.add(node.value)
    return found


class CatalogueTests(SynchronousTestCase):
    """
    Words, judges and the catalogue know the same kinds.
    """

    def test_catalogue(self) -> None:
        """
        docs/claims.md has a row for each kind that has words, and no other.
        """
        rows = _ROW.findall(CATALOGUE.read_text(encoding="utf-8"))
        self.assertEqual(sorted(rows), sorted(WORDS))

    def test_judges(self) -> None:
        """
        Each kind that a judge claims has words, and each that has words is claimed by a judge.
        """
        self.assertEqual(_kinds_in_source(), set(WORDS))

    def test_frame_words(self) -> None:
        """
        What is said of a frame is said of a kind.
        """
        self.assertLessEqual(set(FRAME_WORDS), set(WORDS))


class SentenceTests(SynchronousTestCase):
    """
    Every claim that the tiny captures give rise to.
    """

    def test_all(self) -> None:
        """
        Each has a sentence that cites no frame that its claim does not; its causes have words, and
        its frames ascend.
        """
        for name in NAMES:
            story = fault_story(name)
            claims = [claim for each in story.conversations for claim in each.claims]
            for claim in (*story.claims, *claims):
                text = sentence(claim)
                self.assertTrue(text.endswith("."), text)
                self.assertNotIn("  ", text)
                for said in (text, frame_sentence(claim)):
                    cited = {int(number) for number in re.findall(r"#(\d+)", said)}
                    self.assertLessEqual(cited, set(claim.frames), f"{name}: {said}")
                self.assertEqual(list(claim.frames), sorted(set(claim.frames)), claim.kind)
                self.assertLessEqual(set(claim.causes), set(CAUSES))
                for figure, value in claim.figures.items():
                    if figure.endswith("_ns"):
                        assert isinstance(value, int)
                        self.assertGreaterEqual(value, 0, f"{name}: {claim}")

    def test_shares_of_the_network_alone(self) -> None:
        """
        Where no end took time, the sentence has no end in it, and no loose "and".
        """
        figures: dict[str, Figure] = {
            "turns": 1,
            "server_ns": 0,
            "client_ns": 0,
            "network_ns": 250_000_000,
            "transfer_ns": 0,
        }
        self.assertEqual(
            sentence(Claim("delays.shares", (1, 2), Known.SEEN, figures)),
            "Time between one end's data and the other's: 250.0 ms on the network.",
        )

    def test_rest_of_a_record(self) -> None:
        """
        That a capture ends within a record does not show that its rest never came.
        """
        claim = Claim("tls.incomplete", (4,), Known.SEEN, {"unfinished_bytes": 9}, who="server")
        self.assertIn("not in this capture", sentence(claim))
