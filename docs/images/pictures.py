"""
What the scripts that make the pictures of the documentation have in common: a page of this tree in
a headless chromium, and a file beside this one.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
TOP: Final = HERE.parent.parent
sys.path.insert(0, str(TOP))

from tests.live.devtools import Browser, browser  # noqa: E402 -- from this tree
from tests.live.tools import CHROMIUM  # noqa: E402


def make(name: str, take: Callable[[Browser, Path], bytes]) -> int:
    """
    Make a picture.

    @param name: of its file.
    @param take: gets the browser, light, and an empty folder; returns the picture, a PNG.
    @return: the exit status.
    """
    if CHROMIUM is None:
        print(f"{name}: there is no chromium here; on Debian: apt install chromium")
        return 1
    with tempfile.TemporaryDirectory() as folder, browser(Path(folder, "browser")) as chromium:
        chromium.dark(False)
        picture = take(chromium, Path(folder))
    (HERE / name).write_bytes(picture)
    print(f"{name}: {len(picture)} bytes")
    return 0


def picture_of(chromium: Browser) -> bytes:
    """
    Take the picture of what is to be seen.
    """
    # Rows fade in, and the colour of a chosen one; the picture is of the end.
    chromium.ask("document.getAnimations().forEach((one) => one.finish())")
    return chromium.picture("documentation")
