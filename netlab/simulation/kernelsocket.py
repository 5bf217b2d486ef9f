"""
A host's sockets, as its kernel has them: they never wait, and tell when they change.

Their methods are those of C{socket.socket} and raise what those raise, so that Twisted's own TCP
classes work on them as they are; L{netlab.simulation.blockingsocket} adds the waiting.
"""

from __future__ import annotations

import enum
import errno
import os
import socket
import struct
from collections.abc import Callable
from typing import Any, Final

from netlab.simulation.kernel import Kernel, Place
from netlab.simulation.socketoptions import read_option, set_option, tcp_info
from netlab.tcp.connection import TCPConnection
from netlab.tcp.events import (
    Closed,
    Connected,
    PeerClosed,
    Refused,
    TimedOut,
    Unreachable,
    WasReset,
)
from netlab.tcp.listener import TCPListener
from netlab.tcp.sending.questions import send_space
from netlab.tcp.stack import ANY

_PORT_MAX: Final = 0xFFFF
_LINGER: Final = struct.Struct("ii")


class SocketPhase(enum.Enum):
    """
    What a socket is.
    """

    NEW = "new"
    LISTENING = "listening"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    OVER = "over"
    """It was connected; nothing comes or goes any more."""

    CLOSED = "closed"


def error(number: int) -> OSError:
    """
    Make the exception of an error number.
    """
    return OSError(number, os.strerror(number))


class KernelSocket:
    """
    A TCP socket.

    @ivar phase: what it is now.
    @ivar descriptor: its number on its host.
    @ivar changed: is called when it may have become readable or writable.
    @ivar local: the address and port that it is bound to, None before.
    @ivar remote: those that it is connected to, None before.
    @ivar connection: its connection; None before there is one.
    """

    def __init__(self, kernel: Kernel, family: int, group: dict[KernelSocket, None]) -> None:
        """
        @param family: C{AF_INET} or C{AF_INET6}.
        @param group: the open sockets of the program; this one is among them while it is open.
        """
        self.family = family
        self.type = socket.SOCK_STREAM
        self.proto = 0
        self.phase = SocketPhase.NEW
        self.changed: Callable[[], None] = nobody_watches
        self.local: Place | None = None
        self.remote: Place | None = None
        self.connection: TCPConnection | None = None
        self.options: dict[str, int] = {}
        self._kernel = kernel
        self._group = group
        self._listener: TCPListener | None = None
        self._error = 0
        self._has_end = False
        self._is_shut_for_reading = False
        self._is_shut_for_writing = False
        self._linger: tuple[int, int] = (0, 0)
        self._place: Place | None = None
        self.descriptor = kernel.add_descriptor(self)
        group[self] = None

    # What it is

    def fileno(self) -> int:
        """
        Its number on its host; -1 when it is closed.
        """
        return -1 if self.phase is SocketPhase.CLOSED else self.descriptor

    def getsockname(self) -> tuple[Any, ...]:
        """
        The address and port that it is bound to.
        """
        self._check_open()
        return self._shown(self.local or (b"", 0))

    def getpeername(self) -> tuple[Any, ...]:
        """
        The address and port that it is connected to.

        @raise OSError: it is not.
        """
        self._check_open()
        if self.remote is None or self.phase is SocketPhase.CONNECTING or self._error:
            raise error(errno.ENOTCONN)
        return self._shown(self.remote)

    @property
    def is_readable(self) -> bool:
        """
        Whether L{recv} or L{accept} would not have to wait.
        """
        match self.phase:
            case SocketPhase.CONNECTED:
                assert self.connection is not None
                return self._has_end or self._is_shut_for_reading or self.connection.is_readable
            case SocketPhase.LISTENING:
                assert self._listener is not None
                return self._listener.waiting > 0
            case SocketPhase.OVER:
                return True
            case _:
                return False

    @property
    def is_writable(self) -> bool:
        """
        Whether L{send} would not have to wait, or a connection attempt has ended.
        """
        match self.phase:
            case SocketPhase.CONNECTED:
                assert self.connection is not None
                return self._is_shut_for_writing or self._has_room
            case SocketPhase.OVER:
                return True
            case _:
                return False

    @property
    def cannot_wait(self) -> bool:
        """
        Whether waiting is of no use: calls fail at once.
        """
        return self.phase in (SocketPhase.NEW, SocketPhase.CLOSED)

    @property
    def _has_room(self) -> bool:
        """
        Whether a third of the send buffer is free, as Linux asks for before it wakes a writer.
        """
        connection = self.connection
        assert connection is not None
        return not connection.wants_space or send_space(connection) > 0

    # What it does

    def bind(self, address: tuple[Any, ...]) -> None:
        """
        Bind it to a local address, and a port; 0 for any.

        @raise OSError: the address is not the host's, or the port is taken.
        """
        self._check_open()
        if self.local is not None:
            raise error(errno.EINVAL)
        local = self._packed(address)
        if local[0] and local[0] not in self._kernel.addresses:
            raise error(errno.EADDRNOTAVAIL)
        if local[1]:
            self._kernel.take_place(local, reuses=bool(self.options.get("reuse_address")))
            self._place = local
        self.local = local

    def listen(self, backlog: int = 128) -> None:
        """
        Take connections.

        @raise OSError: somebody else does at the port.
        """
        self._check_open()
        self._listener = self._kernel.listen(
            self.local or (ANY, 0), backlog, self._connection_waits
        )
        self.local = self._listener.local
        self.phase = SocketPhase.LISTENING

    def accept(self) -> tuple[KernelSocket, tuple[Any, ...]]:
        """
        Take the oldest connection that waits.

        @raise BlockingIOError: there is none.
        """
        self._check_open()
        if self._listener is None:
            raise error(errno.EINVAL)
        connection = self._listener.accept()
        if connection is None:
            raise error(errno.EWOULDBLOCK)
        accepted = KernelSocket(self._kernel, self.family, self._group)
        accepted.options = dict(self.options)
        accepted.adopt(connection)
        return accepted, accepted.getpeername_after_accept()

    def getpeername_after_accept(self) -> tuple[Any, ...]:
        """
        The peer's address, also where the peer has reset the connection meanwhile.
        """
        assert self.remote is not None
        return self._shown(self.remote)

    def adopt(self, connection: TCPConnection) -> None:
        """
        Be the socket of a connection that is open already.
        """
        self.phase = SocketPhase.CONNECTED
        self.connection = connection
        self.local, self.remote = connection.local, connection.remote
        self._kernel.own(connection, self.take_events)
        for name, value in self.options.items():
            set_option(connection, name, value, self._kernel.clock.now)
        self.take_events()

    def connect_ex(self, address: tuple[Any, ...]) -> int:
        """
        Begin to connect, or tell how it went.

        @return: an error number: C{EINPROGRESS} at first, 0 once it is connected.
        """
        self._check_open()
        match self.phase:
            case SocketPhase.CONNECTING:
                return errno.EALREADY
            case SocketPhase.CONNECTED:
                return errno.EISCONN
            case SocketPhase.OVER:
                return self._take_error() or errno.EISCONN
            case SocketPhase.LISTENING:
                return errno.EINVAL
        if address[1] < 0:
            raise OverflowError("can't convert negative value to unsigned short")
        if address[1] > _PORT_MAX:
            raise OverflowError("connect_ex(): port must be 0-65535.")
        try:
            remote = self._packed(address)
            connection = self._kernel.prepare(remote, self.local)
        except OSError as problem:
            return problem.errno or errno.EINVAL
        self.connection = connection
        self.remote, self.local = remote, connection.local
        self.phase = SocketPhase.CONNECTING
        for name, value in self.options.items():
            set_option(connection, name, value, self._kernel.clock.now)
        self._kernel.own(connection, self.take_events)
        self._kernel.stack.open(self._kernel.clock.now, connection)
        self._kernel.drain()
        return errno.EINPROGRESS

    def recv(self, count: int, flags: int = 0) -> bytes:
        """
        Take bytes that have arrived.

        @param flags: 0; a simulated host has no others.
        @return: at most this many; none at the end of the stream.
        @raise BlockingIOError: there are none yet.
        @raise ConnectionResetError: the connection was reset.
        """
        self._check_open()
        if self.phase not in (SocketPhase.CONNECTED, SocketPhase.OVER):
            raise error(errno.ENOTCONN)
        assert self.connection is not None
        if flags:
            raise error(errno.EINVAL)
        if self.connection.is_readable and not self._error:
            data = self.connection.read(self._kernel.clock.now, count)
            self._kernel.drain()
            return data
        if self._error:
            raise error(self._take_error())
        if self._has_end or self._is_shut_for_reading or self.phase is SocketPhase.OVER:
            return b""
        raise error(errno.EWOULDBLOCK)

    def recv_into(self, buffer: Any, count: int = 0, flags: int = 0) -> int:
        """
        Take bytes that have arrived into a buffer.
        """
        view = memoryview(buffer).cast("B")
        data = self.recv(count or len(view), flags)
        view[: len(data)] = data
        return len(data)

    def send(self, data: Any, flags: int = 0) -> int:
        """
        Send bytes, as many as there is space for.

        @return: how many were taken.
        @raise BlockingIOError: none.
        @raise OSError: nothing can be sent any more.
        """
        self._check_open()
        if self.phase in (SocketPhase.NEW, SocketPhase.CONNECTING, SocketPhase.LISTENING):
            raise error(errno.ENOTCONN)
        if self._error:
            raise error(self._take_error())
        if self._is_shut_for_writing or self.phase is SocketPhase.OVER:
            raise error(errno.EPIPE)
        assert self.connection is not None
        if not len(data):
            return 0
        taken = self.connection.write(self._kernel.clock.now, data)
        self._kernel.drain()
        if not taken:
            raise error(errno.EWOULDBLOCK)
        return taken

    def shutdown(self, how: int) -> None:
        """
        End one direction of the stream, or both.

        @raise OSError: it is not connected.
        """
        self._check_open()
        if self.phase is not SocketPhase.CONNECTED:
            raise error(errno.ENOTCONN)
        assert self.connection is not None
        if how in (socket.SHUT_RD, socket.SHUT_RDWR):
            self._is_shut_for_reading = True
        if how in (socket.SHUT_WR, socket.SHUT_RDWR) and not self._is_shut_for_writing:
            self._is_shut_for_writing = True
            self.connection.shutdown(self._kernel.clock.now)
            self._kernel.drain()
        self.changed()

    def close(self) -> None:
        """
        Let go of it. What has been written is still sent, unless it lingers for no time: then, or
        with bytes unread, the connection is reset.
        """
        if self.phase is SocketPhase.CLOSED:
            return
        phase, self.phase = self.phase, SocketPhase.CLOSED
        self._kernel.remove_descriptor(self.descriptor)
        self._group.pop(self, None)
        if self._place is not None:
            self._kernel.leave_place(self._place)
        if self._listener is not None:
            self._kernel.stop_listening(self._listener)
        if self.connection is not None and phase is not SocketPhase.OVER:
            now = self._kernel.clock.now
            if self._linger[0] and not self._linger[1]:
                self.connection.abort(now)
            else:
                self.connection.close(now)
            self._kernel.disown(self.connection)
        self._kernel.drain()

    def setsockopt(self, level: int, option: int, value: Any) -> None:
        """
        Set an option.

        @raise OSError: a simulated host has no such option.
        """
        self._check_open()
        if (level, option) == (socket.SOL_SOCKET, socket.SO_LINGER):
            self._linger = _LINGER.unpack(value)
            return
        if not isinstance(value, int):
            value = int.from_bytes(value, "little")
        name = read_option(level, option)
        self.options[name] = value
        if self.connection is not None:
            set_option(self.connection, name, value, self._kernel.clock.now)
            self._kernel.drain()

    def getsockopt(self, level: int, option: int, size: int = 0) -> Any:
        """
        Read an option.

        @raise OSError: a simulated host has no such option.
        """
        self._check_open()
        if (level, option) == (socket.SOL_SOCKET, socket.SO_ERROR):
            return self._take_error()
        if (level, option) == (socket.SOL_SOCKET, socket.SO_LINGER):
            return _LINGER.pack(*self._linger)
        name = read_option(level, option)
        if name == "info":
            if self.connection is None:
                raise error(errno.ENOTCONN)
            return tcp_info(self.connection.info(self._kernel.clock.now))[:size]
        return self.options.get(name, 0)

    def setblocking(self, flag: object) -> None:
        """
        A kernel's socket never waits.
        """

    # What happens to it

    def take_events(self) -> None:
        """
        Take note of what has happened to the connection.
        """
        assert self.connection is not None
        while (event := self.connection.next_event()) is not None:
            match event:
                case Connected():
                    if self.phase is SocketPhase.CONNECTING:
                        self.phase = SocketPhase.CONNECTED
                case PeerClosed():
                    self._has_end = True
                case Refused():
                    self._fail(errno.ECONNREFUSED)
                case WasReset():
                    self._fail(errno.EPIPE if self._is_shut_for_reading else errno.ECONNRESET)
                case TimedOut():
                    self._fail(errno.ETIMEDOUT)
                case Unreachable():
                    self._fail(errno.EHOSTUNREACH)
                case Closed():
                    if self.phase is not SocketPhase.CLOSED:
                        self.phase = SocketPhase.OVER
                case _:
                    pass
        if self.phase is not SocketPhase.CLOSED:
            self.changed()

    def _connection_waits(self) -> None:
        self.changed()

    def _fail(self, number: int) -> None:
        if self.phase is not SocketPhase.CLOSED:
            self._error = number
            self.phase = SocketPhase.OVER

    def _take_error(self) -> int:
        number, self._error = self._error, 0
        return number

    def _check_open(self) -> None:
        if self.phase is SocketPhase.CLOSED:
            raise error(errno.EBADF)

    def _packed(self, address: tuple[Any, ...]) -> tuple[bytes, int]:
        host, port = address[:2]
        if not 0 <= port <= _PORT_MAX:
            raise OverflowError("bind(): port must be 0-65535.")
        if not host:
            return ANY, port
        packed = socket.inet_pton(self.family, self._kernel.look_up(host, self.family))
        return packed if any(packed) else ANY, port

    def _shown(self, place: tuple[bytes, int]) -> tuple[Any, ...]:
        address, port = place
        if address == ANY:
            address = bytes(4 if self.family == socket.AF_INET else 16)
        if self.family == socket.AF_INET:
            return socket.inet_ntop(socket.AF_INET, address), port
        return socket.inet_ntop(socket.AF_INET6, address), port, 0, 0


def nobody_watches() -> None:
    """
    What is called when a socket changes that nobody waits for.
    """
