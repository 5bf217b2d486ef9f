"""
Other people's programs for live tests: curl and a browser, each in a process group of its own, so
that whatever it starts ends with it.
"""

from __future__ import annotations

import os
import shutil
import signal
import struct
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from twisted.internet.threads import deferToThread

from tests.live.processes import PATIENCE_SECONDS, TOP, Completed

#: What tests leave for people to look at; git ignores it.
ARTEFACTS = TOP / "artefacts"

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NEEDS_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")
NEEDS_CURL = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")

CHROMIUM_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def run_tool(command: list[str], directory: Path, environment: Mapping[str, str]) -> Completed:
    """
    Run a program to its end, for as long as patience lasts.

    @param command: The program and its arguments.
    @param directory: Its current directory.
    @param environment: Variables beside those that we have ourselves.
    """
    with subprocess.Popen(
        command,
        cwd=directory,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return Completed(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))


async def curl(directory: Path, *arguments: str) -> Completed:
    """
    Run curl, without the user's own settings and without a proxy.
    """
    command = ["curl", "--disable", "--silent", "--show-error", "--noproxy", "*", *arguments]
    return await deferToThread(run_tool, command, directory, {})


@dataclass(frozen=True, slots=True)
class Browsed:
    """
    What a browser has made of a page.

    @ivar document: The page as HTML, after all loading; empty where the browser shows none.
    @ivar errors: What the browser complained about, on its standard error.
    @ivar picture: Where the picture is, if there is one.
    """

    document: str
    errors: str
    picture: Path


async def browse(url: str, picture: str, directory: Path, width: int, height: int) -> Browsed:
    """
    Open a page in a headless browser that has never been used before.

    @param picture: The picture's name among the artefacts, without suffix.
    @param directory: For the browser's own files; is made.
    @param width: The window's, in pixels.
    @param height: The window's, in pixels.
    """
    return await deferToThread(_browse, url, picture, directory, width, height)


def _browse(url: str, picture: str, directory: Path, width: int, height: int) -> Browsed:
    assert CHROMIUM is not None
    path = ARTEFACTS / "browser" / f"{picture}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    directory.mkdir()
    command = [
        CHROMIUM,
        *CHROMIUM_OPTIONS,
        f"--user-data-dir={directory}",
        f"--window-size={width},{height}",
        f"--screenshot={path}",
        "--dump-dom",
        url,
    ]
    # It shall find no settings of a user, nor leave any.
    home = {name: str(directory) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    done = run_tool(command, directory, home)
    assert done.status == 0, done.err
    return Browsed(done.out, done.err, path)


def png_size(data: bytes) -> tuple[int, int]:
    """
    Read width and height of a PNG picture (its section 11.2.2, IHDR), in pixels.

    @raise AssertionError: When it is none.
    """
    assert data.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR")
    width, height = struct.unpack_from(">II", data, 16)
    return width, height
