"""
Tests for L{netlab.simulation.reactor}: Twisted's own tests of what a reactor does with TCP.
"""

# mypy: allow-untyped-calls, allow-any-generics
# Twisted's tests have no annotations.

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.address import IPv6Address
from twisted.internet.interfaces import IReactorFDSet
from twisted.internet.test import test_tcp, test_time
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import alsoProvides

from netlab.simulation.network import SimulatedNetwork
from netlab.simulation.process import Process
from netlab.simulation.reactor import ProcessReactor


class _Simulated:
    """
    Builds the reactor of a program on a host that is alone.
    """

    def buildReactor(self) -> ProcessReactor:
        """
        Make a reactor.
        """
        kernel = SimulatedNetwork().host("alone", "10.0.0.1", "fd00::1")
        reactor = ProcessReactor(Process(kernel, "the test"))
        # Twisted's tests look at its readers and writers.
        alsoProvides(reactor, IReactorFDSet)
        return reactor


class ClientTests(_Simulated, test_tcp.TCP4ClientTestsBuilder, SynchronousTestCase):
    """
    Connections that are opened.
    """


def _message(number: int) -> str:
    """
    Ask the library for its words.
    """
    try:
        socket.getnameinfo(("::1", -1, 0, 0), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)
    except socket.gaierror as error:
        return str(error.strerror)
    return ""


class _OverIPv6(test_tcp.TCPCreator):
    interface = "::1"


class Client6Tests(_Simulated, test_tcp.TCPClientTestsBase, SynchronousTestCase):
    """
    The same over IPv6.
    """

    family = socket.AF_INET6
    addressClass = IPv6Address
    endpoints = _OverIPv6()
    fakeDomainName = "::1"

    def test_connectPortUnderflow(self) -> None:
        """
        No port is below 0: getnameinfo(3), which Twisted asks first over IPv6, says so in its own
        way.
        """
        self.assertConnectPortError(-1, (socket.EAI_SERVICE, _message(socket.EAI_SERVICE)))


class ConnectionTests(_Simulated, test_tcp.TCPConnectionTestsBuilder, SynchronousTestCase):
    """
    What a transport does.
    """


class ConnectorTests(_Simulated, test_tcp.TCP4ConnectorTestsBuilder, SynchronousTestCase):
    """
    What a connector does.
    """


class TransportTests(_Simulated, test_tcp.TCPTransportTestsBuilder, SynchronousTestCase):
    """
    What a transport does with producers and writes.
    """

    def test_serverAddressTCP6(self) -> Any:
        """
        The same over IPv6, without a link-local address of this machine.
        """
        return self._testServerAddress("::1", socket.AF_INET6, IPv6Address)


class AbortTests(_Simulated, test_tcp.AbortConnectionTests, SynchronousTestCase):
    """
    How connections are aborted.
    """


class BindTests(_Simulated, test_tcp.TestBindAddressBuilder, SynchronousTestCase):
    """
    Local addresses.
    """


class TimeTests(_Simulated, test_time.TimeTestsBuilder, SynchronousTestCase):
    """
    Delayed calls.
    """
