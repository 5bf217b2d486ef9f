"""
What an experiment is, and what it can do: all that the author of one needs to import.

An experiment is one file with one L{Experiment} in it. Its C{perform} is given a L{Laboratory}: it
starts programs on the two hosts and may meddle with the wire. A program is a command, one of
netlab's own servers, or a plain function of the file, which then runs in a Python of its own on
that host, with blocking sockets. This module imports no Twisted, so that such a Python starts
quickly.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from netlab.analysis.expectations.expectations import Expectation
from netlab.lab.api.impairment import Impairment, WireSettings
from netlab.lab.api.script import Delay, DelayFrames, Drop, Duplicate, Hold, HoldUntil, Kind, Rule
from netlab.lab.api.sides import Side

__all__ = [
    "Delay",
    "DelayFrames",
    "Drop",
    "Duplicate",
    "Experiment",
    "HTTPS_PORT",
    "Hold",
    "HoldUntil",
    "Impairment",
    "KEYLOG",
    "Kind",
    "Laboratory",
    "Machine",
    "Rule",
    "RunningProgram",
    "Side",
    "WireControl",
    "WireSettings",
]

#: The reference's ports.
ECHO_PORT = 12345
HTTP_PORT = 8080

HTTPS_PORT = 8443

#: What a program of an experiment calls the file that it writes secrets of TLS to. With it the
#: captures of the run are judged and told.
KEYLOG = "keylog.txt"


class RunningProgram(Protocol):
    """
    A program on a host.
    """

    async def line(self, pattern: str) -> re.Match[str]:
        """
        Wait for a line of its output that a regular expression is found in.

        @raise netlab.lab.runs.laboratory.ProgramError: it ended before.
        """

    async def ended(self) -> int:
        """
        Wait for its end.

        @return: its exit status, or the negative number of the signal that ended it.
        """

    def send(self, data: bytes) -> None:
        """
        Write to its standard input.
        """

    def end_input(self) -> None:
        """
        Close its standard input.
        """

    def signal(self, number: int) -> None:
        """
        Send it a signal.
        """


class Machine(Protocol):
    """
    One of the two hosts.
    """

    @property
    def address(self) -> str:
        """
        Its IPv4 address for the other host.
        """

    def start(self, *command: str) -> RunningProgram:
        """
        Start a command.
        """

    async def run(self, *command: str, stdin: bytes = b"") -> None:
        """
        Run a command to its end.

        @raise netlab.lab.runs.laboratory.ProgramError: its exit status is not 0.
        """

    async def serve(
        self, name: str, *options: str, port: int | None = None, tls: str = ""
    ) -> RunningProgram:
        """
        Start one of netlab's servers under twistd and wait until it listens.

        @param name: C{netlab-echo} or C{netlab-http}.
        @param port: the reference's unless given.
        @param tls: a file with a private key and a certificate, for a server that speaks TLS.
        """

    def start_function(self, function: Callable[..., object], *arguments: Any) -> RunningProgram:
        """
        Start a function in a Python of its own.

        @param function: at the top level of its file.
        @param arguments: what JSON can carry.
        """

    async def run_function(self, function: Callable[..., object], *arguments: Any) -> None:
        """
        Run a function in a Python of its own, to its end.

        @raise netlab.lab.runs.laboratory.ProgramError: it raised an exception.
        """

    async def serve_function(
        self, function: Callable[..., object], *arguments: Any, port: int
    ) -> RunningProgram:
        """
        Start a server that is a function. It is called with a listening socket, and the arguments;
        connections can be made from now on.
        """


class WireControl(Protocol):
    """
    What an experiment can do to the wire while it runs.
    """

    def cut(self) -> None:
        """
        Lose every frame from now on.
        """

    def mend(self) -> None:
        """
        Carry frames again.
        """


class Laboratory(Protocol):
    """
    What an experiment works with.
    """

    @property
    def client(self) -> Machine:
        """
        The client's host.
        """

    @property
    def server(self) -> Machine:
        """
        The server's host.
        """

    @property
    def folder(self) -> Path:
        """
        The current directory of all programs, for files that they need or make.
        """

    @property
    def wire(self) -> WireControl:
        """
        What joins them.
        """

    async def pause(self, seconds: float) -> None:
        """
        Wait.
        """

    async def all_closed(self) -> None:
        """
        Wait until every connection that the wire has seen is closed or reset.
        """

    async def all_ended_by(self, side: Side) -> None:
        """
        Wait until a host has closed its side of every connection, or one of them has reset it.
        """

    async def crash(self, side: Side) -> None:
        """
        Let a host lose its power: it sends nothing more, and all its programs are gone.
        """

    async def reboot(self, side: Side) -> None:
        """
        Start a host again that has crashed, with the same addresses and nothing running.
        """


@dataclass(frozen=True, slots=True)
class Experiment:
    """
    One experiment.

    @ivar name: on the command line, and of its folder; lower-case letters, digits and hyphens.
    @ivar question: what it answers: one sentence with a question mark.
    @ivar programs: what runs on the client and on the server: a sentence.
    @ivar look_for: what to look for in the capture: some sentences.
    @ivar explanation: why it is so, with the section of the standard: a paragraph or two.
    @ivar perform: does it; when it returns, the laboratory waits until every connection is closed,
        for at most L{settle} seconds.
    @ivar expectations: what the captures of both ends must show, checked after each run.
    @ivar client_expectations: what the client's capture must show beside.
    @ivar server_expectations: what the server's capture must show beside.
    @ivar wire: how the wire treats frames; the user may change it.
    @ivar client_sysctls: system settings of the client's host alone, by name.
    @ivar server_sysctls: those of the server's.
    @ivar commands: what must be installed beside netlab, by the names of the commands.
    @ivar patience: seconds that C{perform} may take.
    @ivar settle: seconds to wait for connections to close; 0 does not wait.
    @ivar needs_wire: it says nothing without hosts and a wire of their own.
    """

    name: str
    question: str
    programs: str
    look_for: str
    explanation: str
    perform: Callable[[Laboratory], Awaitable[None]]
    expectations: Sequence[Expectation] = ()
    client_expectations: Sequence[Expectation] = ()
    server_expectations: Sequence[Expectation] = ()
    wire: WireSettings = field(default_factory=WireSettings)
    client_sysctls: Mapping[str, str] = field(default_factory=dict)
    server_sysctls: Mapping[str, str] = field(default_factory=dict)
    commands: Sequence[str] = ()
    patience: float = 30.0
    settle: float = 5.0
    needs_wire: bool = False
