"""
What can be wrong with a script, or with what it saw: each with the line it is about.
"""

from __future__ import annotations


class PacketScriptError(Exception):
    """
    Something that ends a script. Only the subclasses are raised.

    @ivar line: of the script, from 1.
    @ivar reason: one line of text.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"{line}: {reason}")
        self.line = line
        self.reason = reason


class ScriptSyntaxError(PacketScriptError):
    """
    The text is no script.
    """


class NotSupportedError(PacketScriptError):
    """
    It is a script, and asks for something that this interpreter does not have.
    """


class DifferenceError(PacketScriptError):
    """
    The machine did something else than the script expects.
    """
