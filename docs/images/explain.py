"""
Makes the picture of `netlab explain` again: the page on the echo exchange.

    .venv/bin/python docs/images/explain.py

It needs chromium. The picture is written beside this file.
"""

from __future__ import annotations

import sys
from pathlib import Path

# Beside this file; from then on this tree can be imported.
from pictures import make, picture_of

from netlab.report import html
from tests.captures.stories import reference_story
from tests.live.devtools import Browser

WIDTH, HEIGHT = 1240, 960
CHOSEN_FRAME = 7


def take(chromium: Browser, folder: Path) -> bytes:
    """
    Take the page with a frame chosen.
    """
    page = folder / "echo.html"
    page.write_text(html.render(reference_story("echo"), "echo.pcap"), encoding="utf-8")
    chromium.open(page.as_uri(), WIDTH, HEIGHT)
    for _ in range(CHOSEN_FRAME):
        chromium.press("ArrowDown")
    chromium.wait("document.getElementById('detail').innerText.startsWith('#7 ')")
    chromium.ask("document.querySelector('.lanes').scrollIntoView({block: 'start'})")
    chromium.ask("scrollBy(0, -64)")
    return picture_of(chromium)


if __name__ == "__main__":
    sys.exit(make("explain-echo.png", take))
