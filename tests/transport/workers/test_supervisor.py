"""
Tests for L{netlab.transport.workers.supervisor} and its control links, without processes.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Sequence
from typing import Any

from twisted.internet.error import ProcessExitedAlready, ProcessTerminated
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import LogEvent, capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from netlab.transport.workers.control import ControlLink, Message
from netlab.transport.workers.supervisor import (
    EARLY_SECONDS,
    FIRST_DELAY_SECONDS,
    FIRST_SOCKET,
    KILL_SECONDS,
    LONGEST_DELAY_SECONDS,
    REPORT_SECONDS,
    STARTING_MAX,
    Supervisor,
    Worker,
    worker_environment,
)

GRACE = 7.0


class FakeProcess:
    """
    A process that only is told things.

    @ivar signals: what it was sent.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.signals: list[str] = []
        self.is_gone = False

    def closeStdin(self) -> None:
        """
        Nobody listens.
        """

    def signalProcess(self, name: str) -> None:
        """
        Remember the signal.
        """
        if self.is_gone:
            raise ProcessExitedAlready
        self.signals.append(name)


class ProcessReactor(Clock):
    """
    A clock that also starts processes, in name only.

    @ivar workers: all that were started: the protocol, the process and the control transport.
    @ivar fails: whether no process can be started.
    """

    def __init__(self) -> None:
        super().__init__()
        self.workers: list[tuple[Worker, FakeProcess, StringTransport]] = []
        self.spawned: list[tuple[Sequence[str], dict[str, str], str, dict[int, Any]]] = []
        self.fails = False

    def spawnProcess(
        self,
        protocol: Worker,
        executable: str,
        args: Sequence[str],
        env: dict[str, str],
        path: str,
        childFDs: dict[int, Any],
    ) -> FakeProcess:
        """
        Pretend.
        """
        if self.fails:
            raise OSError(11, "Resource temporarily unavailable")
        assert executable == args[0]
        for descriptor in childFDs.values():
            if isinstance(descriptor, int):
                os.fstat(descriptor)  # it is open
        self.spawned.append((args, env, path, childFDs))
        process = FakeProcess(100 + len(self.workers))
        transport: Any = process
        protocol.makeConnection(transport)
        self.workers.append((protocol, process, StringTransport()))
        return process

    def adoptStreamConnection(self, fd: int, family: int, factory: Any) -> None:
        """
        Connect the control link.
        """
        assert family == socket.AF_UNIX
        link = factory.buildProtocol(None)
        link.makeConnection(self.workers[-1][2])


class SupervisorTests(SynchronousTestCase):
    """
    Two workers, in name only.
    """

    def setUp(self) -> None:
        """
        Start them.
        """
        self.reactor = ProcessReactor()
        self.events: Sequence[LogEvent] = self.enterContext(capturedLogs())
        self.gone: list[Message] = []
        self.listener = self.enterContext(socket.socket())
        self.supervisor = self.supervise(2)

    def supervise(self, count: int) -> Supervisor:
        """
        Start some workers.
        """
        supervisor = Supervisor(
            self.reactor,
            "netlab-test",
            count,
            lambda slot, count: ["python", str(slot), str(count)],
            lambda: [self.listener.fileno()],
            directory="/somewhere",
            environment={"A": "B"},
            grace=GRACE,
            gone=self.gone.append,
        )
        supervisor.startService()
        return supervisor

    def end(self, number: int, signal: int | None = 9, status: int | None = None) -> None:
        """
        Let a worker end.
        """
        worker, process, _ = self.reactor.workers[number]
        process.is_gone = True
        reason = ProcessTerminated(status, signal, None)
        worker.processEnded(Failure(reason))

    def say(self, number: int, message: Message) -> None:
        """
        Let a worker say something.
        """
        self.reactor.workers[number][0].link.dataReceived(json.dumps(message).encode() + b"\n")

    def told(self, number: int) -> list[Message]:
        """
        Give what a worker was told.
        """
        transport = self.reactor.workers[number][2]
        messages = [json.loads(line) for line in transport.value().splitlines()]
        transport.clear()
        return messages

    def test_started(self) -> None:
        """
        Each worker has its control connection and the sockets, where it looks for them.
        """
        self.assertEqual(len(self.reactor.workers), 2)
        for slot, spawned in enumerate(self.reactor.spawned):
            command, environment, directory, descriptors = spawned
            self.assertEqual(command, ["python", str(slot), "1"])
            self.assertEqual((environment, directory), ({"A": "B"}, "/somewhere"))
            self.assertEqual(descriptors[FIRST_SOCKET], self.listener.fileno())
            self.assertEqual(set(descriptors), set(range(FIRST_SOCKET + 1)))

    def test_many(self) -> None:
        """
        Of many workers some begin at once, and another when one serves, so that the first does
        soon; one that ends before it serves is replaced, and holds up the others no longer.
        """
        self.reactor.workers.clear()
        supervisor = self.supervise(STARTING_MAX + 3)
        self.assertEqual(len(self.reactor.workers), STARTING_MAX)
        self.say(0, {"ready": True})
        self.assertEqual(len(self.reactor.workers), STARTING_MAX + 1)
        self.end(1)
        self.reactor.advance(FIRST_DELAY_SECONDS)
        for number in (2, 3, 4, 5):
            self.say(number % STARTING_MAX, {"ready": True})
        self.assertEqual(len(self.reactor.workers), STARTING_MAX + 4)
        self.assertEqual(len(supervisor.workers), STARTING_MAX + 3)
        self.assertEqual(len({worker.slot for worker in supervisor.workers}), STARTING_MAX + 3)

    def test_back_off(self) -> None:
        """
        A worker is replaced after a moment, and after twice as long each time that one ends early,
        up to a bound; one that has lived is replaced at once again.
        """
        delay = FIRST_DELAY_SECONDS
        for number in range(20):
            self.end(number)
            self.reactor.advance(min(delay, LONGEST_DELAY_SECONDS) - 0.001)
            self.assertEqual(len(self.reactor.workers), 2 + number)
            self.reactor.advance(0.002)
            self.assertEqual(len(self.reactor.workers), 3 + number)
            # The other one of the two has become old meanwhile; end the young one.
            self.reactor.workers[number + 1][0].started = self.reactor.seconds()
            delay *= 2
        self.assertEqual(self.supervisor.replaced, 20)
        self.reactor.advance(EARLY_SECONDS)
        self.end(20)
        self.reactor.advance(FIRST_DELAY_SECONDS + 0.001)
        self.assertEqual(len(self.reactor.workers), 23)

    def test_cannot_start(self) -> None:
        """
        A worker that cannot be started is tried again.
        """
        self.reactor.fails = True
        self.end(0)
        self.reactor.advance(FIRST_DELAY_SECONDS)
        self.reactor.fails = False
        self.assertEqual(len(self.reactor.workers), 2)
        self.reactor.advance(2 * FIRST_DELAY_SECONDS)
        self.assertEqual(len(self.reactor.workers), 3)
        lines = [formatEvent(event) for event in self.events]
        self.assertIn("worker 100 ended by signal 9; another is started in 0.1 s", lines)
        self.assertTrue(any("could not be started" in line for line in lines))

    def test_reports(self) -> None:
        """
        Reports are gathered; of a worker that does not answer in time, or ends, the last counts.
        """
        asking = self.supervisor.reports()
        for number in range(2):
            self.assertEqual(self.told(number), [{"do": "report"}])
            self.assertNoResult(asking)
            self.say(number, {"report": {"n": number}})
        self.assertEqual(self.successResultOf(asking), [{"n": 0}, {"n": 1}])
        asking = self.supervisor.reports()
        self.say(0, {"report": {"n": 10}})
        self.reactor.advance(REPORT_SECONDS)
        self.assertEqual(self.successResultOf(asking), [{"n": 10}, {"n": 1}])
        asking = self.supervisor.reports()
        self.end(0)
        self.say(1, {"report": {"n": 12}})
        self.assertEqual(self.gone, [{"n": 10}])
        self.assertEqual(self.successResultOf(asking), [{"n": 10}, {"n": 12}])

    def test_stop(self) -> None:
        """
        Stopping waits for every worker, replaces none, and leaves nothing armed.
        """
        self.end(0)
        done = self.supervisor.stopService()
        self.assertEqual(self.told(1), [{"do": "stop"}])
        self.assertNoResult(done)
        self.supervisor.abort()
        self.assertEqual(self.told(1), [{"do": "abort"}])
        self.end(1, signal=None, status=0)
        self.successResultOf(done)
        self.assertEqual(len(self.reactor.workers), 2)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.successResultOf(self.supervisor.stopService())

    def test_kill(self) -> None:
        """
        A worker that does not end in time is killed.
        """
        done = self.supervisor.stopService()
        self.end(0, signal=None, status=0)
        self.reactor.advance(GRACE + KILL_SECONDS - 0.01)
        self.assertEqual(self.reactor.workers[1][1].signals, [])
        self.reactor.advance(0.02)
        self.assertEqual(self.reactor.workers[1][1].signals, ["KILL"])
        self.end(1)
        self.successResultOf(done)
        self.assertEqual(self.reactor.workers[0][1].signals, [])

    def test_words(self) -> None:
        """
        What a worker writes is in the log line by line; a line without end is not kept for ever.
        """
        worker = self.reactor.workers[0][0]
        worker.outReceived(b"one\ntw")
        worker.errReceived(b"o\n")
        worker.outReceived(b"x" * 10_000)
        worker.outReceived(b"y\n")
        self.say(0, {"ready": True})
        lines = [formatEvent(event) for event in self.events]
        self.assertEqual(
            lines,
            [
                "worker 100: one",
                "worker 100: two",
                "worker 100: " + "x" * 10_000,
                "worker 100: y",
                "worker 100 serves",
            ],
        )
        self.assertTrue(worker.is_ready)


class WorkerEnvironmentTests(SynchronousTestCase):
    """
    What a worker finds in its environment.
    """

    def test_made(self) -> None:
        """
        What a resource may need is there; what a service manager says to the supervisor is not,
        and no code is looked for where the worker stands.
        """
        self.patch(
            os,
            "environ",
            {
                "PYTHONPATH": f":own:{os.sep}abs",
                "DJANGO_SETTINGS_MODULE": "x",
                "NOTIFY_SOCKET": "/run/systemd/notify",
                "LISTEN_FDS": "1",
            },
        )
        self.assertEqual(
            worker_environment("/package"),
            {
                "PYTHONPATH": f"/package:{os.path.abspath('own')}:/abs",
                "PYTHONSAFEPATH": "1",
                "DJANGO_SETTINGS_MODULE": "x",
            },
        )


class ControlLinkTests(SynchronousTestCase):
    """
    The connection between the two.
    """

    def test_messages(self) -> None:
        """
        What one end sends the other receives, in any cuts; nonsense is passed over, and the end is
        told.
        """
        received: list[Message] = []
        ends: list[str] = []
        link = ControlLink(received.append, lambda: ends.append("lost"))
        link.send({"lost": "there is no connection"})
        transport = StringTransport()
        link.makeConnection(transport)
        link.send({"do": "stop"})
        self.assertEqual(transport.value(), b'{"do": "stop"}\n')
        with capturedLogs() as events:
            for byte in b'{"a": 1}\nnonsense\n{"b": 2}\n':
                link.dataReceived(bytes([byte]))
        self.assertEqual(received, [{"a": 1}, {"b": 2}])
        self.assertEqual(len(events), 1)
        link.connectionLost()
        self.assertEqual(ends, ["lost"])
