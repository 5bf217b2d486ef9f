"""
What is to be run on a host: a command, one of netlab's servers, or a function of an experiment's
file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

#: The programs' folder holds what they write: no code is looked for there (-P).
_PYTHON: Final = (sys.executable, "-P")

_TWISTD: Final = ("-c", "from twisted.scripts.twistd import run; run()")


@dataclass(frozen=True, slots=True)
class CommandWork:
    """
    A command.

    @ivar words: its name and its arguments; C{netlab} is our own.
    """

    words: Sequence[str]

    @property
    def label(self) -> str:
        """
        What to call it, in a few words.
        """
        return self.words[0].rpartition("/")[2]

    def command_line(self) -> tuple[str, ...]:
        """
        Write what starts it as a process.
        """
        name, *arguments = self.words
        if name == "netlab":
            return (*_PYTHON, "-m", "netlab.cli", *arguments)
        return (name, *arguments)


@dataclass(frozen=True, slots=True)
class ServerWork:
    """
    One of netlab's servers under twistd.

    @ivar name: of twistd's subcommand.
    @ivar listen: the description of the endpoint to listen on.
    @ivar options: further words of its command line.
    """

    name: str
    listen: str
    options: Sequence[str]

    @property
    def label(self) -> str:
        """
        What to call it.
        """
        return self.name

    @property
    def arguments(self) -> tuple[str, ...]:
        """
        The words behind the subcommand.
        """
        return ("--listen", self.listen, *self.options)

    def command_line(self) -> tuple[str, ...]:
        """
        Write what starts it as a process.
        """
        return (*_PYTHON, *_TWISTD, "-n", "--pidfile=", self.name, *self.arguments)


@dataclass(frozen=True, slots=True)
class FunctionWork:
    """
    A function at the top level of a file.

    @ivar path: of the file.
    @ivar name: of the function.
    @ivar arguments: what JSON can carry.
    @ivar listen: an address and a port for a function that serves: its first argument is then a
        listening socket.
    """

    path: str
    name: str
    arguments: Sequence[Any]
    listen: tuple[str, int] | None

    @property
    def label(self) -> str:
        """
        What to call it.
        """
        return f"{self.name}()"

    def command_line(self) -> tuple[str, ...]:
        """
        Write what starts it as a process.
        """
        call = json.dumps({"listen": self.listen, "arguments": self.arguments})
        return (*_PYTHON, "-m", "netlab.lab.hosts.function", self.path, self.name, call)


Work: TypeAlias = CommandWork | ServerWork | FunctionWork
