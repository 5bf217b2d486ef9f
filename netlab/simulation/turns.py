"""
Blocking functions as parts of a simulation: each in a thread of its own, of which one runs at a
time.

A thread runs only while the simulation waits for it, and the simulation goes on only when the
thread waits or has ended. So there is nothing to lock, and the order of everything is the
simulation's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from netlab.errors import KnownError

TURN_MAX_SECONDS: Final = 30.0
"""Real seconds that a function may compute before it waits for something."""


class EndlessTurnError(KnownError):
    """
    A function does not wait for anything, and does not end.
    """


class ProgramKilled(BaseException):
    """
    Raised where a function waits, when its program is ended from outside. It is no C{Exception}, so
    that an ordinary C{except} does not keep the program alive.
    """


class Turns:
    """
    A function in a thread, run turn by turn.

    @ivar has_ended: the function has returned or raised an exception.
    @ivar error: what it has raised.
    """

    def __init__(self, function: Callable[[], object], name: str) -> None:
        """
        @param function: what to run. Nothing of it runs before the first L{resume}.
        @param name: of the thread.
        """
        self.has_ended = False
        self.error: BaseException | None = None
        self._function = function
        self._is_killed = False
        # Each is held by the one that waits for it.
        self._ours, self._theirs = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._has_begun = False

    def resume(self) -> None:
        """
        Let the function run until it waits or ends. For the simulation's side.

        @raise EndlessTurnError: it does neither. Its thread is given up.
        """
        if self.has_ended:
            return
        if not self._has_begun:
            self._has_begun = True
            self._thread.start()
        self._theirs.release()
        if not self._ours.acquire(timeout=TURN_MAX_SECONDS):
            self.has_ended = self._is_killed = True
            raise EndlessTurnError(
                f"{self._thread.name} computes for {TURN_MAX_SECONDS:g} s and waits for nothing; "
                "a simulated program must call something that takes time"
            )

    def wait(self) -> None:
        """
        Wait for another turn. For the function's side.

        @raise ProgramKilled: the program is ended.
        """
        self.check()
        self._ours.release()
        self._theirs.acquire()
        self.check()

    def check(self) -> None:
        """
        Stop here if the program is ended. For the function's side.

        @raise ProgramKilled: it is.
        """
        if self._is_killed:
            raise ProgramKilled

    def kill(self) -> None:
        """
        End the function where it waits. What it does on its way out cannot wait again. For the
        simulation's side.
        """
        if self.has_ended:
            return
        if not self._has_begun:
            self.has_ended = True
            return
        self._is_killed = True
        self.resume()
        self._thread.join(TURN_MAX_SECONDS)

    def _run(self) -> None:
        self._theirs.acquire()
        try:
            self.check()
            self._function()
        except BaseException as error:  # noqa: BLE001, it is kept, for the caller that started this
            self.error = error
        self.has_ended = True
        self._ours.release()
