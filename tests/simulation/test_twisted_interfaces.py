"""
Tests for L{netlab.simulation.reactor}: Twisted's own tests of what a reactor does with TCP.
"""

# mypy: allow-untyped-calls, allow-any-generics
# Twisted's tests have no annotations.

from __future__ import annotations

from typing import Any

from twisted.internet.test import test_core, test_tcp, test_time
from twisted.internet.test.reactormixins import ReactorBuilder
from twisted.python.reflect import fullyQualifiedName
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from netlab.simulation.network import Network
from netlab.simulation.process import Process
from netlab.simulation.reactor import ProcessReactor


class _Simulated:
    """
    Builds the reactor of a program on a host that is alone.
    """

    requiredInterfaces: Any = None

    def buildReactor(self) -> ProcessReactor:
        """
        Make a reactor.
        """
        kernel = Network().host("alone", "10.0.0.1", "fd00::1")
        return ProcessReactor(Process(kernel, "the test"))


class ClientTests(_Simulated, test_tcp.TCP4ClientTestsBuilder, SynchronousTestCase):
    """
    Connections that are opened.
    """


class Client6Tests(_Simulated, test_tcp.TCP6ClientTestsBuilder, SynchronousTestCase):
    """
    Connections that are opened.
    """


class PortTests(_Simulated, test_tcp.TCPPortTestsBuilder, SynchronousTestCase):
    """
    Connections that are opened.
    """


class ConnectionTests(_Simulated, test_tcp.TCPConnectionTestsBuilder, SynchronousTestCase):
    """
    Connections that are opened.
    """


class ConnectorTests(_Simulated, test_tcp.TCP4ConnectorTestsBuilder, SynchronousTestCase):
    """
    Connections that are opened.
    """


class TransportTests(_Simulated, test_tcp.TCPTransportTestsBuilder, SynchronousTestCase):
    """
    Connections that are opened.
    """


class WriteSequenceTests(
    _Simulated, test_tcp.WriteSequenceTestsMixin, ReactorBuilder, SynchronousTestCase
):
    """
    Connections that are opened.
    """


class AbortTests(_Simulated, test_tcp.AbortConnectionTests, SynchronousTestCase):
    """
    Connections that are opened.
    """


class BindTests(_Simulated, test_tcp.TestBindAddressBuilder, SynchronousTestCase):
    """
    Connections that are opened.
    """


class TimeTests(_Simulated, test_time.TimeTestsBuilder, SynchronousTestCase):
    """
    Connections that are opened.
    """


class SystemEventTests(_Simulated, test_core.SystemEventTestsBuilder, SynchronousTestCase):
    """
    Connections that are opened.
    """
