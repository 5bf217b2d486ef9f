"""
Makes the picture of the laboratory's page again: the reference experiments, and one whose knob is
turned so that it does not show what it should.

    .venv/bin/python docs/images/lab.py

It needs chromium, and namespaces for the hosts. The picture is written beside this file.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

# Beside this file; from then on this tree can be imported.
from pictures import TOP, make, picture_of

from tests.live.devtools import Browser

WIDTH, HEIGHT = 1240, 800
RUNS = (
    ("--reference",),
    ("fast_retransmit", "--sysctl", "net.ipv4.tcp_sack=0"),
)


def take(chromium: Browser, folder: Path) -> bytes:
    """
    Run the experiments, and take the last rows of their page.
    """
    results = folder / "lab-results"
    for run in RUNS:
        # A run that does not show what it should has status 1, as is wanted here.
        subprocess.run(
            [sys.executable, "-m", "netlab.cli", "lab", "run", *run, "--out", str(results)],
            env={**os.environ, "PYTHONPATH": str(TOP)},
            check=False,
        )
    chromium.open((results / "index.html").as_uri(), WIDTH, HEIGHT)
    # The one that is not as expected is the last of all.
    chromium.ask("document.getElementById('double_fin').scrollIntoView({block: 'start'})")
    chromium.ask("scrollBy(0, -16)")
    return picture_of(chromium)


if __name__ == "__main__":
    sys.exit(make("lab.png", take))
