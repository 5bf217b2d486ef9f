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
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(TOP))

from tests.live.devtools import Browser, browser  # noqa: E402 -- from this tree
from tests.live.tools import CHROMIUM  # noqa: E402

PICTURE = HERE / "live.png"
WIDTH, HEIGHT = 1360, 940
EXPERIMENT = "fast_retransmit"

TWISTD = ("-c", "from twisted.scripts.twistd import run; run()", "-n", "--pidfile=", "netlab-lab")


def main() -> int:
    """
    Make the picture.

    @return: the exit status.
    """
    if CHROMIUM is None:
        print("live.py: there is no chromium here; on Debian: apt install chromium")
        return 1
    listen = ("--listen", "tcp:0:interface=127.0.0.1")
    environment = {**os.environ, "PYTHONPATH": str(TOP), "PYTHONUNBUFFERED": "1"}
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, *TWISTD, *listen],
            stdout=subprocess.PIPE,
            cwd=folder,
            env=environment,
            text=True,
        ) as server,
    ):
        assert server.stdout is not None
        try:
            found = (re.search(r"Open (http://\S+)", line) for line in server.stdout)
            url = next(match[1] for match in found if match is not None)
            with browser(Path(folder, "browser")) as chromium:
                take(chromium, url)
        finally:
            server.terminate()
    print(f"{PICTURE.name}: {PICTURE.stat().st_size} bytes")
    return 0


def take(chromium: Browser, url: str) -> None:
    """
    Run the experiment, choose the segment that is lost, and take the picture.
    """
    chromium.dark(False)
    chromium.open(url, WIDTH, HEIGHT)
    chromium.wait("document.getElementById('phase').textContent === ''")
    for name, value in (("experiment", EXPERIMENT), ("pace", "true")):
        chromium.ask(f"document.getElementById('{name}').value = '{value}'")
    chromium.ask("document.getElementById('experiment').dispatchEvent(new Event('change'))")
    chromium.ask("document.getElementById('run').click()")
    chromium.wait("!document.getElementById('result').hidden")
    chromium.ask("document.querySelector('.fate.lost').closest('.row').click()")
    chromium.ask("document.getElementById('f3').scrollIntoView({block: 'start'})")
    # Rows fade in, and the colour of a chosen one; the picture is of the end.
    chromium.ask("document.getAnimations().forEach((one) => one.finish())")
    PICTURE.write_bytes(chromium.picture(PICTURE.stem))


if __name__ == "__main__":
    sys.exit(main())
