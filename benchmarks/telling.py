"""
What telling a frame for the live page costs: its sentence, equations and JSON.

    .venv/bin/python -m benchmarks.telling

Prints CPU time a frame that is sent and arrives, in milliseconds; the bench tells ten observations
before others have their turn.
"""

from __future__ import annotations

import time

from twisted.internet.task import Clock

from netlab.lab.api.impairment import WireSettings
from netlab.lab.api.sides import Side
from netlab.lab.live.feed import Feed
from netlab.lab.live.narrator import Narrator
from netlab.lab.runs.run import Observation
from netlab.lab.wire.wire import Wire
from tests.captures.talk import Talk

FRAMES = 1000
START_NS = 1_700_000_000_000_000_000
CLIENT_HARDWARE = bytes.fromhex("020000000001")


def main() -> None:
    """
    Carry a long answer over a wire, then tell it.
    """
    clock = Clock()
    observations: list[Observation] = []
    wire = Wire(clock, WireSettings(), lambda: START_NS + round(clock.rightNow * 1e9))
    wire.observers.append(observations.append)
    for side in Side:
        wire.attach(side, lambda _: None)
    talk = Talk().open()
    while len(talk.frames) < FRAMES:
        talk.say("s", bytes(1460))
    for _, frame in talk.frames:
        clock.advance(0.0001)
        wire.send(Side.CLIENT if frame[6:12] == CLIENT_HARDWARE else Side.SERVER, frame)
    feed = Feed(clock)
    feed.begin()
    narrator = Narrator(feed.add)
    began = time.process_time()
    for observation in observations:
        narrator.observe(observation)
    took = (time.process_time() - began) / len(talk.frames)
    print(f"{took * 1000:.3f} ms a frame, {len(talk.frames)} frames")


if __name__ == "__main__":
    main()
