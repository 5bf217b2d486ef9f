"""
Names to addresses, as a simulated host's hosts file has them.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHostnameResolver, IHostResolution
from zope.interface import implementer


@implementer(IHostResolution)
class _Resolution:
    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """
        It is over already.
        """


@implementer(IHostnameResolver)
class HostsFile:
    """
    Resolves the names of the simulation's hosts, and numeric addresses.
    """

    def __init__(self, look_up: Callable[[str, int], str]) -> None:
        """
        @param look_up: finds the address of a name for a family; it raises C{OSError}.
        """
        self._look_up = look_up

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[Any] | None = None,
        transportSemantics: Any = "TCP",
    ) -> IHostResolution:
        """
        Tell a receiver the addresses of a name.
        """
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        for kind, family in ((IPv4Address, socket.AF_INET), (IPv6Address, socket.AF_INET6)):
            if addressTypes and kind not in addressTypes:
                continue
            try:
                address = self._look_up(hostName, family)
            except OSError:
                continue
            resolutionReceiver.addressResolved(kind(transportSemantics, address, portNumber))
        resolutionReceiver.resolutionComplete()
        return resolution
