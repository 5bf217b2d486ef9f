"""
The system calls of a script, made on our own TCP.

Those that may wait are generators: one yields while it waits, and what it returns is the call's
result. A call that the script does not expect to wait must return before its first yield.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Final, NamedTuple

from netlab.tcp.connection import TCPConnection
from netlab.tcp.script.host import ScriptHost
from netlab.tcp.script.language.errors import DifferenceError, NotSupportedError, ScriptSyntaxError
from netlab.tcp.script.language.symbols import NUMBERS, name_of, number
from netlab.tcp.script.language.syntax import Anything, Call, Structure, Symbol, Value
from netlab.tcp.script.mapping import ScriptFlow
from netlab.tcp.script.messages import check_control, iov_bytes
from netlab.tcp.script.network import ScriptNetwork
from netlab.tcp.script.polling import revents
from netlab.tcp.script.socketoptions import UNCHECKED_WHEN_READ, get_option, set_option
from netlab.tcp.script.sockets import ScriptSocket
from netlab.tcp.states import TCPState

#: The most that one call reads or writes: 16 MiB, four times what a send buffer holds.
TRANSFER_MAX_BYTES: Final = 1 << 24

#: How many descriptors a script may have.
DESCRIPTORS_MAX: Final = 1024

_MILLISECOND: Final = 1_000_000


class CallResult(NamedTuple):
    """
    What a system call returned.

    @ivar error: the name of the error if C{value} is -1.
    """

    value: int
    error: str = ""


Waiting = Generator[None, None, CallResult]

_OK: Final = CallResult(0)


def _failed(error: str) -> CallResult:
    return CallResult(-1, error)


class SystemCalls:
    """
    The program's side of a script: its descriptors, and the calls it makes with them.
    """

    def __init__(self, host: ScriptHost, network: ScriptNetwork) -> None:
        self._host = host
        self._network = network
        self._descriptors: dict[int, ScriptSocket] = {}
        host.on_change(self._take_events)

    def _take_events(self) -> None:
        for each in self._descriptors.values():
            each.take_events()

    def start(self, call: Call, line: int) -> CallResult | Waiting:
        """
        Begin a call.

        @param line: of the script where it stands.
        @return: the result, or, of a call that may wait, what is to be run until it gives one.
        @raise NotSupportedError: there is no such call here.
        """
        if call.name in _AT_ONCE:
            return _AT_ONCE[call.name](self, call.arguments, call.result, line)
        if call.name in _WAITING:
            return _WAITING[call.name](self, call.arguments, call.result, line)
        raise NotSupportedError(line, f"the system call {call.name}")

    def socket(self, value: Value, line: int) -> ScriptSocket:
        """
        Look a descriptor up.

        @raise ScriptSyntaxError: the script has no such descriptor.
        """
        descriptor = number(value, line)
        try:
            return self._descriptors[descriptor]
        except KeyError:
            raise ScriptSyntaxError(line, f"there is no descriptor {descriptor}") from None

    def connection_of(self, flow: ScriptFlow | None) -> TCPConnection | None:
        """
        Get the connection of a flow, if the program has it.
        """
        wanted = None if flow is None else (flow.local, flow.remote)
        for socket in self._descriptors.values():
            for connection in socket.connection, socket.former:
                if connection is not None and (connection.local, connection.remote) == wanted:
                    return connection
        return None

    def _keep(self, result: Value, socket: ScriptSocket, line: int) -> CallResult:
        # The descriptor is the one that the script names: its number is the kernel's business. What
        # accept gives may take the place of an older one, as in packetdrill.
        descriptor = number(result, line)
        if descriptor < 0:
            return CallResult(max(self._descriptors, default=2) + 1)
        if descriptor in self._descriptors and socket.connection is None:
            raise ScriptSyntaxError(line, f"descriptor {descriptor} is open already")
        if len(self._descriptors) >= DESCRIPTORS_MAX:
            raise ScriptSyntaxError(line, f"more than {DESCRIPTORS_MAX} descriptors")
        self._descriptors[descriptor] = socket
        return CallResult(descriptor)

    # Opening.

    def _socket(self, arguments: tuple[Value, ...], result: Value, line: int) -> CallResult:
        _, kind, protocol = _exactly(arguments, 3, line)
        wanted = number(kind, line)
        if wanted & 0xF != NUMBERS["SOCK_STREAM"]:
            raise NotSupportedError(line, "sockets that are no streams")
        if number(protocol, line) not in {0, NUMBERS["IPPROTO_TCP"]}:
            raise NotSupportedError(line, "protocols other than TCP")
        socket = ScriptSocket(is_nonblocking=bool(wanted & NUMBERS["SOCK_NONBLOCK"]))
        self._network.socket_made()
        return self._keep(result, socket, line)

    def _bind(self, arguments: tuple[Value, ...], _: Value, line: int) -> CallResult:
        socket = self.socket(_exactly(arguments, 3, line)[0], line)
        if socket.is_bound:
            return _failed("EINVAL")
        socket.is_bound = True
        return _OK

    def _listen(self, arguments: tuple[Value, ...], _: Value, line: int) -> CallResult:
        descriptor, backlog = _exactly(arguments, 2, line)
        socket = self.socket(descriptor, line)
        if socket.connection is not None:
            return _failed("EINVAL")
        self._network.listen(socket, max(0, number(backlog, line)))
        return _OK

    def _accept(self, arguments: tuple[Value, ...], result: Value, line: int) -> Waiting:
        listening = self.socket(arguments[0] if arguments else 0, line)
        if listening.listener is None:
            return _failed("EINVAL")
        while (connection := listening.listener.accept()) is None:
            if listening.is_nonblocking:
                return _failed("EAGAIN")
            yield
        flags = number(arguments[3], line) if len(arguments) > 3 else 0
        socket = ScriptSocket(
            is_bound=True,
            is_nonblocking=bool(flags & NUMBERS["SOCK_NONBLOCK"]),
            connection=connection,
            has_connected=True,
            options=dict(listening.options),
        )
        socket.take_events()
        return self._keep(result, socket, line)

    def _connect(self, arguments: tuple[Value, ...], _: Value, line: int) -> Waiting:
        descriptor, address, _length = _exactly(arguments, 3, line)
        socket = self.socket(descriptor, line)
        if isinstance(address, Symbol) and address.name == "AF_UNSPEC":
            if socket.connection is not None:
                socket.connection.abort(self._host.now)
                self._host.settle()
                socket.forget_connection()
            return _OK
        if socket.error:
            return _failed(socket.take_error())
        if socket.connection is None:
            if not socket.options.get("TCP_FASTOPEN_CONNECT"):
                self._network.connect(socket)
            elif self._network.knows_cookie():
                # The SYN waits for the data that it will carry.
                socket.connects_with_data = True
                return _OK
            else:
                self._network.connect(socket, b"")
        elif socket.connection.state in {TCPState.SYN_SENT, TCPState.SYN_RECEIVED}:
            return _failed("EALREADY")
        elif socket.is_open:
            return _failed("EISCONN") if socket.was_told_connected else self._told(socket)
        else:
            return _failed("ECONNABORTED")
        if socket.is_nonblocking:
            return _failed("EINPROGRESS")
        while not socket.has_connected and not socket.error and socket.is_open:
            yield
        return _failed(socket.take_error()) if socket.error else self._told(socket)

    def _told(self, socket: ScriptSocket) -> CallResult:
        socket.was_told_connected = True
        return _OK

    # Reading.

    def _read(self, arguments: tuple[Value, ...], _: Value, line: int) -> Waiting:
        descriptor, buffer, count = _exactly(arguments, 3, line)
        return (yield from self._receive(descriptor, buffer, number(count, line), 0, line))

    def _recv(self, arguments: tuple[Value, ...], _: Value, line: int) -> Waiting:
        if len(arguments) not in {4, 6}:
            raise ScriptSyntaxError(line, "recv has 4 arguments, recvfrom 6")
        descriptor, buffer, count, flags = arguments[:4]
        return (
            yield from self._receive(
                descriptor, buffer, number(count, line), number(flags, line), line
            )
        )

    def _readv(self, arguments: tuple[Value, ...], _: Value, line: int) -> Waiting:
        descriptor, pieces, _count = _exactly(arguments, 3, line)
        count = sum(iov_bytes(pieces, line))
        return (yield from self._receive(descriptor, Anything(), count, 0, line))

    def _recvmsg(self, arguments: tuple[Value, ...], _: Value, line: int) -> Waiting:
        descriptor, message, flags = _exactly(arguments, 3, line)
        if not isinstance(message, Structure):
            raise ScriptSyntaxError(line, "recvmsg takes a structure with msg_iov")
        wanted = number(flags, line)
        if wanted & NUMBERS["MSG_ERRQUEUE"]:
            raise NotSupportedError(line, "the error queue (MSG_ERRQUEUE)")
        count = sum(iov_bytes(message.field("msg_iov") or (), line))
        result = yield from self._receive(descriptor, Anything(), count, wanted, line)
        if result.value >= 0:
            check_control(message, self.socket(descriptor, line), line)
        return result

    def _receive(
        self, descriptor: Value, buffer: Value, count: int, flags: int, line: int
    ) -> Waiting:
        socket = self.socket(descriptor, line)
        if flags & (NUMBERS["MSG_OOB"] | NUMBERS["MSG_PEEK"]):
            raise NotSupportedError(line, "MSG_OOB and MSG_PEEK")
        if not 0 <= count <= TRANSFER_MAX_BYTES:
            raise ScriptSyntaxError(line, f"{count} bytes are more than {TRANSFER_MAX_BYTES}")
        if socket.connection is None:
            return _failed(socket.take_error() or "ENOTCONN")
        # Linux finds out that an address is none when it has something to put there.
        is_bad = not isinstance(buffer, Anything)
        got = 0
        while True:
            if is_bad and socket.connection.is_readable:
                return _failed("EFAULT")
            got += len(socket.connection.read(self._host.now, count - got))
            self._host.settle()
            if got == count or (got and not flags & NUMBERS["MSG_WAITALL"]):
                return CallResult(got)
            if socket.error:
                return CallResult(got) if got else _failed(socket.take_error())
            if socket.has_ended or socket.is_done_reading:
                return CallResult(got)
            if not socket.is_open:
                return _failed("ENOTCONN")
            if socket.is_nonblocking or flags & NUMBERS["MSG_DONTWAIT"]:
                return CallResult(got) if got else _failed("EAGAIN")
            yield

    # Writing.

    def _write(self, arguments: tuple[Value, ...], _: Value, line: int) -> Waiting:
        descriptor, buffer, count = _exactly(arguments, 3, line)
        return (yield from self._send_bytes(descriptor, buffer, number(count, line), 0, line))

    def _send(self, arguments: tuple[Value, ...], _: Value, line: int) -> Waiting:
        if len(arguments) not in {4, 6}:
            raise ScriptSyntaxError(line, "send has 4 arguments, sendto 6")
        descriptor, buffer, count, flags = arguments[:4]
        return (
            yield from self._send_bytes(
                descriptor, buffer, number(count, line), number(flags, line), line
            )
        )

    def _writev(self, arguments: tuple[Value, ...], _: Value, line: int) -> Waiting:
        descriptor, pieces, _count = _exactly(arguments, 3, line)
        count = sum(iov_bytes(pieces, line))
        return (yield from self._send_bytes(descriptor, Anything(), count, 0, line))

    def _sendmsg(self, arguments: tuple[Value, ...], _: Value, line: int) -> Waiting:
        descriptor, message, flags = _exactly(arguments, 3, line)
        if not isinstance(message, Structure):
            raise ScriptSyntaxError(line, "sendmsg takes a structure with msg_iov")
        count = sum(iov_bytes(message.field("msg_iov") or (), line))
        return (
            yield from self._send_bytes(descriptor, Anything(), count, number(flags, line), line)
        )

    def _send_bytes(
        self, descriptor: Value, buffer: Value, count: int, flags: int, line: int
    ) -> Waiting:
        socket = self.socket(descriptor, line)
        if flags & NUMBERS["MSG_OOB"]:
            raise NotSupportedError(line, "MSG_OOB")
        if not 0 <= count <= TRANSFER_MAX_BYTES:
            raise ScriptSyntaxError(line, f"{count} bytes are more than {TRANSFER_MAX_BYTES}")
        if count and not isinstance(buffer, Anything):
            return _failed("EFAULT")
        more = bool(flags & NUMBERS["MSG_MORE"])
        waits = not (socket.is_nonblocking or flags & NUMBERS["MSG_DONTWAIT"])
        sent = 0
        is_fast = bool(flags & NUMBERS["MSG_FASTOPEN"]) or socket.connects_with_data
        if is_fast and socket.connection is None:
            sent = self._network.connect(socket, bytes(count))
            if sent == 0 and not waits:
                return _failed("EINPROGRESS")
        if socket.connection is None:
            return _failed(socket.take_error() or "EPIPE")
        while True:
            if socket.error or socket.is_done_writing or not socket.is_open:
                return CallResult(sent) if sent else _failed(socket.take_error() or "EPIPE")
            if socket.has_connected:
                sent += socket.connection.write(
                    self._host.now,
                    bytes(count - sent),
                    more=more,
                    ends_record=bool(flags & NUMBERS["MSG_EOR"]),
                )
                self._host.settle()
            if sent == count:
                return CallResult(sent)
            if not waits:
                return CallResult(sent) if sent else _failed("EAGAIN")
            yield

    # Closing.

    def _close(self, arguments: tuple[Value, ...], _: Value, line: int) -> CallResult:
        (descriptor,) = _exactly(arguments, 1, line)
        socket = self.socket(descriptor, line)
        del self._descriptors[number(descriptor, line)]
        if socket.listener is not None:
            socket.listener.close(self._host.now)
        if socket.connection is not None:
            if socket.options.get("SO_LINGER") == 0:
                socket.connection.abort(self._host.now)
            else:
                socket.connection.close(self._host.now)
        self._host.settle()
        return _OK

    def _shutdown(self, arguments: tuple[Value, ...], _: Value, line: int) -> CallResult:
        descriptor, how = _exactly(arguments, 2, line)
        socket = self.socket(descriptor, line)
        direction = number(how, line)
        if direction not in {0, 1, 2}:
            return _failed("EINVAL")
        if socket.listener is not None and direction != NUMBERS["SHUT_WR"]:
            socket.listener.close(self._host.now)
            self._host.settle()
            return _OK
        if socket.connection is None or not socket.is_open:
            return _failed("ENOTCONN")
        if direction != NUMBERS["SHUT_WR"]:
            socket.is_done_reading = True
        if direction != NUMBERS["SHUT_RD"]:
            socket.is_done_writing = True
            socket.connection.shutdown(self._host.now)
        self._host.settle()
        return _OK

    # Asking and setting.

    def _fcntl(self, arguments: tuple[Value, ...], _: Value, line: int) -> CallResult:
        if len(arguments) not in {2, 3}:
            raise ScriptSyntaxError(line, "fcntl has 2 or 3 arguments")
        socket = self.socket(arguments[0], line)
        command = name_of(arguments[1], line)
        if command == "F_GETFL":
            return CallResult(
                NUMBERS["O_RDWR"] | (NUMBERS["O_NONBLOCK"] if socket.is_nonblocking else 0)
            )
        if command != "F_SETFL" or len(arguments) != 3:
            raise NotSupportedError(line, f"fcntl {command}")
        socket.is_nonblocking = bool(number(arguments[2], line) & NUMBERS["O_NONBLOCK"])
        return _OK

    def _ioctl(self, arguments: tuple[Value, ...], _: Value, line: int) -> CallResult:
        descriptor, command, expected = _exactly(arguments, 3, line)
        socket = self.socket(descriptor, line)
        name = name_of(command, line)
        if socket.connection is None:
            return _failed("EINVAL")
        connection = socket.connection
        if name in {"SIOCINQ", "FIONREAD"}:
            seen = connection.received.unread
        elif name == "SIOCOUTQ":
            seen = connection.queue.end - connection.snd_una
        elif name == "SIOCOUTQNSD":
            seen = max(connection.queue.end - connection.snd_nxt, 0)
        else:
            raise NotSupportedError(line, f"ioctl {name}")
        _check_list(expected, seen, f"ioctl {name}", line)
        return _OK

    def _setsockopt(self, arguments: tuple[Value, ...], _: Value, line: int) -> CallResult:
        descriptor, _level, option, value, _size = _exactly(arguments, 5, line)
        socket = self.socket(descriptor, line)
        set_option(socket, name_of(option, line), value, self._host.now, line)
        self._host.settle()
        return _OK

    def _getsockopt(self, arguments: tuple[Value, ...], _: Value, line: int) -> CallResult:
        descriptor, _level, option, expected, _size = _exactly(arguments, 5, line)
        name = name_of(option, line)
        socket = self.socket(descriptor, line)
        if name in UNCHECKED_WHEN_READ:
            return _OK
        _check_list(expected, get_option(socket, name, line), name, line)
        return _OK

    def _poll(self, arguments: tuple[Value, ...], _: Value, line: int) -> Waiting:
        entries, _count, timeout = _exactly(arguments, 3, line)
        milliseconds = number(timeout, line)
        ends = self._host.now + milliseconds * _MILLISECOND
        if milliseconds > 0:
            self._host.wake_at(ends)
        if not isinstance(entries, tuple):
            raise ScriptSyntaxError(line, "poll takes a list of structures")
        while True:
            seen = []
            for entry in entries:
                if not isinstance(entry, Structure):
                    raise ScriptSyntaxError(line, "poll takes a list of structures")
                asked = number(entry.field("events") or 0, line)
                socket = self.socket(entry.field("fd") or 0, line)
                seen.append(revents(socket) & (asked | _ALWAYS_POLLED))
            if any(seen) or milliseconds == 0 or 0 < ends <= self._host.now:
                break
            yield
        for entry, got in zip(entries, seen, strict=True):
            assert isinstance(entry, Structure)
            wanted = number(entry.field("revents") or 0, line)
            if wanted != got:
                raise DifferenceError(line, f"expected poll's revents {wanted:#x}, got {got:#x}")
        return CallResult(sum(1 for got in seen if got))


_ALWAYS_POLLED: Final = NUMBERS["POLLERR"] | NUMBERS["POLLHUP"]


def _exactly(arguments: tuple[Value, ...], count: int, line: int) -> tuple[Value, ...]:
    if len(arguments) != count:
        raise ScriptSyntaxError(line, f"{count} arguments are wanted, not {len(arguments)}")
    return arguments


def _check_list(expected: Value, seen: int, what: str, line: int) -> None:
    if isinstance(expected, tuple) and len(expected) == 1:
        expected = expected[0]
    if not isinstance(expected, Anything) and number(expected, line) != seen:
        raise DifferenceError(line, f"expected {what} to give {expected}, got {seen}")


_AT_ONCE: Final[dict[str, Callable[[SystemCalls, tuple[Value, ...], Value, int], CallResult]]] = {
    "bind": SystemCalls._bind,
    "close": SystemCalls._close,
    "fcntl": SystemCalls._fcntl,
    "getsockopt": SystemCalls._getsockopt,
    "ioctl": SystemCalls._ioctl,
    "listen": SystemCalls._listen,
    "setsockopt": SystemCalls._setsockopt,
    "shutdown": SystemCalls._shutdown,
    "socket": SystemCalls._socket,
}

_WAITING: Final[dict[str, Callable[[SystemCalls, tuple[Value, ...], Value, int], Waiting]]] = {
    "accept": SystemCalls._accept,
    "accept4": SystemCalls._accept,
    "connect": SystemCalls._connect,
    "poll": SystemCalls._poll,
    "read": SystemCalls._read,
    "readv": SystemCalls._readv,
    "recv": SystemCalls._recv,
    "recvfrom": SystemCalls._recv,
    "recvmsg": SystemCalls._recvmsg,
    "send": SystemCalls._send,
    "sendmsg": SystemCalls._sendmsg,
    "sendto": SystemCalls._send,
    "write": SystemCalls._write,
    "writev": SystemCalls._writev,
}
