"""
Makes the picture of the plots of `netlab explain` again: a made-up transfer that begins with slow
start and loses a segment.

    .venv/bin/python docs/images/plots.py

It needs chromium. The picture is written beside this file.
"""

from __future__ import annotations

import sys
from pathlib import Path

# Beside this file; from then on this tree can be imported.
from pictures import make, picture_of

from netlab.report import html
from tests.captures.frames import ACK
from tests.captures.stories import story_of
from tests.captures.talk import Talk
from tests.live.devtools import Browser

WIDTH, HEIGHT = 1240, 830
MSS = 1460
LOST_IN_TURN = 4


def transfer() -> Talk:
    """
    Send a file over a way of 40 ms: what is in flight doubles each round trip, until a segment is
    lost; then it is halved, and grows by one segment each round trip.
    """
    talk = Talk(shift=9).open(half_ms=(40, 1)).say("c", b"GET /file HTTP/1.1\r\nHost: a\r\n\r\n")
    window, is_doubling = 4, True
    for turn in range(12):
        hole = None
        starts = []
        for index in range(window):
            starts.append(talk.next["s"])
            talk.send("s", ACK, bytes(MSS), after_ms=0.1, arrives=False)
            if turn == LOST_IN_TURN and index == window // 3:
                hole = starts[-1]
        talk.now_ns += 38_000_000
        for start in starts:
            if hole is None or start < hole:
                talk.send("c", ACK, ack=start + MSS, after_ms=0.1)
            elif start > hole:
                talk.send("c", ACK, ack=hole, after_ms=0.1, sacks=((hole + MSS, start + MSS),))
        if hole is not None:
            talk.send("s", ACK, bytes(MSS), seq=hole, after_ms=0.1)
            is_doubling, window = False, window // 2
            talk.now_ns += 38_000_000
        talk.arrive("c")
        talk.send("c", ACK)
        window = 2 * window if is_doubling else window + 1
    return talk.close("s")


def take(chromium: Browser, folder: Path) -> bytes:
    """
    Take the plots.
    """
    page = folder / "transfer.html"
    page.write_text(html.render(story_of(transfer().pcap()), "transfer.pcap"), encoding="utf-8")
    chromium.open(page.as_uri(), WIDTH, HEIGHT)
    chromium.ask("document.querySelector('.plots').scrollIntoView({block: 'start'})")
    chromium.ask("scrollBy(0, -64)")
    return picture_of(chromium)


if __name__ == "__main__":
    sys.exit(make("explain-plots.png", take))
