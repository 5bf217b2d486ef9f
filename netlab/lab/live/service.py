"""
The live laboratory as a service.
"""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, Final

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from netlab.lab.hosts.hosts import best_isolation
from netlab.lab.hosts.settings import Isolation
from netlab.lab.live.bench import Bench
from netlab.lab.live.feed import Feed
from netlab.lab.results.index import write_index
from netlab.lab.runs.batch import Finished, finish
from netlab.lab.runs.run import RunOutcome, start
from netlab.service import ListeningService

SERVER_NAME: Final = "netlab-lab"

_PLACES: Final = {
    Isolation.ROOT: "Two hosts in namespaces of their own, made as root, joined by a wire.",
    Isolation.USER: (
        "Two hosts in namespaces of their own, made without privilege, joined by a wire."
    ),
    Isolation.SIMULATED: (
        "Two simulated hosts joined by a wire: our own TCP in virtual time, which passes here as "
        "fast as real time. What happens is the same each time."
    ),
    Isolation.NONE: (
        "There are no hosts of their own here: the programs run on this machine's loopback, and a "
        "relay between them tells what it reads. It sees no segments. With hosts: start this as "
        "root, or allow user namespaces without privilege."
    ),
}

_log = Logger(namespace=SERVER_NAME)


class LiveLaboratory(MultiService):
    """
    Everything that runs: the server and the bench.

    @ivar bench: where experiments run.
    @ivar feed: what the page shows.
    """

    def __init__(self, reactor: Any, out: Path | None, isolation: Isolation | None) -> None:
        """
        @param out: an existing folder for the results; without one they go to a temporary folder,
            which is removed at the end.
        @param isolation: how to make hosts; by itself the best way that works.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        self._reactor = reactor
        self._out = out
        self._isolation = isolation
        self._folder: Path | None = None
        self.feed = Feed(reactor)
        begin = partial(start, is_paced=True)
        self.bench = Bench(reactor, self.feed, self.folder, begin, self._finish)

    def serve(self, server: ListeningService) -> None:
        """
        Take the server on, which shows all this.
        """
        server.setServiceParent(self)  # type: ignore[no-untyped-call]

    def folder(self) -> Path:
        """
        Tell where the results go. A temporary folder is made when this is first asked, by the user
        that the server runs as then.

        @raise OSError: it cannot be made.
        """
        if self._folder is None:
            if self._out is None:
                self._folder = Path(tempfile.mkdtemp(prefix="netlab-lab-"))
            else:
                self._folder = self._out
        return self._folder

    def startService(self) -> None:
        """
        Begin.
        """
        super().startService()  # type: ignore[no-untyped-call]
        until = " until this ends; --out DIR keeps them" if self._out is None else ""
        _log.info("Results go to {folder}{until}", folder=str(self.folder()), until=until)
        preparing = Deferred.fromCoroutine(self._prepare())
        preparing.addErrback(lambda failure: _log.failure("No hosts can be tried", failure))

    def stopService(self) -> Deferred[None]:
        """
        Stop the run, tell everyone, and close the server; then nothing is left of it all but what
        was to be kept.
        """
        return Deferred.fromCoroutine(self._stop())

    async def _prepare(self) -> None:
        isolation, reason = self._isolation, ""
        if isolation is None:
            isolation, reason = await best_isolation(self._reactor)
            if isolation is Isolation.NONE:
                isolation = Isolation.SIMULATED
        place = _PLACES[isolation]
        if reason:
            place = f"{place} (Linux's own cannot be used here: {reason}.)"
        _log.info("{place}", place=place)
        self.bench.prepared(isolation, place)

    async def _stop(self) -> None:
        try:
            await self.bench.idle()
            self.feed.end()
            await super().stopService()  # type: ignore[no-untyped-call]
        finally:
            if self._out is None and self._folder is not None:
                shutil.rmtree(self._folder, onerror=_not_removed)

    def _finish(self, outcome: RunOutcome) -> Deferred[Finished]:
        """
        Judge and report a run in a thread: the page is answered meanwhile.
        """

        def work() -> Finished:
            finished = finish(outcome)
            write_index(self.folder())
            return finished

        pool = self._reactor.getThreadPool()
        done: Deferred[Finished] = deferToThreadPool(self._reactor, pool, work)
        return done


def _not_removed(_function: object, path: str, information: Any) -> None:
    _log.warn("{path} could not be removed: {why}", path=path, why=information[1])
