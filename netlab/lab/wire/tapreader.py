"""
The outer end of a host's TAP device, in the reactor.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.interfaces import IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

#: The largest frame that a device gives: an Ethernet MTU of 65535 would still fit.
_FRAME_MAX_BYTES: Final = 65550

#: Frames taken from a device before others get their turn.
_BATCH_FRAMES: Final = 64

_log = Logger(namespace="netlab-lab")


@implementer(IReadDescriptor)
class Tap:
    """
    The outer end of a host's device.
    """

    def __init__(
        self,
        reactor: Any,
        descriptor: int,
        receive: Callable[[bytes], None],
        broke: Callable[[Failure], None],
    ) -> None:
        """
        @param descriptor: of the TAP device, non-blocking; it is closed by L{close}.
        @param receive: is called with each frame that the host sends.
        @param broke: is called with what C{receive} raises; no more is read then.
        """
        self._reactor = reactor
        self._descriptor = descriptor
        self._receive = receive
        self._broke = broke
        reactor.addReader(self)

    def fileno(self) -> int:
        """
        The descriptor; -1 when it is closed.
        """
        return self._descriptor

    def logPrefix(self) -> str:
        """
        Name it for log lines.
        """
        return "netlab-lab wire"

    def doRead(self) -> None:
        """
        Take the frames that are there.
        """
        for _ in range(_BATCH_FRAMES):
            if self._descriptor < 0:
                return
            try:
                frame = os.read(self._descriptor, _FRAME_MAX_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                _log.info("A host's device has gone: {reason}", reason=error.strerror)
                self.close()
                return
            self._receive(frame)

    def write(self, frame: bytes) -> None:
        """
        Give the host a frame.
        """
        if self._descriptor < 0:
            return
        try:
            os.write(self._descriptor, frame)
        except OSError as error:
            # The host is ending: its device goes down before its descriptor does.
            _log.info("A frame did not reach a host: {reason}", reason=error.strerror)
            self.close()

    def connectionLost(self, reason: Failure) -> None:
        """
        The reactor lets go of the device: something has raised an exception, or the reactor ends.
        """
        self.close()
        self._broke(reason)

    def close(self) -> None:
        """
        Let go of the device.
        """
        if self._descriptor >= 0:
            self._reactor.removeReader(self)
            # The kernel takes a device down while its descriptor is closed, which may take some
            # hundred milliseconds: the wires of other laboratories are not to wait for that.
            self._reactor.callInThread(os.close, self._descriptor)
            self._descriptor = -1
