"""
Two simulated hosts on a cable, and what runs on them, for tests.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from types import ModuleType
from typing import Any

from netlab.simulation.kernelsocket import KernelSocket
from netlab.simulation.modules import modules_for
from netlab.simulation.network import SimulatedNetwork, join
from netlab.simulation.process import Process
from netlab.simulation.standardinput import StandardInput

CLIENT, SERVER = "10.0.0.1", "10.0.0.2"
PORT = 12345


def two_hosts(delay: float = 0.001) -> SimulatedNetwork:
    """
    Make the hosts C{client} and C{server}.

    @param delay: of the cable, in seconds, each way.
    """
    network = SimulatedNetwork()
    one = network.host("client", CLIENT, "fd00::1")
    other = network.host("server", SERVER, "fd00::2")
    join(network.clock, one.interface, other.interface, delay)
    return network


class Program:
    """
    A function that waits, as a program of a host.

    @ivar process: it.
    @ivar output: what it has printed.
    @ivar standard_input: what it reads.
    """

    def __init__(
        self, network: SimulatedNetwork, host: str, function: Callable[[dict[str, Any]], object]
    ) -> None:
        """
        @param function: is called with the program's modules by name.
        """
        self.output = b""

        def write(_: int, data: bytes) -> None:
            self.output += data

        self.process = Process(network.hosts[host], function.__name__, write)
        self.standard_input = StandardInput(self.process)
        modules: dict[str, ModuleType] = modules_for(self.process, self.standard_input)
        self.process.run_function(lambda: function(modules))


def connected_pair(network: SimulatedNetwork) -> tuple[KernelSocket, KernelSocket]:
    """
    Connect the client to the server.

    @return: the sockets of both.
    """
    client, server = (Process(network.hosts[name], name) for name in ("client", "server"))
    listening = server.open_socket(socket.AF_INET)
    listening.bind(("", PORT))
    listening.listen(1)
    connecting = client.open_socket(socket.AF_INET)
    connecting.connect_ex((SERVER, PORT))
    network.run_for(0.1)
    accepted, _ = listening.accept()
    return connecting, accepted
