"""
What programs of experiments do with blocking sockets again and again.
"""

from __future__ import annotations

import socket
import sys
from typing import Final

#: No experiment waits longer for a byte.
TIMEOUT_SECONDS: Final = 20.0

#: The reference client's request: 59 bytes.
SCRIPT_REQUEST: Final = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n"

#: The answer to it with netlab-http's --bare-headers: 64 bytes of head, 210 of content.
SCRIPT_ANSWER_BYTES: Final = 274


def connect(address: str, port: int) -> socket.socket:
    """
    Connect to a server.

    @return: a socket on which each call may take L{TIMEOUT_SECONDS}.
    @raise OSError: it cannot be reached.
    """
    return socket.create_connection((address, port), TIMEOUT_SECONDS)


def receive(connection: socket.socket, count: int) -> bytes:
    """
    Receive exactly this number of bytes, or what there is at the end of the stream.
    """
    received = bytearray()
    while len(received) < count and (data := connection.recv(count - len(received))):
        received += data
    return bytes(received)


def receive_until(connection: socket.socket, mark: bytes) -> bytes:
    """
    Receive until some bytes have come, such as the empty line after a head; what comes in the same
    delivery behind them is returned too.
    """
    received = bytearray()
    while mark not in received and (data := connection.recv(65536)):
        received += data
    return bytes(received)


def receive_to_end(connection: socket.socket) -> bytes:
    """
    Receive until the other end has closed its side.
    """
    received = bytearray()
    while data := connection.recv(65536):
        received += data
    return bytes(received)


def say(text: str) -> None:
    """
    Print a line, at once.
    """
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def say_head(answer: bytes) -> None:
    """
    Print the head of an answer, line by line.
    """
    for line in answer.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        say(ascii(line.decode("latin-1"))[1:-1])


def browser_request(path: bytes, host: bytes, length: int) -> bytes:
    """
    Make a browser's request of a certain length; the name of the user agent fills what is left.
    """
    head = (
        b"GET " + path + b" HTTP/1.1\r\n"
        b"Host: " + host + b"\r\n"
        b"Connection: keep-alive\r\n"
        b"Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"
        b"Accept-Encoding: gzip, deflate\r\n"
        b"Accept-Language: en\r\n"
        b"User-Agent: "
    )
    end = b"\r\n\r\n"
    return head + b"Mozilla/5.0 (made up) ".ljust(length - len(head) - len(end), b"x") + end
