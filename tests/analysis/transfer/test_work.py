"""
How much work judging takes, counted.
"""

from __future__ import annotations

import random

import pytest
from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.observations.history import History, Sent
from netlab.analysis.transfer import judge
from tests.analysis.dialogue_script import Script
from tests.worked import lines_run


def grown(count: int, shape: str) -> History:
    """
    Make a hostile history of so many segments, from one that a capture gave.
    """
    history = Script().open().client("PSH ACK", b"x" * 8).server("ACK").history()
    template: Sent = history.segments[3]
    answer: Sent = history.segments[4]
    chance = random.Random(count)
    for index in range(count - len(history.segments)):
        number, time_ns = 6 + index, template.time_ns + 1000 * index
        start = {
            "holes": 20 + 20 * index,
            "backwards": 20 * (count - index),
            "one-place": 9,
            "random": chance.randrange(1, 60_000),
            "acks": 9,
            "wide": 9 if index % 2 else 9 + 2 * index,
        }[shape]
        length = 4000 if shape == "wide" and index % 2 else 8
        if shape == "acks" or (shape == "random" and index % 3 == 0):
            sent = answer._replace(number=number, time_ns=time_ns, ip_id=index % 65536)
        else:
            sent = template._replace(
                number=number,
                time_ns=time_ns,
                start=start,
                end=start + length,
                length=length,
                seq_raw=template.seq_raw + start,
                ip_id=index % 65536,
                payload=bytes(length),
            )
        history.segments.append(sent)
    return history


def lines_of(history: History) -> int:
    """
    Count the lines of our code that judging a history runs.
    """
    return lines_run(lambda: list(judge.claims_of(history)))


class WorkTests(SynchronousTestCase):
    """
    Conversations made to be slow.
    """

    @pytest.mark.slow
    def test_linear(self) -> None:
        """
        Four times as many segments take little more than four times the work, whatever they are.
        """
        for shape in ("holes", "backwards", "one-place", "random", "acks", "wide"):
            small, large = (lines_of(grown(count, shape)) for count in (500, 2000))
            self.assertLess(large, 6 * small, shape)
