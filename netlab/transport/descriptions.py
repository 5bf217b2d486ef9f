"""
The parts of Twisted's endpoint descriptions.
"""

from __future__ import annotations

import re
from typing import Final

# One argument, in which a backslash takes a colon's meaning away.
_ARGUMENT: Final = re.compile(r"(?:\\.|[^:\\])+")


def arguments_of(description: str) -> list[str]:
    """
    Split a description at its colons.

    @param description: such as C{tcp:8080:interface=127.0.0.1}.
    @return: its kind, then its arguments, with their backslashes; empty for what has neither.
    """
    return _ARGUMENT.findall(description)
