"""
The system calls about namespaces that Python 3.11 has no functions for.

Linux only. This module is imported by the small programs that become or enter a host, before they
exec anything else, so it imports next to nothing.
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

NEW_MOUNTS: Final = 0x00020000
NEW_USERS: Final = 0x10000000
NEW_PROCESSES: Final = 0x20000000
NEW_NETWORK: Final = 0x40000000

MOUNT_NO_SUID: Final = 0x2
MOUNT_NO_DEVICES: Final = 0x4
MOUNT_RECURSIVELY: Final = 0x4000
MOUNT_PRIVATE: Final = 0x40000

_MOUNT_BIND: Final = 0x1000
_PR_SET_PDEATHSIG: Final = 1

_libc: Final = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """
    Move this process into new namespaces; with L{NEW_PROCESSES}, its next children.

    @raise OSError: the kernel refuses.
    """
    _check(_libc.unshare(ctypes.c_int(flags)))


def enter(pid: int, flags: int) -> None:
    """
    Move this process into the namespaces of another one; with L{NEW_PROCESSES}, its next children.
    The current directory becomes the root of the mount namespace.

    @raise OSError: the kernel refuses, or there is no such process.
    """
    descriptor = os.pidfd_open(pid)
    try:
        _check(_libc.setns(ctypes.c_int(descriptor), ctypes.c_int(flags)))
    finally:
        os.close(descriptor)


def mount(kind: str | None, place: str, flags: int, options: str = "") -> None:
    """
    Mount a file system, or change how one is mounted.

    @param kind: the file system; None only changes the flags of what is mounted there.
    @raise OSError: the kernel refuses.
    """
    name = None if kind is None else kind.encode()
    _check(
        _libc.mount(
            name or b"none", os.fsencode(place), name, ctypes.c_ulong(flags), options.encode()
        )
    )


def bind(source: str, place: str) -> None:
    """
    Make a folder appear at a second place too.

    @raise OSError: the kernel refuses.
    """
    flags = ctypes.c_ulong(_MOUNT_BIND | MOUNT_RECURSIVELY)
    _check(_libc.mount(os.fsencode(source), os.fsencode(place), None, flags, None))


def die_with_parent(signal_number: int) -> None:
    """
    Have a signal sent to this process when the thread that started it ends, however it ends.

    @raise OSError: the kernel refuses.
    """
    _check(_libc.prctl(ctypes.c_int(_PR_SET_PDEATHSIG), ctypes.c_ulong(signal_number)))


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
