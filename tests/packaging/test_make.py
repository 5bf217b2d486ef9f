"""
What make does without being told more.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.packaging.conftest import TOP, run

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """
    A folder in which C{make run} has been called before: the environment is there, and its stamp
    is no older than what says what is to be installed.
    """
    for name in ("Makefile", "setup.cfg", "pyproject.toml"):
        shutil.copy(TOP / name, tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch()
    (tmp_path / ".venv" / ".installed-run").touch()
    return tmp_path


def test_second_run_only_runs(folder: Path) -> None:
    """
    The second C{make run} starts the servers and installs nothing.
    """
    (line,) = run("make", "--dry-run", "run", cwd=folder).splitlines()
    assert line == (
        "exec .venv/bin/netlab serve --host 127.0.0.1 --echo-port 12345 --http-port 8080"
    )


def test_run_after_new_requirements(folder: Path) -> None:
    """
    When what is to be installed has changed, it is installed again.
    """
    newer = (folder / ".venv" / ".installed-run").stat().st_mtime_ns + 10**9
    for name in ("setup.cfg", "pyproject.toml"):
        os.utime(folder / name, ns=(newer, newer))
        lines = run("make", "--dry-run", "run", cwd=folder).splitlines()
        assert any("pip install" in line for line in lines)


def test_variables(folder: Path) -> None:
    """
    HOST, ECHO_PORT and HTTP_PORT choose where.
    """
    words = ("HOST=0.0.0.0", "ECHO_PORT=7", "HTTP_PORT=80")
    (line,) = run("make", "--dry-run", "run", *words, cwd=folder).splitlines()
    assert line.endswith("serve --host 0.0.0.0 --echo-port 7 --http-port 80")


def test_help(folder: Path) -> None:
    """
    C{make} alone lists what there is.
    """
    shown = run("make", cwd=folder)
    for name in ("run", "test", "lint", "types", "docs"):
        assert f"\n  make {name} " in f"\n{shown}"
