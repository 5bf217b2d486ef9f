"""
C{python -m tests.interoperation FIRST LAST [--simulated]}: runs transfers between our TCP and
Linux's, as root or with user namespaces, and says which went wrong, and how each is run again. With
C{--simulated} both TCPs are ours, in virtual time.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults
from twisted.internet.task import react

from netlab.commands.outcome import show
from netlab.lab.hosts.hosts import HostError, best_isolation
from netlab.lab.hosts.settings import Isolation
from netlab.lab.runs.run import RunOutcome, start
from tests.interoperation.transfers import Transfer, transfer

#: How many run at once: they mostly wait.
_JOBS: Final = 8


async def check(reactor: Any, seed: int, isolation: Isolation, folder: Path) -> str:
    """
    Run a transfer.

    @return: what went wrong; empty if nothing.
    """
    drawn = transfer(seed)
    sides = [] if isolation is Isolation.SIMULATED else [drawn.ours]
    run = start(
        reactor, drawn.experiment, folder / str(seed), isolation=isolation, own_stacks=sides
    )
    outcome = await run.result
    outcome.discard()
    return _problem(drawn, outcome)


def _problem(drawn: Transfer, outcome: RunOutcome) -> str:
    if not outcome.problem:
        return ""
    lines = "".join(f"\n        {line.host.value}: {line.text}" for line in outcome.output[-8:])
    return f"{outcome.problem}: {drawn.text}{lines}"


async def main(reactor: Any, first: int, last: int, *, is_simulated: bool) -> None:
    """
    Run transfers and say how they went.

    @raise SystemExit: one went wrong, or there can be no hosts.
    """
    isolation, reason = Isolation.SIMULATED, ""
    if not is_simulated:
        isolation, reason = await best_isolation(reactor)
    if isolation is Isolation.NONE:
        raise SystemExit(f"no hosts can be made here: {reason}")
    places = DeferredSemaphore(_JOBS)
    failures = 0
    with tempfile.TemporaryDirectory(prefix="netlab-interoperation-") as folder:

        async def one(seed: int) -> None:
            nonlocal failures
            try:
                problem = await check(reactor, seed, isolation, Path(folder))
            except HostError as error:
                problem = str(error)
            if problem:
                failures += 1
                show(f"{seed}: {problem}\n    python -m tests.interoperation {seed} {seed}")

        await gatherResults([places.run(one, seed) for seed in range(first, last + 1)])
    count = last - first + 1
    show(f"{count} transfers, {count - failures} right")
    if failures:
        raise SystemExit(1)


if __name__ == "__main__":
    low, high = (int(text) for text in sys.argv[1:3])
    react(
        lambda reactor: Deferred.fromCoroutine(
            main(reactor, low, high, is_simulated="--simulated" in sys.argv[3:])
        )
    )
