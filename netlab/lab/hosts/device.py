"""
A network device of a host: a TAP device, whose other end is a file descriptor, with its addresses.

Everything here works on the network namespace that the process is in. The ioctls are those of
netdevice(7), arp(7) and the kernel's tuntap documentation; they spare the laboratory the C{ip}
command.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from typing import Final

#: Bytes that a device's name may have (IFNAMSIZ, with the NUL).
_NAME_BYTES: Final = 16

_TUNSETIFF: Final = 0x400454CA
_IFF_TAP: Final = 0x0002
_IFF_NO_PI: Final = 0x1000

_SIOCSIFFLAGS: Final = 0x8914
_SIOCSIFADDR: Final = 0x8916
_SIOCSIFNETMASK: Final = 0x891C
_SIOCSIFHWADDR: Final = 0x8924
_SIOCSARP: Final = 0x8955
_IFF_UP: Final = 0x1
_ARPHRD_ETHER: Final = 1
_ATF_COMPLETE_PERMANENT: Final = 0x02 | 0x04


def open_tap(name: str) -> int:
    """
    Make a TAP device. It goes away when its descriptor is closed, in whatever way.

    @return: the descriptor: each read takes one Ethernet frame that the host sends, each write
        gives it one. It does not block.
    @raise OSError: no /dev/net/tun, or no right to make a device here.
    """
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    try:
        request = struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI)
        fcntl.ioctl(descriptor, _TUNSETIFF, request)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def set_hardware_address(name: str, address: bytes) -> None:
    """
    Set a device's Ethernet address, before it is brought up.
    """
    _device_ioctl(_SIOCSIFHWADDR, name, struct.pack("=H6s8x", _ARPHRD_ETHER, address))


def set_address(name: str, address: str, netmask: str) -> None:
    """
    Give a device an IPv4 address.
    """
    _device_ioctl(_SIOCSIFADDR, name, _socket_address(address))
    _device_ioctl(_SIOCSIFNETMASK, name, _socket_address(netmask))


def bring_up(name: str) -> None:
    """
    Start a device.
    """
    _device_ioctl(_SIOCSIFFLAGS, name, struct.pack("=H14x", _IFF_UP))


def add_neighbour(name: str, address: str, hardware_address: bytes) -> None:
    """
    Enter a neighbour's Ethernet address permanently, so that nobody has to ask for it.
    """
    request = (
        _socket_address(address)
        + struct.pack("=H6s8x", _ARPHRD_ETHER, hardware_address)
        + struct.pack("=i", _ATF_COMPLETE_PERMANENT)
        + _socket_address("0.0.0.0")
        + struct.pack("16s", name.encode())
    )
    _ioctl(_SIOCSARP, request)


def _socket_address(address: str) -> bytes:
    """
    Pack a C{sockaddr_in} without a port.
    """
    return struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))


def _device_ioctl(number: int, name: str, value: bytes) -> None:
    """
    Set one property of a device by an C{ifreq} of 16 bytes of name and 24 of value.
    """
    _ioctl(number, struct.pack("16s24s", name.encode(), value))


def _ioctl(number: int, request: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as anything:
        fcntl.ioctl(anything, number, request)
