"""
What a simulated host can run: a function that waits, one of netlab's servers, or a command of
netlab's.

As a shell finds a program by a name, so does a host: the tables here name modules, which are
imported when one is started.
"""

from __future__ import annotations

import importlib
import json
import signal
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from twisted.logger import ILogObserver, LogEvent, formatEventAsClassicLogText, globalLogPublisher
from twisted.python.usage import UsageError
from zope.interface import provider

from netlab.errors import KnownError
from netlab.simulation.clock import EPOCH_NS, NANOSECONDS
from netlab.simulation.importing import ProgramModules
from netlab.simulation.modules import CannotSimulateError, modules_for
from netlab.simulation.process import ERR, OUT, Process, current
from netlab.simulation.reactor import ProcessReactor
from netlab.simulation.standardinput import StandardInput

#: The servers of twistd that run here, and where they are.
SERVERS: Final = {"netlab-echo": "netlab.echo.tap", "netlab-http": "netlab.http1.twistd.tap"}

#: Likewise the commands.
COMMANDS: Final = {"netlab": "netlab.cli"}

#: The fast transport watches descriptors of this machine's kernel.
_STOCK: Final = "--stock-transport"

#: What a function that serves prints first, see L{netlab.lab.hosts.function}.
_BACKLOG: Final = 128


class _Command(Protocol):
    def __call__(
        self,
        words: Sequence[str],
        reactor: Any,
        out: Callable[[str], object],
        complain: Callable[[str], object],
    ) -> int: ...


class ProgramLog:
    """
    Sends what simulated programs log to their standard output, as twistd does. One observer does
    so for all simulations of this process.
    """

    _count = 0

    def start(self) -> None:
        """
        Begin.
        """
        if not ProgramLog._count:
            globalLogPublisher.addObserver(_print_event)
        ProgramLog._count += 1

    def stop(self) -> None:
        """
        Send nothing more.
        """
        ProgramLog._count -= 1
        if not ProgramLog._count:
            globalLogPublisher.removeObserver(_print_event)


@provider(ILogObserver)
def _print_event(event: LogEvent) -> None:
    process = current()
    if process is None or not process.logs:
        return
    now = (EPOCH_NS + process.kernel.clock.now) / NANOSECONDS
    text = formatEventAsClassicLogText({**event, "log_time": now}, formatTime=_time_text)
    if text is not None:
        process.write(OUT, text.encode("utf-8", "replace"))


def _time_text(when: float | None, *_: Any) -> str:
    return datetime.fromtimestamp(when or 0, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def run_function(
    process: Process,
    path: str,
    name: str,
    arguments: Sequence[Any],
    listen: tuple[str, int] | None,
    is_loaded_anew: Callable[[str], bool],
) -> StandardInput:
    """
    Run a function at the top level of a file.

    @param arguments: what JSON can carry.
    @param listen: where its first argument is to listen; None if there is none.
    @param is_loaded_anew: see L{ProgramModules}.
    @return: its standard input.
    """
    standard_input = StandardInput(process)
    given = modules_for(process, standard_input)

    def run() -> None:
        try:
            function = getattr(ProgramModules(given, is_loaded_anew).load(path), name)
            sent: list[Any] = json.loads(json.dumps(list(arguments)))
            if listen is None:
                function(*sent)
                return
            sockets: Any = given["socket"]
            with sockets.socket() as listening:
                listening.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
                listening.bind(tuple(listen))
                listening.listen(_BACKLOG)
                process.write(OUT, f"listens on {listen[0]}:{listen[1]}\n".encode())
                function(listening, *sent)
        except CannotSimulateError as problem:
            raise SystemExit(str(problem)) from problem

    process.run_function(run)
    return standard_input


def run_server(process: Process, name: str, arguments: Sequence[str]) -> None:
    """
    Run one of netlab's servers.

    @param name: of twistd's subcommand.
    @param arguments: the words behind it.
    """
    reactor = ProcessReactor(process)
    process.logs = True
    clock = process.kernel.clock

    def start() -> None:
        module = SERVERS.get(name)
        try:
            if module is None:
                raise CannotSimulateError(f"{name} cannot be simulated")
            tap: Any = importlib.import_module(module)
            options = tap.Options()
            options.reactor = reactor
            options.parseOptions([_STOCK, *arguments])
            service = tap.makeService(options, reactor)
            reactor.start()
            service.privilegedStartService()
            service.startService()
        except (KnownError, UsageError) as problem:
            process.write(ERR, f"{name}: {problem}\n".encode())
            process.exit(1)
            return

        def at_signal(number: int) -> bool:
            if number not in (signal.SIGTERM, signal.SIGINT):
                return False
            with process.running():
                service.stopService().addBoth(lambda _: process.exit(0))
            return True

        process.at_signal = at_signal
        # A server knows its files by absolute paths from here on, as that of a daemon does.
        process.folder = None

    clock.call_at(clock.now, _as(process, start))


def run_command(process: Process, words: Sequence[str]) -> None:
    """
    Run a command of netlab's.
    """
    name, *arguments = words
    module = COMMANDS.get(name)

    def run() -> None:
        if module is None:
            raise SystemExit(
                f"{name} cannot be simulated: it is no part of netlab; "
                "run the experiment with --isolation root or user"
            )
        simulate: _Command = importlib.import_module(module).simulate
        status = simulate(
            arguments,
            ProcessReactor(process),
            lambda text: process.write(OUT, f"{text}\n".encode("utf-8", "replace")),
            lambda text: process.write(ERR, f"{text}\n".encode("utf-8", "replace")),
        )
        raise SystemExit(status)

    process.run_function(run)


def _as(process: Process, call: Callable[[], None]) -> Callable[[], None]:
    """
    Make what makes a call as a process.
    """

    def run() -> None:
        if process.is_running:
            with process.running():
                call()

    return run
