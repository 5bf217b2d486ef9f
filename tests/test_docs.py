"""
The pages of documentation hang together.
"""

from __future__ import annotations

import re
from pathlib import Path

from twisted.python.reflect import namedAny
from twisted.trial.unittest import SynchronousTestCase

TOP = Path(__file__).resolve().parent.parent
PAGES = [*TOP.glob("*.md"), *TOP.glob("docs/**/*.md")]

#: A link's or a picture's target, without its fragment. Code is not looked at.
_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_TARGET = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


def targets(page: Path) -> set[Path]:
    """
    List what a page links to in this tree.
    """
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    found = [target for target in _TARGET.findall(text) if "://" not in target]
    return {(page.parent / target).resolve() for target in found}


class LinkTests(SynchronousTestCase):
    """
    Links between pages.
    """

    def test_no_dead_link(self) -> None:
        """
        Every link of a page to this tree leads somewhere.
        """
        for page in PAGES:
            for target in targets(page):
                self.assertTrue(target.exists(), f"{page.relative_to(TOP)} links to {target}")

    def test_index(self) -> None:
        """
        docs/index.md links to every page of documentation; the decisions are linked as a folder.
        """
        index = TOP / "docs" / "index.md"
        linked = targets(index)
        pages = {page for page in (TOP / "docs").glob("*.md") if page != index}
        self.assertEqual({page.name for page in pages - linked}, set())
        for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "NEWS.md", "docs/decisions"):
            self.assertIn(TOP / name, linked)


class DecisionTests(SynchronousTestCase):
    """
    The pages of docs/decisions.
    """

    def test_numbers(self) -> None:
        """
        Each page has a number of its own, the same in its name as in its title.
        """
        pages = sorted((TOP / "docs" / "decisions").iterdir())
        numbers = [page.name[:4] for page in pages]
        self.assertEqual(sorted(set(numbers)), numbers)
        for page in pages:
            self.assertRegex(page.name, r"^[0-9]{4}-[a-z0-9-]+\.md$")
            title = page.read_text(encoding="utf-8").partition("\n")[0]
            self.assertEqual(title[:8], f"# {page.name[:4]}: ")


class GuardTests(SynchronousTestCase):
    """
    The guards that SECURITY.md lists.
    """

    def test_guards_and_their_tests_exist(self) -> None:
        """
        Each row names a danger, guards that there are, and tests that there are.
        """
        text = (TOP / "SECURITY.md").read_text(encoding="utf-8")
        guards = text.partition("\n## Guards\n")[2].partition("\n## ")[0]
        rows = [row.split("|")[1:4] for row in guards.splitlines() if row.startswith("| ")][1:]
        self.assertGreater(len(rows), 15)
        for danger, guard, tested in rows:
            names = re.findall(r"`(netlab\.[\w.]+)`", guard)
            paths = re.findall(r"`(tests/\S+)`", tested)
            self.assertTrue(names and paths, danger)
            for name in names:
                namedAny(name)
            for path in paths:
                self.assertTrue((TOP / path).is_file(), path)
