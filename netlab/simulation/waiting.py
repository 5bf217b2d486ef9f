"""
How a program that waits does so: its thread stands still, and time passes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from netlab.simulation.kernelsocket import KernelSocket, nobody_watches
from netlab.simulation.process import Process

WAKE_NS: Final = 20_000
"""How long a program takes to notice that what it waits for has happened."""

POLL_NS: Final = 10_000
"""How long it takes to find out that it would have to wait: who asks again and again waits too."""


def wait_until(
    process: Process,
    is_ready: Callable[[], bool],
    sockets: Sequence[KernelSocket] = (),
    deadline: int | None = None,
) -> bool:
    """
    Wait. For the program's side.

    @param is_ready: what for.
    @param sockets: those on which it depends.
    @param deadline: nanoseconds of the clock; None to wait for ever.
    @return: whether it happened in time.
    """
    if is_ready():
        return True
    turns = process.turns
    assert turns is not None
    clock = process.kernel.clock
    is_woken = False

    def changed() -> None:
        nonlocal is_woken
        if not is_woken and is_ready():
            is_woken = True
            clock.call_at(clock.now + WAKE_NS, process.take_turn)

    for one in sockets:
        one.changed = changed
    process.awakened = changed
    timer = None if deadline is None else clock.call_at(deadline, process.take_turn)
    try:
        while not is_ready():
            if deadline is not None and clock.now >= deadline:
                return False
            is_woken = False
            turns.wait()
        return True
    finally:
        for one in sockets:
            one.changed = nobody_watches
        process.awakened = nobody_watches
        if timer is not None and timer.active():
            timer.cancel()


def sleep(process: Process, duration: int) -> None:
    """
    Let time pass. For the program's side.

    @param duration: nanoseconds.
    """
    wait_until(process, lambda: False, deadline=process.kernel.clock.now + duration)
