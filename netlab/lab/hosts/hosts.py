"""
The hosts of a laboratory: a network stack, a file system view and processes of their own each.

A host is three Linux namespaces (network, mounts, processes) that have no name anywhere: they exist
for as long as their first process (L{netlab.lab.hosts.init}) runs, which the kernel ends together
with
the laboratory, whatever ends that. So there is nothing to clean up, and two laboratories never
meet.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IFileDescriptorReceiver, IProcessTransport
from twisted.internet.protocol import Factory, ProcessProtocol, connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

import netlab
from netlab.errors import KnownError
from netlab.lab.hosts.settings import CLIENT, SOCKET_DESCRIPTOR, HostSettings, Isolation
from netlab.lab.hosts.sysctls import settings as sysctl_settings

#: What goes on the module search path of the programs that become or enter a host.
_TOP: Final = str(Path(netlab.__file__).resolve().parent.parent)

#: Making a host takes some 20 ms; this long only where something is very wrong.
_PATIENCE_SECONDS: Final = 20.0

_CAP_NET_ADMIN: Final = 12
_CAP_SYS_ADMIN: Final = 21

_NETMASK: Final = "255.255.255.0"


class HostError(KnownError):
    """
    A host could not be made.
    """


def is_privileged(status: str) -> bool:
    """
    Tell whether a process may make network and mount namespaces itself.

    @param status: the text of its C{/proc/PID/status}.
    """
    for line in status.splitlines():
        if line.startswith("CapEff:"):
            needed = 1 << _CAP_SYS_ADMIN | 1 << _CAP_NET_ADMIN
            return int(line.split()[1], 16) & needed == needed
    return False


class Host:
    """
    A running host.

    @ivar settings: what it is.
    @ivar tap: the descriptor of its device's other end; its user closes it.
    """

    def __init__(
        self,
        reactor: Any,
        settings: HostSettings,
        isolation: Isolation,
        scratch: Path,
        pid: int,
        tap: int,
        control: _Control,
    ) -> None:
        self.settings = settings
        self.tap = tap
        self._reactor = reactor
        self._isolation = isolation
        self._scratch = scratch
        self._pid = pid
        self._control = control

    def spawn(
        self, program: ProcessProtocol, command: Sequence[str], directory: Path
    ) -> IProcessTransport:
        """
        Start a program in the host. It ends with the host at the latest.

        @param program: hears what becomes of it; its exit status or signal is the program's.
        @param command: the program and its arguments.
        @param directory: its current directory, the same file system as outside.
        @return: the process; signals to it reach the program.
        """
        users = "users" if self._isolation is Isolation.USER else "-"
        transport: IProcessTransport = self._reactor.spawnProcess(
            program,
            sys.executable,
            [*python_arguments("netlab.lab.hosts.enter"), str(self._pid), users, *command],
            env=environment(str(self._scratch)),
            path=str(directory),
        )
        return transport

    async def stop(self) -> None:
        """
        End the host with all its processes, as when its plug is pulled: nothing is sent any more.
        """
        await self._control.end()


def environment(home: str) -> dict[str, str]:
    """
    Make the environment of a program: of our own only what it needs to be found and to be read.

    @param home: its home and its folder for temporary files.
    """
    passed_on = {
        name: value
        for name, value in os.environ.items()
        if name in ("LANG", "VIRTUAL_ENV") or name.startswith(("LC_", "COVERAGE_"))
    }
    path = os.pathsep.join([_TOP, *filter(None, [absolute_path("PYTHONPATH")])])
    return {
        **passed_on,
        "PATH": absolute_path("PATH") or os.defpath,
        "PYTHONSAFEPATH": "1",
        "HOME": home,
        "TMPDIR": home,
        "PYTHONPATH": path,
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _nothing() -> BinaryIO:
    """
    Give what holds nothing and takes everything.
    """
    return open(os.devnull, "r+b", buffering=0)


def absolute_path(name: str) -> str:
    """
    Give a search path of our environment, without the places in it that depend on where one stands:
    relative ones, and empty ones, which mean the current directory.

    @param name: of the variable.
    """
    places = os.environ.get(name, "").split(os.pathsep)
    return os.pathsep.join(place for place in places if os.path.isabs(place))


async def start_host(
    reactor: Any,
    settings: HostSettings,
    peers: Sequence[HostSettings],
    isolation: Isolation,
    scratch: Path,
) -> Host:
    """
    Make a host and wait until it is ready.

    @param peers: the other hosts on its wire; it knows their Ethernet addresses.
    @param isolation: not L{Isolation.NONE}.
    @param scratch: an existing folder; in the host it is an empty file system in memory.
    @raise HostError: it could not be made.
    """
    text = json.dumps(
        {
            "with_users": isolation is Isolation.USER,
            "scratch": str(scratch),
            "sysctls": sysctl_settings(settings.sysctls),
            "hardware_address": settings.hardware_address.hex(),
            "address": settings.address,
            "netmask": _NETMASK,
            "neighbours": [(peer.address, peer.hardware_address.hex()) for peer in peers],
        }
    )
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    control = _Control()
    # Its ends are its own: it holds nothing of this process's but the socket.
    with ours, theirs, _nothing() as nothing:
        ours.setblocking(False)
        adopted = Factory.forProtocol(lambda: control)
        reactor.adoptStreamConnection(ours.fileno(), socket.AF_UNIX, adopted)
        reactor.spawnProcess(
            control.process,
            sys.executable,
            [*python_arguments("netlab.lab.hosts.init"), text],
            env=environment(str(scratch)),
            childFDs={
                0: nothing.fileno(),
                1: nothing.fileno(),
                2: "r",
                SOCKET_DESCRIPTOR: theirs.fileno(),
            },
        )
    try:
        await control.ready.addTimeout(_PATIENCE_SECONDS, reactor)
    except BaseException:
        await control.end()
        raise
    assert control.pid is not None
    assert control.tap is not None
    return Host(reactor, settings, isolation, scratch, control.pid, control.tap, control)


async def best_isolation(reactor: Any) -> tuple[Isolation, str]:
    """
    Find out how hosts can be made here, by making one.

    @return: the best way that works, and why none does if none does.
    """
    ways = _likely_ways()
    if not ways:
        return Isolation.NONE, "this is not Linux"
    reason = ""
    for isolation in ways:
        with tempfile.TemporaryDirectory(prefix="netlab-") as scratch:
            try:
                host = await start_host(reactor, CLIENT, [], isolation, Path(scratch))
            except HostError as error:
                reason = str(error)
                continue
            os.close(host.tap)
            await host.stop()
            return isolation, ""
    return Isolation.NONE, reason


def _likely_ways() -> list[Isolation]:
    """
    List how hosts may be made, the best way first.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return []
    if is_privileged(status.read_text(encoding="ascii")):
        return [Isolation.ROOT, Isolation.USER]
    return [Isolation.USER]


def python_arguments(module: str) -> list[str]:
    """
    Write the command line, from C{argv[0]} on, that runs a module without site-packages.
    """
    code = f"import sys; sys.path.insert(0, {_TOP!r}); import runpy; "
    return [
        sys.executable,
        "-I",
        "-S",
        "-c",
        f"{code}runpy.run_module({module!r}, alter_sys=True, run_name='__main__')",
    ]


class _InitProcess(ProcessProtocol):
    """
    The process that makes a host and waits for its end.

    @ivar ended: fires at its end.
    """

    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()
        self.errors = bytearray()

    def errReceived(self, data: bytes) -> None:
        """
        Keep a traceback: it is a mistake of ours.
        """
        self.errors += data

    def processEnded(self, reason: Failure) -> None:
        """
        Wake what waits.
        """
        self.ended.callback(None)


@implementer(IFileDescriptorReceiver)
class _Control(LineReceiver):
    """
    The laboratory's end of the socket to a host's first process.

    @ivar ready: fires when the host is ready, or fails with L{HostError}.
    @ivar pid: the host's first process.
    @ivar tap: the descriptor of its device.
    @ivar process: the process that made it.
    """

    delimiter = b"\n"

    def __init__(self) -> None:
        self.ready: Deferred[None] = Deferred()
        self.pid: int | None = None
        self.tap: int | None = None
        self.process = _InitProcess()
        self._is_over = False

    def fileDescriptorReceived(self, descriptor: int) -> None:
        """
        Take the device; it arrives before the line that announces it.
        """
        self.tap = descriptor
        os.set_blocking(descriptor, False)

    def lineReceived(self, line: bytes) -> None:
        """
        Read what the host says.
        """
        match json.loads(line):
            case {"pid": int(pid)}:
                self.pid = pid
            case {"step": str(what), "reason": str(reason)}:
                self._settle(HostError(f"cannot {what}: {reason}"))
                return
            case {"ready": True}:
                pass
        if self.pid is not None and self.tap is not None:
            self._settle(None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The host has gone.
        """
        self._settle(HostError(f"a host ended while it was made: {self.process.errors.decode()}"))

    async def end(self) -> None:
        """
        End the host, and wait until its last process has gone.
        """
        assert self.transport is not None
        self.transport.loseConnection()
        if not self.process.ended.called:
            await self.process.ended

    def _settle(self, error: HostError | None) -> None:
        if self._is_over:
            return
        self._is_over = True
        if error is None:
            self.ready.callback(None)
        else:
            self.ready.errback(error)
