"""
What an installed netlab does, from a directory that has nothing to do with it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packaging.conftest import TOP, run

pytestmark = pytest.mark.slow


def test_twistd_lists_both_servers(programs: Path, tmp_path: Path) -> None:
    """
    C{twistd --help} lists the plugins, so they are where Twisted looks for them.
    """
    listed = run(programs / "twistd", "--help", cwd=tmp_path)
    assert {"netlab-echo", "netlab-http"} <= set(listed.split())


def test_demonstration_files_are_found(programs: Path, tmp_path: Path) -> None:
    """
    The packaged pages are found, and they are not those of the tree that runs this test.
    """
    question = "import netlab.demonstration as d; print(d.demonstration_root())"
    root = Path(run(programs / "python", "-c", question, cwd=tmp_path).strip())
    assert not root.is_relative_to(TOP)
    assert len((root / "index.html").read_bytes()) == 210
