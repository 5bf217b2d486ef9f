"""
Tests for L{netlab.service}.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from socket import gaierror

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred, fail
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogEvent, capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from netlab.connections import OpenConnections
from netlab.service import ListenError, ListeningService, place


@implementer(IStreamServerEndpoint)
class Endpoint:
    """
    An endpoint that comes to the given end.
    """

    def __init__(self, outcome: Deferred[IListeningPort]) -> None:
        self.outcome = outcome

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """
        Come to that end.
        """
        return self.outcome


class ServiceTestCase(SynchronousTestCase):
    """
    What the tests of the service share.
    """

    def setUp(self) -> None:
        """
        Take the log and the interpreter's last words.
        """
        self.patch(sys, "excepthook", sys.excepthook)
        self.reactor = MemoryReactorClock()
        self.factory = Factory.forProtocol(Protocol)
        self.events: Sequence[LogEvent] = self.enterContext(capturedLogs())

    def logged(self) -> list[str]:
        """
        Give the lines that the service has logged.
        """
        return [
            formatEvent(event)
            for event in self.events
            if event.get("log_namespace") == "netlab-test"
        ]

    def service(self, *endpoints: IStreamServerEndpoint) -> ListeningService:
        """
        Make a service on some endpoints.
        """
        described = [("tcp:80", endpoint) for endpoint in endpoints]
        return ListeningService(
            self.reactor, "netlab-test", self.factory, described, OpenConnections()
        )

    def tcp(self, port: int) -> TCP4ServerEndpoint:
        """
        Make an endpoint of the reactor in memory.
        """
        return TCP4ServerEndpoint(self.reactor, port)


class ListeningTests(ServiceTestCase):
    """
    Ports that can be opened.
    """

    def test_privileged_start(self) -> None:
        """
        Ports are opened by the privileged start, and the ordinary start opens none again.
        """
        service = self.service(self.tcp(80), self.tcp(81))
        service.privilegedStartService()
        self.assertEqual([server[0] for server in self.reactor.tcpServers], [80, 81])
        service.startService()
        self.assertEqual(len(self.reactor.tcpServers), 2)

    def test_start_alone(self) -> None:
        """
        A service that is only started, without privileges, opens its ports then.
        """
        service = self.service(self.tcp(80))
        service.startService()
        self.assertEqual(len(self.reactor.tcpServers), 1)
        self.assertTrue(service.running)

    def test_says_where(self) -> None:
        """
        Each open port is one line of the log, which says where it really is.
        """
        self.service(self.tcp(80), self.tcp(81)).startService()
        self.assertEqual(
            self.logged(),
            ["netlab-test listens on tcp 0.0.0.0:80", "netlab-test listens on tcp 0.0.0.0:81"],
        )

    def test_stop_and_start_again(self) -> None:
        """
        A stopped service has no open port, and can be started again.
        """
        service = self.service(self.tcp(80))
        service.startService()
        self.assertEqual(len(service.ports), 1)
        self.successResultOf(service.stopService())
        self.assertEqual(service.ports, [])
        service.startService()
        self.assertEqual(len(service.ports), 1)

    def test_stop_while_opening(self) -> None:
        """
        A service that is stopped before a slow endpoint is ready waits for it no longer.
        """
        service = self.service(Endpoint(Deferred()))
        service.startService()
        self.successResultOf(service.stopService())
        self.assertEqual(self.logged(), [])


class FailureTests(ServiceTestCase):
    """
    Ports that cannot be opened.
    """

    def line(self, cause: Exception) -> str:
        """
        Start a service whose endpoint fails, and give the line for the user.
        """
        service = self.service(Endpoint(fail(cause)))
        error: ListenError = self.assertRaises(ListenError, service.privilegedStartService)
        return error.line()

    def test_taken(self) -> None:
        """
        A taken port is named, with the address and the option that chooses another.
        """
        self.assertEqual(
            self.line(CannotListenError("127.0.0.1", 80, OSError(errno.EADDRINUSE, "in use"))),
            "netlab-test: port 80 on 127.0.0.1 is taken by another program: "
            "end that program or choose another port with --listen tcp:127.0.0.1:PORT",
        )
        line = self.line(CannotListenError("::1", 80, OSError(errno.EADDRINUSE, "in use")))
        self.assertIn("with --listen tcp:[::1]:PORT", line)

    def test_taken_by_ourselves(self) -> None:
        """
        A port that another option of the same process has taken is said to be.
        """
        ours = self.service(self.tcp(81))
        ours.startService()
        for port, problem in (
            (81, "is taken by another option of this server"),
            (82, "by another program"),
        ):
            taken = CannotListenError("", port, OSError(errno.EADDRINUSE, "in use"))
            self.assertIn(problem, self.line(taken))
        ours.stopService()
        taken = CannotListenError("", 81, OSError(errno.EADDRINUSE, "in use"))
        self.assertIn("by another program", self.line(taken))

    def test_taken_on_all_addresses(self) -> None:
        """
        A port that was asked for on all addresses is named alone.
        """
        line = self.line(CannotListenError("", 80, OSError(errno.EADDRINUSE, "in use")))
        self.assertTrue(line.startswith("netlab-test: port 80 is taken"), line)
        self.assertTrue(line.endswith("with --listen tcp:PORT"), line)

    def test_no_permission(self) -> None:
        """
        A port that needs privileges is named with what to do about it.
        """
        line = self.line(CannotListenError("", 80, OSError(errno.EACCES, "Permission denied")))
        self.assertIn("port 80 may not be opened by this user: choose a port above 1023", line)

    def test_foreign_address(self) -> None:
        """
        An address that this machine does not have is named.
        """
        error = OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        line = self.line(CannotListenError("1.2.3.4", 1, error))
        self.assertIn("this machine does not have", line)
        self.assertIn("choose one of its own addresses with --listen tcp:ADDRESS:PORT", line)

    def test_unknown_name(self) -> None:
        """
        A name that cannot be resolved is reported with the resolver's words.
        """
        error = gaierror(-2, "Name or service not known")
        line = self.line(CannotListenError("nowhere.invalid", 1, error))
        self.assertIn(
            "port 1 on nowhere.invalid cannot be opened (Name or service not known)", line
        )

    def test_unix_path(self) -> None:
        """
        A socket in the file system is named by its path.
        """
        # Twisted leaves the interface out, whatever its annotations say.
        error = CannotListenError(None, b"/run/x", OSError(errno.EADDRINUSE, "in use"))
        self.assertIn("the path /run/x is taken", self.line(error))

    def test_any_other_error(self) -> None:
        """
        Whatever else an endpoint fails with, the endpoint is named by its description.
        """
        self.assertIn("endpoint tcp:80 cannot be opened (odd)", self.line(ValueError("odd")))

    def test_later(self) -> None:
        """
        An endpoint that fails when the reactor runs already is logged, and stops the reactor.
        """
        outcome: Deferred[IListeningPort] = Deferred()
        self.reactor.hasStopped = False  # Twisted before 26.4 says so from the beginning
        self.service(Endpoint(outcome)).startService()
        self.assertFalse(self.reactor.hasStopped)
        outcome.errback(CannotListenError("", 80, OSError(errno.EADDRINUSE, "in use")))
        self.assertTrue(self.reactor.hasStopped)
        self.assertEqual(len(self.logged()), 1)
        self.assertIn("port 80 is taken", self.logged()[0])


class LastWordsTests(ServiceTestCase):
    """
    What the interpreter shows when the error ends the process.
    """

    def setUp(self) -> None:
        """
        Let a service fail, and prepare to read what is shown.
        """
        super().setUp()
        self.others: list[type[BaseException]] = []
        sys.excepthook = lambda kind, *_: self.others.append(kind)
        error = CannotListenError("", 80, OSError(errno.EADDRINUSE, "in use"))
        service = self.service(Endpoint(fail(error)))
        self.error = self.assertRaises(ListenError, service.privilegedStartService)

    def show(self, error: BaseException) -> None:
        """
        Do what the interpreter does with an error that nobody has caught.
        """
        sys.excepthook(type(error), error, None)

    def test_one_line_on_standard_error(self) -> None:
        """
        The line goes to the real standard error, not to what twistd has put in its place.
        """
        with Path(self.mktemp()).open("w+", encoding="utf-8") as terminal:
            self.patch(sys, "__stderr__", terminal)
            log = io.StringIO()
            self.patch(sys, "stderr", log)
            self.show(self.error)
            terminal.seek(0)
            self.assertEqual(terminal.read(), self.error.line() + "\n")
            self.assertEqual(log.getvalue(), "")
        self.assertEqual(self.logged(), [])

    def test_daemon(self) -> None:
        """
        Where standard error leads nowhere, as a daemon's does, the line goes to the log.
        """
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            self.patch(sys, "__stderr__", nowhere)
            self.show(self.error)
        self.patch(sys, "__stderr__", None)
        self.show(self.error)
        self.assertEqual(self.logged(), [self.error.line()] * 2)

    def test_other_errors(self) -> None:
        """
        Any other error is shown as before.
        """
        self.show(ZeroDivisionError())
        self.assertEqual(self.others, [ZeroDivisionError])

    def test_short_form(self) -> None:
        """
        The error's text starts with the port, because twistd shows only the first 70 characters of
        it when a daemon cannot start.
        """
        self.assertEqual(str(self.error), "port 80 is taken by another program (netlab-test)")
        self.assertIn("port 80", Failure(self.error).getErrorMessage())


class PlaceTests(SynchronousTestCase):
    """
    How the log writes an address.
    """

    def test_forms(self) -> None:
        """
        IPv6 addresses stand in brackets, UNIX sockets are paths, abstract ones start with @.
        """
        self.assertEqual(place(IPv4Address("TCP", "127.0.0.1", 80)), "tcp 127.0.0.1:80")
        self.assertEqual(place(IPv6Address("TCP", "::1", 80)), "tcp [::1]:80")
        self.assertEqual(place(UNIXAddress(b"/run/x")), "unix /run/x")
        self.assertEqual(place(UNIXAddress(b"\0x")), "unix @x")
