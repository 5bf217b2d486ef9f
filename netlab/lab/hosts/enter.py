"""
Start a program inside a host: a program of its own, that L{netlab.lab.hosts.hosts} puts before
others.

It enters the host's namespaces and forks, since a process never changes its own process namespace;
the child becomes the program. This process stays outside, hands on the signals it gets, and ends as
the program ends, so that to its parent it is the program.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from netlab.lab.hosts import kernel

#: What the laboratory sends to programs.
FORWARDED: Final = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGCONT,
)

#: A program on a host waits for the wire, not the other way round: a late frame would look as if
#: the network had been slow.
NICENESS: Final = 5

#: What a shell reports for a program that is not there.
STATUS_NOT_FOUND: Final = 127


def main(pid: int, with_users: bool, command: Sequence[str]) -> NoReturn:
    """
    Be a program in a host.

    @param pid: the first process of the host; 0 stays where this process is.
    @param with_users: whether the host has a user namespace.
    @param command: the program and its arguments.
    """
    os.setsid()
    # The wire may run with more priority than its user's other programs, this one is not to.
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    kernel.die_with_parent(signal.SIGKILL)
    if pid:
        directory = os.getcwd()
        flags = kernel.NEW_MOUNTS | kernel.NEW_PROCESSES | kernel.NEW_NETWORK
        kernel.enter(pid, flags | (kernel.NEW_USERS if with_users else 0))
        os.chdir(directory)
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
    child = os.fork()
    if not child:
        kernel.die_with_parent(signal.SIGKILL)
        os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS, niceness))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
        try:
            os.execvp(command[0], list(command))  # noqa: S606, a shell has no place here
        except OSError as error:
            sys.stderr.write(f"{command[0]}: {error.strerror}\n")
            sys.stderr.flush()
            os._exit(STATUS_NOT_FOUND)
    for number in FORWARDED:
        signal.signal(number, lambda received, _: os.kill(child, received))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
    # The pipes are the program's now: their reader is to see their end with the program's.
    for descriptor in range(3):
        os.close(descriptor)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        deadly = os.WTERMSIG(status)
        if deadly in FORWARDED:
            signal.signal(deadly, signal.SIG_DFL)
        os.kill(os.getpid(), deadly)
    os._exit(os.WEXITSTATUS(status))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] == "users", sys.argv[3:])
