"""
Tests for L{netlab.tcp.script.language.claims}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.script.language.claims import CODE_MAX_CHARACTERS, Claims
from netlab.tcp.script.language.errors import (
    DifferenceError,
    NotSupportedError,
    PacketScriptError,
    ScriptSyntaxError,
)

_FIGURES = {"tcpi_snd_cwnd": 10, "tcpi_options": 0b110, "TCP_CA_Open": 0}


def check(text: str) -> None:
    """
    Compute a piece of Python over some figures, from line 5 on.
    """
    Claims().check(text, _FIGURES, 5)


class ClaimsTests(SynchronousTestCase):
    """
    What scripts say in Python.
    """

    def test_what_holds(self) -> None:
        """
        The kinds of assertion that scripts have.
        """
        for text in (
            "assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd",
            "assert tcpi_snd_cwnd == 10, 'cwnd=%d' % tcpi_snd_cwnd",
            "assert (tcpi_options & 2) != 0, tcpi_options",
            "assert 9 <= tcpi_snd_cwnd <= 11",
            "assert tcpi_snd_cwnd in (9, 10); assert tcpi_snd_cwnd not in [1]",
            "assert tcpi_snd_cwnd - 2 * 3 + 8 // 3 == 6 and not False or 1 / 0",
            "x = tcpi_snd_cwnd\nx += 2\nassert x << 1 == 24\nassert x > 5 if True else False",
            "if tcpi_snd_cwnd > 5:\n    assert True\nelse:\n    assert False",
            "assert min(abs(-3), max(4, 5), int('7')) == 3 # why",
            "print(tcpi_snd_cwnd)\npass",
            "assert '%s %5.1f' % ('a', 1.25) == 'a   1.2'",
        ):
            with self.subTest(text=text):
                check(text)

    def test_what_does_not(self) -> None:
        """
        A failure says what was expected, what is the case, and on which line.
        """
        error = self.assertRaises(
            DifferenceError, check, "assert True\nassert tcpi_snd_cwnd == 7, tcpi_snd_cwnd"
        )
        self.assertEqual(error.line, 6)
        self.assertEqual(error.reason, "expected tcpi_snd_cwnd == 7; tcpi_snd_cwnd is 10")

    def test_names_stay(self) -> None:
        """
        A name that one piece has set is known to the next.
        """
        claims = Claims()
        claims.check("before = tcpi_snd_cwnd", {"tcpi_snd_cwnd": 3}, 1)
        claims.check("assert tcpi_snd_cwnd == 2 * before", {"tcpi_snd_cwnd": 6}, 2)

    def test_nothing_else_is_computed(self) -> None:
        """
        What could reach beyond figures is refused, not run.
        """
        for text in (
            "import os",
            "__import__('os').system('id')",
            "assert ().__class__",
            "assert tcpi_snd_cwnd.real",
            "assert open('/etc/passwd')",
            "assert eval('1')",
            "assert [x for x in (1, 2)]",
            "assert (lambda: 1)()",
            "assert f'{tcpi_snd_cwnd}'",
            "while True: pass",
            "for x in (1,): pass",
            "def f(): pass",
            "del tcpi_snd_cwnd",
            "assert 'abc'[0]",
            "assert nothing",
            "x.y = 1",
            "assert int(x='1')",
            "exec('1')",
            "print(__builtins__)",
        ):
            with self.subTest(text=text):
                self.assertRaises(NotSupportedError, check, text)

    def test_nothing_grows(self) -> None:
        """
        A short text cannot make a large value: no powers, no wide shifts, formats or repetitions.
        """
        for text in (
            "assert 10 ** 10 ** 10",
            "assert 1 << 10000000000",
            "assert 'x' * 10000000000",
            "assert '%1000000000d' % 1",
            "assert '%.1000000000f' % 1",
            "assert '%*d' % (1000000000, 1)",
            "x = 1 << 200\ny = x * x",
            "assert int('9' + '9' * 3)",
            "x = '9'\nx = x + x\n" + "x = x + x\n" * 40,
        ):
            with self.subTest(text=text):
                self.assertRaises(NotSupportedError, check, text)

    def test_no_python(self) -> None:
        """
        What is no Python, too long or too deep is an error of the script.
        """
        for text in (
            "assert",
            "assert (",
            "#" * (CODE_MAX_CHARACTERS + 1),
            "assert 1 / 0",
            "assert 'a' + 1",
            "assert '%d' % 'a'",
            "assert -'a'",
            "\0",
        ):
            with self.subTest(text=text[:20]):
                self.assertRaises((ScriptSyntaxError, NotSupportedError), check, text)

    def test_deep(self) -> None:
        """
        Nesting does not reach Python's stack.
        """
        for text in (
            "assert " + "(" * 1900 + "1" + ")" * 1900,
            "assert " + "-" * 4000 + "1",
            "assert " + "not " * 1000 + "1",
            "assert " + "1+" * 2000 + "1",
            "assert " + "1 if 1 else " * 300 + "0",
        ):
            with self.subTest(text=text[:20]):
                try:
                    check(text)
                except PacketScriptError as error:
                    self.assertNotIsInstance(error, DifferenceError)

    @given(
        st.text(st.sampled_from("assert tcpi_snd_cwnd0123456789()[]{}+-*/%<>=!'\".,:;\n#&|^~@if"))
    )
    def test_any_text(self, text: str) -> None:
        """
        Any text holds, or raises one of the errors.
        """
        try:
            check(text)
        except PacketScriptError as error:
            self.assertGreaterEqual(error.line, 5)
