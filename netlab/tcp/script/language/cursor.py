"""
A cursor over a script's tokens: what the two parsers, of events and of arguments, share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netlab.tcp.script.language.errors import ScriptSyntaxError
from netlab.tcp.script.language.tokens import Token, TokenKind


class TokenCursor:
    """
    Where in the tokens a parser is.
    """

    def __init__(self, tokens: Sequence[Token]) -> None:
        """
        @param tokens: the last is L{TokenKind.END}.
        """
        self._tokens = tokens
        self._at = 0

    def define(self, definitions: Mapping[str, str]) -> None:
        """
        Let words stand for others, in all the tokens.
        """
        self._tokens = [
            token._replace(text=definitions[token.text])
            if token.kind is TokenKind.WORD and token.text in definitions
            else token
            for token in self._tokens
        ]

    @property
    def line(self) -> int:
        """The line of the next token."""
        return self._tokens[self._at].line

    def peek(self, ahead: int = 0) -> Token:
        """
        Look at a token to come; behind the last one it is the last one.
        """
        return self._tokens[min(self._at + ahead, len(self._tokens) - 1)]

    def take(self) -> Token:
        """
        Get the next token and go on to the one behind it.
        """
        token = self._tokens[self._at]
        if token.kind is not TokenKind.END:
            self._at += 1
        return token

    def is_sign(self, text: str, ahead: int = 0) -> bool:
        """
        Tell whether a token to come is a certain sign.
        """
        token = self.peek(ahead)
        return token.kind is TokenKind.SIGN and token.text == text

    def is_word(self, *texts: str) -> bool:
        """
        Tell whether the next token is one of some words.
        """
        token = self.peek()
        return token.kind is TokenKind.WORD and token.text in texts

    def skip_sign(self, text: str) -> bool:
        """
        Go past a sign if it is the next token.
        """
        found = self.is_sign(text)
        if found:
            self.take()
        return found

    def skip_word(self, *texts: str) -> bool:
        """
        Go past one of some words if it is the next token.
        """
        found = self.is_word(*texts)
        if found:
            self.take()
        return found

    def sign(self, text: str) -> None:
        """
        Go past a sign that must be there.
        """
        if not self.skip_sign(text):
            raise self.unexpected(repr(text))

    def word(self) -> str:
        """
        Get a word that must be there.
        """
        if self.peek().kind is not TokenKind.WORD:
            raise self.unexpected("a word")
        return self.take().text

    def integer(self, lowest: int, highest: int, what: str) -> int:
        """
        Get a decimal number that must be there and within a range, both ends inclusive.
        """
        token = self.peek()
        # The length first: Python takes quadratic time over numbers of many digits.
        if token.kind is not TokenKind.INTEGER:
            raise self.unexpected(what)
        value = int(token.text) if len(token.text) < 32 else highest + 1
        if not lowest <= value <= highest:
            raise ScriptSyntaxError(
                token.line, f"{what} is {token.text[:32]}, not {lowest} to {highest}"
            )
        self.take()
        return value

    def unexpected(self, wanted: str) -> ScriptSyntaxError:
        """
        Make the error for a next token that should be something else.
        """
        token = self.peek()
        found = "the end" if token.kind is TokenKind.END else repr(token.text[:40])
        return ScriptSyntaxError(token.line, f"expected {wanted}, found {found}")
