"""
Text from outside that means nothing but itself, on a terminal and in a file that is shown on one.
"""

from __future__ import annotations


def plain(text: str, keeps: str = "") -> str:
    r"""
    Escape what draws, moves or reorders, and what is no character: all that is not printable.

    @param text: from anywhere: a program's output, a file's name, a peer's words.
    @param keeps: characters that stay all the same, such as C{\n}.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keeps else ascii(c)[1:-1] for c in text)
