"""
Our own scripts, each a test: what they say of TCP holds for L{netlab.tcp}.

They are in C{tests/tcp/scripts}; docs/packetdrill.md lists them by what they are about.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.script.running import play_text

SCRIPTS = Path(__file__).parents[1] / "scripts"


class ScriptsTests(SynchronousTestCase):
    """
    One test for each script; its first lines say what it shows.
    """

    def test_each_says_what_it_shows(self) -> None:
        """
        Each script begins with a comment of a sentence, which names an RFC.
        """
        texts = {path.name: path.read_text(encoding="utf-8") for path in SCRIPTS.glob("*.pkt")}
        self.assertGreater(len(texts), 100)
        for name, text in texts.items():
            with self.subTest(name=name):
                comment = " ".join(re.findall(r"^// ?(.*)$", text, re.MULTILINE))
                self.assertRegex(comment, r"^[A-Z].*\.")
                self.assertRegex(comment, r"RFC \d+")


def _test_of(path: Path) -> Callable[[ScriptsTests], None]:
    def test(self: ScriptsTests) -> None:
        play_text(path.read_text(encoding="utf-8"))

    test.__doc__ = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("// ")
    return test


for _path in sorted(SCRIPTS.glob("*.pkt")):
    setattr(ScriptsTests, f"test_{_path.stem.replace('-', '_')}", _test_of(_path))
