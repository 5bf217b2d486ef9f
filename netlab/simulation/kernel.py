"""
A host's kernel: its TCP, its interface, and what its programs have open.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final

from netlab.capture.decode import Decoder
from netlab.capture.icmp import IcmpError
from netlab.capture.records import Interface, LinkType, Record
from netlab.capture.segments import Segment
from netlab.simulation.clock import VirtualCall, VirtualClock
from netlab.simulation.frames import arrived, frame_of, read_usual
from netlab.simulation.interface import NetworkInterface
from netlab.tcp.connection import TCPConnection
from netlab.tcp.icmp import ICMPMessage
from netlab.tcp.listener import TCPListener
from netlab.tcp.segment import Outgoing, TCPSegment
from netlab.tcp.stack import ANY, AddressInUseError, Stack

_DESCRIPTORS_FROM: Final = 1 << 20
"""No file of this process has such a number, so that nothing can be done to one by mistake."""

#: Version of IP, type and code of what means that a port or its protocol is not there (RFC 792,
#: RFC 4443 section 3.1).
_NO_PORT: Final = frozenset({(4, 3, 2), (4, 3, 3), (6, 1, 4)})

#: What other types mean, by version of IP.
_MESSAGES: Final = {
    (4, 3): ICMPMessage.UNREACHABLE,
    (4, 11): ICMPMessage.TIME_EXCEEDED,
    (6, 1): ICMPMessage.UNREACHABLE,
    (6, 3): ICMPMessage.TIME_EXCEEDED,
}

_LOOPBACK_NS: Final = 5_000
"""From a host to itself."""

Place = tuple[bytes, int]
"""An address of 4 or 16 bytes, or none for any, and a port."""

_Key = tuple[bytes, int, bytes, int]


class Kernel:
    """
    What the programs of one host share.

    @ivar clock: the simulation's.
    @ivar stack: its TCP.
    @ivar name: the host's.
    @ivar interface: its network interface.
    @ivar addresses: its own, loopback included: each 4 or 16 bytes.
    @ivar descriptors: what is open, by number.
    @ivar sent: is called with the time, each segment that TCP sends and its frame; for an observer.
    """

    def __init__(
        self,
        clock: VirtualClock,
        stack: Stack,
        name: str,
        hardware_address: bytes,
        addresses: tuple[bytes, ...],
        names: Mapping[str, tuple[str, ...]],
        neighbours: Mapping[bytes, bytes],
        first_identification: int = 0,
    ) -> None:
        """
        @param stack: has all of the addresses.
        @param names: addresses by the name of a host.
        @param neighbours: Ethernet addresses by IP address; C{b""} stands for all others.
        @param first_identification: of IPv4 datagrams, 16 bits.
        """
        self.clock = clock
        self.stack = stack
        self.name = name
        self.addresses = addresses
        self.interface = NetworkInterface(clock, hardware_address, self._frame_arrives)
        self.descriptors: dict[int, Any] = {}
        self.sent: Callable[[int, Outgoing, bytes], None] | None = None
        self._names = names
        self._headers = {
            address: neighbour + hardware_address for address, neighbour in neighbours.items()
        }
        self._identification = first_identification
        self._next_descriptor = _DESCRIPTORS_FROM
        self._owners: dict[_Key, tuple[TCPConnection, Callable[[], None]]] = {}
        self._listeners: dict[TCPListener, Callable[[], None]] = {}
        self._bound: dict[Place, int] = {}
        self._decoder = Decoder()
        self._link = Interface(LinkType.ETHERNET, "simulated")
        self._frames = 0
        self._timer: VirtualCall | None = None
        self._is_off = False

    # For sockets

    def add_descriptor(self, what: object) -> int:
        """
        Give what is opened a number.
        """
        self._next_descriptor += 1
        self.descriptors[self._next_descriptor] = what
        return self._next_descriptor

    def remove_descriptor(self, number: int) -> None:
        """
        It is closed.
        """
        self.descriptors.pop(number, None)

    def look_up(self, name: str, family: int) -> str:
        """
        Find the address of a host, or check one that is numeric.

        @raise socket.gaierror: there is no such host, or it has no address of the family.
        """
        try:
            socket.inet_pton(family, name)
        except (OSError, ValueError):
            pass
        else:
            return name
        for address in self._names.get(name, ()):
            if (":" in address) == (family == socket.AF_INET6):
                return address
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    def take_place(self, local: Place, *, reuses: bool) -> None:
        """
        Bind a socket to an address and a port.

        @param reuses: share the port with others that say so, as long as none listens (Linux's
            SO_REUSEADDR).
        @raise OSError: the port is taken.
        """
        for listener in self._listeners:
            if listener.local[1] == local[1] and _overlap(listener.local[0], local[0]):
                raise _error(errno.EADDRINUSE)
        if not reuses and any(
            port == local[1] and _overlap(address, local[0]) for address, port in self._bound
        ):
            raise _error(errno.EADDRINUSE)
        self._bound[local] = self._bound.get(local, 0) + 1

    def leave_place(self, local: Place) -> None:
        """
        A socket that was bound is closed.
        """
        left = self._bound.get(local, 0) - 1
        if left > 0:
            self._bound[local] = left
        else:
            self._bound.pop(local, None)

    def listen(self, local: Place, backlog: int, changed: Callable[[], None]) -> TCPListener:
        """
        Take connections.

        @param local: port 0 for any.
        @param changed: is called when one waits.
        @raise OSError: somebody else does.
        """
        try:
            listener = self.stack.listen(self.clock.now, local, backlog)
        except AddressInUseError as problem:
            raise _error(errno.EADDRINUSE) from problem
        self._listeners[listener] = changed
        return listener

    def stop_listening(self, listener: TCPListener) -> None:
        """
        Take no more connections; those that wait are reset.
        """
        del self._listeners[listener]
        listener.close(self.clock.now)

    def prepare(self, remote: Place, local: Place | None) -> TCPConnection:
        """
        Make a connection that is not yet opened.

        @param local: where from; None, no address or port 0 for any.
        @raise OSError: it cannot be opened from there.
        """
        address, port = (ANY, 0) if local is None else local
        if address == ANY and remote[0] in self.addresses:
            address = remote[0]
        try:
            return self.stack.prepare(self.clock.now, remote, (address, port))
        except AddressInUseError as problem:
            raise _error(errno.EADDRNOTAVAIL) from problem
        except StopIteration as problem:
            raise _error(errno.ENETUNREACH) from problem

    def own(self, connection: TCPConnection, changed: Callable[[], None]) -> None:
        """
        Tell when something has happened to a connection.
        """
        self._owners[*connection.local, *connection.remote] = connection, changed

    def disown(self, connection: TCPConnection) -> None:
        """
        Tell nothing more.
        """
        key = (*connection.local, *connection.remote)
        owned = self._owners.get(key)
        if owned is not None and owned[0] is connection:
            del self._owners[key]

    # What happens

    def power_off(self) -> None:
        """
        Send nothing, receive nothing and do nothing from now on.
        """
        self._is_off = True
        self.interface.attach(None)
        self._owners.clear()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def drain(self) -> None:
        """
        Send what TCP wants to send, and set its timer. To be called after each call of it.
        """
        if self._is_off:
            return
        for one in self.stack.packets_to_send(self.clock.now):
            self._send(one)
        self._set_timer()

    def _set_timer(self) -> None:
        deadline = self.stack.deadline
        if deadline is None:
            return
        timer = self._timer
        if timer is not None and timer.active():
            if timer.due <= deadline:
                # Early: it looks then, and is set again.
                return
            timer.cancel()
        self._timer = self.clock.call_at(deadline, self._time_out)

    def _time_out(self) -> None:
        deadline = self.stack.deadline
        if deadline is not None and deadline <= self.clock.now:
            self.stack.timeout(self.clock.now)
            self.drain()
            for connection, changed in list(self._owners.values()):
                if connection.events:
                    changed()
        self._set_timer()

    def _send(self, outgoing: Outgoing) -> None:
        destination = outgoing.destination
        if destination in self.addresses:
            due = self.clock.now + _LOOPBACK_NS
            self.clock.call_at(due, self._packet_arrives, outgoing)
            return
        header = self._headers.get(destination) or self._headers.get(b"")
        if header is None:
            return
        self._identification = self._identification + 1 & 0xFFFF
        frame = frame_of(outgoing, header, self._identification)
        if self.sent is not None:
            self.sent(self.clock.now, outgoing, frame)
        self.interface.send(frame)

    def _packet_arrives(self, outgoing: Outgoing) -> None:
        if not self._is_off:
            source, destination, segment = outgoing[:3]
            self._segment_arrives(source, destination, segment, outgoing.ecn)

    def _frame_arrives(self, frame: bytes) -> None:
        if frame[:6] != self.interface.address:
            return
        usual = read_usual(frame)
        if usual is not None:
            if usual.destination in self.addresses:
                self._segment_arrives(*usual)
            return
        self._frames += 1
        record = Record(self._frames, self.clock.now, frame, len(frame), self._link)
        decoded = self._decoder.decode(record)
        error = self._decoder.icmp
        if error is not None and error.number == self._frames:
            self._error_arrives(error)
        if not isinstance(decoded, Segment):
            return
        found = arrived(decoded)
        if found is not None and found.destination in self.addresses:
            self._segment_arrives(*found)

    def _error_arrives(self, error: IcmpError) -> None:
        """
        Take an ICMP error about a segment of ours.
        """
        message = _message_of(error)
        if message is None or error.seq < 0:
            return
        key = error.key
        half = len(key) // 2 - 2
        source, destination = key[:half], key[half : 2 * half]
        ports = int.from_bytes(key[-4:-2]), int.from_bytes(key[-2:])
        self.stack.icmp_arrives(
            self.clock.now,
            message,
            source,
            ports[0],
            destination,
            ports[1],
            error.seq,
            error.mtu,
        )
        self.drain()
        owned = self._owners.get((source, ports[0], destination, ports[1]))
        if owned is not None and owned[0].events:
            owned[1]()

    def _segment_arrives(
        self, source: bytes, destination: bytes, segment: TCPSegment, ecn: int
    ) -> None:
        self.stack.packet_arrives(self.clock.now, source, destination, segment, ecn)
        self.drain()
        owned = self._owners.get(
            (destination, segment.destination_port, source, segment.source_port)
        )
        if owned is not None:
            if owned[0].events:
                owned[1]()
            return
        for listener, changed in list(self._listeners.items()):
            if listener.waiting:
                changed()


def _message_of(error: IcmpError) -> ICMPMessage | None:
    """
    Say what an ICMP error means to TCP (RFC 1122 section 4.2.3.9); None if nothing.
    """
    if error.is_too_big:
        return ICMPMessage.TOO_BIG
    if (error.version, error.kind, error.code) in _NO_PORT:
        return ICMPMessage.PORT_UNREACHABLE
    return _MESSAGES.get((error.version, error.kind))


def _overlap(one: bytes, other: bytes) -> bool:
    return not one or not other or one == other


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
