"""
How a supervisor and its worker talk: JSON objects, a line each, over a pair of sockets.

The end of the connection is a message too: the other process is gone, however it went.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

Message: TypeAlias = dict[str, Any]

_log = Logger()


class ControlLink(LineOnlyReceiver):
    """
    One end.
    """

    delimiter = b"\n"
    MAX_LENGTH = 1 << 16

    def __init__(self, received: Callable[[Message], None], lost: Callable[[], None]) -> None:
        """
        @param received: is called with each message.
        @param lost: is called once, when the other process is gone.
        """
        self._received = received
        self._lost = lost

    def send(self, message: Message) -> None:
        """
        Send a message; it is lost if the other process is gone.
        """
        if self.transport is not None:
            self.transport.write(json.dumps(message).encode("ascii") + self.delimiter)

    def lineReceived(self, line: bytes) -> None:
        """
        Hand a message on.
        """
        try:
            message = json.loads(line)
        except ValueError as error:
            _log.error("A message that is none came from another process: {error}", error=error)
            return
        self._received(message)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Hand the end on.
        """
        self._lost()
