"""
Clients that are bare sockets, for live tests. They block: call them by C{deferToThread}.
"""

from __future__ import annotations

import re
import socket
from pathlib import Path

from tests.live.processes import PATIENCE_SECONDS, Server

#: Linux's numbers of two TCP states (tcp_states.h), as TCP_INFO tells them.
TCP_CLOSE, TCP_CLOSE_WAIT = 7, 8


def client_of(
    server: Server,
    *,
    send_buffer: int | None = None,
    receive_buffer: int | None = None,
    address: tuple[str, int] | None = None,
) -> socket.socket:
    """
    Connect to a server.

    @param send_buffer: The size of our kernel's buffer for what we send, in bytes.
    @param receive_buffer: The size of that for what we have not read.
    @param address: Where, if not at the first place that it listens on.
    """
    host, port = server.address if address is None else address
    return socket_to(host, port, send_buffer=send_buffer, receive_buffer=receive_buffer)


def socket_to(
    host: str, port: int, *, send_buffer: int | None = None, receive_buffer: int | None = None
) -> socket.socket:
    """
    Connect to a numeric address; the sizes are as for L{client_of}.
    """
    client = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    client.settimeout(PATIENCE_SECONDS)
    if send_buffer is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    if receive_buffer is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.connect((host, port))
    return client


def receive(client: socket.socket, count: int) -> bytes:
    """
    Receive exactly so many bytes, or what there is at the end of the stream.
    """
    received = bytearray()
    while len(received) < count and (data := client.recv(min(65536, count - len(received)))):
        received += data
    return bytes(received)


def receive_all(client: socket.socket) -> bytes:
    """
    Receive until the peer ends its side.

    @raise ConnectionResetError: When it resets the connection instead.
    """
    received = bytearray()
    while data := client.recv(65536):
        received += data
    return bytes(received)


def receive_head(client: socket.socket) -> bytes:
    """
    Receive to the end of a head, and nothing behind it.

    @return: The head with the empty line at its end; less where the stream ends earlier.
    """
    received = bytearray()
    while not received.endswith(b"\r\n\r\n") and (data := client.recv(1)):
        received += data
    return bytes(received)


def is_quiet(client: socket.socket, seconds: float) -> bool:
    """
    Watch a connection for a while.

    @return: Whether nothing came, no byte and no end.
    """
    before = client.gettimeout()
    client.settimeout(seconds)
    try:
        client.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return True
    finally:
        client.settimeout(before)
    return False


def tcp_state(client: socket.socket) -> int:
    """
    Tell the TCP state of our end.
    """
    return client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


def memory_kb(server: Server) -> int:
    """
    Tell how much memory a server has in use, in KiB (VmRSS).
    """
    status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0])


def peak_memory_kb(server: Server) -> int:
    """
    Tell the most memory that a server has ever had in use, in KiB (VmHWM).
    """
    status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0])


def request(path: str = "/", *lines: str, method: str = "GET", version: str = "HTTP/1.1") -> bytes:
    """
    Write a request head to localhost.

    @param lines: Field lines beside Host, without line ends.
    """
    fields = "".join(f"{line}\r\n" for line in ("Host: localhost", *lines))
    return f"{method} {path} {version}\r\n{fields}\r\n".encode("latin-1")


def receive_answer(client: socket.socket, *, method: str = "GET") -> tuple[bytes, bytes]:
    """
    Receive one answer and nothing behind it.

    @param method: Of the request that it answers: to HEAD there comes no content.
    @return: Its head, with the empty line, and its content: as long as Content-Length says, or all
        up to the end of the stream.
    """
    head = receive_head(client)
    if method == "HEAD":
        return head, b""
    length = re.search(rb"\r\nContent-Length: ([0-9]+)\r\n", head)
    content = receive_all(client) if length is None else receive(client, int(length[1]))
    return head, content
