"""
What a subcommand runs on and speaks to: this process's reactor and terminal, or a simulated host's.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

from netlab.commands.outcome import STATUS_FAILED, say, show


class ProgramSurroundings(NamedTuple):
    """
    @ivar reactor: is not running yet; None for the process's own.
    @ivar show: writes a line for the user.
    @ivar complain: writes a line about a failure.
    """

    reactor: Any = None
    show: Callable[[str], object] = show
    complain: Callable[[str], object] = lambda line: say(STATUS_FAILED, line)

    def own_reactor(self) -> Any:
        """
        Give the reactor to run.
        """
        if self.reactor is not None:
            return self.reactor
        from twisted.internet import reactor

        return reactor


def surroundings_of(arguments: argparse.Namespace) -> ProgramSurroundings:
    """
    Tell the surroundings of a command line: the process's, unless it is simulated.
    """
    found: ProgramSurroundings | None = getattr(arguments, "surroundings", None)
    return ProgramSurroundings() if found is None else found


def may_be_simulated(
    parser: argparse.ArgumentParser, reads_input: Callable[[argparse.Namespace], bool]
) -> None:
    """
    Say that a subcommand asks for its surroundings, so that it runs on a simulated host too.

    @param reads_input: tells whether a command line of it reads standard input, which a simulated
        command does not have.
    """
    parser.set_defaults(reads_input=reads_input)
