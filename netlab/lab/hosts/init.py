"""
The first process of a host: it makes the host, hands its device to the laboratory, and stays.

It runs as a program of its own (L{netlab.lab.hosts.hosts} starts it), makes new namespaces, and
forks the
process that is number 1 in them. When that process ends, the kernel kills all others of the host
and takes the network down with its devices. It ends when the laboratory closes its socket, and by
a signal of the kernel's when the laboratory itself is killed: so nothing outlives the laboratory.

Standard library only, and no site-packages: a host starts in some 20 ms.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from typing import Any

from netlab.lab.hosts import device, kernel
from netlab.lab.hosts.settings import SOCKET_DESCRIPTOR

#: The name that every host's device has.
DEVICE = "wire0"


class StepError(Exception):
    """
    A step of making a host has failed.

    @ivar step: what was being done.
    @ivar reason: what the system said.
    """

    def __init__(self, step: str, reason: OSError) -> None:
        super().__init__(step)
        self.step = step
        self.reason = reason


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """
    Name what is being done, should it fail.
    """
    try:
        yield
    except OSError as error:
        raise StepError(what, error) from error


def make_namespaces(*, with_users: bool) -> None:
    """
    Make the namespaces of a host: network, mounts and processes (of the next child).

    @param with_users: whether to make a user namespace too, in which this user is root. It gives
        the right to make the others.
    """
    uid, gid = os.geteuid(), os.getegid()
    if with_users:
        with step("make a user namespace"):
            kernel.unshare(kernel.NEW_USERS)
            for name, text in (
                ("setgroups", "deny"),
                ("uid_map", f"0 {uid} 1"),
                ("gid_map", f"0 {gid} 1"),
            ):
                _write(f"/proc/self/{name}", text)
    with step("make a network namespace"):
        kernel.unshare(kernel.NEW_NETWORK)
    with step("make a mount and a process namespace"):
        kernel.unshare(kernel.NEW_MOUNTS | kernel.NEW_PROCESSES)


def set_up(settings: dict[str, Any]) -> int:
    """
    Set the host's file systems, system settings, device and addresses.

    @param settings: what L{netlab.lab.hosts.hosts.HostSettings} says, as JSON has it.
    @return: the descriptor of the TAP device.
    """
    with step("mount the host's own /proc"):
        kernel.mount(None, "/", kernel.MOUNT_RECURSIVELY | kernel.MOUNT_PRIVATE)
        kernel.mount("proc", "/proc", kernel.MOUNT_NO_SUID | kernel.MOUNT_NO_DEVICES)
    with step("mount the host's scratch folder"):
        flags = kernel.MOUNT_NO_SUID | kernel.MOUNT_NO_DEVICES
        kernel.mount("tmpfs", settings["scratch"], flags, "size=512m,mode=700")
    with step("make a TAP device"):
        tap = device.open_tap(DEVICE)
    for name, value in settings["sysctls"]:
        with step(f"set {name} to {value}"):
            _write(f"/proc/sys/{name.replace('.', '/')}", value)
    with step("give the device its addresses"):
        device.set_hardware_address(DEVICE, bytes.fromhex(settings["hardware_address"]))
        device.set_address(DEVICE, settings["address"], settings["netmask"])
        device.bring_up("lo")
        device.bring_up(DEVICE)
        for address, hardware_address in settings["neighbours"]:
            device.add_neighbour(DEVICE, address, bytes.fromhex(hardware_address))
    return tap


def main(settings_text: str) -> None:
    """
    Be a host until the laboratory closes the socket.

    @param settings_text: JSON.
    """
    # Ctrl-C is for the laboratory, which then ends its hosts in order.
    os.setsid()
    kernel.die_with_parent(signal.SIGKILL)
    laboratory = socket.socket(fileno=SOCKET_DESCRIPTOR)
    settings = json.loads(settings_text)
    try:
        make_namespaces(with_users=settings["with_users"])
        child = os.fork()
        if child:
            _tell(laboratory, {"pid": child})
            laboratory.close()
            os.waitpid(child, 0)
            return
        kernel.die_with_parent(signal.SIGKILL)
        tap = set_up(settings)
    except StepError as error:
        reason = error.reason.strerror or str(error.reason)
        _tell(laboratory, {"step": error.step, "reason": reason})
        return
    # Those whose parents have gone are this process's to bury.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _tell(laboratory, {"ready": True}, tap)
    os.close(tap)
    # Nothing is ever sent: this waits for the end of the laboratory.
    laboratory.recv(1)


def _tell(laboratory: socket.socket, what: dict[str, Any], *descriptors: int) -> None:
    """
    Send the laboratory one line, with descriptors.
    """
    socket.send_fds(laboratory, [json.dumps(what).encode() + b"\n"], descriptors)


def _write(path: str, text: str) -> None:
    """
    Write to a file of the kernel's, in one call.
    """
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


if __name__ == "__main__":
    main(sys.argv[1])
