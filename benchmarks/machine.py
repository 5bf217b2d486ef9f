"""
The machine: its cores, what a process has used of it, and what it is.
"""

from __future__ import annotations

import os
import platform
import re
import resource
from pathlib import Path
from typing import Final

_CORES: Final = sorted(os.sched_getaffinity(0))

SERVER_CORE: Final = _CORES[0]
"""Where the server under test runs, alone as far as we decide."""

CLIENT_CORE: Final = _CORES[-1]
"""Where the load comes from; the same core where there is but one."""

HAS_TWO_CORES: Final = len(_CORES) > 1


def family(pid: int) -> list[int]:
    """
    Return a process and all that descend from it.
    """
    found = [pid]
    for known in found:
        for tasks in Path(f"/proc/{known}/task").glob("*/children"):
            found += [int(child) for child in tasks.read_text().split()]
    return found


def cpu_ns(pid: int) -> int:
    """
    Return the CPU time, user and system, of a process and its descendants, in nanoseconds, from
    the scheduler's own account of each thread.
    """
    total = 0
    for member in family(pid):
        for account in Path(f"/proc/{member}/task").glob("*/schedstat"):
            total += int(account.read_text().split()[0])
    return total


def resident_bytes(pid: int) -> int:
    """
    Return the memory of a process and its descendants. What they share is divided among them.
    """
    total = 0
    for member in family(pid):
        found = re.search(
            r"^Pss:\s+(\d+) kB", Path(f"/proc/{member}/smaps_rollup").read_text(), re.MULTILINE
        )
        assert found is not None
        total += int(found[1]) * 1024
    return total


def pin_workers(pid: int, count: int) -> None:
    """
    Pin the processes of a server, each to a core of its own.

    @param pid: its first process, which may be the only one.
    @param count: how many serve; all others are left alone.
    """
    for core, member in zip(_CORES, family(pid)[-count:], strict=False):
        os.sched_setaffinity(member, {core})


def raise_descriptor_limit() -> int:
    """
    Let this process, and what it starts, open as many descriptors as it may.

    @return: how many.
    """
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def description() -> str:
    """
    Name processor, cores, kernel and Python in one line.
    """
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    processor = found[1] if found else platform.machine()
    return (
        f"{len(_CORES)} cores of {processor}, Linux {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()} "
        f"({platform.python_compiler()})"
    )
