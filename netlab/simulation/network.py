"""
Hosts that are made, and joined, in a few words.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Mapping, Sequence
from typing import Final

from netlab.simulation.clock import VirtualClock, nanoseconds
from netlab.simulation.interface import NetworkInterface
from netlab.simulation.kernel import Kernel
from netlab.simulation.process import Process
from netlab.simulation.reactor import ProcessReactor
from netlab.tcp.settings import Settings
from netlab.tcp.stack import Stack

_LOOPBACK: Final = ("127.0.0.1", "::1")


def boot(
    clock: VirtualClock,
    name: str,
    addresses: Sequence[str],
    hardware_address: bytes,
    neighbours: Mapping[bytes, bytes],
    names: Mapping[str, tuple[str, ...]],
    settings: Settings,
    seed: str,
) -> Kernel:
    """
    Start a host.

    @param addresses: its own, beside those of loopback; the first one of a version of IP is where
        its connections come from.
    @param neighbours: as for L{Kernel}.
    @param names: as for L{Kernel}.
    @param seed: of all that it leaves to chance.
    """
    chance = random.Random(seed)  # noqa: S311, for a simulation, which is to be repeated
    packed = tuple(_packed(one) for one in (*addresses, *_LOOPBACK))
    stack = Stack(packed, settings, chance.randbytes(16), chance.random)
    return Kernel(
        clock,
        stack,
        name,
        hardware_address,
        packed,
        names,
        neighbours,
        chance.getrandbits(16),
    )


def join(
    clock: VirtualClock, one: NetworkInterface, other: NetworkInterface, delay: float = 0.0
) -> None:
    """
    Join two interfaces by a cable that loses nothing.

    @param delay: seconds, each way.
    """
    wait = nanoseconds(delay)

    def carry(frame: bytes, end: NetworkInterface) -> None:
        clock.post(clock.now + wait, end.frame_arrives, frame)

    one.attach(lambda frame: carry(frame, other))
    other.attach(lambda frame: carry(frame, one))


class SimulatedNetwork:
    """
    A network of hosts that all know each other by name.

    @ivar clock: everybody's.
    @ivar hosts: by name.
    """

    def __init__(self, seed: int = 1) -> None:
        """
        @param seed: of all chance.
        """
        self.clock = VirtualClock()
        self.hosts: dict[str, Kernel] = {}
        self._seed = seed
        self._names: dict[str, tuple[str, ...]] = {"localhost": _LOOPBACK}

    def host(
        self,
        name: str,
        *addresses: str,
        gateway: bytes | None = None,
        settings: Settings | None = None,
    ) -> Kernel:
        """
        Make a host.

        @param addresses: IPv4 or IPv6.
        @param gateway: the Ethernet address of who takes all that it sends; None for the one
            other host that it will be joined with.
        @param settings: of its TCP.
        """
        number = len(self.hosts) + 1
        hardware_address = bytes((2, 0, 0, 0, 0, number))
        self._names[name] = addresses
        # With two hosts on a cable, the other host is the peer.
        other = gateway or bytes((2, 0, 0, 0, 0, number + 1 if number % 2 else number - 1))
        self.hosts[name] = kernel = boot(
            self.clock,
            name,
            addresses,
            hardware_address,
            {b"": other},
            self._names,
            settings or Settings(),
            f"{self._seed} {name}",
        )
        return kernel

    def reactor(self, host: str, program: str = "program") -> ProcessReactor:
        """
        Start a program on a host.

        @return: its reactor, which runs.
        """
        reactor = ProcessReactor(Process(self.hosts[host], program))
        reactor.start()
        return reactor

    def run_for(self, seconds: float) -> None:
        """
        Let time pass.
        """
        self.clock.advance(nanoseconds(seconds))


def _packed(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
