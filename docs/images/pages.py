"""
Makes the picture of the demonstration pages again.

    .venv/bin/python docs/images/pages.py

It starts a server of this tree on a free port, and needs chromium. The picture is written beside
this file.
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


def take(chromium: Browser, folder: Path) -> bytes:
    """
    Serve the pages, and take them side by side.
    """
    serve = [sys.executable, "-m", "netlab.cli", "serve", "--echo-port", "0", "--http-port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(TOP), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(serve, stdout=subprocess.PIPE, env=environment, text=True) as server:
        assert server.stdout is not None
        try:
            found = (re.search(r"netlab-http listens on tcp (\S+)", line) for line in server.stdout)
            address = next(match[1] for match in found if match is not None)
            sheet = folder / "sheet.html"
            frames = (FRAME.format(address=address, path=path) for path in PATHS)
            sheet.write_text(SHEET + "".join(frames), encoding="utf-8")
            chromium.open(sheet.as_uri(), WIDTH, HEIGHT)
            return picture_of(chromium)
        finally:
            server.terminate()


if __name__ == "__main__":
    sys.exit(make("pages.png", take))
