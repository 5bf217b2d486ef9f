"""
Makes the picture of the live laboratory again: a lost segment, chosen.

    .venv/bin/python docs/images/live.py

It starts the laboratory on a free port; it needs chromium, and namespaces for the hosts. The
picture is written beside this file.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

# Beside this file; from then on this tree can be imported.
from pictures import TOP, make, picture_of

from tests.live.devtools import Browser

WIDTH, HEIGHT = 1360, 940
EXPERIMENT = "fast_retransmit"

TWISTD = ("-c", "from twisted.scripts.twistd import run; run()", "-n", "--pidfile=", "netlab-lab")
LISTEN = ("--listen", "tcp:0:interface=127.0.0.1")


def take(chromium: Browser, folder: Path) -> bytes:
    """
    Start the laboratory, and end it when the picture is taken.
    """
    with subprocess.Popen(
        [sys.executable, *TWISTD, *LISTEN],
        stdout=subprocess.PIPE,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(TOP), "PYTHONUNBUFFERED": "1"},
        text=True,
    ) as server:
        assert server.stdout is not None
        try:
            found = (re.search(r"Open (http://\S+)", line) for line in server.stdout)
            url = next(match[1] for match in found if match is not None)
            return run(chromium, url)
        finally:
            server.terminate()


def run(chromium: Browser, url: str) -> bytes:
    """
    Run the experiment, choose the segment that is lost, and take the page.
    """
    chromium.open(url, WIDTH, HEIGHT)
    chromium.wait("document.getElementById('phase').textContent === ''")
    for name, value in (("experiment", EXPERIMENT), ("pace", "true")):
        chromium.ask(f"document.getElementById('{name}').value = '{value}'")
    chromium.ask("document.getElementById('experiment').dispatchEvent(new Event('change'))")
    chromium.ask("document.getElementById('run').click()")
    chromium.wait("!document.getElementById('result').hidden")
    chromium.ask("document.querySelector('.fate.lost').closest('.row').click()")
    chromium.ask("document.getElementById('f3').scrollIntoView({block: 'start'})")
    return picture_of(chromium)


if __name__ == "__main__":
    sys.exit(make("live.png", take))
