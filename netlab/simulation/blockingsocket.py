"""
What a blocking program takes for C{socket.socket}: a socket of its host's kernel, and the waiting.
"""

from __future__ import annotations

import errno
import io
import os
import socket
from types import TracebackType
from typing import Any, ClassVar, Self

from netlab.simulation.clock import nanoseconds
from netlab.simulation.kernelsocket import KernelSocket
from netlab.simulation.process import Process
from netlab.simulation.waiting import POLL_NS, sleep, wait_until


class BlockingSocket:
    """
    A socket of a program. L{socket_class} makes the class for one program.

    @cvar process: the program.
    """

    process: ClassVar[Process]

    def __init__(
        self,
        family: int = -1,
        type: int = -1,  # noqa: A002
        proto: int = -1,
        fileno: KernelSocket | None = None,
    ) -> None:
        """
        @param fileno: in place of a number, the socket to be.
        """
        if type not in (-1, socket.SOCK_STREAM) or family not in (
            -1,
            socket.AF_INET,
            socket.AF_INET6,
        ):
            raise OSError(errno.EAFNOSUPPORT, "a simulated host has TCP over IPv4 and IPv6 only")
        self.kernel_socket = (
            self.process.open_socket(socket.AF_INET if family == -1 else family)
            if fileno is None
            else fileno
        )
        self.family = self.kernel_socket.family
        self.type = socket.SOCK_STREAM
        self.proto = 0
        self._timeout: float | None = None
        self._files = 0
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # How long to wait

    def settimeout(self, value: float | None) -> None:
        """
        Set how many seconds a call may take.
        """
        if value is not None and value < 0:
            raise ValueError("Timeout value out of range")
        self._timeout = value

    def gettimeout(self) -> float | None:
        """
        Tell how many seconds a call may take.
        """
        return self._timeout

    def setblocking(self, flag: object) -> None:
        """
        Wait for ever, or not at all.
        """
        self._timeout = None if flag else 0.0

    def getblocking(self) -> bool:
        """
        Tell whether calls wait.
        """
        return self._timeout != 0.0

    # What waits

    def accept(self) -> tuple[Self, Any]:
        """
        Take a connection.
        """
        self._wait(reads=True)
        accepted, address = self.kernel_socket.accept()
        return type(self)(fileno=accepted), address

    def connect(self, address: Any) -> None:
        """
        Connect.
        """
        number = self._connect(address)
        if number == errno.ETIMEDOUT and self._timeout is not None and self._is_connecting:
            raise TimeoutError("timed out")
        if number:
            raise OSError(number, os.strerror(number))

    def connect_ex(self, address: Any) -> int:
        """
        Connect.

        @return: an error number, 0 if it went well.
        """
        number = self._connect(address)
        is_late = number == errno.ETIMEDOUT and self._is_connecting
        return errno.EWOULDBLOCK if is_late else number

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """
        Receive bytes.
        """
        self._wait(reads=True)
        return self.kernel_socket.recv(bufsize, flags)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """
        Receive bytes into a buffer.
        """
        self._wait(reads=True)
        return self.kernel_socket.recv_into(buffer, nbytes, flags)

    def send(self, data: Any, flags: int = 0) -> int:
        """
        Send bytes, as many as there is space for.
        """
        self._wait(reads=False)
        return self.kernel_socket.send(memoryview(data), flags)

    def sendall(self, data: Any, flags: int = 0) -> None:
        """
        Send bytes, all of them.
        """
        view = memoryview(data).cast("B")
        while len(view):
            view = view[self.send(view, flags) :]

    # What does not

    def bind(self, address: Any) -> None:
        """
        Bind it to a local address.
        """
        self.kernel_socket.bind(address)

    def listen(self, backlog: int = 128) -> None:
        """
        Take connections.
        """
        self.kernel_socket.listen(backlog)

    def shutdown(self, how: int) -> None:
        """
        End one direction, or both.
        """
        self.kernel_socket.shutdown(how)

    def close(self) -> None:
        """
        Close it, when no file made of it is open.
        """
        self._is_closed = True
        if not self._files:
            self.kernel_socket.close()

    def setsockopt(self, level: int, optname: int, value: Any) -> None:
        """
        Set an option.
        """
        self.kernel_socket.setsockopt(level, optname, value)

    def getsockopt(self, level: int, optname: int, buflen: int = 0) -> Any:
        """
        Read an option.
        """
        return self.kernel_socket.getsockopt(level, optname, buflen)

    def getsockname(self) -> Any:
        """
        Tell the local address.
        """
        return self.kernel_socket.getsockname()

    def getpeername(self) -> Any:
        """
        Tell the peer's address.
        """
        return self.kernel_socket.getpeername()

    def fileno(self) -> int:
        """
        Tell its number.
        """
        return self.kernel_socket.fileno()

    def makefile(self, mode: str = "r", buffering: int | None = None, **options: Any) -> Any:
        """
        Make a file of it.
        """
        raw = _SocketFile(self, mode)
        self._files += 1
        if buffering == 0:
            return raw
        size = buffering if buffering and buffering > 0 else io.DEFAULT_BUFFER_SIZE
        buffer: Any
        if "r" in mode and "w" in mode:
            buffer = io.BufferedRWPair(raw, raw, size)
        elif "w" in mode:
            buffer = io.BufferedWriter(raw, size)
        else:
            buffer = io.BufferedReader(raw, size)
        return buffer if "b" in mode else io.TextIOWrapper(buffer, **options)

    def file_closed(self) -> None:
        """
        A file made of it is closed.
        """
        self._files -= 1
        if self._is_closed and not self._files:
            self.kernel_socket.close()

    @property
    def _is_connecting(self) -> bool:
        return self.kernel_socket.phase.value == "connecting"

    def _connect(self, address: Any) -> int:
        number = self.kernel_socket.connect_ex(address)
        if number != errno.EINPROGRESS or self._timeout == 0.0:
            return number
        if not self._wait_for(lambda: not self._is_connecting):
            return errno.ETIMEDOUT
        return int(self.kernel_socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def _wait(self, *, reads: bool) -> None:
        one = self.kernel_socket
        if reads:
            is_in_time = self._wait_for(lambda: one.is_readable or one.cannot_wait)
        else:
            is_in_time = self._wait_for(lambda: one.is_writable or one.cannot_wait)
        if not is_in_time:
            if self._timeout == 0.0:
                sleep(self.process, POLL_NS)
                raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK))
            raise TimeoutError("timed out")

    def _wait_for(self, is_ready: Any) -> bool:
        if self._timeout == 0.0:
            return bool(is_ready())
        now = self.process.kernel.clock.now
        deadline = None if self._timeout is None else now + nanoseconds(self._timeout)
        return wait_until(self.process, is_ready, [self.kernel_socket], deadline)


class _SocketFile(io.RawIOBase):
    """
    A socket as an unbuffered file.
    """

    def __init__(self, owner: BlockingSocket, mode: str) -> None:
        super().__init__()
        self._owner = owner
        self._mode = mode

    def readable(self) -> bool:
        """
        Whether it was opened for reading.
        """
        return "r" in self._mode or "w" not in self._mode

    def writable(self) -> bool:
        """
        Whether it was opened for writing.
        """
        return "w" in self._mode

    def readinto(self, buffer: Any) -> int:
        """
        Receive.
        """
        return self._owner.recv_into(buffer)

    def write(self, data: Any) -> int:
        """
        Send.
        """
        return self._owner.send(data)

    def fileno(self) -> int:
        """
        The socket's number.
        """
        return self._owner.fileno()

    def close(self) -> None:
        """
        Let go of the socket.
        """
        if not self.closed:
            super().close()
            self._owner.file_closed()


def socket_class(process: Process) -> type[BlockingSocket]:
    """
    Make the class that a program takes for C{socket.socket}.
    """

    class _Socket(BlockingSocket):
        pass

    _Socket.__name__ = _Socket.__qualname__ = "socket"
    _Socket.process = process
    return _Socket
