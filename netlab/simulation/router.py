"""
A router: it hands datagrams on, each interface at its own rate and with its own queue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from netlab.capture.checksums import ones_complement_sum
from netlab.simulation.clock import VirtualClock
from netlab.simulation.frames import too_big_4, too_big_6
from netlab.simulation.interface import GIGABIT, QUEUE_MAX, NetworkInterface

_ETHERNET_BYTES: Final = 14
_IPV4: Final = b"\x08\x00"
_IPV6: Final = b"\x86\xdd"

MTU_ETHERNET: Final = 1500


@dataclass(frozen=True, slots=True)
class Route:
    """
    Where datagrams for some addresses go.

    @ivar prefix: the addresses begin with these bytes; an empty one is the default route.
    @ivar interface: the number of the router's interface.
    @ivar neighbour: the Ethernet address of who is next.
    """

    prefix: bytes
    interface: int
    neighbour: bytes


class IPRouter:
    """
    Hands datagrams on by their destination. Those that are larger than the MTU of their way it
    drops, and says so to their sender by ICMP, unless it is a black hole.

    @ivar interfaces: in the order in which they were added.
    @ivar dropped: how many datagrams it could not hand on, by why.
    @ivar seen: is called with the time, the number of an interface and each frame that is put into
        its queue, and how many wait before it; for observers.
    """

    def __init__(self, clock: VirtualClock, *, is_black_hole: bool = False) -> None:
        """
        @param is_black_hole: it says nothing of what it drops.
        """
        self.interfaces: list[NetworkInterface] = []
        self.dropped: dict[str, int] = {}
        self.seen: Callable[[int, int, bytes, int], None] | None = None
        self._clock = clock
        self._is_black_hole = is_black_hole
        self._routes: list[Route] = []
        self._mtus: list[int] = []
        self._addresses: list[bytes] = []

    def add_interface(
        self,
        hardware_address: bytes,
        address: bytes,
        *,
        mtu: int = MTU_ETHERNET,
        rate: int = GIGABIT,
        queue: int = QUEUE_MAX,
    ) -> NetworkInterface:
        """
        Give it one more interface.

        @param address: its IP address there, 4 or 16 bytes: ICMP errors come from it.
        @param mtu: bytes of the largest datagram that leaves by it.
        @param rate: bits per second.
        @param queue: frames that may wait.
        """
        number = len(self.interfaces)
        interface = NetworkInterface(
            self._clock,
            hardware_address,
            lambda frame: self._arrives(number, frame),
            rate=rate,
            queue=queue,
        )
        self.interfaces.append(interface)
        self._mtus.append(mtu)
        self._addresses.append(address)
        return interface

    def add_route(self, route: Route) -> None:
        """
        Tell it where some addresses are. The longest prefix that fits an address counts.
        """
        self._routes.append(route)
        self._routes.sort(key=lambda one: -len(one.prefix))

    def _arrives(self, number: int, frame: bytes) -> None:
        interface = self.interfaces[number]
        if frame[:6] != interface.address:
            return
        kind = frame[12:14]
        if kind == _IPV4 and len(frame) >= _ETHERNET_BYTES + 20:
            self._forward_4(number, frame)
        elif kind == _IPV6 and len(frame) >= _ETHERNET_BYTES + 40:
            self._forward_6(number, frame)
        else:
            self._drop("no IP")

    def _forward_4(self, number: int, frame: bytes) -> None:
        header = bytearray(frame[_ETHERNET_BYTES : _ETHERNET_BYTES + 20])
        if header[8] <= 1:
            self._drop("time to live")
            return
        size = int.from_bytes(header[2:4])
        route = self._route(bytes(header[16:20]))
        if route is None:
            self._drop("no route")
        elif size > self._mtus[route.interface]:
            self._drop("too big")
            mtu = self._mtus[route.interface]
            self._tell(number, frame, too_big_4, mtu)
        else:
            header[8] -= 1
            header[10:12] = b"\0\0"
            header[10:12] = (65535 - ones_complement_sum(bytes(header))).to_bytes(2)
            rest = frame[_ETHERNET_BYTES + 20 :]
            self._put(route, b"".join((_IPV4, header, rest)))

    def _forward_6(self, number: int, frame: bytes) -> None:
        header = bytearray(frame[_ETHERNET_BYTES : _ETHERNET_BYTES + 40])
        if header[7] <= 1:
            self._drop("time to live")
            return
        size = 40 + int.from_bytes(header[4:6])
        route = self._route(bytes(header[24:40]))
        if route is None:
            self._drop("no route")
        elif size > self._mtus[route.interface]:
            self._drop("too big")
            self._tell(number, frame, too_big_6, self._mtus[route.interface])
        else:
            header[7] -= 1
            self._put(route, b"".join((_IPV6, header, frame[_ETHERNET_BYTES + 40 :])))

    def _route(self, destination: bytes) -> Route | None:
        return next((one for one in self._routes if destination.startswith(one.prefix)), None)

    def _put(self, route: Route, packet: bytes) -> None:
        interface = self.interfaces[route.interface]
        frame = b"".join((route.neighbour, interface.address, packet))
        if self.seen is not None:
            self.seen(self._clock.now, route.interface, frame, interface.queued)
        if not interface.send(frame):
            self._drop("queue full")

    def _tell(
        self, number: int, frame: bytes, write: Callable[[bytes, bytes, int], bytes], mtu: int
    ) -> None:
        """
        Say to a datagram's sender that it is too big (RFC 1191 section 4, RFC 8201).
        """
        if self._is_black_hole:
            return
        error = write(self._addresses[number], frame[_ETHERNET_BYTES:], mtu)
        # Back to where it came from.
        interface = self.interfaces[number]
        interface.send(frame[6:12] + interface.address + error)

    def _drop(self, why: str) -> None:
        self.dropped[why] = self.dropped.get(why, 0) + 1
