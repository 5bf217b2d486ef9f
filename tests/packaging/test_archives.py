"""
What the archives hold.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

#: What is built is built once.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("packaging")]


def files_below(folder: Path, pattern: str = "*") -> set[str]:
    """
    List the files of a tree.

    @return: their paths, relative to the folder.
    """
    found = (path for path in folder.rglob(pattern) if path.is_file())
    return {path.relative_to(folder).as_posix() for path in found}


def test_sdist_holds_the_tree(tree: Path, unpacked_sdist: Path) -> None:
    """
    An sdist has what is needed to build, test and document netlab again.
    """
    for folder in ("netlab", "twisted", "htdocs", "tests", "docs", "newsfragments"):
        assert files_below(tree / folder) <= files_below(unpacked_sdist / folder), folder
    for name in ("Makefile", "README.md", "LICENSE", "NEWS.md", "pyproject.toml"):
        assert (unpacked_sdist / name).read_bytes() == (tree / name).read_bytes()


def test_wheel_holds_every_module(tree: Path, wheel: Path) -> None:
    """
    Each module of the tree is in the wheel, so setup.cfg names all packages.
    """
    with zipfile.ZipFile(wheel) as opened:
        packed = {name for name in opened.namelist() if name.endswith(".py")}
    expected = {f"netlab/{name}" for name in files_below(tree / "netlab", "*.py")}
    assert packed == expected | {"twisted/plugins/netlab_plugin.py"}


def test_wheel_holds_the_demonstration_files(tree: Path, wheel: Path) -> None:
    """
    The pages of htdocs/ are in the wheel, byte for byte.
    """
    prefix = "netlab/htdocs/"
    with zipfile.ZipFile(wheel) as opened:
        packed = {
            name.removeprefix(prefix): opened.read(name)
            for name in opened.namelist()
            if name.startswith(prefix)
        }
    names = files_below(tree / "htdocs")
    assert packed == {name: (tree / "htdocs" / name).read_bytes() for name in names}
