"""
The least that Python can do for the upper-casing echo exchange: C{python bare_echo.py PORT}.

A loop over epoll(7), one recv and one send a delivery; no limit, no deadline, no backpressure.
"""

import select
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=511)
listener.setblocking(False)
listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
epoll = select.epoll()
epoll.register(listener.fileno(), select.EPOLLIN)
connections: dict[int, socket.socket] = {}
while True:
    for fd, _ in epoll.poll():
        connection = connections.get(fd)
        if connection is None:
            connection = listener.accept()[0]
            connection.setblocking(False)
            connections[connection.fileno()] = connection
            epoll.register(connection.fileno(), select.EPOLLIN)
            continue
        data = connection.recv(65536)
        if data:
            connection.send(data.upper())
        else:
            del connections[fd]
            connection.close()
