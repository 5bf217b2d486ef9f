"""
The least that Python can do for one small file in Twisted's reactor: C{python bare_reactor.py FILE
PORT}.

As bare_file.py, with fewer fields in the head, but the reactor watches the sockets and calls, by
its public interface; no protocol and no transport.
"""

import socket
import sys
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

content = Path(sys.argv[1]).read_bytes()
head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(content)
answer = head + content


@implementer(IReadDescriptor)
class Descriptor:
    """
    A socket that the reactor watches.
    """

    def __init__(self, watched: socket.socket) -> None:
        watched.setblocking(False)
        self.socket = watched
        self.fileno = watched.fileno
        reactor.addReader(self)

    def logPrefix(self) -> str:
        """
        Name it for log lines.
        """
        return "bare"

    def connectionLost(self, reason: Failure) -> None:
        """
        Close it, as the reactor says.
        """
        self.socket.close()


class Connection(Descriptor):
    """
    Gets the answer to whatever comes.
    """

    def doRead(self) -> None:
        """
        Answer.
        """
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        if data:
            self.socket.send(answer)
        else:
            reactor.removeReader(self)
            self.socket.close()


class Listener(Descriptor):
    """
    Accepts.
    """

    def doRead(self) -> None:
        """
        Accept one connection.
        """
        Connection(self.socket.accept()[0])


listener = socket.create_server(("127.0.0.1", int(sys.argv[2])), backlog=511)
listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
Listener(listener)
reactor.run()
