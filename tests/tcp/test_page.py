"""
docs/tcp.md and docs/standards-tcp.md.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.congestion import choice
from tests.test_standards import names_of

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
TESTS = Path(__file__).resolve().parent

_TEST_NAME = re.compile(r"`(test_\w+)((?:\.\w+)*)`")


def draw_tcp() -> ModuleType:
    """
    Load the script.
    """
    spec = importlib.util.spec_from_file_location("draw_tcp", DOCS / "draw_tcp.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class DrawingTests(SynchronousTestCase):
    """
    What is drawn.
    """

    def test_up_to_date(self) -> None:
        """
        The page shows what the tables say.
        """
        page = (DOCS / "tcp.md").read_text("utf-8")
        self.assertEqual(page, draw_tcp().drawn(page))
        self.assertIn("ESTABLISHED --> CLOSE_WAIT: FIN", page)
        self.assertIn("| sender | loss probe |", page)


class ExampleTests(SynchronousTestCase):
    """
    The examples of the page.
    """

    def test_congestion_control(self) -> None:
        """
        The one in the page works as it stands.
        """
        page = (DOCS / "tcp.md").read_text("utf-8")
        (example,) = re.findall(r"```python\n(from netlab.tcp.congestion.*?)```", page, re.DOTALL)
        known = dict(choice.KNOWN)
        self.addCleanup(choice.KNOWN.update, known)
        self.addCleanup(choice.KNOWN.clear)
        exec(compile(example, "tcp.md", "exec"), {})  # noqa: S102 - it is our own page
        control = choice.make("careful")
        self.assertEqual(control.name, "careful")
        self.assertEqual(control.threshold_after_loss(0), 2)


class StandardsTests(SynchronousTestCase):
    """
    The rules.
    """

    def test_tests_exist(self) -> None:
        """
        Each test that is named exists.
        """
        text = (DOCS / "standards-tcp.md").read_text("utf-8")
        named = _TEST_NAME.findall(text)
        self.assertGreater(len(named), 60)
        for module, test in named:
            paths = sorted(TESTS.rglob(f"{module}.py"))
            self.assertEqual(len(paths), 1, module)
            if test:
                self.assertIn(test[1:], names_of(paths[0]), f"{module}{test}")

    def test_every_rule_is_shown(self) -> None:
        """
        Each row names a test, or says that it is not done.
        """
        text = (DOCS / "standards-tcp.md").read_text("utf-8")
        rows = [line for line in text.splitlines() if line.startswith("| ")]
        for row in rows:
            cells = [cell.strip() for cell in row.strip("|").split("|")]
            if cells[0] in {"section", "setting"}:
                continue
            self.assertTrue("`test_" in cells[-1] or cells[-1] == "not done", row)
