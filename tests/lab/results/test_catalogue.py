"""
Finding experiments.
"""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.results.catalogue import REFERENCE, CatalogueError, load, names
from netlab.lab.results.description import describe

MINE = """
from netlab.lab.api.experiment import Experiment

async def perform(lab):
    pass

EXPERIMENT = Experiment(
    name={name!r}, question="?", programs="", look_for="", explanation="", perform=perform
)
"""


class CatalogueTests(SynchronousTestCase):
    """
    The experiments that come along, and a user's own.
    """

    def write(self, text: str, name: str = "mine.py") -> str:
        """
        Write a user's file.
        """
        folder = Path(self.mktemp())
        folder.mkdir()
        path = folder / name
        path.write_text(text)
        return str(path)

    def test_all_can_be_loaded(self) -> None:
        """
        Every experiment is called as its file, asks a question and can be described.
        """
        self.assertLessEqual(set(REFERENCE), set(names()))
        for name in names():
            experiment = load(name)
            self.assertEqual(experiment.name, name)
            self.assertTrue(experiment.question.endswith("?"), name)
            for title, text in describe(experiment):
                self.assertTrue(title)
                self.assertTrue(all(text), f"{name}: {title}")

    def test_reference_comes_first(self) -> None:
        """
        The five reference exchanges lead the list.
        """
        self.assertEqual(tuple(names()[:5]), REFERENCE)

    def test_own_file(self) -> None:
        """
        A path loads a user's file, anywhere.
        """
        self.assertEqual(load(self.write(MINE.format(name="mine"))).name, "mine")

    def test_faulty_files(self) -> None:
        """
        A file that cannot be loaded, or holds no experiment, is told in one line.
        """
        for text, words in (
            ("def f(:", "SyntaxError"),
            ("1 / 0", "ZeroDivisionError"),
            ("x = 1", "holds no EXPERIMENT"),
            ("EXPERIMENT = 1", "holds no EXPERIMENT"),
            (MINE.format(name="../up"), "calls its experiment '../up'"),
        ):
            error = self.assertRaises(CatalogueError, load, self.write(text))
            self.assertIn(words, str(error))
            self.assertNotIn("\n", str(error))

    def test_missing(self) -> None:
        """
        Neither a name nor a path that leads nowhere is an experiment.
        """
        self.assertIn("no experiment", str(self.assertRaises(CatalogueError, load, "nonesuch")))
        self.assertIn("no file", str(self.assertRaises(CatalogueError, load, "./nonesuch.py")))

    def test_nearly_right(self) -> None:
        """
        Of a name that is almost one, the one that was meant is told; of another, none.
        """
        error = self.assertRaises(CatalogueError, load, "fast-retransmit")
        self.assertIn("did you mean fast_retransmit?", str(error))
        error = self.assertRaises(CatalogueError, load, "nonesuch")
        self.assertNotIn("did you mean", str(error))
