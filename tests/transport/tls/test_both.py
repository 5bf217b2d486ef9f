"""
What a protocol may rely on holds on TLS as it does on TCP: see L{tests.transport.test_both}.
"""

from __future__ import annotations

import ssl

from tests.transport.closing_cases import ClosingMixin
from tests.transport.delivery_cases import DeliveryMixin
from tests.transport.port_cases import PortMixin
from tests.transport.tls.secured import SecureTestCase
from tests.transport.trouble_cases import TroubleMixin


class SecureMixin(DeliveryMixin, ClosingMixin, TroubleMixin):
    """
    All the cases.
    """


class SecureOnEPollTests(SecureMixin, SecureTestCase):
    """
    TLS 1.3 in the epoll reactor.
    """


class SecureOnPollTests(SecureMixin, SecureTestCase):
    """
    TLS 1.3 in the poll reactor.
    """

    reactor_name = "poll"


class SecureOnAsyncioTests(SecureMixin, SecureTestCase):
    """
    TLS 1.3 in the asyncio reactor.
    """

    reactor_name = "asyncio"


class SecureWithoutPollerTests(SecureMixin, SecureTestCase):
    """
    TLS 1.3 straight in Twisted's epoll reactor, as where there is no epoll of our own.
    """

    has_poller = False


class SecurePortTests(SecureTestCase):
    """
    What a factory may rely on, as far as it is not of connections that have no TLS yet.
    """

    test_many = PortMixin.test_many
    test_refused_by_factory = PortMixin.test_refused_by_factory
    test_exception_in_factory = PortMixin.test_exception_in_factory
    test_stop_listening = PortMixin.test_stop_listening
    test_addresses = PortMixin.test_addresses
    test_texts = PortMixin.test_texts
    test_options = PortMixin.test_options


class OldVersionTests(SecureMixin, SecureTestCase):
    """
    TLS 1.2 in the epoll reactor.
    """

    def setUp(self) -> None:
        """
        Let clients speak nothing newer.
        """
        super().setUp()
        self.client_context.maximum_version = ssl.TLSVersion.TLSv1_2
