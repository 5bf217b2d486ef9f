"""
The least that Python can do for one large file: C{python bare_sendfile.py FILE PORT}.

A loop over epoll(7). What a client sends is taken for one request and not looked at; the answer is
a constant head and the file, by sendfile(2), as much as the kernel takes whenever it has room. No
parsing, no limit, no deadline, no log; one client can keep all others waiting.
"""

import os
import select
import socket
import sys

file = os.open(sys.argv[1], os.O_RDONLY)
size = os.fstat(file).st_size
head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
listener = socket.create_server(("127.0.0.1", int(sys.argv[2])), backlog=511)
listener.setblocking(False)
epoll = select.epoll()
epoll.register(listener.fileno(), select.EPOLLIN)
connections: dict[int, socket.socket] = {}
# Of those that are being sent the file, how many bytes have been.
sent: dict[int, int] = {}


def send(fd: int) -> None:
    """
    Send as much as there is room for.
    """
    try:
        sent[fd] += os.sendfile(fd, file, sent[fd], size)
    except BlockingIOError:
        return
    if sent[fd] == size:
        del sent[fd]


while True:
    for fd, event in epoll.poll():
        connection = connections.get(fd)
        if connection is None:
            connection = listener.accept()[0]
            connection.setblocking(False)
            connections[connection.fileno()] = connection
            # As nginx has it: told once of all that becomes possible.
            both = select.EPOLLIN | select.EPOLLOUT | select.EPOLLET
            epoll.register(connection.fileno(), both)
            continue
        try:
            if fd in sent:
                send(fd)
            elif event & ~select.EPOLLOUT:
                if connection.recv(65536):
                    connection.send(head, socket.MSG_MORE)
                    sent[fd] = 0
                    send(fd)
                else:
                    connections.pop(fd).close()
        except (BlockingIOError, ConnectionError):
            sent.pop(fd, None)
            connections.pop(fd).close()
