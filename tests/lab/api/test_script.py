"""
Scripted impairments: the rules, their text, and which frame each is about.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.capture.records import Interface, LinkType, Record
from netlab.capture.segments import Other
from netlab.lab.api.script import (
    Delay,
    DelayFrames,
    Drop,
    Duplicate,
    Hold,
    HoldUntil,
    Kind,
    Rule,
    ScriptError,
    ScriptState,
    parse_rule,
    rule_text,
)
from netlab.lab.api.sides import Side
from tests.captures.frames import ACK, FIN, PSH, RST, SYN
from tests.lab.segments import decoded, frame


class ParseRuleTests(SynchronousTestCase):
    """
    The text of a rule.
    """

    def test_sentences(self) -> None:
        """
        A rule names an action, a host, a kind of segment, and which of them.
        """
        for text, rule in (
            ("drop server data 2", Rule(Drop(), Side.SERVER, Kind.DATA, 2, 2)),
            ("drop client syn", Rule(Drop(), Side.CLIENT, Kind.SYN, 1, 1)),
            ("duplicate client ack 3-5", Rule(Duplicate(), Side.CLIENT, Kind.ACK, 3, 5)),
            ("drop server segment 4-", Rule(Drop(), Side.SERVER, Kind.ANY, 4, None)),
            ("delay server data 1 50ms", Rule(Delay(0.05), Side.SERVER, Kind.DATA, 1, 1)),
            (
                "hold client fin 2 until data",
                Rule(HoldUntil(Kind.DATA), Side.CLIENT, Kind.FIN, 2, 2),
            ),
            ("hold server fin until fin", Rule(HoldUntil(Kind.FIN), Side.SERVER, Kind.FIN)),
            ("delay server data 5 2frames", Rule(DelayFrames(2), Side.SERVER, Kind.DATA, 5, 5)),
            ("delay server ack 1frame", Rule(DelayFrames(1), Side.SERVER, Kind.ACK)),
            ("hold server fin 1.5s", Rule(Hold(1.5), Side.SERVER, Kind.FIN, 1, 1)),
        ):
            self.assertEqual(parse_rule(text), rule)
            self.assertEqual(parse_rule(rule_text(rule)), rule)

    def test_nonsense(self) -> None:
        """
        What is no rule is refused with what to write instead.
        """
        for text, words in (
            ("", "write a rule"),
            ("drop server", "write a rule"),
            ("lose server data", "is not an action"),
            ("drop router data", "is not a host"),
            ("drop server push", "is not a kind"),
            ("drop server data 0", "does not tell which"),
            ("drop server data 5-2", "ends before it begins"),
            ("drop server data 2 3", "does not tell which"),
            ("delay server data", "needs its duration"),
            ("hold server data 50", "needs its duration"),
            ("hold server fin until dawn", "is not a kind"),
            ("delay server fin until fin", "needs its duration"),
        ):
            error = self.assertRaises(ScriptError, parse_rule, text)
            self.assertIn(words, str(error))

    def test_rule_reads_as_a_sentence(self) -> None:
        """
        As text a rule says what it does, for reports and packet comments.
        """
        self.assertEqual(str(parse_rule("drop server data 2")), "drop server data no. 2")
        self.assertEqual(
            str(parse_rule("hold client fin 2-3 5ms")), "hold client fin no. 2 to 3 for 5 ms"
        )
        self.assertEqual(str(parse_rule("drop client ack 7-")), "drop client ack from no. 7 on")


class KindTests(SynchronousTestCase):
    """
    The kinds of segments.
    """

    def test_what_each_covers(self) -> None:
        """
        A segment with data is data whatever its flags; an ACK is one that carries nothing else.
        """
        bare = decoded(frame(Side.CLIENT))
        data = decoded(frame(Side.CLIENT, ACK | PSH | FIN, b"x"))
        syn = decoded(frame(Side.CLIENT, SYN))
        fin = decoded(frame(Side.CLIENT, FIN | ACK))
        reset = decoded(frame(Side.CLIENT, RST | ACK))
        for kind, covered in (
            (Kind.ANY, [bare, data, syn, fin, reset]),
            (Kind.DATA, [data]),
            (Kind.ACK, [bare]),
            (Kind.SYN, [syn]),
            (Kind.FIN, [data, fin]),
            (Kind.RST, [reset]),
        ):
            found = [each for each in (bare, data, syn, fin, reset) if kind.covers(each)]
            self.assertEqual(found, covered, kind)


class ScriptStateTests(SynchronousTestCase):
    """
    The counting.
    """

    def test_only_the_nth(self) -> None:
        """
        A rule about the second data segment leaves the first, the third and all other kinds alone.
        """
        rule = parse_rule("drop server data 2")
        state = ScriptState([rule])
        data, bare = decoded(frame(Side.SERVER, payload=b"x")), decoded(frame(Side.SERVER))
        self.assertEqual(
            [state.rule_for(each) for each in (data, bare, data, data)], [None, None, rule, None]
        )

    def test_ranges(self) -> None:
        """
        Both ends of a range are in it; an open range never ends.
        """
        closed, open_ended = parse_rule("drop client ack 2-3"), parse_rule("delay client ack 3- 1s")
        bare = decoded(frame(Side.CLIENT))
        state = ScriptState([closed])
        self.assertEqual([state.rule_for(bare) for _ in range(4)], [None, closed, closed, None])
        state = ScriptState([open_ended])
        self.assertEqual(
            [state.rule_for(bare) for _ in range(4)], [None, None, open_ended, open_ended]
        )

    def test_first_rule_wins_and_all_count(self) -> None:
        """
        Of two rules about a segment the first applies, and the second has counted it.
        """
        first, second = parse_rule("drop client ack 1"), parse_rule("duplicate client ack 1-2")
        state = ScriptState([first, second])
        bare = decoded(frame(Side.CLIENT))
        self.assertEqual([state.rule_for(bare) for _ in range(3)], [first, second, None])

    def test_frames_of_other_protocols(self) -> None:
        """
        What is no TCP segment is not counted.
        """
        state = ScriptState([parse_rule("drop client segment 1")])
        other = Other(Record(1, 0, b"", 0, Interface(LinkType.ETHERNET)), "ARP")
        self.assertIsNone(state.rule_for(other))
        self.assertIsNotNone(state.rule_for(decoded(frame(Side.CLIENT))))
