"""
The least that Python can do for one small file: C{python bare_file.py FILE PORT}.

A loop over epoll(7): one recv and one send of a constant answer for each delivery, which is taken
for one request and looked at only for "If-None-Match" (whatever is named there, it is a match) and
for "close" in it. No parsing, no limit, no deadline, no log. The head has the fields that ours has,
because wrk, which sets the pace, takes longer with more of them.
"""

import select
import socket
import sys
from pathlib import Path

content = Path(sys.argv[1]).read_bytes()
date = b"Date: Tue, 24 Nov 2026 12:00:00 GMT\r\n"
fields = (
    b'ETag: "18eaef366b25bf72-d2"\r\n'
    b"Accept-Ranges: bytes\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
    b"Cache-Control: no-cache\r\n"
)
described = (
    b"Content-Type: text/html; charset=utf-8\r\nLast-Modified: Tue, 24 Nov 2026 08:00:00 GMT\r\n"
    b"Content-Length: %d\r\n" % len(content)
)
full = b"HTTP/1.1 200 OK\r\n" + date + described + fields + b"\r\n" + content
not_modified = b"HTTP/1.1 304 Not Modified\r\n" + date + fields + b"\r\n"
listener = socket.create_server(("127.0.0.1", int(sys.argv[2])), backlog=511)
listener.setblocking(False)
listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
epoll = select.epoll()
epoll.register(listener.fileno(), select.EPOLLIN)
connections: dict[int, socket.socket] = {}


def accept() -> None:
    """
    Accept all that wait.
    """
    while True:
        try:
            connection = listener.accept()[0]
        except BlockingIOError:
            return
        connection.setblocking(False)
        connections[connection.fileno()] = connection
        epoll.register(connection.fileno(), select.EPOLLIN)


while True:
    for fd, _ in epoll.poll():
        if fd not in connections:
            accept()
            continue
        try:
            data = connections[fd].recv(65536)
        except ConnectionError:
            data = b""
        if data:
            connections[fd].send(not_modified if b"If-None-Match" in data else full)
        if not data or b"close" in data:
            connections.pop(fd).close()
