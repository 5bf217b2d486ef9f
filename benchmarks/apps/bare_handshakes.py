"""
The least that Python can do for a TLS handshake: C{bare_handshakes.py FILE CERTIFICATES PORT}.

A loop over epoll(7), and the standard library's C{ssl} straight on the descriptor: a handshake, one
recv, one send of a constant answer, whatever was asked for, a closure alert, the end. No limit, no
deadline, no log. One session ticket, as ours.
"""

import select
import socket
import ssl
import sys
from contextlib import suppress
from pathlib import Path

content = Path(sys.argv[1]).read_bytes()
folder = Path(sys.argv[2])
answer = (
    b"HTTP/1.1 200 OK\r\n"
    b"Date: Tue, 24 Nov 2026 12:00:00 GMT\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n"
    b"Content-Length: %d\r\n"
    b"Connection: close\r\n\r\n" % len(content)
) + content
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
context.num_tickets = 1
# The client chooses the suite, as with nginx and ours: all must speak the same.
context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
listener = socket.create_server(("127.0.0.1", int(sys.argv[3])), backlog=511)
listener.setblocking(False)
epoll = select.epoll()
epoll.register(listener.fileno(), select.EPOLLIN)
shaking: dict[int, ssl.SSLSocket] = {}
asking: dict[int, ssl.SSLSocket] = {}


def accept() -> None:
    """
    Accept all that wait.
    """
    while True:
        try:
            accepted = listener.accept()[0]
        except BlockingIOError:
            return
        accepted.setblocking(False)
        connection = context.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
        shaking[connection.fileno()] = connection
        epoll.register(connection.fileno(), select.EPOLLIN)


def serve(fd: int) -> None:
    """
    Go on with one.
    """
    connection = shaking.get(fd)
    if connection is not None:
        try:
            connection.do_handshake()
        except ssl.SSLWantReadError:
            return
        asking[fd] = shaking.pop(fd)
    connection = asking[fd]
    try:
        asked = connection.recv(65536)
    except ssl.SSLWantReadError:
        return
    if asked:
        connection.send(answer)
        # The peer's own alert has not come: nobody waits for it.
        with suppress(ssl.SSLWantReadError):
            connection.unwrap()
    del asking[fd]
    connection.close()


while True:
    for fd, _ in epoll.poll():
        if fd == listener.fileno():
            accept()
            continue
        try:
            serve(fd)
        except OSError:
            broken = shaking.pop(fd, None) or asking.pop(fd, None)
            if broken is not None:
                broken.close()
