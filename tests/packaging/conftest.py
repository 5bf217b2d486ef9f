"""
netlab built and installed as users get it, each way in an environment of its own.

Nothing is downloaded: the environments borrow the dependencies of the one that runs the tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import twisted

TOP = Path(__file__).parents[2]
BORROWED = Path(twisted.__file__).parents[1]

#: What a clone does not have: made by tools, or by an earlier build that a new one must not see.
NOT_IN_A_CLONE = shutil.ignore_patterns(
    ".git",
    ".venv*",
    ".*cache",
    ".coverage*",
    ".hypothesis",
    "_trial_temp*",
    "__pycache__",
    "*.egg-info",
    "apidocs",
    "artefacts",
    "build",
    "dist",
    "dropin.cache",
)


def clean_environment() -> dict[str, str]:
    """
    Leave out what would lead a program back to the tree or measure it: PYTHONPATH, coverage's.

    @return: the environment variables for a program under test.
    """
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ}


def run(*command: str | Path, cwd: Path) -> str:
    """
    Run a program to its end.

    @param command: the program and its arguments.
    @param cwd: where.
    @return: what it printed.
    @raise AssertionError: it failed; with what it printed.
    """
    done = subprocess.run(
        command,
        cwd=cwd,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{command}: status {done.returncode}\n{done.stdout}"
    return done.stdout


def build(hook: str, source: Path, target: Path) -> Path:
    """
    Call one hook of the build system, as a front end does.

    @param hook: C{build_sdist} or C{build_wheel}.
    @param source: the tree to build.
    @param target: the folder for the archive.
    @return: the archive.
    """
    target.mkdir()
    call = f"import sys, setuptools.build_meta as b; b.{hook}(sys.argv[1])"
    run(sys.executable, "-c", call, target, cwd=source)
    (archive,) = target.iterdir()
    return archive


def make_environment(folder: Path) -> Path:
    """
    Make a virtual environment that has netlab's dependencies, but not netlab.

    Twisted is copied, for netlab's plugin is installed into its folder; the rest is linked.

    @param folder: where.
    @return: the folder of its programs.
    """
    venv.create(folder, symlinks=True)
    (site_packages,) = folder.glob("lib/python*/site-packages")
    for path in BORROWED.iterdir():
        if path.name == "twisted":
            shutil.copytree(path, site_packages / path.name, ignore=shutil.ignore_patterns("test"))
            (site_packages / "twisted" / "plugins" / "netlab_plugin.py").unlink(missing_ok=True)
        elif "netlab" not in path.name and path.suffix != ".pth":
            (site_packages / path.name).symlink_to(path)
    twistd = folder / "bin" / "twistd"
    twistd.write_text(f"#!{folder}/bin/python\nfrom twisted.scripts.twistd import run\nrun()\n")
    twistd.chmod(0o755)
    return folder / "bin"


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    A copy of the source tree as a clone has it, for building writes into the tree.
    """
    copy = tmp_path_factory.mktemp("clone") / "netlab"
    shutil.copytree(TOP, copy, symlinks=True, ignore=NOT_IN_A_CLONE)
    return copy


@pytest.fixture(scope="session")
def unpacked_sdist(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The sdist, built and unpacked.
    """
    folder = tmp_path_factory.mktemp("sdist")
    archive = build("build_sdist", tree, folder / "dist")
    run("tar", "-xzf", archive, cwd=folder)
    return folder / archive.name.removesuffix(".tar.gz")


@pytest.fixture(scope="session")
def wheel(unpacked_sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The wheel, built from the sdist: what the package index would hand out.
    """
    return build("build_wheel", unpacked_sdist, tmp_path_factory.mktemp("wheel") / "dist")


@pytest.fixture(scope="session", params=["wheel", "editable"])
def programs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The folder of programs of an environment with netlab installed, in each way.
    """
    folder = tmp_path_factory.mktemp(request.param) / "env"
    bin_folder = make_environment(folder)
    source = (
        [request.getfixturevalue("wheel")]
        if request.param == "wheel"
        else ["--no-build-isolation", "--editable", request.getfixturevalue("tree")]
    )
    install = ["install", "--quiet", "--no-index", "--no-deps", "--no-cache-dir"]
    python = bin_folder / "python"
    run(sys.executable, "-m", "pip", "--python", python, *install, *source, cwd=folder.parent)
    return bin_folder
