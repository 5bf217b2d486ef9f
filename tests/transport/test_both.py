"""
What a protocol may rely on, on Twisted's own TCP transport and on the fast path alike.

Each case runs on both, and on the fast path under every reactor it is meant for.
"""

from __future__ import annotations

from twisted.internet import tcp

from netlab.transport.port import FastPort
from tests.transport.closing_cases import ClosingMixin
from tests.transport.connections import ConnectionTestCase
from tests.transport.delivery_cases import DeliveryMixin
from tests.transport.port_cases import PortMixin
from tests.transport.trouble_cases import TroubleMixin


class BothMixin(DeliveryMixin, ClosingMixin, TroubleMixin, PortMixin):
    """
    All the cases.
    """


class StockTests(BothMixin, ConnectionTestCase):
    """
    Twisted's transport on Twisted's epoll reactor: what the others are measured against.
    """

    port_class = tcp.Port


class FastOnEPollTests(BothMixin, ConnectionTestCase):
    """
    The fast path in the epoll reactor.
    """

    port_class = FastPort


class FastOnPollTests(BothMixin, ConnectionTestCase):
    """
    The fast path in the poll reactor.
    """

    reactor_name = "poll"


class FastOnSelectTests(BothMixin, ConnectionTestCase):
    """
    The fast path in the select reactor.
    """

    reactor_name = "select"


class FastOnAsyncioTests(BothMixin, ConnectionTestCase):
    """
    The fast path in the asyncio reactor.
    """

    reactor_name = "asyncio"


class FastWithoutPollerTests(BothMixin, ConnectionTestCase):
    """
    The fast port and transport straight in Twisted's epoll reactor, as where there is no epoll of
    our own.
    """

    has_poller = False
