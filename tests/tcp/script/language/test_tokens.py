"""
Tests for L{netlab.tcp.script.language.tokens}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.script.language.errors import ScriptSyntaxError
from netlab.tcp.script.language.tokens import SCRIPT_MAX_CHARACTERS, TokenKind, tokenise


def shape(text: str) -> list[tuple[str, str]]:
    """
    Cut a text and show each token's kind and text.
    """
    return [(token.kind.value, token.text) for token in tokenise(text)[:-1]]


class TokeniseTests(SynchronousTestCase):
    """
    What a script is made of.
    """

    def test_numbers(self) -> None:
        """
        A number ends where a letter follows: then all of it is a word, as a cookie is.
        """
        self.assertEqual(
            shape("1 -1 .5 +.021 0x1F 12ab 0"),
            [
                ("integer", "1"),
                ("integer", "-1"),
                ("fraction", ".5"),
                ("sign", "+"),
                ("fraction", ".021"),
                ("hexadecimal", "0x1F"),
                ("word", "12ab"),
                ("integer", "0"),
            ],
        )

    def test_blocking_time(self) -> None:
        """
        Three dots between two times are a token of their own.
        """
        self.assertEqual(
            shape("0...0.2"), [("integer", "0"), ("ellipsis", "..."), ("fraction", "0.2")]
        )

    def test_flags(self) -> None:
        """
        The point of ACK stands apart from the letters before it and from the number behind.
        """
        self.assertEqual(
            shape("P. 1:2(1)"),
            [
                ("word", "P"),
                ("sign", "."),
                ("integer", "1"),
                ("sign", ":"),
                ("integer", "2"),
                ("sign", "("),
                ("integer", "1"),
                ("sign", ")"),
            ],
        )

    def test_delimited(self) -> None:
        """
        Strings, commands and code lose their delimiters, and span lines.
        """
        self.assertEqual(
            shape('"a\\"b" `x\ny` %{ assert 1 }% --tolerance_usecs'),
            [
                ("string", 'a\\"b'),
                ("command", "x\ny"),
                ("code", " assert 1 "),
                ("option", "tolerance_usecs"),
            ],
        )

    def test_comments(self) -> None:
        """
        Both of C++'s kinds are passed over, and lines are counted within them.
        """
        tokens = tokenise("// one\n/* two\nthree */ four\n")
        self.assertEqual([(t.text, t.line) for t in tokens], [("four", 3), ("", 4)])

    def test_addresses(self) -> None:
        """
        IPv4 and IPv6 addresses are one token; a range of sequence numbers is none.
        """
        self.assertEqual(
            shape("192.0.2.1 2001:db8::1 1:1001"),
            [
                ("address", "192.0.2.1"),
                ("address", "2001:db8::1"),
                ("integer", "1"),
                ("sign", ":"),
                ("integer", "1001"),
            ],
        )

    def test_not_closed(self) -> None:
        """
        What is not closed is an error with the line where it begins.
        """
        for text in '\n"abc', "\n`abc", "\n%{ abc", "\n/* abc":
            with self.subTest(text=text):
                error = self.assertRaises(ScriptSyntaxError, tokenise, text)
                self.assertEqual(error.line, 2)
                self.assertIn("not closed", error.reason)

    def test_too_long(self) -> None:
        """
        A text of more characters than any script has is not cut at all.
        """
        self.assertEqual(tokenise(" " * SCRIPT_MAX_CHARACTERS)[0].kind, TokenKind.END)
        self.assertRaises(ScriptSyntaxError, tokenise, " " * (SCRIPT_MAX_CHARACTERS + 1))
