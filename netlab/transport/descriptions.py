"""
The parts of Twisted's endpoint descriptions.
"""

from __future__ import annotations

import re
from typing import Final

# One argument, in which a backslash takes a colon's meaning away.
_ARGUMENT: Final = re.compile(r"(?:\\.|[^:\\])+")
_NAMED: Final = re.compile(r"((?:\\.|[^=\\])+)=(.*)", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


def arguments_of(description: str) -> list[str]:
    """
    Split a description at its colons.

    @param description: such as C{tcp:8080:interface=127.0.0.1}.
    @return: its kind, then its arguments, with their backslashes; empty for what has neither.
    """
    return _ARGUMENT.findall(description)


def named_argument(argument: str) -> tuple[str, str] | None:
    """
    Split an argument that has a name.

    @param argument: from L{arguments_of}.
    @return: its name and its value, the latter with its backslashes; None if it has no name.
    """
    named = _NAMED.fullmatch(argument)
    return None if named is None else (named[1], named[2])


def unescaped(argument: str) -> str:
    """
    Remove the backslashes that take a colon's meaning away.

    @param argument: an argument, or the value of one.
    """
    return _ESCAPED.sub(r"\1", argument)
