"""
The modules that a blocking program takes for the standard library's: C{socket}, C{time}, C{select}
and C{sys}, on its simulated host.

What does not act on the world is the library's own.
"""

from __future__ import annotations

import builtins
import io
import select
import socket
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any, Final, NoReturn, cast

from netlab.errors import KnownError
from netlab.simulation.blockingsocket import BlockingSocket, socket_class
from netlab.simulation.clock import EPOCH_NS, NANOSECONDS, nanoseconds
from netlab.simulation.process import ERR, OUT, Process
from netlab.simulation.standardinput import StandardInput
from netlab.simulation.waiting import sleep, wait_until

#: What only some systems name, by its number on Linux: the simulated hosts have it all.
_LINUX: Final = {
    "SO_REUSEPORT": 15,
    "TCP_CORK": 3,
    "TCP_KEEPIDLE": 4,
    "TCP_KEEPINTVL": 5,
    "TCP_KEEPCNT": 6,
    "TCP_LINGER2": 8,
    "TCP_DEFER_ACCEPT": 9,
    "TCP_INFO": 11,
    "TCP_QUICKACK": 12,
    "TCP_CONGESTION": 13,
    "TCP_USER_TIMEOUT": 18,
    "TCP_FASTOPEN": 23,
    "TCP_NOTSENT_LOWAT": 25,
}

#: Functions of the library that would reach out of the simulation.
_OUTWARD: Final = (
    "create_server",
    "fromfd",
    "gethostbyaddr",
    "gethostbyname_ex",
    "recv_fds",
    "send_fds",
    "socketpair",
)


class CannotSimulateError(KnownError):
    """
    A program wants something that a simulated host does not have.
    """


class _LookAlike(ModuleType):
    """
    A module that has some members of its own, and else the library's.
    """

    def __init__(self, original: ModuleType, refused: Sequence[str] = ()) -> None:
        super().__init__(original.__name__, original.__doc__)
        self._original = original
        self._refused = frozenset(refused)

    def __getattr__(self, name: str) -> Any:
        if name in self._refused:
            raise CannotSimulateError(
                f"{self.__name__}.{name} cannot be simulated; "
                "run the experiment with --isolation root or user"
            )
        return getattr(self._original, name)


class _Output(io.TextIOBase):
    """
    Standard output or error of a program.
    """

    def __init__(self, write: Callable[[bytes], None], descriptor: int) -> None:
        super().__init__()
        self._write = write
        self._descriptor = descriptor
        self.buffer = self

    encoding = "utf-8"

    def writable(self) -> bool:
        """
        It is.
        """
        return True

    def write(self, text: Any) -> int:
        """
        Print text, or, as its own buffer, bytes.
        """
        self._write(text.encode("utf-8", "replace") if isinstance(text, str) else bytes(text))
        return len(text)

    def fileno(self) -> int:
        """
        Its number.
        """
        return self._descriptor


def modules_for(process: Process, standard_input: StandardInput) -> dict[str, ModuleType]:
    """
    Make the modules of a program, by name.

    @param standard_input: what it reads.
    """
    return {
        "socket": _socket_module(process),
        "time": _time_module(process),
        "select": _select_module(process),
        "sys": _sys_module(process, standard_input),
        **_tls_modules(),
    }


def builtins_for(given: dict[str, ModuleType], load: Callable[..., Any]) -> dict[str, Any]:
    """
    Make the built-in functions of a program.

    @param given: its modules.
    @param load: imports.
    """
    streams: Any = given["sys"]

    def say(*values: object, file: Any = None, **options: Any) -> None:
        print(*values, file=streams.stdout if file is None else file, **options)

    def ask(prompt: object = "") -> str:
        streams.stdout.write(str(prompt))
        line: str = streams.stdin.readline()
        if not line:
            raise EOFError
        return line.removesuffix("\n")

    return {**vars(builtins), "__import__": load, "print": say, "input": ask}


def _socket_module(process: Process) -> ModuleType:
    module: Any = _LookAlike(socket, _OUTWARD)
    kind = socket_class(process)
    module.socket = module.SocketType = kind
    for name, number in _LINUX.items():
        setattr(module, name, getattr(socket, name, number))
    look_up = process.kernel.look_up

    def create_connection(
        address: tuple[str, int],
        timeout: Any = None,
        source_address: tuple[str, int] | None = None,
        *,
        all_errors: bool = False,
    ) -> BlockingSocket:
        host, port = address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        connection = kind(family)
        try:
            connection.settimeout(timeout)
            if source_address is not None:
                connection.bind(source_address)
            connection.connect((host, port))
        except OSError:
            connection.close()
            raise
        return connection

    def getaddrinfo(host: Any, port: Any, family: int = 0, *_: Any, **__: Any) -> list[Any]:
        found: list[Any] = []
        for one in (socket.AF_INET, socket.AF_INET6):
            if family in (0, one):
                try:
                    address = look_up(host or "localhost", one)
                except OSError:
                    continue
                place = (address, port) if one == socket.AF_INET else (address, port, 0, 0)
                found.append((one, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place))
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return found

    module.create_connection = create_connection
    module.getaddrinfo = getaddrinfo
    module.gethostbyname = lambda name: look_up(name, socket.AF_INET)
    module.gethostname = lambda: process.kernel.name
    return cast(ModuleType, module)


def _time_module(process: Process) -> ModuleType:
    module: Any = _LookAlike(time)
    clock = process.kernel.clock

    def pause(seconds: float) -> None:
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        sleep(process, nanoseconds(seconds))

    module.sleep = pause
    module.time_ns = lambda: EPOCH_NS + clock.now
    module.time = lambda: (EPOCH_NS + clock.now) / NANOSECONDS
    module.monotonic_ns = module.perf_counter_ns = lambda: clock.now
    module.monotonic = module.perf_counter = lambda: clock.now / NANOSECONDS
    return cast(ModuleType, module)


def _select_module(process: Process) -> ModuleType:
    module: Any = _LookAlike(select, ("poll", "epoll", "kqueue", "devpoll"))

    def wait(
        rlist: Iterable[Any],
        wlist: Iterable[Any],
        xlist: Iterable[Any],
        timeout: float | None = None,
    ) -> tuple[list[Any], list[Any], list[Any]]:
        readers, writers = list(rlist), list(wlist)
        watched = [_kernel_socket(one) for one in (*readers, *writers)]

        def ready() -> tuple[list[Any], list[Any]]:
            return (
                [one for one in readers if _kernel_socket(one).is_readable],
                [one for one in writers if _kernel_socket(one).is_writable],
            )

        clock = process.kernel.clock
        deadline = None if timeout is None else clock.now + nanoseconds(timeout)
        wait_until(process, lambda: any(ready()), watched, deadline)
        return (*ready(), [])

    module.select = wait
    return cast(ModuleType, module)


def _kernel_socket(one: Any) -> Any:
    if not isinstance(one, BlockingSocket):
        raise CannotSimulateError("select.select can be simulated for sockets alone")
    return one.kernel_socket


def _tls_modules() -> dict[str, ModuleType]:
    # Not every Python has it.
    try:
        import ssl

        from netlab.simulation.tlssocket import make_ssl_members
    except ImportError:
        return {}
    module = _LookAlike(ssl, ("get_server_certificate", "SSLSocket"))
    make_ssl_members(module)
    return {"ssl": module}


def _sys_module(process: Process, standard_input: StandardInput) -> ModuleType:
    module: Any = _LookAlike(sys)
    module.stdout = module.__stdout__ = _Output(lambda data: process.write(OUT, data), OUT)
    module.stderr = module.__stderr__ = _Output(lambda data: process.write(ERR, data), ERR)
    module.stdin = module.__stdin__ = standard_input
    module.argv = [process.name]

    def end(status: Any = None) -> NoReturn:
        raise SystemExit(status)

    module.exit = end
    return cast(ModuleType, module)
