"""
Tests for L{netlab.tcp.script.language.parsing}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.script.language.errors import NotSupportedError, ScriptSyntaxError
from netlab.tcp.script.language.parsing import parse_script
from netlab.tcp.script.language.syntax import (
    Anything,
    Call,
    Code,
    Command,
    Either,
    Invocation,
    ScriptEvent,
    ScriptSegment,
    Structure,
    Symbol,
    Text,
    When,
)


def only(text: str) -> ScriptEvent:
    """
    Read the one event of a text.
    """
    (event,) = parse_script(text).events
    return event


def call(text: str) -> Call:
    """
    Read the one event of a text, a call.
    """
    action = only(f"0 {text}").action
    assert isinstance(action, Call)
    return action


class TimeTests(SynchronousTestCase):
    """
    When something happens.
    """

    def test_kinds(self) -> None:
        """
        Absolute, relative, any, and the two kinds of range, to the nanosecond.
        """
        packet = "> . 1:1(0) ack 1"
        for text, when in (
            ("0.5", When(500_000_000, None, is_relative=False)),
            ("+.000001", When(1000, None, is_relative=True)),
            ("*", When(None, None, is_relative=False)),
            ("1~1.5", When(10**9, 1_500_000_000, is_relative=False)),
            ("+1~+1.5", When(10**9, 1_500_000_000, is_relative=True)),
            ("+0.1234567899", When(123_456_789, None, is_relative=True)),
        ):
            with self.subTest(text=text):
                self.assertEqual(only(f"{text} {packet}").when, when)

    def test_only_outbound_packets_have_a_choice(self) -> None:
        """
        Any time, and a range of times, make sense for what is expected alone.
        """
        for text in "* close(3) = 0", "0~1 < . 1:1(0) ack 1", "+0~+1 `true`", "* %{ pass }%":
            with self.subTest(text=text):
                self.assertRaises(ScriptSyntaxError, parse_script, text)

    def test_nonsense(self) -> None:
        """
        Times that are negative, too long, or end before they begin.
        """
        for text in "-1", "10000001", "9" * 5000, "2~1", "+2~1", "x":
            with self.subTest(text=text[:20]):
                self.assertRaises(ScriptSyntaxError, parse_script, f"{text} > . 1:1(0) ack 1")


class CallTests(SynchronousTestCase):
    """
    System calls.
    """

    def test_result_and_error(self) -> None:
        """
        A result may be followed by an error's name, and both by a note.
        """
        found = call("connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)")
        self.assertEqual(found.arguments, (3, Anything(), Anything()))
        self.assertEqual((found.result, found.error, found.ends), (-1, "EINPROGRESS", None))
        self.assertEqual(call("fcntl(3, F_GETFL) = 0x2 (flags O_RDWR|O_NONBLOCK)").result, 2)
        self.assertEqual(call("setsockopt(3) = -1 (Invalid Argument)").error, "")

    def test_blocking(self) -> None:
        """
        Three dots and a time say when a call returns.
        """
        action = only("+0...0.2 accept(3, ..., ...) = 4").action
        assert isinstance(action, Call)
        self.assertEqual(action.ends, 200_000_000)

    def test_values(self) -> None:
        """
        Names, flags, strings, lists, structures, and calls within them.
        """
        found = call(
            'f(A, B|C, "x" "y", [1, [2]], {a=1, b(...)=[{..., 5}]}, htons(80), {fd=3, events=A|B})'
            " = 0"
        )
        self.assertEqual(
            found.arguments,
            (
                Symbol("A"),
                Either((Symbol("B"), Symbol("C"))),
                Text("xy"),
                (1, (2,)),
                Structure((("a", 1), ("b", (Structure((), (Anything(), 5)),))), ()),
                Invocation("htons", (80,)),
                Structure((("fd", 3), ("events", Either((Symbol("A"), Symbol("B"))))), ()),
            ),
        )

    def test_nesting_is_bounded(self) -> None:
        """
        Brackets in brackets end with an error, not with Python's stack.
        """
        for opening, closing in ("[", "]"), ("{", "}"), ("f(", ")"):
            with self.subTest(opening=opening):
                text = f"0 g({opening * 10_000}{closing * 10_000}) = 0"
                error = self.assertRaises(ScriptSyntaxError, parse_script, text)
                self.assertIn("deeper", error.reason)

    def test_numbers_are_bounded(self) -> None:
        """
        A number that no system call takes is an error, however long.
        """
        for text in "9" * 40, "0x" + "f" * 17, "-9999999999999999999", "9" * 100_000:
            with self.subTest(text=text[:20]):
                self.assertRaises(ScriptSyntaxError, parse_script, f"0 f({text}) = 0")


class ScriptTests(SynchronousTestCase):
    """
    Whole scripts.
    """

    def test_parts(self) -> None:
        """
        Lines of options, a first command, events and a last command.
        """
        script = parse_script(
            "--tolerance_usecs=10000 --strict_segments\n--ip_version=ipv4-mapped-ipv6\n"
            "`./defaults.sh`\n0 %{ assert True }%\n+0 `true`\n`last`\n"
        )
        self.assertEqual(
            [(flag.line, flag.name, flag.value) for flag in script.flags],
            [
                (1, "tolerance_usecs", "10000"),
                (1, "strict_segments", ""),
                (2, "ip_version", "ipv4-mapped-ipv6"),
            ],
        )
        self.assertEqual(
            [(event.line, event.when is None, event.action) for event in script.events],
            [
                (3, True, Command("./defaults.sh")),
                (4, False, Code("assert True")),
                (5, False, Command("true")),
                (6, True, Command("last")),
            ],
        )

    def test_definitions(self) -> None:
        """
        A word that is defined stands for another, the script's definition before one from outside.
        """
        text = "0 f(A, B) = 0"
        script = parse_script(f"--define=A=X\n{text}", {"A": "Y", "B": "Z"})
        action = script.events[0].action
        assert isinstance(action, Call)
        self.assertEqual(action.arguments, (Symbol("X"), Symbol("Z")))

    def test_line_of_an_error(self) -> None:
        """
        An error names the line it is on.
        """
        error = self.assertRaises(ScriptSyntaxError, parse_script, "0 close(3) = 0\n\n+0 close 3")
        self.assertEqual(error.line, 3)

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """
        Any text is a script or one of the two errors, with a line that it has.
        """
        try:
            parse_script(text)
        except (ScriptSyntaxError, NotSupportedError) as error:
            self.assertTrue(1 <= error.line <= text.count("\n") + 1)

    @given(st.data())
    def test_any_tokens(self, data: st.DataObject) -> None:
        """
        So is any row of what scripts are made of.
        """
        pieces = st.sampled_from(
            [
                *"+*~<>().,:[]{}|=-\n",
                *("...", "0", ".5", "1:2(1)", "S", "P.", "ack", "win", "<mss 5>", "`x`", "%{1}%"),
                *('"s"', "socket", "icmp", "TS val", "ecr", "sack", "--x", "urg"),
            ]
        )
        text = " ".join(data.draw(st.lists(pieces, max_size=30)))
        try:
            for event in parse_script(text).events:
                self.assertTrue(event.when is not None or isinstance(event.action, Command))
                if isinstance(event.action, ScriptSegment):
                    self.assertTrue(0 <= event.action.length <= 0xFFFF)
        except (ScriptSyntaxError, NotSupportedError) as error:
            self.assertTrue(1 <= error.line <= text.count("\n") + 1)
