"""
A client's machine, and answers to give it, for the tests of
L{netlab.http1.sansio.clientconnection}.
"""

from __future__ import annotations

from collections.abc import Iterable

from netlab.http1.sansio.clientconnection import ClientConnection, ClientSettings
from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.messages import END_OF_MESSAGE, Content, Event, RequestHead
from netlab.http1.sansio.target import parse_target


def request(
    method: bytes = b"GET", target: bytes = b"/", *lines: tuple[bytes, bytes]
) -> RequestHead:
    """
    Make a request to localhost.
    """
    return RequestHead(
        method, parse_target(method, target), fields=Fields([(b"Host", b"localhost"), *lines])
    )


def asked(
    head: RequestHead | None = None, client_settings: ClientSettings | None = None
) -> ClientConnection:
    """
    Make a machine that has sent one request without content at time 0.
    """
    machine = ClientConnection(client_settings or ClientSettings())
    machine.send(head or request(), 0.0)
    machine.send(END_OF_MESSAGE, 0.0)
    return machine


def events_of(
    machine: ClientConnection, pieces: Iterable[bytes], *, ends: bool = True
) -> list[Event | str]:
    """
    Deliver the pieces, then the end; collect all events, adjacent content joined, and the
    explanation of the error, if there is one.
    """
    found: list[Event | str] = []

    def drain() -> bool:
        try:
            while (event := machine.next_event()) is not None:
                last = found[-1] if found else None
                if isinstance(event, Content) and isinstance(last, Content):
                    found[-1] = Content(last.data + event.data)
                else:
                    found.append(event)
        except RemoteProtocolError as error:
            found.append(error.explanation)
            return False
        return True

    for piece in pieces:
        machine.receive(piece, 1.0)
        if not drain():
            return found
    if ends:
        machine.receive_end(2.0)
        drain()
    return found


def bytes_of(data: bytes) -> list[bytes]:
    """
    Cut into single bytes.
    """
    return [data[at : at + 1] for at in range(len(data))]


OK = (b"HTTP/1.1 200 OK\r\n", b"\r\n")


def answer(*lines: bytes, body: bytes = b"", status: bytes = b"200 OK") -> bytes:
    """
    Write an answer from its field lines and body.
    """
    return b"HTTP/1.1 %b\r\n%b\r\n%b" % (status, b"".join(line + b"\r\n" for line in lines), body)
