"""
What is observed of a run, as events for the page: each frame with its sentence and its equations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from netlab.analysis.explanation.story import FrameStory
from netlab.analysis.explanation.telling import FrameTeller
from netlab.analysis.words.units import duration
from netlab.capture.segments import Segment
from netlab.lab.api.sides import Side
from netlab.lab.runs.programs import OutputLine
from netlab.lab.runs.relay import RelayedPassage
from netlab.lab.runs.run import Observation
from netlab.lab.wire.wire import Crossing
from netlab.report.texts import main_equation, payload_text, values_of
from netlab.report.times import seconds

LINE_SHOWN_MAX: Final = 400
"""How much of a line that a program prints is shown."""

#: What a log puts before its lines: the time, which is shown anyway, and who says it.
_LOG_PREFIX: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[-+0-9]{5} \[[^\]]*\] ")

Tell = Callable[[str, Mapping[str, Any]], object]


class Narrator:
    """
    Tells a run's observations in order.

    Frames are numbered as they are sent, by either host, whether or not they arrive: the view of
    an observer of both ends. In the capture of one end a frame has another number, which is
    given too.

    @ivar frames: how many frames have been sent.
    """

    def __init__(self, tell: Tell) -> None:
        """
        @param tell: is called with the type of each event, and its data.
        """
        self.frames = 0
        self._tell = tell
        self._teller = FrameTeller()
        self._seen = dict.fromkeys(Side, 0)
        self._start_ns: int | None = None
        self._before_ns: int | None = None
        # By the wire's own number of a frame on its way: our number, when it was sent.
        self._sent: dict[int, tuple[int, int]] = {}

    def observe(self, observation: Observation) -> None:
        """
        Tell of something.
        """
        if self._start_ns is None:
            self._start_ns = observation.time_ns
        when = observation.time_ns - self._start_ns
        match observation:
            case Crossing():
                self._seen[observation.end] += 1
                if observation.end is observation.sender:
                    self._send(observation, when)
                else:
                    self._arrive(observation, when)
            case OutputLine():
                self._tell(
                    "line",
                    {
                        "t": when,
                        "time": seconds(when),
                        "host": observation.host.value,
                        "program": observation.program,
                        "text": _LOG_PREFIX.sub("", observation.text, 1)[:LINE_SHOWN_MAX],
                    },
                )
            case RelayedPassage():
                self._tell(
                    "passage",
                    {
                        "t": when,
                        "time": seconds(when),
                        "connection": observation.connection,
                        "sender": observation.sender.value,
                        "what": observation.what,
                    },
                )

    def _send(self, crossing: Crossing, when: int) -> None:
        self.frames += 1
        number, decoded = self.frames, crossing.decoded
        self._sent[crossing.number] = number, crossing.time_ns
        since = None if self._before_ns is None else crossing.time_ns - self._before_ns
        self._before_ns = crossing.time_ns
        data: dict[str, Any] = {
            "n": number,
            "t": when,
            "time": seconds(when),
            "delta": "" if since is None else f"+{duration(since)}",
            "sender": crossing.sender.value,
            "captured": self._seen[crossing.end],
            "is_lost": crossing.is_lost,
            "notes": list(crossing.notes),
        }
        story = None
        if isinstance(decoded, Segment):
            record = decoded.record._replace(number=number)
            story = self._teller.tell(decoded._replace(record=record))
        if story is not None:
            data |= _told(story)
        else:
            protocol = "TCP" if isinstance(decoded, Segment) else decoded.protocol
            data |= {
                "kind": "probe",
                "label": protocol,
                "sentence": "It is not a TCP segment of a connection explained here.",
                "marks": [],
                "equation": "",
                "findings": [],
                "values": {"frame length": len(crossing.frame)},
                "payload": "",
                "stream": None,
            }
        self._tell("sent", data)

    def _arrive(self, crossing: Crossing, when: int) -> None:
        number, sent_ns = self._sent[crossing.number]
        took = crossing.time_ns - sent_ns
        self._tell(
            "arrived",
            {
                "n": number,
                "t": when,
                "time": seconds(when),
                "took": duration(took),
                "captured": self._seen[crossing.end],
            },
        )


def _told(story: FrameStory) -> dict[str, Any]:
    return {
        "kind": story.kind.value,
        "label": story.label,
        "sentence": story.sentence,
        "marks": list(story.marks),
        "equation": main_equation(story),
        "findings": [
            {
                "rule": finding.rule,
                "verdict": finding.verdict.value,
                "equation": finding.equation,
                "sentence": finding.sentence,
                "frames": list(finding.frames),
            }
            for finding in story.findings
        ],
        "values": values_of(story),
        "payload": payload_text(story),
        "stream": story.stream,
    }
