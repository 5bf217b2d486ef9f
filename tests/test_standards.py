"""
What docs/standards.md and SECURITY.md say holds: the tests that they name exist, and so do the
limits, with those defaults.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.twistd.bounds import (
    ADMISSION_BOUNDS,
    CACHE_BOUNDS,
    LIMIT_BOUNDS,
    TIMEOUT_BOUNDS,
)
from tests.blackbox.options import OPTIONAL
from tests.blackbox.tables import STANDARD

_TESTS = Path(__file__).resolve().parent
_TOP = _TESTS.parent

#: In backquotes; a vertical bar is escaped within a table.
_TEST_NAME = re.compile(r"`((?:live\.|fuzz\.)?test_[\w.]+)`")
_CASE_NAME = re.compile(r"`case: ([^`]+)`")


def names_of(path: Path) -> set[str]:
    """
    List the classes of a module of tests, their methods, and its functions.
    """
    names = set()
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names.add(node.name)
            names |= {f"{node.name}.{m.name}" for m in node.body if isinstance(m, ast.FunctionDef)}
    return names


class NamedTestsTests(SynchronousTestCase):
    """
    What a document promises can be run.
    """

    def setUp(self) -> None:
        """
        Read the document.
        """
        self.text = (_TOP / "docs/standards.md").read_text(encoding="utf-8")

    def test_tests(self) -> None:
        """
        Each test that is named exists.
        """
        named = _TEST_NAME.findall(self.text)
        self.assertGreater(len(named), 50)
        for name in named:
            parts = name.split(".")
            folder = parts.pop(0) if parts[0] in {"live", "fuzz"} else "http1"
            module, test = parts[0], ".".join(parts[1:])
            below = sorted((_TESTS / folder).rglob(f"{module}.py"))
            path = next(
                (place for place in [*below, _TESTS / f"{module}.py"] if place.exists()), None
            )
            self.assertIsNotNone(path, name)
            assert path is not None
            if test:
                self.assertIn(test, names_of(path), name)

    def test_cases(self) -> None:
        """
        So does each case.
        """
        known = {case.name for group in (*STANDARD, *OPTIONAL) for case in group.cases}
        named = [name.replace("\\|", "|") for name in _CASE_NAME.findall(self.text)]
        self.assertGreater(len(named), 50)
        self.assertEqual([name for name in named if name not in known], [])

    def test_counts(self) -> None:
        """
        The comparison was made with all cases that there are.
        """
        rows = re.findall(r"^\| ([a-zA-Z ]+) \| (\d+) \| (\d+) \|", self.text, re.MULTILINE)
        expected = [(group.name, len(group.cases), len(group.cases)) for group in STANDARD]
        total = sum(len(group.cases) for group in STANDARD)
        found = [(name, int(count), int(passed)) for name, count, passed in rows]
        self.assertEqual(found, [*expected, ("all", total, total)])

    def test_cases_cite_rules_that_are_kept(self) -> None:
        """
        Each section of RFC 9112 that a case rests on has a line in the standards.
        """
        sections = {
            case.rule.partition("-")[2]
            for group in STANDARD
            for case in group.cases
            if case.rule.startswith("9112-")
        }
        text = self.text.partition("## RFC 9112")[2].partition("## RFC 9110")[0]
        rows = {
            section.strip()
            for row in re.findall(r"^\| ([\w., ]+) \|", text, re.MULTILINE)
            for section in row.split(",")
        }
        self.assertEqual(sorted(sections - rows), [])


class LimitsTests(SynchronousTestCase):
    """
    SECURITY.md lists every limit.
    """

    def test_defaults(self) -> None:
        """
        Each option that bounds something has a row with its default.
        """
        text = (_TOP / "SECURITY.md").read_text(encoding="utf-8")
        rows = dict(re.findall(r"^\| `--([a-z-]+)` \| ([\d.,]+)", text, re.MULTILINE))
        bounds = (*TIMEOUT_BOUNDS, *LIMIT_BOUNDS, *ADMISSION_BOUNDS, *CACHE_BOUNDS)
        self.assertEqual(
            {option: float(default.replace(",", "")) for option, default in rows.items()},
            {bound.option: float(bound.default) for bound in bounds},
        )
