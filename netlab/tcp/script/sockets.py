"""
The descriptors of a script's program: what stands behind each, and what it has still to say.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from netlab.tcp.connection import TCPConnection
from netlab.tcp.events import (
    PeerClosed,
    Refused,
    TimedOut,
    Unreachable,
    WasReset,
)
from netlab.tcp.listener import TCPListener
from netlab.tcp.states import TCPState


@dataclass(slots=True)
class ScriptSocket:
    """
    A socket.

    @ivar congestion: the congestion control that the program has chosen, or empty.
    @ivar error: the name of what a call returns next, once; empty if there is nothing.
    @ivar former: the connection that it had before C{connect} with no address.
    @ivar connects_with_data: C{connect} was called, and the first write is to send the SYN.
    @ivar has_connected: the handshake is complete.
    @ivar was_told_connected: C{connect} has said so.
    @ivar has_ended: the peer's FIN has arrived or the connection is over: reading gives an end.
    @ivar is_done_reading: the program has shut this direction down.
    @ivar is_done_writing: the program has shut this direction down.
    @ivar options: what was set before there was a connection, by the option's name.
    """

    is_bound: bool = False
    is_nonblocking: bool = False
    congestion: str = ""
    listener: TCPListener | None = None
    connection: TCPConnection | None = None
    error: str = ""
    former: TCPConnection | None = None
    connects_with_data: bool = False
    has_connected: bool = False
    was_told_connected: bool = False
    has_ended: bool = False
    is_done_reading: bool = False
    is_done_writing: bool = False
    options: dict[str, int] = field(default_factory=dict)

    def take_events(self) -> None:
        """
        Learn what the connection has to tell.
        """
        if self.connection is None:
            return
        while (event := self.connection.next_event()) is not None:
            match event:
                case Refused():
                    self._fail("ECONNREFUSED")
                case WasReset():
                    self._fail("ECONNRESET")
                case TimedOut():
                    self._fail("ETIMEDOUT")
                case Unreachable():
                    self._fail("EHOSTUNREACH")
                case PeerClosed():
                    self.has_ended = True
                case _:
                    pass
        state = self.connection.state
        if state not in {TCPState.CLOSED, TCPState.LISTEN, TCPState.SYN_SENT}:
            self.has_connected = True

    def _fail(self, error: str) -> None:
        # RFC 9293 section 3.10.7.4 says "connection reset"; to a program that has read the end
        # already Linux says that the pipe is broken.
        self.error = "EPIPE" if error == "ECONNRESET" and self.has_ended else error
        self.has_ended = True

    def take_error(self) -> str:
        """
        Get the error that is to be told, and be rid of it.
        """
        error, self.error = self.error, ""
        return error

    @property
    def is_open(self) -> bool:
        """
        Whether there is a connection that has not ended.
        """
        return self.connection is not None and self.connection.state is not TCPState.CLOSED

    def forget_connection(self) -> None:
        """
        Be as new: what C{connect} with no address makes of a socket.
        """
        self.former, self.connection = self.connection, None
        self.error = ""
        self.has_connected = self.was_told_connected = self.has_ended = False
        self.is_done_reading = self.is_done_writing = False
