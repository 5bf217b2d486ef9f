"""
A server's machine, and bytes to give it, for the tests of L{netlab.http1.sansio.serverconnection}.
"""

from __future__ import annotations

from typing import Final

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.errors import LocalProtocolError, RemoteProtocolError
from netlab.http1.sansio.limits import Limits, Timeouts
from netlab.http1.sansio.messages import Event, ResponseHead
from netlab.http1.sansio.serverconnection import ServerConnection
from netlab.http1.sansio.serversettings import ServerSettings

GET: Final = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD: Final = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
CLOSING: Final = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
OLD: Final = b"GET / HTTP/1.0\r\n\r\n"
OLD_PERSISTENT: Final = b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"
POST: Final = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
CHUNKED: Final = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
WRONG: Final = b"GET / HTTP/1.1\r\n\r\n"
OK: Final = ResponseHead(200)
TIMEOUTS: Final = Timeouts(idle=1.0, head=10.0, content=30.0)


def connect(limits: Limits | None = None, *, is_bare: bool = False) -> ServerConnection:
    """
    Make a machine whose connection began at time 0.
    """
    return ServerConnection(ServerSettings(limits or Limits(), TIMEOUTS, is_bare), 0.0)


def events_of(connection: ServerConnection, data: bytes = b"", now: float = 0.0) -> list[Event]:
    """
    Give a delivery to a machine, and take all the events there are.
    """
    if data:
        connection.receive(data, now)
    events = []
    while (event := connection.next_event()) is not None:
        events.append(event)
    return events


def exchange(
    connection: ServerConnection, data: bytes = GET, now: float = 0.0, answer: ResponseHead = OK
) -> bytes:
    """
    Bring a whole request and answer it without content.
    """
    events_of(connection, data, now)
    return connection.send_whole(answer, b"", now)


def observe(connection: ServerConnection) -> dict[str, object]:
    """
    Look at everything that a machine lets others see.
    """
    names = (
        "deadline", "exchanges", "can_answer", "must_close", "is_between_exchanges",
        "has_unread_input", "waiting_bytes", "expects_continue",
    )  # fmt: skip
    return {name: getattr(connection, name) for name in names}


class MachineCase(SynchronousTestCase):
    """
    What the test cases have in common.
    """

    def fault(self, connection: ServerConnection, data: bytes = b"", now: float = 0.0) -> int:
        """
        Expect a fault of the peer and return its status.
        """
        fault: RemoteProtocolError
        fault = self.assertRaises(RemoteProtocolError, events_of, connection, data, now)
        return fault.status

    def assert_no_answer_is_due(self, connection: ServerConnection) -> None:
        """
        No response, interim or final, may be sent.
        """
        self.assertFalse(connection.can_answer)
        for head in (OK, ResponseHead(100)):
            self.assertRaises(LocalProtocolError, connection.send, head, 0.0)
