"""
Tests for L{netlab.plaintext}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis.strategies import text
from twisted.trial.unittest import SynchronousTestCase

from netlab.plaintext import plain


class PlainTests(SynchronousTestCase):
    """
    What becomes of text from outside.
    """

    def test_what_draws(self) -> None:
        """
        Escape sequences, bells, changes of direction, line ends of any kind and halves of
        characters are escaped; letters of any script stay.
        """
        for said, shown in (
            ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
            ("\u202etxt.exe", "\\u202etxt.exe"),
            ("a\r\nb\u2028c", "a\\r\\nb\\u2028c"),
            ("\udcff", "\\udcff"),
            ("Grüße, 你好", "Grüße, 你好"),
            ("", ""),
        ):
            self.assertEqual(plain(said), shown)
        self.assertEqual(plain("a\nb\x1b", "\n"), "a\nb\\x1b")

    @given(text())
    def test_any(self, said: str) -> None:
        """
        Whatever the text is, what is left can be printed.
        """
        self.assertTrue(plain(said).isprintable())
        plain(said).encode()
