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
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(TOP))

from tests.live.devtools import browser  # noqa: E402 -- from this tree
from tests.live.tools import CHROMIUM  # noqa: E402

PICTURE = HERE / "lab.png"
WIDTH, HEIGHT = 1240, 800
RUNS = (
    ("--reference",),
    ("fast_retransmit", "--sysctl", "net.ipv4.tcp_sack=0"),
)


def main() -> int:
    """
    Make the picture.

    @return: the exit status.
    """
    if CHROMIUM is None:
        print("lab.py: there is no chromium here; on Debian: apt install chromium")
        return 1
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    with tempfile.TemporaryDirectory() as folder, browser(Path(folder, "browser")) as chromium:
        results = Path(folder, "lab-results")
        for run in RUNS:
            words = ("lab", "run", *run, "--out", str(results))
            # A run that does not show what it should has status 1, as is wanted here.
            subprocess.run(
                [sys.executable, "-m", "netlab.cli", *words], env=environment, check=False
            )
        chromium.dark(False)
        chromium.open((results / "index.html").as_uri(), WIDTH, HEIGHT)
        # The last rows: the one that is not as expected is the last of all.
        chromium.ask("document.getElementById('double_fin').scrollIntoView({block: 'start'})")
        chromium.ask("scrollBy(0, -16)")
        picture = chromium.picture(PICTURE.stem)
    PICTURE.write_bytes(picture)
    print(f"{PICTURE.name}: {len(picture)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
