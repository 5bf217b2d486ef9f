"""
What C{poll} says of a socket.
"""

from __future__ import annotations

from netlab.tcp.script.language.symbols import NUMBERS
from netlab.tcp.script.sockets import ScriptSocket
from netlab.tcp.sending import questions
from netlab.tcp.states import TCPState

_IN = NUMBERS["POLLIN"] | NUMBERS["POLLRDNORM"]
_OUT = NUMBERS["POLLOUT"] | NUMBERS["POLLWRNORM"]


def revents(socket: ScriptSocket) -> int:
    """
    Tell what a program that polls a socket would be told, as Linux's C{tcp_poll} does.
    """
    if socket.listener is not None:
        return _IN if socket.listener.waiting else 0
    if socket.connection is None:
        return _OUT | NUMBERS["POLLHUP"]
    connection = socket.connection
    events = 0
    ended = socket.has_ended or socket.is_done_reading
    if connection.state is TCPState.CLOSED or (ended and socket.is_done_writing):
        events |= NUMBERS["POLLHUP"]
    if ended:
        events |= _IN | NUMBERS["POLLRDHUP"]
    if socket.has_connected or connection.state is TCPState.CLOSED:
        if connection.is_readable:
            events |= _IN
        if questions.send_space(connection) > 0 or socket.is_done_writing or not socket.is_open:
            events |= _OUT
    if socket.error:
        events |= NUMBERS["POLLERR"]
    return events
