"""
Tests for L{netlab.http1.server.repeats}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.accesslog.counters import Tally
from netlab.http1.accesslog.loglines import LoggedAnswers
from netlab.http1.sansio.serversettings import ServerSettings
from netlab.http1.server.repeats import Repeat, Repeats, joined


def repeat(logged: int) -> Repeat:
    """
    Make an answer of a few bytes.

    @param logged: how many bytes the log says of it.
    """
    answers = LoggedAnswers((((b"x" * logged, b""), 200, 2),))
    return Repeat(b"answer", 10.0, None, answers, Tally(), 2)


class WeightTests(SynchronousTestCase):
    """
    What is kept is bounded by all that it holds.
    """

    def test_logged_lines_count(self) -> None:
        """
        Of answers whose lines in the log are long, as where a head was full of bytes that are
        escaped, so many are kept that these lines, once apart and once joined, are within the
        bound.
        """
        repeats = Repeats(ServerSettings())
        for number in range(6000):
            repeats.keep(b"%d" % number, repeat(16384), is_last=False)
        kept = sum(
            repeats.find(b"%d" % number, 0.0) is not None for number in reversed(range(6000))
        )
        self.assertGreater(kept, 1000)
        self.assertLessEqual(kept * 2 * 16384, 64 << 20)

    def test_lines_of_bursts_count(self) -> None:
        """
        So it is with answers to requests that came together, which are kept among the others.
        """
        repeats = Repeats(ServerSettings())
        for number in range(6000):
            repeats.keep_burst(b"%d" % number, joined([repeat(16384), repeat(16384)]))
        kept = sum(
            repeats.find(b"%d" % number, 0.0) is not None for number in reversed(range(6000))
        )
        self.assertGreater(kept, 500)
        self.assertLessEqual(kept * 4 * 16384, 64 << 20)
