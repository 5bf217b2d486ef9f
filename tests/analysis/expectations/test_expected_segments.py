"""
Expectations of segments, on conversations written down frame by frame.
"""

from __future__ import annotations

from netlab.analysis.expectations.expectations import Who
from netlab.analysis.expectations.expected_segments import (
    connections,
    cuts_into,
    grows_in_flight,
    has_marked,
    hears_after_fin,
    probes_zero_window,
    refuses,
    retransmits_at_once,
    retransmits_by_timer,
    reuses_ports,
    says_in_segments,
    selectively_acknowledges,
    waits_for_ack,
    waits_for_no_ack,
)
from netlab.analysis.observations.dialogue import Dialogue
from netlab.analysis.tcp.frames import Mark
from tests.analysis.dialogue_script import Script
from tests.analysis.expectations.expectationcase import ExpectationTestCase
from tests.analysis.transfer.judged import sack


def opened() -> Script:
    """
    Shake hands, a millisecond from segment to segment.
    """
    return Script().open(rtt=0.001)


def read(script: Script) -> list[Dialogue]:
    """
    Read what was written, each segment of it.
    """
    return script.dialogues(99)


class RepairTests(ExpectationTestCase):
    """
    Segments that are sent again.
    """

    def test_timer(self) -> None:
        """
        The same data 200 ms later is a timer's doing; 20 ms later it is not.
        """
        late, soon = (
            read(opened().client("ACK", b"abc").client("ACK", b"abc", seq=1, after=after))
            for after in (0.2, 0.02)
        )
        once = read(opened().client("ACK", b"abc"))
        timer = retransmits_by_timer(0, Who.CLIENT)
        self.assertEqual(self.assert_met(timer, late).frames, (5,))
        self.assert_missed(timer, soon, "without waiting")
        self.assert_missed(timer, once, "nothing is sent again")
        self.assert_missed(retransmits_by_timer(0, Who.SERVER), late, "nothing is sent again")
        self.assert_met(retransmits_at_once(0, Who.CLIENT, 1), soon)
        self.assert_missed(retransmits_at_once(0, Who.CLIENT, 1), late, "after 0.200 s")
        self.assert_missed(retransmits_at_once(0, Who.CLIENT, 2), soon, "1 segment again")
        self.assert_met(retransmits_at_once(0, Who.CLIENT, 0), once)
        self.assert_missed(retransmits_at_once(0, Who.CLIENT, 0), soon, "1 segment again")

    def test_duplicate_acks(self) -> None:
        """
        Marked segments are counted, within bounds.
        """
        script = opened().server("ACK", b"a").client("ACK")
        script.server("ACK", b"c", seq=3, arrives=False).client("ACK")
        cast = read(script.server("ACK", b"d", seq=4, arrives=False).client("ACK"))
        name, what = "duplicates", "duplicate ACK"
        self.assert_met(has_marked(0, Who.CLIENT, Mark.DUPLICATE_ACK, name, what, least=2), cast)
        three = has_marked(0, Who.CLIENT, Mark.DUPLICATE_ACK, name, what, least=3)
        self.assert_missed(three, cast, "2 duplicate ACKs")
        none = has_marked(0, Who.CLIENT, Mark.DUPLICATE_ACK, name, what, least=0, most=0)
        self.assert_missed(none, cast, "2 duplicate ACKs")
        self.assertIn("no duplicate ACK", none.sentence)

    def test_sack(self) -> None:
        """
        The most ranges of one segment count.
        """
        named, silent = (
            read(
                opened()
                .server("ACK", b"a")
                .client("ACK")
                .server("ACK", b"c", seq=3, arrives=False)
                .client("ACK", options=options)
            )
            for options in (sack((3, 4)), b"")
        )
        self.assert_met(selectively_acknowledges(0, Who.CLIENT, 1), named)
        two = selectively_acknowledges(0, Who.CLIENT, 2)
        self.assert_missed(two, named, "at most 1 range")
        self.assert_missed(selectively_acknowledges(0, Who.CLIENT, 1), silent, "no SACK")


class WindowTests(ExpectationTestCase):
    """
    Closed windows, and what is in flight.
    """

    def test_zero_window(self) -> None:
        """
        All three must be there: a closed window, a probe of it, and its opening.
        """

        def shut() -> Script:
            return opened().server("ACK", b"x" * 10).client("ACK", window=0)

        def probed() -> Script:
            return shut().server("ACK", seq=10, after=0.2)

        expectation = probes_zero_window(0, Who.CLIENT)
        self.assert_met(expectation, read(probed().client("ACK", window=1000, after=0.1)))
        self.assert_missed(expectation, read(opened()), "never closes")
        reopened = read(shut().client("ACK", window=1000, after=0.3))
        self.assert_missed(expectation, reopened, "nobody probes")
        self.assert_missed(expectation, read(probed()), "does not open again")

    def test_flights(self) -> None:
        """
        What counts is the most that was in flight at once.
        """
        cast = read(opened().server("ACK", b"x" * 10).server("ACK", b"x" * 10))
        self.assert_met(grows_in_flight(0, Who.SERVER, 20), cast)
        self.assert_missed(grows_in_flight(0, Who.SERVER, 21), cast, "up to 20 bytes")


class CutTests(ExpectationTestCase):
    """
    How data is cut, and what waits.
    """

    def test_lengths(self) -> None:
        """
        The lengths of an end's segments are compared in order; bare ACKs do not count.
        """
        cast = read(opened().client("ACK", b"ab").client("PSH ACK", b"c"))
        self.assert_met(says_in_segments(0, Who.CLIENT, (2, 1)), cast)
        self.assert_missed(says_in_segments(0, Who.CLIENT, (1, 2)), cast, "2 segments of 2, 1")
        self.assert_missed(says_in_segments(0, Who.SERVER, (1,)), cast, "no data")
        two = cuts_into(0, Who.CLIENT, lambda lengths: sum(lengths) == 3, "three bytes")
        self.assert_met(two, cast)

    def test_nagle(self) -> None:
        """
        A second segment that leaves right after a late bare ACK of the first has waited for it;
        with a prompt ACK, or an answer, it has not.
        """
        begun = opened().client("ACK", b"ab").server("ACK", after=0.04)
        late = read(begun.client("ACK", b"c"))
        begun = opened().client("ACK", b"ab").server("ACK")
        prompt = read(begun.client("ACK", b"c", after=0.04))
        self.assert_met(waits_for_ack(0, Who.CLIENT), late)
        self.assert_missed(waits_for_no_ack(0, Who.CLIENT), late, "1 segment held back")
        self.assert_met(waits_for_no_ack(0, Who.CLIENT), prompt)
        self.assert_missed(waits_for_ack(0, Who.CLIENT), prompt, "0 segments")

    def test_half_close(self) -> None:
        """
        What comes after an end's FIN is what counts.
        """
        cast = read(opened().client("FIN ACK").server("ACK", b"abc"))
        self.assert_met(hears_after_fin(0, Who.CLIENT, 3), cast)
        self.assert_missed(hears_after_fin(0, Who.CLIENT, 4), cast, "3 bytes")
        self.assert_missed(hears_after_fin(0, Who.SERVER, 1), cast, "no FIN")


class OpeningTests(ExpectationTestCase):
    """
    Connections that are refused, or come again.
    """

    def test_refused(self) -> None:
        """
        The reset must acknowledge the SYN.
        """
        refused, odd = (
            read(Script().client("SYN").server("RST ACK", seq=0, ack=ack)) for ack in (1, 5)
        )
        self.assert_met(refuses(0), refused)
        self.assert_missed(refuses(0), odd, "something else")
        self.assert_missed(refuses(0), read(opened()), "no SYN with RST")

    def test_ports_again(self) -> None:
        """
        A second connection of the same ports begins beyond the numbers of the first, also across
        the wrap of sequence numbers.
        """

        def twice(first: int, second: int, port: int = 40000) -> list[Dialogue]:
            script = Script(isn=(first, first)).open().close()
            return read(script.another(port, isn=(second, second)).open())

        again = reuses_ports()
        self.assert_met(again, twice(1000, 90_000))
        self.assert_met(again, twice(2**32 - 100, 500))
        self.assert_missed(again, twice(90_000, 1000), "below the old ones")
        self.assert_missed(again, twice(1000, 90_000, 40001), "no two connections")

    def test_count(self) -> None:
        """
        Connections are counted.
        """
        cast = read(opened().another(40001).open())
        self.assert_met(connections(2), cast)
        self.assert_missed(connections(1), cast, "2 connections")


class NothingTests(ExpectationTestCase):
    """
    Captures that lack what is expected altogether.
    """

    def test_no_connection(self) -> None:
        """
        Every expectation bears a capture without connections, and none of those that want
        something holds.
        """
        for expectation in (
            retransmits_by_timer(0, Who.CLIENT),
            retransmits_at_once(0, Who.CLIENT, 1),
            selectively_acknowledges(0, Who.CLIENT, 1),
            probes_zero_window(0, Who.CLIENT),
            grows_in_flight(0, Who.CLIENT, 1),
            says_in_segments(0, Who.CLIENT, (1,)),
            waits_for_ack(0, Who.CLIENT),
            hears_after_fin(0, Who.CLIENT, 1),
            refuses(0),
            reuses_ports(),
            connections(1),
        ):
            self.assertFalse(expectation.check(()).is_met, expectation.name)

    def test_trail_is_bounded(self) -> None:
        """
        A dialogue keeps as many segments as were asked for, by itself none.
        """
        self.assertEqual(len(opened().dialogues(2)[0].trail), 2)
        self.assertEqual(opened().dialogues()[0].trail, [])
