"""
A reactor and descriptors that remember, for tests of the poller.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import (
    IHalfCloseableDescriptor,
    IReactorFDSet,
    IReadWriteDescriptor,
)
from twisted.internet.task import Clock
from twisted.python import failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from netlab.transport.poller import NestedPoller


@implementer(IReactorFDSet)
class Watchers(Clock):
    """
    A reactor that remembers what it watches.

    @ivar readers: what it was given to read from, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.readers: list[Any] = []
        self.called: list[object] = []

    def addReader(self, reader: Any) -> None:
        """Remember it."""
        self.readers.append(reader)

    def removeReader(self, reader: Any) -> None:
        """Forget it."""
        self.readers.remove(reader)

    def addWriter(self, writer: Any) -> None:
        """Is not needed."""
        raise NotImplementedError

    removeWriter = addWriter

    def removeAll(self) -> list[Any]:
        """Is not needed."""
        raise NotImplementedError

    def getReaders(self) -> list[Any]:
        """Answer what is watched."""
        return self.readers

    def getWriters(self) -> list[Any]:
        """Answer that nothing is."""
        return []

    def callFromThread(self, function: Callable[..., Any], *args: object, **kwargs: object) -> None:
        """Remember the arguments."""
        self.called.append((function, args, kwargs))


@implementer(IReadWriteDescriptor)
class Descriptor:
    """
    One end of a pair of sockets; does what the test says when it is ready.

    @ivar told: what happened, in order.
    """

    def __init__(self, watcher: NestedPoller) -> None:
        self.watcher = watcher
        self.socket, self.peer = socket.socketpair()
        self.socket.setblocking(False)
        self.fileno = self.socket.fileno
        self.told: list[Any] = []
        self.on_read: Callable[[], Any] = lambda: None
        self.on_write: Callable[[], Any] = lambda: None

    def logPrefix(self) -> str:
        """Name the descriptor in the log."""
        return "descriptor"

    def doRead(self) -> Any:
        """Remember it, and do what the test says."""
        self.told.append("read")
        return self.on_read()

    def doWrite(self) -> Any:
        """Remember it, and do what the test says."""
        self.told.append("write")
        return self.on_write()

    def connectionLost(self, reason: failure.Failure) -> None:
        """Remember why."""
        self.told.append(reason.type)
        self.close()

    def close(self) -> None:
        """Close both ends."""
        self.socket.close()
        self.peer.close()


@implementer(IHalfCloseableDescriptor)
class HalfCloseable(Descriptor):
    """
    A descriptor that is told of the end of each half.
    """

    def readConnectionLost(self, reason: failure.Failure) -> None:
        """Remember why."""
        self.told.append(("read half", reason.type))

    def writeConnectionLost(self, reason: failure.Failure) -> None:
        """Remember why."""
        self.told.append(("write half", reason.type))


class PollerTestCase(SynchronousTestCase):
    """
    A poller in a reactor that only remembers.
    """

    def setUp(self) -> None:
        """
        Nothing is watched.
        """
        self.reactor = Watchers()
        self.poller = NestedPoller(self.reactor, batch_max_events=4)

    def tearDown(self) -> None:
        """
        Nothing remains open.
        """
        self.poller.removeAll()
        self.assertEqual([], self.reactor.readers)

    def descriptor(self, made: type[Descriptor] = Descriptor) -> Any:
        """
        Make a descriptor that is watched for input.
        """
        descriptor = made(self.poller)
        self.addCleanup(descriptor.close)
        self.poller.addReader(descriptor)
        return descriptor
