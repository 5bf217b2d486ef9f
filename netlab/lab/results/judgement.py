"""
Whether the captures of a run show what the experiment expects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from netlab.analysis.expectations.expectations import Expectation, Result, judge
from netlab.analysis.observations.dialogue import Dialogue
from netlab.analysis.tls.cryptographic import tools_for
from netlab.analysis.tls.keylog import KeyLog
from netlab.analysis.tls.tools import NO_TOOLS, Tools
from netlab.lab.api.experiment import Experiment
from netlab.lab.api.sides import Side
from netlab.lab.wire.places import capture_path, keylog_of
from netlab.report import reading

#: How many segments of each conversation are kept for expectations about segments.
TRAIL_MAX: Final = 5000


@dataclass(frozen=True, slots=True)
class Judgement:
    """
    What the captures of a run show.

    @ivar results: of each end, in the order of the experiment's expectations.
    @ivar frames: how many frames each end's capture holds.
    """

    results: dict[Side, Sequence[Result]]
    frames: dict[Side, int]

    @property
    def is_met(self) -> bool:
        """
        Whether everything is as expected.
        """
        return not self.failures

    @property
    def failures(self) -> list[tuple[Side, Result]]:
        """
        What is not as expected.
        """
        return [
            (side, result)
            for side, results in self.results.items()
            for result in results
            if not result.shown.is_met
        ]

    @property
    def count(self) -> int:
        """
        How many expectations were checked.
        """
        return sum(len(results) for results in self.results.values())


def judge_run(experiment: Experiment, folder: Path) -> Judgement:
    """
    Judge the captures in a run's folder.

    @raise netlab.capture.faults.CaptureError: a capture cannot be read.
    """
    results: dict[Side, Sequence[Result]] = {}
    frames: dict[Side, int] = {}
    tools = tools_for(keylog_of(folder))
    for side in Side:
        dialogues, frames[side] = read_dialogues(capture_path(folder, side), tools)
        results[side] = judge(expectations_of(experiment, side), dialogues)
    return Judgement(results, frames)


def judge_capture(
    experiment: Experiment, path: Path, side: Side | None, keylog: KeyLog | None = None
) -> tuple[Result, ...]:
    """
    Judge a capture from anywhere.

    @param side: the end at which it was captured; None judges what holds at both.
    @param keylog: secrets by which TLS is opened, beside those that the capture itself holds.
    @raise netlab.capture.faults.CaptureError: it cannot be read.
    """
    tools = tools_for(KeyLog() if keylog is None else keylog)
    dialogues, _ = read_dialogues(path, tools)
    return judge(expectations_of(experiment, side), dialogues)


def expectations_of(experiment: Experiment, side: Side | None) -> Sequence[Expectation]:
    """
    List what is expected of the capture of one end, or what holds at both.
    """
    own = {
        None: (),
        Side.CLIENT: experiment.client_expectations,
        Side.SERVER: experiment.server_expectations,
    }
    return (*experiment.expectations, *own[side])


def read_dialogues(path: Path, tools: Tools = NO_TOOLS) -> tuple[list[Dialogue], int]:
    """
    Read a capture.

    @param tools: with what TLS is opened.
    @return: its conversations, and how many frames it has.
    @raise netlab.capture.faults.CaptureError: it cannot be read.
    """
    talks = reading.read_dialogues(str(path), TRAIL_MAX, tools)
    return talks.dialogues, talks.frame_count
