"""
Tests for L{netlab.simulation.reactor}, L{netlab.simulation.process},
L{netlab.simulation.threadpool} and L{netlab.simulation.resolving}.
"""

from __future__ import annotations

from twisted.internet import error
from twisted.internet.interfaces import (
    IReactorCore,
    IReactorPluggableNameResolver,
    IReactorTCP,
    IReactorThreads,
    IReactorTime,
)
from twisted.internet.protocol import ClientFactory, Factory, Protocol
from twisted.internet.threads import deferToThreadPool
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from netlab.simulation.process import current
from tests.simulation.hosts import PORT, SERVER, two_hosts


class ProcessReactorTests(SynchronousTestCase):
    """
    Tests for L{netlab.simulation.reactor.ProcessReactor}.
    """

    def setUp(self) -> None:
        """
        Start a program.
        """
        self.network = two_hosts()
        self.reactor = self.network.reactor("client", "tried")
        self.calls: list[object] = []

    def test_interfaces(self) -> None:
        """
        It has what the interfaces say that it has.
        """
        for interface in (
            IReactorCore,
            IReactorPluggableNameResolver,
            IReactorTCP,
            IReactorThreads,
            IReactorTime,
        ):
            self.assertTrue(verifyObject(interface, self.reactor), interface)

    def test_calls_are_the_programs(self) -> None:
        """
        While a call is made its program is the current one; what a call raises is logged, and the
        reactor goes on.
        """

        def fail() -> None:
            raise ZeroDivisionError

        self.reactor.callLater(1, fail)
        self.reactor.callLater(1, lambda: self.calls.append(current()))
        self.network.run_for(2)
        self.assertEqual(self.calls, [self.reactor.process])
        self.assertIsNone(current())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_ended_program_does_nothing(self) -> None:
        """
        Calls of a program that has ended are not made, and its connections and ports are closed.
        """
        server = self.network.reactor("server")
        lost: list[str] = []

        class Server(Protocol):
            def connectionLost(self, reason: object = None) -> None:
                lost.append("lost")

        server.listenTCP(PORT, Factory.forProtocol(Server))
        self.reactor.connectTCP(SERVER, PORT, _quiet(Protocol))
        self.reactor.listenTCP(1, Factory.forProtocol(Protocol))
        self.network.run_for(1)
        self.reactor.callLater(1, self.calls.append, 1)
        self.reactor.process.exit(0)
        self.network.run_for(2)
        self.assertEqual((self.calls, lost), ([], ["lost"]))
        self.assertEqual(self.network.hosts["client"].descriptors, {})

    def test_threads(self) -> None:
        """
        Work for a thread is done, in the program's next turn, and its result or failure comes back.
        """
        pool = self.reactor.getThreadPool()
        good = deferToThreadPool(self.reactor, pool, lambda: 6 * 7)
        bad = deferToThreadPool(self.reactor, pool, lambda: 1 // 0)
        self.reactor.callInThread(self.calls.append, 1)
        self.assertNoResult(good)
        self.network.run_for(0)
        self.assertEqual(self.successResultOf(good), 42)
        self.failureResultOf(bad, ZeroDivisionError)
        self.assertEqual(self.calls, [1])

    def test_resolves(self) -> None:
        """
        The names of the simulation's hosts have addresses; others have none.
        """
        self.assertEqual(self.successResultOf(self.reactor.resolve("server")), SERVER)
        self.failureResultOf(self.reactor.resolve("nobody"), error.DNSLookupError)

    def test_run_and_stop(self) -> None:
        """
        C{run} returns when the reactor is stopped, after what is to be done before; a reactor that
        runs is not run again, and one that does not is not stopped.
        """
        self.assertRaises(error.ReactorAlreadyRunning, self.reactor.run)
        reactor = self.network.reactor("server")
        reactor.crash()
        reactor.addSystemEventTrigger("before", "shutdown", self.calls.append, "before")
        reactor.callWhenRunning(reactor.callLater, 5, reactor.stop)
        reactor.run()
        self.assertEqual(self.calls, ["before"])
        self.assertRaises(error.ReactorNotRunning, reactor.stop)
        self.assertEqual(round(self.network.clock.seconds(), 3), 5.0)


def _quiet(protocol: type[Protocol]) -> ClientFactory:
    factory = ClientFactory.forProtocol(protocol)
    factory.noisy = False
    assert isinstance(factory, ClientFactory)
    return factory
