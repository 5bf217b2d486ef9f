"""
Makes the picture of `netlab explain` again: the page on the echo exchange.

    .venv/bin/python docs/images/explain.py

It needs chromium. The picture is written beside this file.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(TOP))

from netlab.report import html  # noqa: E402 -- from this tree
from tests.captures.stories import reference_story  # noqa: E402
from tests.live.devtools import browser  # noqa: E402
from tests.live.tools import CHROMIUM  # noqa: E402

PICTURE = HERE / "explain-echo.png"
WIDTH, HEIGHT = 1240, 960
CHOSEN_FRAME = 7


def main() -> int:
    """
    Make the picture.

    @return: the exit status.
    """
    if CHROMIUM is None:
        print("explain.py: there is no chromium here; on Debian: apt install chromium")
        return 1
    with tempfile.TemporaryDirectory() as folder, browser(Path(folder, "browser")) as chromium:
        page = Path(folder, "echo.html")
        page.write_text(html.render(reference_story("echo"), "echo.pcap"), encoding="utf-8")
        chromium.dark(False)
        chromium.open(page.as_uri(), WIDTH, HEIGHT)
        for _ in range(CHOSEN_FRAME):
            chromium.press("ArrowDown")
        # Up to the drawings, which keys have scrolled away.
        chromium.ask("document.querySelector('.plots').scrollIntoView({block: 'start'})")
        chromium.ask("scrollBy(0, -64)")
        # The colour of a chosen row fades in; the picture is of the end.
        chromium.ask("document.getAnimations().forEach((one) => one.finish())")
        picture = chromium.picture(PICTURE.stem)
    PICTURE.write_bytes(picture)
    print(f"{PICTURE.name}: {len(picture)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
