"""
The laboratory in folders, and with an environment, that somebody else has prepared.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.conftest import RunNetlab
from tests.live.hosts import WAYS

#: With hosts of their own where this machine can make them, and without.
_ISOLATIONS = [*WAYS[:1], "none"]

_LOOKS_AROUND = """
import json
import os
import sys

from netlab.lab.api.experiment import Experiment

def look():
    print(json.dumps({
        "environment": dict(os.environ),
        "descriptors": {
            number: os.readlink(f"/proc/self/fd/{number}")
            for number in os.listdir("/proc/self/fd")
            if os.path.lexists(f"/proc/self/fd/{number}")
        },
        "folder": os.getcwd(),
        "mode": os.stat(os.pardir).st_mode & 0o777,
        "path": sys.path,
    }))

async def perform(lab):
    await lab.client.run_function(look)
    await lab.server.run_function(look)

EXPERIMENT = Experiment(
    name="looks", question="?", programs="", look_for="", explanation="", perform=perform
)
"""

#: What a program of the laboratory may find in its environment.
_KNOWN = {"HOME", "LANG", "PATH", "TMPDIR", "VIRTUAL_ENV"}


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """
    Give a folder for results, short enough for everything.
    """
    with tempfile.TemporaryDirectory(prefix="netlab-lab-") as name:
        yield Path(name)


@pytest.mark.parametrize("isolation", _ISOLATIONS)
@pytest.mark.slow
async def test_planted_code(
    netlab: RunNetlab, out: Path, monkeypatch: pytest.MonkeyPatch, isolation: str
) -> None:
    """
    Code that lies where programs have worked before is not run: neither a plugin of Twisted's nor
    a module of a library's name, and no start-up file of Python's, of curl's or of a shell's.
    """
    mark = out / "mark"
    evil = f"open({str(mark)!r}, 'a').write(__name__ + '\\n')\n"
    for place in ("files", "scratch", "."):
        for name in (
            "twisted/plugins/evil.py",
            "incremental.py",
            "json.py",
            "netlab/__init__.py",
            "sitecustomize.py",
            "usercustomize.py",
            ".local/lib/python3.11/site-packages/usercustomize.py",
        ):
            path = out / "echo" / place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(evil)
        (out / "echo" / place / "echo").write_text(f"#!/bin/sh\necho shell >> {mark}\n")
        (out / "echo" / place / "echo").chmod(0o755)
    # Empty and relative places mean the folder where one stands, which is the programs' own.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", ".", "files"]))
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", os.environ["PATH"]]))
    done = await netlab("lab", "run", "echo", "--isolation", isolation, "--out", str(out))
    assert (done.status, done.err) == (0, ""), done.out
    assert not mark.exists(), mark.read_text()
    assert (out / "echo" / "files" / "incremental.py").read_text() == evil


@pytest.mark.parametrize("isolation", _ISOLATIONS)
@pytest.mark.slow
async def test_what_programs_get(
    netlab: RunNetlab, out: Path, monkeypatch: pytest.MonkeyPatch, isolation: str
) -> None:
    """
    Programs get three descriptors of their own, an environment that is named word by word, and a
    private folder to work in; nothing of it is left.
    """
    temporary = out / "tmp"
    temporary.mkdir()
    for name, value in (
        ("TMPDIR", str(temporary)),
        ("DATABASE_PASSWORD", "secret"),
        ("LD_LIBRARY_PATH", "/nowhere"),
        ("BASH_ENV", "/nowhere"),
        ("PYTHONSTARTUP", "/nowhere"),
        ("HTTP_PROXY", "http://127.0.0.1:9"),
    ):
        monkeypatch.setenv(name, value)
    (out / "looks.py").write_text(_LOOKS_AROUND)
    arguments = ("--isolation", isolation, "--out", str(out / "results"))
    done = await netlab("lab", "run", str(out / "looks.py"), *arguments)
    assert done.err == ""
    lines = (out / "results" / "looks" / "output.txt").read_text().splitlines()
    seen = [json.loads(line[line.index("{") :]) for line in lines]
    assert len(seen) == 2
    for one in seen:
        names = {
            name
            for name in one["environment"]
            if not name.startswith(("LC_", "COVERAGE_", "PYTHON"))
        }
        assert names <= _KNOWN, names - _KNOWN
        assert one["environment"]["PYTHONSAFEPATH"] == "1"
        assert "PYTHONSTARTUP" not in one["environment"]
        assert set(one["descriptors"]) == {"0", "1", "2"}, one["descriptors"]
        assert all(place.startswith("pipe:") for place in one["descriptors"].values())
        assert one["folder"].startswith(f"{temporary}/netlab-run-")
        assert one["mode"] == 0o700
        assert all(os.path.isabs(place) and str(out) not in place for place in one["path"])
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("isolation", _ISOLATIONS)
@pytest.mark.slow
async def test_prepared_results(netlab: RunNetlab, out: Path, isolation: str) -> None:
    """
    Links in the place of results are replaced and not followed, a link in the place of a folder is
    refused, a verdict that is none breaks nothing, and a user's own files survive.
    """
    thesis = out / "thesis.txt"
    results = out / "results"
    own = results / "echo" / "scratch" / "sub" / "thesis.txt"
    for path in (thesis, own, results / "planted" / "verdict.json"):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text('{"name": 1}')
    results.chmod(0o700)
    for name in ("index.html", "echo/client.annotated", "echo/client.pcapng", "echo/output.txt"):
        (results / name).symlink_to(thesis)
    os.mkfifo(results / "echo" / "report.html")
    (results / "pipe").mkdir()
    os.mkfifo(results / "pipe" / "verdict.json")
    elsewhere = out / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "scratch").mkdir()
    (results / "notfound").symlink_to(elsewhere)
    run = ("--isolation", isolation, "--out", str(results))
    done = await netlab("lab", "run", "echo", *run)
    assert (done.status, done.err) == (0, ""), done.out
    assert thesis.read_text() == own.read_text() == '{"name": 1}'
    assert not (results / "index.html").is_symlink()
    assert "its verdict.json cannot be read: name is int" in (results / "index.html").read_text()
    done = await netlab("lab", "run", "notfound", *run)
    assert done.status == 1
    assert done.err.startswith("netlab lab: cannot write results: ")
    assert "it is a symbolic link" in done.err
    assert [path.name for path in elsewhere.iterdir()] == ["scratch"]
    (out / "link").symlink_to(elsewhere)
    done = await netlab("lab", "run", "echo", "--out", str(out / "link"))
    assert "it is a symbolic link" in done.err


@pytest.mark.slow
async def test_as_root(netlab: RunNetlab, out: Path) -> None:
    """
    As root what is written is root's alone, and a folder that others may write to is refused before
    anything runs.
    """
    if os.geteuid():
        pytest.skip("this is not root")
    run = ("lab", "run", "echo", "--isolation", "none", "--out")
    done = await netlab(*run, str(out / "results"))
    assert done.status == 0
    for path in (out / "results").rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path
    (out / "results" / "echo").chmod(0o777)
    done = await netlab(*run, str(out / "results"))
    assert done.status == 1
    assert "others own it or may write to it, and this runs as root" in done.err
    assert "ran in" not in done.out
