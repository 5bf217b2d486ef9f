"""
A client in a network in memory, for its tests.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.client.client import HTTPClient
from netlab.http1.client.clientresponse import ClientResponse, RequestError
from netlab.http1.sansio.clientconnection import ClientSettings
from netlab.http1.sansio.limits import Limits
from tests.http1.memorynet import MemoryNet, ServerEnd

T = TypeVar("T")
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class ClientTestCase(SynchronousTestCase):
    """
    A client in a network in memory.
    """

    def setUp(self) -> None:
        """
        Make the network and the client.
        """
        self.net = MemoryNet()
        self.client = HTTPClient(
            self.net.clock,
            ClientSettings(Limits(content_max_bytes=1 << 20), answer_timeout=10, content_timeout=5),
            connect_timeout=3,
            endpoint_for=self.net.endpoint_for,
        )

    def start(self, coroutine: Coroutine[Deferred[Any], Any, T]) -> Deferred[T]:
        """
        Start a coroutine.
        """
        return Deferred.fromCoroutine(coroutine)

    def get(self, url: str = "http://a/", redirects_max: int = 10) -> Deferred[ClientResponse]:
        """
        Ask for a URL.
        """
        return self.start(self.client.get(url, redirects_max=redirects_max))

    def end(self, number: int = -1) -> ServerEnd:
        """
        Return a connection, by default the last one.
        """
        return self.net.ends[number]

    def problem(self, waiting: Deferred[T]) -> str:
        """
        Return the text that a request has failed with.
        """
        return str(self.failureResultOf(waiting, RequestError).value)

    def read(self, response: ClientResponse) -> bytes:
        """
        Read content that has come whole.
        """
        return self.successResultOf(self.start(response.read()))

    def check_over(self) -> None:
        """
        Close the client; nothing is left armed or open.
        """
        self.successResultOf(self.start(self.client.close()))
        self.assertEqual([end for end in self.net.ends if end.is_open], [])
        self.assertTrue(self.net.idle_clock())
