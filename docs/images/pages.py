"""
Makes the picture of the documentation again: the demonstration pages in a headless browser.

    .venv/bin/python docs/images/make.py

It starts a server of this tree on a free port, and needs chromium. The picture is written beside
this file.
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

from tests.live.tools import CHROMIUM, CHROMIUM_OPTIONS  # noqa: E402 -- from this tree

PICTURE = HERE / "pages.png"

WIDTH, HEIGHT = 900, 300

#: What the picture shows side by side: the paths that are asked for.
PATHS = ("/", "/redirect", "/missing")

SHEET = """\
<!DOCTYPE html>
<meta charset="utf-8">
<style>
body { background: #dde3ea; display: flex; font: 13px system-ui, sans-serif;
       gap: 12px; margin: 12px }
figure { background: white; border-radius: 6px; flex: 1; margin: 0; overflow: hidden }
figcaption { background: #f4f6f8; border-bottom: 1px solid #c5ccd3; padding: 7px 10px }
iframe { border: 0; height: 242px; width: 100% }
</style>
"""
FRAME = """\
<figure><figcaption>localhost:8080{path}</figcaption><iframe src="http://{address}{path}"></iframe></figure>
"""


def main() -> int:
    """
    Make the picture.

    @return: the exit status.
    """
    if CHROMIUM is None:
        print("make.py: there is no chromium here; on Debian: apt install chromium")
        return 1
    serve = [sys.executable, "-m", "netlab.cli", "serve", "--echo-port", "0", "--http-port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(TOP), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(serve, stdout=subprocess.PIPE, env=environment, text=True) as server:
        assert server.stdout is not None
        try:
            found = (re.search(r"netlab-http listens on tcp (\S+)", line) for line in server.stdout)
            address = next(match[1] for match in found if match is not None)
            with tempfile.TemporaryDirectory() as folder:
                sheet = Path(folder, "sheet.html")
                frames = (FRAME.format(address=address, path=path) for path in PATHS)
                sheet.write_text(SHEET + "".join(frames), encoding="utf-8")
                command = [
                    CHROMIUM,
                    *CHROMIUM_OPTIONS,
                    f"--user-data-dir={folder}/browser",
                    f"--window-size={WIDTH},{HEIGHT}",
                    f"--screenshot={PICTURE}",
                    sheet.as_uri(),
                ]
                subprocess.run(command, check=True, stderr=subprocess.DEVNULL, timeout=60)
            print(f"{PICTURE.name}: {PICTURE.stat().st_size} bytes")
        finally:
            server.terminate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
