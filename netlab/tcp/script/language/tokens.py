"""
The tokens of a script: the text cut into words, numbers, strings and signs.
"""

from __future__ import annotations

import enum
import re
from typing import Final, NamedTuple

from netlab.tcp.script.language.errors import ScriptSyntaxError

#: The longest script that is read; the longest of the kernel's has about 15,000 characters.
SCRIPT_MAX_CHARACTERS: Final = 1 << 20


class TokenKind(enum.Enum):
    """
    What a token is.
    """

    OPTION = "option"
    FRACTION = "fraction"
    INTEGER = "integer"
    HEXADECIMAL = "hexadecimal"
    WORD = "word"
    STRING = "string"
    COMMAND = "command"
    CODE = "code"
    ADDRESS = "address"
    ELLIPSIS = "ellipsis"
    SIGN = "sign"
    END = "end"


class Token(NamedTuple):
    """
    One token.

    @ivar text: as it is written, of a string, a command or a piece of code without its delimiters.
    @ivar line: where it begins, from 1.
    """

    kind: TokenKind
    text: str
    line: int


# The order is that of precedence. A number directly before a letter is the beginning of a word (the
# cookie of "FO 12ab"); of two readings the longer one wins, as in the original's scanner.
_TOKEN: Final = re.compile(
    r"""
      (?P<space> [ \t\r\n]+ | //[^\n]* | /\*.*?\*/ )
    | (?P<code> %\{ .*? \}% )
    | (?P<command> ` (?: \\. | [^`\\] )* ` )
    | (?P<string> " (?: \\. | [^"\\] )* " )
    | (?P<option> --[a-zA-Z0-9_]+ )
    | (?P<address> \d+\.\d+\.\d+\.\d+
        | (?: [0-9a-fA-F]{1,4} (?: :[0-9a-fA-F]{1,4} ){0,6} )? ::
          (?: [0-9a-fA-F]{1,4} (?: :[0-9a-fA-F]{1,4} ){0,6} )? )
    | (?P<ellipsis> \.\.\. )
    | (?P<hexadecimal> 0x[0-9a-fA-F]+ (?![a-zA-Z0-9_]) )
    | (?P<fraction> -?\d*\.\d+ )
    | (?P<integer> -?\d+ (?![a-zA-Z0-9_]) )
    | (?P<word> [a-zA-Z0-9_]+ )
    | (?P<sign> [^\s] )
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)

_DELIMITERS: Final = {"string": 1, "command": 1, "code": 2, "option": 2}
_UNCLOSED: Final = {'"': "string", "`": "command", "%": "code", "/": "comment"}


def tokenise(text: str) -> list[Token]:
    """
    Cut a script into tokens, an L{TokenKind.END} behind them.

    @raise ScriptSyntaxError: it is too long, or something in it is not closed.
    """
    if len(text) > SCRIPT_MAX_CHARACTERS:
        raise ScriptSyntaxError(
            1, f"the script has {len(text)} characters; at most {SCRIPT_MAX_CHARACTERS} are read"
        )
    tokens = []
    line = 1
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ScriptSyntaxError(line, f"unexpected character {text[at]!r}")
        name = found.lastgroup or ""
        written = found.group()
        at = found.end()
        if name != "space":
            opened = written == "%" and text.startswith("{", at)
            opened = opened or (written == "/" and text.startswith("*", at))
            if name == "sign" and (opened or written in '"`'):
                raise ScriptSyntaxError(line, f"the {_UNCLOSED[written]} is not closed")
            cut = _DELIMITERS.get(name, 0)
            end = len(written) if name == "option" else len(written) - cut
            tokens.append(Token(TokenKind(name), written[cut:end], line))
        line += written.count("\n")
    tokens.append(Token(TokenKind.END, "", line))
    return tokens
