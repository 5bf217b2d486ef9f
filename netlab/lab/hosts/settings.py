"""
What the two hosts are, however they are made.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

#: The descriptor on which the laboratory passes a socket to a host's first process.
SOCKET_DESCRIPTOR: Final = 3


class Isolation(enum.StrEnum):
    """
    How hosts are kept apart from this machine.
    """

    ROOT = "root"
    """Namespaces made directly, with root's rights."""

    USER = "user"
    """Namespaces inside a user namespace, without privilege."""

    SIMULATED = "simulated"
    """Hosts of our own, with our own TCP, in virtual time."""

    NONE = "none"
    """No hosts at all: programs run on this machine's loopback."""


@dataclass(frozen=True, slots=True)
class HostSettings:
    """
    What a host is.

    @ivar name: "client" or "server".
    @ivar address: its IPv4 address; all hosts share a network of 24 bits.
    @ivar hardware_address: the 6 bytes of its Ethernet address.
    @ivar sysctls: an experiment's own system settings, by name.
    """

    name: str
    address: str
    hardware_address: bytes
    sysctls: Mapping[str, str] = field(default_factory=dict)


CLIENT: Final = HostSettings("client", "10.0.0.1", bytes.fromhex("020000000001"))
SERVER: Final = HostSettings("server", "10.0.0.2", bytes.fromhex("020000000002"))
