"""
An epoll of our own behind one descriptor of whatever reactor runs.

Twisted's reactors prepare a logging context and several calls for each event of each descriptor.
L{NestedPoller} takes that work once for a whole batch: the reactor sees a single descriptor, the
epoll instance itself, which is readable while anything registered inside is ready. Only public
interfaces of the reactor are used, so it serves under the epoll, poll, select and asyncio reactors
alike; under select(2) it also lifts the limit of 1024 descriptors.

What a descriptor may rely on is what Twisted's reactors promise: half-close through
C{IHalfCloseableDescriptor}, one C{connectionLost} with the reason they would give, an exception
logged and answered by disconnection. What differs: a line logged from inside a protocol carries the
poller's prefix and not the connection's, except for such exceptions.
"""

from __future__ import annotations

import errno
import select
from collections.abc import Callable
from typing import Any

from twisted.internet import error, main
from twisted.internet.interfaces import (
    IDelayedCall,
    IReactorFDSet,
    IReactorFromThreads,
    IReactorTime,
    IReadDescriptor,
    IWriteDescriptor,
)
from twisted.python import failure
from zope.interface import implementer

from netlab.transport.disconnection import disconnect, log_exception

# One turn of the reactor serves at most this many events; the rest wait until the reactor's timers
# and other descriptors had their turn. nginx takes 512 at a time; at some 10 microseconds each, 256
# are a few milliseconds.
BATCH_MAX_EVENTS = 256

# Room to write is mostly used by large files, a piece of which takes a tenth of a millisecond, or
# ten times that (decision note 0046): a small request must not wait until all of them had theirs.
OTHERS_MAX_SECONDS = 0.0005

# The values of epoll(7), which has no variants: named here so that the module imports where
# select.epoll is absent.
_IN = 0x001
_PRI = 0x002
_OUT = 0x004
_RDNORM = 0x040
_ERR_OR_HUP = 0x008 | 0x010
_RDHUP = 0x2000
_EDGE = 1 << 31

# There is something behind the input that one recv(2) takes: the end of the stream, or what follows
# urgent data, at which it stops.
_BEHIND = _RDHUP | _PRI

# The kernel has forgotten a descriptor that was closed before it was removed: nothing is left to
# do.
_ALREADY_GONE = frozenset({errno.EBADF, errno.ENOENT})


def is_supported(reactor: object) -> bool:
    """
    Say whether a L{NestedPoller} can run in C{reactor} on this platform.

    @param reactor: the reactor that would watch the poller.
    """
    return hasattr(select, "epoll") and IReactorFDSet.providedBy(reactor)


@implementer(IReactorFDSet, IReactorTime, IReactorFromThreads, IReadDescriptor)
class NestedPoller:
    """
    A set of descriptors, watched by one epoll instance that is itself one descriptor of a reactor.

    It is in the reactor, and holds its epoll open, only while it watches something: when the last
    descriptor leaves, nothing is left behind.

    Transports take it for their reactor. It offers them what Twisted's TCP transports use:
    descriptors, time, calls from other threads.

    What reads to the end (it has a true C{reads_to_the_end}) is reported once for each arrival and
    not for as long as something is there: the kernel need not look at it again in the next turn. It
    says by L{look_again} when it has left something.

    @ivar _left: descriptors whose events, other than input, had to wait for the next turn, with
        their places in it.
    @ivar _listeners: which descriptors were given to L{add_listener}.
    @ivar _pending: descriptors that arrived while a batch is being served. They enter the epoll
        only when the batch is over: one that is closed before then costs no system call, and an
        event of this batch for the same number belongs to the descriptor that had the number
        before, and must be passed over.
    """

    def __init__(self, reactor: Any, batch_max_events: int = BATCH_MAX_EVENTS) -> None:
        """
        @param reactor: an L{IReactorFDSet}, L{IReactorTime} and L{IReactorFromThreads} provider.
        @param batch_max_events: how many events one turn of the reactor may serve, at least 1.
        """
        self._reactor = reactor
        self._batch_max_events = batch_max_events
        self._epoll: Any = None
        self._readers: dict[int, Any] = {}
        self._writers: dict[int, Any] = {}
        self._listeners: set[int] = set()
        self._pending: set[int] = set()
        self._left: dict[int, int] = {}
        self._is_serving = False

    # IReactorFDSet

    def addReader(self, reader: IReadDescriptor) -> None:
        """
        Watch a descriptor for input.

        @param reader: what C{doRead} is called on.
        @raise OSError: epoll cannot watch this kind of file.
        """
        self._add(reader, self._readers, self._writers)

    def add_listener(self, listener: IReadDescriptor) -> None:
        """
        Watch a listening socket, as L{addReader}, and serve it behind all input of a turn. So more
        clients have come when it accepts, and have sent their requests when it reads.

        @param listener: what C{doRead} is called on.
        """
        self._listeners.add(listener.fileno())
        self.addReader(listener)

    def look_again(self, reader: IReadDescriptor) -> None:
        """
        Report input that a reader has left, which it had been told of.

        @param reader: what was given to L{addReader}; one that is not watched is ignored.
        """
        fd = reader.fileno()
        if self._readers.get(fd) is reader and fd not in self._pending:
            self._watch_again(fd)

    def hand_over(self, reader: IReadDescriptor, successor: IReadDescriptor) -> bool:
        """
        Watch a descriptor for input on behalf of another object, as it is watched already.

        @param reader: what was given to L{addReader}, and is not watched for room to write.
        @param successor: takes its place: it has the same descriptor, and reads to the end as well.
        @return: whether that was done: the reader is watched.
        """
        fd = reader.fileno()
        if self._readers.get(fd) is not reader or fd in self._writers:
            return False
        self._readers[fd] = successor
        return True

    def addWriter(self, writer: IWriteDescriptor) -> None:
        """
        Watch a descriptor for room to write.

        @param writer: what C{doWrite} is called on.
        @raise OSError: epoll cannot watch this kind of file.
        """
        self._add(writer, self._writers, self._readers)

    def removeReader(self, reader: IReadDescriptor) -> None:
        """
        Stop watching a descriptor for input; one that is not watched is ignored.

        @param reader: what was given to L{addReader}.
        """
        self._remove(reader, self._readers, self._writers)

    def removeWriter(self, writer: IWriteDescriptor) -> None:
        """
        Stop watching a descriptor for room to write; one that is not watched is ignored.

        @param writer: what was given to L{addWriter}.
        """
        self._remove(writer, self._writers, self._readers)

    def removeAll(self) -> list[IReadDescriptor | IWriteDescriptor]:
        """
        Stop watching everything.

        @return: what was watched, each once.
        """
        watched = {**self._writers, **self._readers}
        for fd in watched:
            self._forget(fd)
        self._rest_if_empty()
        return list(watched.values())

    def getReaders(self) -> list[IReadDescriptor]:
        """
        @return: the descriptors watched for input.
        """
        return list(self._readers.values())

    def getWriters(self) -> list[IWriteDescriptor]:
        """
        @return: the descriptors watched for room to write.
        """
        return list(self._writers.values())

    # IReactorTime and IReactorFromThreads: the reactor's own.

    def seconds(self) -> float:
        """
        @return: the reactor's time, in seconds.
        """
        now: float = self._reactor.seconds()
        return now

    def callLater(
        self,
        delay: float,
        callable: Callable[..., Any],
        *args: object,
        **kwargs: object,
    ) -> IDelayedCall:
        """
        Call a function later, by the reactor's clock.

        @param delay: seconds from now, 0 or more.
        @param callable: what to call.
        @param args: its positional arguments.
        @param kwargs: its keyword arguments.
        @return: the call, which can be cancelled.
        """
        call: IDelayedCall = self._reactor.callLater(delay, callable, *args, **kwargs)
        return call

    def getDelayedCalls(self) -> list[IDelayedCall]:
        """
        @return: all delayed calls of the reactor, not only those made through the poller.
        """
        calls: list[IDelayedCall] = self._reactor.getDelayedCalls()
        return calls

    def callFromThread(
        self,
        callable: Callable[..., Any],
        *args: object,
        **kwargs: object,
    ) -> None:
        """
        Call a function in the reactor's thread, soon.

        @param callable: what to call.
        @param args: its positional arguments.
        @param kwargs: its keyword arguments.
        """
        self._reactor.callFromThread(callable, *args, **kwargs)

    # IReadDescriptor: how the reactor sees us.

    def fileno(self) -> int:
        """
        @return: the epoll's own number, or -1 while nothing is watched.
        """
        if self._epoll is None:
            return -1
        number: int = self._epoll.fileno()
        return number

    def logPrefix(self) -> str:
        """
        @return: the prefix of what is logged while a batch is served.
        """
        return "netlab"

    def doRead(self) -> None:
        """
        Serve one batch of events.

        It never fails on behalf of one descriptor: that would make the reactor drop the poller, and
        with it all.
        """
        if self._epoll is None:
            return
        readers, pending = self._readers, self._pending
        others: list[tuple[int, int]] = []
        self._is_serving = True
        try:
            for fd, event in self._epoll.poll(0, self._batch_max_events):
                if pending and fd in pending:
                    continue
                if event != _IN:
                    others.append((fd, event))
                    continue
                # By far the most frequent event.
                try:
                    selectable = readers[fd]
                except KeyError:
                    # An earlier event of the batch removed it, or it stopped reading since.
                    continue
                try:
                    why = selectable.doRead()
                except BaseException as raised:
                    why = log_exception(selectable, raised)
                if why:
                    disconnect(self, selectable, why, is_read=True)
            if others:
                self._serve_others(others)
        finally:
            self._is_serving = False
            self._admit_pending()
            self._rest_if_empty()

    def connectionLost(self, reason: failure.Failure) -> None:
        """
        The reactor is going away: everything watched is lost with it.

        @param reason: handed on to each descriptor.
        """
        for selectable in self.removeAll():
            try:
                selectable.connectionLost(reason)
            except BaseException as raised:
                log_exception(selectable, raised)

    # Behind the interfaces

    def _serve_others(self, events: list[tuple[int, int]]) -> None:
        """
        Serve events other than plain input, for a while. What is left then the kernel reports again
        in the next turn, and it goes first.
        """
        left = self._left
        if left:
            events.sort(key=lambda event: left.get(event[0], len(left)))
        until = self.seconds() + OTHERS_MAX_SECONDS
        for place, (fd, event) in enumerate(events, 1):
            # An earlier event may have closed it, and its number may have been given out again.
            if fd not in self._pending:
                self._dispatch(fd, event)
                if self.seconds() >= until:
                    self._leave(events[place:])
                    return
        self._left = {}

    def _leave(self, events: list[tuple[int, int]]) -> None:
        """
        Have events reported again.
        """
        self._left = {fd: turn for turn, (fd, _) in enumerate(events)}
        for fd, event in events:
            reader = self._readers.get(fd)
            if reader is not None and not event & _OUT:
                # (Where room is watched for, the kernel reports all again by itself.)
                self.look_again(reader)

    def _dispatch(self, fd: int, event: int) -> None:
        """
        Serve an event other than plain input, in the order of Twisted's reactors.
        """
        is_read = fd in self._readers
        selectable: Any = (self._readers if is_read else self._writers).get(fd)
        if selectable is None:
            return
        why: Any = None
        if event & _ERR_OR_HUP and not event & _IN:
            # All input was read. For a reader that is the end of stream; for a writer alone, an
            # error.
            why = main.CONNECTION_DONE if is_read else main.CONNECTION_LOST
        else:
            try:
                if selectable.fileno() == -1:
                    why = error.ConnectionFdescWentAway("File descriptor lost")
                elif event & _IN and is_read:
                    why = selectable.doRead()
                    goes_on = self._readers.get(fd) is selectable
                    if not why and event & _BEHIND and goes_on:
                        # Data and the end behind it were one event.
                        why = selectable.doRead()
                        if not why:
                            self.look_again(selectable)
                if not why and event & _OUT and fd in self._writers:
                    is_read = False
                    why = selectable.doWrite()
            except BaseException as raised:
                why = log_exception(selectable, raised)
        if why:
            disconnect(self, selectable, why, is_read=is_read)

    def _add(self, selectable: Any, mine: dict[int, Any], others: dict[int, Any]) -> None:
        fd: int = selectable.fileno()
        known = mine.get(fd)
        if known is selectable:
            return
        if known is not None or others.get(fd, selectable) is not selectable:
            # The former owner closed the descriptor without removing it, and the number was given
            # out again.
            self._forget(fd)
        mine[fd] = selectable
        if self._is_serving and fd not in others:
            self._pending.add(fd)
        elif fd not in self._pending:
            try:
                self._watch(fd, is_new=fd not in others)
            except BaseException:
                del mine[fd]
                self._rest_if_empty()
                raise

    def _watch(self, fd: int, *, is_new: bool) -> None:
        """
        Bring the kernel's view of one descriptor up to date with ours.
        """
        reader = self._readers.get(fd)
        events = (0 if reader is None else _IN) | (_OUT if fd in self._writers else 0)
        if events == _IN and getattr(reader, "reads_to_the_end", False):
            events |= _BEHIND | _EDGE
        elif fd in self._listeners:
            # The same as _IN, but then the event is not the plain one, and is served with the rest.
            events |= _RDNORM
        if self._epoll is None:
            self._epoll = select.epoll()
            self._reactor.addReader(self)
        if is_new:
            self._epoll.register(fd, events)
        else:
            self._epoll.modify(fd, events)

    def _watch_again(self, fd: int) -> None:
        """
        Do the same for a descriptor that may have been closed without notice.
        """
        try:
            self._watch(fd, is_new=False)
        except OSError as gone:
            if gone.errno not in _ALREADY_GONE:
                raise

    def _remove(self, selectable: Any, mine: dict[int, Any], others: dict[int, Any]) -> None:
        fd = selectable.fileno()
        if mine.get(fd) is not selectable:
            if fd != -1:
                return
            # It was closed before it was removed: only its identity is left to find it by.
            fd = next((number for number, known in mine.items() if known is selectable), -1)
            if fd == -1:
                return
        del mine[fd]
        if fd not in others:
            self._forget(fd)
            self._rest_if_empty()
        elif fd not in self._pending:
            self._watch_again(fd)

    def _forget(self, fd: int) -> None:
        """
        Drop all that is known of a number, here and in the kernel.
        """
        self._readers.pop(fd, None)
        self._writers.pop(fd, None)
        self._listeners.discard(fd)
        if fd in self._pending:
            self._pending.remove(fd)
            return
        try:
            self._epoll.unregister(fd)
        except OSError as gone:
            if gone.errno not in _ALREADY_GONE:
                raise

    def _admit_pending(self) -> None:
        """
        Begin to watch what arrived during the batch.
        """
        while self._pending:
            fd = self._pending.pop()
            try:
                self._watch(fd, is_new=True)
            except OSError as refused:
                selectable = self._readers.pop(fd, None) or self._writers.get(fd)
                self._writers.pop(fd, None)
                log_exception(selectable, refused)
                disconnect(self, selectable, refused, is_read=False)

    def _rest_if_empty(self) -> None:
        """
        Leave the reactor and give the epoll back when nothing is watched.
        """
        if self._epoll is None or self._is_serving or self._readers or self._writers:
            return
        # In this order: the reactor asks for our number.
        self._reactor.removeReader(self)
        self._epoll.close()
        self._epoll = None
