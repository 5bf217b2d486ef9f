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
from netlab.analysis.tcp.frames import Mark
from tests.analysis.written import OPENING, ExpectationTestCase, Line, read, read_all
from tests.captures.frames import ACK, FIN, PSH, RST, SYN


class RepairTests(ExpectationTestCase):
    """
    Segments that are sent again.
    """

    def test_timer(self) -> None:
        """
        The same data 200 ms later is a timer's doing; 20 ms later it is not.
        """
        late = read([*OPENING, (3, "c", ACK, 1, 1, b"abc"), (203, "c", ACK, 1, 1, b"abc")])
        soon = read([*OPENING, (3, "c", ACK, 1, 1, b"abc"), (23, "c", ACK, 1, 1, b"abc")])
        once = read([*OPENING, (3, "c", ACK, 1, 1, b"abc")])
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
        lines: list[Line] = [*OPENING, (3, "s", ACK, 1, 1, b"a")]
        lines += [(4, "c", ACK, 1, 2, b""), (5, "s", ACK, 3, 1, b"c"), (6, "c", ACK, 1, 2, b"")]
        lines += [(7, "s", ACK, 4, 1, b"d"), (8, "c", ACK, 1, 2, b"")]
        cast = read(lines)
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
        lines: list[Line] = [*OPENING, (3, "s", ACK, 1, 1, b"a"), (4, "c", ACK, 1, 2, b"")]
        lines += [(5, "s", ACK, 3, 1, b"c"), (6, "c", ACK, 1, 2, b"")]
        option = b"\x01\x01\x05\x0a" + (1003).to_bytes(4) + (1004).to_bytes(4)
        self.assert_met(selectively_acknowledges(0, Who.CLIENT, 1), read(lines, sack=option))
        self.assert_missed(
            selectively_acknowledges(0, Who.CLIENT, 2), read(lines, sack=option), "at most 1 range"
        )
        self.assert_missed(selectively_acknowledges(0, Who.CLIENT, 1), read(lines), "no SACK")


class WindowTests(ExpectationTestCase):
    """
    Closed windows, and what is in flight.
    """

    def test_zero_window(self) -> None:
        """
        All three must be there: a closed window, a probe of it, and its opening.
        """
        lines: list[Line] = [*OPENING, (3, "s", ACK, 1, 1, b"x" * 10), (4, "c", ACK, 1, 11, 0)]
        probe: Line = (204, "s", ACK, 10, 1, b"")
        opening: Line = (300, "c", ACK, 1, 11, 1000)
        expectation = probes_zero_window(0, Who.CLIENT)
        self.assert_met(expectation, read([*lines, probe, opening]))
        self.assert_missed(expectation, read(OPENING), "never closes")
        self.assert_missed(expectation, read([*lines, opening]), "nobody probes")
        self.assert_missed(expectation, read([*lines, probe]), "does not open again")

    def test_flights(self) -> None:
        """
        What counts is the most that was in flight at once.
        """
        lines: list[Line] = [
            *OPENING,
            (3, "s", ACK, 1, 1, b"x" * 10),
            (4, "s", ACK, 11, 1, b"x" * 10),
        ]
        self.assert_met(grows_in_flight(0, Who.SERVER, 20), read(lines))
        self.assert_missed(grows_in_flight(0, Who.SERVER, 21), read(lines), "up to 20 bytes")


class CutTests(ExpectationTestCase):
    """
    How data is cut, and what waits.
    """

    def test_lengths(self) -> None:
        """
        The lengths of an end's segments are compared in order; bare ACKs do not count.
        """
        cast = read([*OPENING, (3, "c", ACK, 1, 1, b"ab"), (4, "c", ACK | PSH, 3, 1, b"c")])
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
        late = read(
            [
                *OPENING,
                (3, "c", ACK, 1, 1, b"ab"),
                (43, "s", ACK, 1, 3, b""),
                (44, "c", ACK, 3, 1, b"c"),
            ]
        )
        prompt = read(
            [
                *OPENING,
                (3, "c", ACK, 1, 1, b"ab"),
                (4, "s", ACK, 1, 3, b""),
                (44, "c", ACK, 3, 1, b"c"),
            ]
        )
        self.assert_met(waits_for_ack(0, Who.CLIENT), late)
        self.assert_missed(waits_for_no_ack(0, Who.CLIENT), late, "1 segment held back")
        self.assert_met(waits_for_no_ack(0, Who.CLIENT), prompt)
        self.assert_missed(waits_for_ack(0, Who.CLIENT), prompt, "0 segments")

    def test_half_close(self) -> None:
        """
        What comes after an end's FIN is what counts.
        """
        lines: list[Line] = [*OPENING, (3, "c", ACK | FIN, 1, 1, b""), (4, "s", ACK, 1, 2, b"abc")]
        self.assert_met(hears_after_fin(0, Who.CLIENT, 3), read(lines))
        self.assert_missed(hears_after_fin(0, Who.CLIENT, 4), read(lines), "3 bytes")
        self.assert_missed(hears_after_fin(0, Who.SERVER, 1), read(lines), "no FIN")


class OpeningTests(ExpectationTestCase):
    """
    Connections that are refused, or come again.
    """

    def test_refused(self) -> None:
        """
        The reset must acknowledge the SYN.
        """
        syn: Line = (0, "c", SYN, 0, 0, b"")
        self.assert_met(refuses(0), read([syn, (1, "s", RST | ACK, 0, 1, b"")]))
        self.assert_missed(
            refuses(0), read([syn, (1, "s", RST | ACK, 0, 5, b"")]), "something else"
        )
        self.assert_missed(refuses(0), read(OPENING), "no SYN with RST")

    def test_ports_again(self) -> None:
        """
        A second connection of the same ports begins beyond the numbers of the first, also across
        the wrap of sequence numbers.
        """
        whole: list[Line] = [
            *OPENING,
            (3, "c", ACK | FIN, 1, 1, b""),
            (4, "s", ACK | FIN, 1, 2, b""),
            (5, "c", ACK, 2, 2, b""),
        ]
        again = reuses_ports()
        self.assert_met(again, read_all([(50000, 1000, whole), (50000, 90000, OPENING)]))
        near_the_end = 2**32 - 100
        self.assert_met(again, read_all([(50000, near_the_end, whole), (50000, 500, OPENING)]))
        self.assert_missed(
            again, read_all([(50000, 90000, whole), (50000, 1000, OPENING)]), "below the old ones"
        )
        self.assert_missed(
            again, read_all([(50000, 1000, whole), (50001, 90000, OPENING)]), "no two connections"
        )

    def test_count(self) -> None:
        """
        Connections are counted.
        """
        cast = read_all([(50000, 1000, OPENING), (50001, 1000, OPENING)])
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
        self.assertEqual(len(read(OPENING, trail=2)[0].trail), 2)
        self.assertEqual(read(OPENING, trail=0)[0].trail, [])
