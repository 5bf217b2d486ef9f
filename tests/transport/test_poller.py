"""
The poller by itself, its turns made by hand.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet import error, main
from twisted.internet.interfaces import (
    IHalfCloseableDescriptor,
    IReactorFDSet,
    IReactorFromThreads,
    IReactorTime,
    IReadDescriptor,
    IReadWriteDescriptor,
)
from twisted.internet.task import Clock
from twisted.python import failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from netlab.transport import poller
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


class MembershipTests(PollerTestCase):
    """
    What the poller watches, and how the reactor sees it.
    """

    def test_interfaces(self) -> None:
        """
        It is a set of descriptors, a clock, a way in from threads, and a descriptor itself.
        """
        for interface in (IReactorFDSet, IReactorTime, IReactorFromThreads, IReadDescriptor):
            verifyObject(interface, self.poller)
        self.assertEqual("netlab", self.poller.logPrefix())

    def test_time(self) -> None:
        """
        Time and calls are the reactor's.
        """
        self.reactor.advance(7)
        self.assertEqual(7, self.poller.seconds())
        called: list[int] = []
        call = self.poller.callLater(1, called.append, 5)
        self.assertEqual([call], list(self.poller.getDelayedCalls()))
        self.reactor.advance(1)
        self.assertEqual([5], called)
        self.poller.callFromThread(called.append, 6)
        self.assertEqual([(called.append, (6,), {})], self.reactor.called)

    def test_only_while_needed(self) -> None:
        """
        It is in the reactor, with an epoll open, only while it watches something.
        """
        self.assertEqual(-1, self.poller.fileno())
        first, second = self.descriptor(), self.descriptor()
        self.assertEqual([self.poller], self.reactor.readers)
        fd = self.poller.fileno()
        os.fstat(fd)
        self.poller.removeReader(first)
        self.assertEqual([self.poller], self.reactor.readers)
        self.poller.removeReader(second)
        self.assertEqual([], self.reactor.readers)
        self.assertEqual(-1, self.poller.fileno())
        self.assertRaises(OSError, os.fstat, fd)
        self.poller.doRead()

    def test_lists(self) -> None:
        """
        It tells what it watches, and removeAll tells it once more.
        """
        one, other = self.descriptor(), self.descriptor()
        self.poller.addWriter(one)
        self.poller.addWriter(one)
        self.poller.addReader(other)
        self.assertEqual([one, other], self.poller.getReaders())
        self.assertEqual([one], self.poller.getWriters())
        self.assertEqual({one, other}, set(self.poller.removeAll()))
        self.assertEqual(([], []), (self.poller.getReaders(), self.poller.getWriters()))

    def test_remove_unknown(self) -> None:
        """
        Removing what is not watched does nothing, even if its number is another's.
        """
        watched = self.descriptor()
        stranger = Descriptor(self.poller)
        self.addCleanup(stranger.close)
        self.poller.removeReader(stranger)
        self.poller.removeWriter(watched)
        stranger.fileno = watched.fileno
        self.poller.removeReader(stranger)
        stranger.fileno = lambda: -1
        self.poller.removeReader(stranger)
        self.assertEqual([watched], self.poller.getReaders())

    def test_remove_closed(self) -> None:
        """
        A descriptor that was closed first is found by its identity.
        """
        closed = self.descriptor()
        self.poller.addWriter(closed)
        closed.socket.close()
        self.assertEqual(-1, closed.fileno())
        self.poller.removeReader(closed)
        self.poller.removeWriter(closed)
        self.assertEqual([], self.reactor.readers)

    def test_replaced(self) -> None:
        """
        A number that was given out again without notice belongs to its new owner.
        """
        former = self.descriptor()
        self.poller.addWriter(former)
        number = former.fileno()
        latter = Descriptor(self.poller)
        self.addCleanup(latter.close)
        os.dup2(latter.fileno(), number)
        latter.fileno = lambda: number
        self.poller.addReader(latter)
        self.assertEqual(([latter], []), (self.poller.getReaders(), self.poller.getWriters()))
        latter.peer.send(b"x")
        self.poller.doRead()
        self.assertEqual((["read"], []), (latter.told, former.told))

    def test_unwatchable(self) -> None:
        """
        What epoll refuses is refused, and leaves nothing behind.
        """
        unwatchable = Descriptor(self.poller)
        self.addCleanup(unwatchable.close)
        with Path(__file__).open("rb") as file:
            unwatchable.fileno = file.fileno
            refused = self.assertRaises(OSError, self.poller.addReader, unwatchable)
        self.assertEqual(errno.EPERM, refused.errno)
        self.assertEqual(([], []), (self.poller.getReaders(), self.reactor.readers))

    def test_support(self) -> None:
        """
        It needs epoll and a reactor that watches descriptors.
        """
        self.assertTrue(poller.is_supported(self.reactor))
        self.assertFalse(poller.is_supported(Clock()))
        self.patch(poller, "select", object())
        self.assertFalse(poller.is_supported(self.reactor))


class BatchTests(PollerTestCase):
    """
    One turn.
    """

    def test_read_then_write(self) -> None:
        """
        A descriptor ready for both reads, then writes.
        """
        both = self.descriptor()
        self.poller.addWriter(both)
        both.peer.send(b"x")
        self.poller.doRead()
        self.assertEqual(["read", "write"], both.told)

    def test_nothing_ready(self) -> None:
        """
        A turn with nothing ready does nothing.
        """
        idle = self.descriptor()
        self.poller.doRead()
        self.assertEqual([], idle.told)

    def test_bounded(self) -> None:
        """
        A turn serves no more than its bound, and the next turn serves those that had to wait.
        """
        ready = [self.descriptor() for _ in range(6)]
        for descriptor in ready:
            descriptor.peer.send(b"x")
        self.poller.doRead()
        self.assertEqual(4, sum(len(descriptor.told) for descriptor in ready))
        self.poller.doRead()
        self.assertEqual([["read"]] * 6, [descriptor.told[:1] for descriptor in ready])

    def test_input_first(self) -> None:
        """
        Input is served before room to write, in whatever order they came.
        """
        writer, reader = self.descriptor(), self.descriptor()
        self.poller.addWriter(writer)
        reader.peer.send(b"x")
        order: list[str] = []
        writer.on_write = lambda: order.append("write")
        reader.on_read = lambda: order.append("read")
        self.poller.doRead()
        self.assertEqual(["read", "write"], order)

    def test_long_writing(self) -> None:
        """
        When writing has taken long, the others wait for the next turn; all of them have theirs.
        """
        writers = [self.descriptor() for _ in range(3)]
        for writer in writers:
            self.poller.addWriter(writer)
            writer.on_write = lambda: self.reactor.advance(poller.OTHERS_MAX_SECONDS)
        for turn in (1, 2, 3):
            self.poller.doRead()
            self.assertEqual(turn, sum(len(writer.told) for writer in writers))
        self.assertEqual([["write"]] * 3, [writer.told for writer in writers])

    def test_short_writing(self) -> None:
        """
        As long as it has not, all have their turn at once.
        """
        writers = [self.descriptor() for _ in range(3)]
        for writer in writers:
            self.poller.addWriter(writer)
            writer.on_write = lambda: self.reactor.advance(poller.OTHERS_MAX_SECONDS / 4)
        self.poller.doRead()
        self.assertEqual([["write"]] * 3, [writer.told for writer in writers])

    def test_removed_in_batch(self) -> None:
        """
        A descriptor that an earlier event of the batch removed is left alone.
        """
        one, other = self.descriptor(), self.descriptor()
        one.on_read = lambda: self.poller.removeReader(other)
        other.on_read = lambda: self.poller.removeReader(one)
        one.peer.send(b"x")
        other.peer.send(b"x")
        self.poller.doRead()
        self.assertEqual(["read"], one.told + other.told)

    def test_writer_removed_by_read(self) -> None:
        """
        A descriptor that stops writing when it reads does not write in that turn.
        """
        both = self.descriptor()
        self.poller.addWriter(both)
        both.on_read = lambda: self.poller.removeWriter(both)
        both.peer.send(b"x")
        self.poller.doRead()
        self.assertEqual(["read"], both.told)

    def test_reader_removed_in_batch(self) -> None:
        """
        A descriptor that stops reading while an event for both waits only writes.
        """
        both, other = self.descriptor(), self.descriptor()
        self.poller.addWriter(both)

        def stop(descriptor: Any) -> None:
            self.poller.removeReader(descriptor)
            self.poller.addWriter(descriptor)

        self.poller.addWriter(other)
        both.on_read = lambda: stop(other)
        other.on_read = lambda: stop(both)
        both.peer.send(b"x")
        other.peer.send(b"x")
        self.poller.doRead()
        self.assertEqual(["read", "write", "write"], sorted(both.told + other.told))

    def test_number_reused_in_batch(self) -> None:
        """
        An event for a number that was closed and given out again in the same batch is not taken
        for the new owner's, which is watched from the next turn on.
        """
        one, other = self.descriptor(), self.descriptor()
        arrived: list[Any] = []

        def replace(victim: Any) -> Callable[[], None]:
            def act() -> None:
                newcomer = Descriptor(self.poller)
                self.addCleanup(newcomer.close)
                self.poller.removeReader(victim)
                number = victim.socket.detach()
                os.dup2(newcomer.fileno(), number)
                self.addCleanup(os.close, number)
                newcomer.fileno = lambda: number
                self.poller.addReader(newcomer)
                arrived.append(newcomer)

            return act

        one.on_read, other.on_read = replace(other), replace(one)
        for descriptor in (one, other):
            # A hang-up of the former owner would end the newcomer.
            descriptor.peer.send(b"x")
            descriptor.peer.close()
        self.poller.doRead()
        self.assertEqual(["read"], one.told + other.told)
        (newcomer,) = arrived
        self.assertEqual([], newcomer.told)
        one.on_read = other.on_read = lambda: None
        newcomer.peer.send(b"x")
        self.poller.doRead()
        self.assertIn("read", newcomer.told)

    def test_listener_last(self) -> None:
        """
        A listener is served in the same turn as the input of others, and behind it; removed, it is
        forgotten.
        """
        order: list[str] = []
        listener = Descriptor(self.poller)
        self.addCleanup(listener.close)
        self.poller.add_listener(listener)
        other = self.descriptor()
        for descriptor, name in ((listener, "listener"), (other, "other")):
            descriptor.on_read = lambda name=name: order.append(name)
            descriptor.peer.send(b"x")
        self.poller.doRead()
        self.assertEqual(["other", "listener"], order)
        self.poller.removeReader(listener)
        self.poller.doRead()
        self.assertEqual(["other", "listener", "other"], order)
        self.assertEqual(set(), self.poller._listeners)

    def test_short_lived(self) -> None:
        """
        A descriptor that comes and goes within a batch never enters the epoll.
        """
        host = self.descriptor()
        guest = Descriptor(self.poller)
        self.addCleanup(guest.close)

        def act() -> None:
            self.poller.addReader(guest)
            self.poller.addWriter(guest)
            self.poller.removeReader(guest)
            self.poller.removeWriter(guest)

        host.on_read = act
        host.peer.send(b"x")
        self.poller.doRead()
        self.assertEqual([host], self.poller.getReaders())
        guest.peer.send(b"x")
        self.poller.doRead()
        self.assertEqual([], guest.told)

    def test_arrived_for_both(self) -> None:
        """
        A descriptor that arrives within a batch for input and for room is watched for both.
        """
        host = self.descriptor()
        guest = Descriptor(self.poller)
        self.addCleanup(guest.close)

        def act() -> None:
            self.poller.addReader(guest)
            self.poller.addWriter(guest)

        host.on_read = act
        host.peer.send(b"x")
        self.poller.doRead()
        self.poller.removeReader(host)
        guest.peer.send(b"x")
        self.poller.doRead()
        self.assertEqual(["read", "write"], guest.told)

    def test_arrived_and_refused(self) -> None:
        """
        A descriptor that arrives within a batch and cannot be watched is disconnected and logged.
        """
        host = self.descriptor()
        guest = Descriptor(self.poller)
        self.addCleanup(guest.close)

        def act() -> None:
            self.poller.addReader(guest)
            os.close(guest.socket.detach())
            guest.fileno = lambda: gone

        gone = guest.fileno()
        host.on_read = act
        host.peer.send(b"x")
        self.poller.doRead()
        self.assertEqual([OSError], guest.told)
        self.assertEqual(1, len(self.flushLoggedErrors(OSError)))
        self.assertEqual([host], self.poller.getReaders())


class EndReader(Descriptor):
    """
    A descriptor that takes all there is when it is told of something, as far as one read goes.

    @ivar limit: how many bytes one read takes.
    @ivar received: all that was read.
    """

    reads_to_the_end = True
    limit = 1 << 16

    def __init__(self, watcher: NestedPoller) -> None:
        super().__init__(watcher)
        self.received = b""
        self.on_read = self.read

    def read(self) -> Any:
        """
        Read once.
        """
        try:
            data = self.socket.recv(self.limit)
        except BlockingIOError:
            return None
        self.received += data
        return None if data else main.CONNECTION_DONE

    def read_and_tell(self) -> Any:
        """
        Read once, and say if there may be more.
        """
        before = len(self.received)
        why = self.read()
        if len(self.received) == before + self.limit:
            self.watcher.look_again(self)
        return why


class ReadToTheEndTests(PollerTestCase):
    """
    Descriptors that read to the end.
    """

    def setUp(self) -> None:
        """
        One of them is watched.
        """
        super().setUp()
        self.reader = self.descriptor(EndReader)

    def turn(self, times: int = 1) -> None:
        """
        Make some turns.
        """
        for _ in range(times):
            self.poller.doRead()

    def test_once_for_each_arrival(self) -> None:
        """
        Input is reported once, even if it is left; more input is reported again.
        """
        self.reader.on_read = lambda: None
        self.reader.peer.send(b"x")
        self.turn(3)
        self.assertEqual(["read"], self.reader.told)
        self.reader.peer.send(b"y")
        self.turn(3)
        self.assertEqual(["read"] * 2, self.reader.told)

    def test_others_are_told_again(self) -> None:
        """
        What does not read to the end is told for as long as something is there.
        """
        other = self.descriptor()
        other.peer.send(b"x")
        self.turn(3)
        self.assertEqual(["read"] * 3, other.told)

    def test_look_again(self) -> None:
        """
        What a reader says that it has left is reported in the next turn; where nothing is left,
        nothing is.
        """
        self.reader.limit = 2
        self.reader.on_read = self.reader.read_and_tell
        self.reader.peer.send(b"abcd")
        self.turn()
        self.assertEqual(b"ab", self.reader.received)
        self.turn()
        self.assertEqual((b"abcd", 2), (self.reader.received, len(self.reader.told)))
        self.turn(3)
        self.assertEqual(2, len(self.reader.told))

    def test_look_again_of_others(self) -> None:
        """
        What is not watched, is another's namesake or has arrived in this turn is not looked at.
        """
        stranger = EndReader(self.poller)
        self.addCleanup(stranger.close)
        self.poller.look_again(stranger)
        stranger.fileno = self.reader.fileno
        self.poller.look_again(stranger)
        self.assertEqual([self.reader], self.poller.getReaders())
        guest = EndReader(self.poller)
        self.addCleanup(guest.close)

        def act() -> None:
            self.reader.read()
            self.poller.addReader(guest)
            self.poller.look_again(guest)

        self.reader.on_read = act
        self.reader.peer.send(b"x")
        guest.peer.send(b"y")
        self.turn()
        self.assertEqual([], guest.told)
        self.turn()
        self.assertEqual(b"y", guest.received)

    def test_look_again_of_closed(self) -> None:
        """
        A descriptor that was closed without notice is nothing to look at, and hurts nobody.
        """
        number = self.reader.fileno()
        os.close(self.reader.socket.detach())
        self.reader.fileno = lambda: number
        self.poller.look_again(self.reader)
        self.poller.removeReader(self.reader)

    def test_data_and_end(self) -> None:
        """
        Data and the end of the stream behind it, which come as one event, are both read.
        """
        self.reader.peer.send(b"last")
        self.reader.peer.close()
        self.turn()
        self.assertEqual(b"last", self.reader.received)
        self.assertEqual(["read", "read", error.ConnectionDone], self.reader.told)

    def test_much_data_and_end(self) -> None:
        """
        So they are where the data takes many reads, whether or not the reader says what it leaves.
        """
        teller = self.descriptor(EndReader)
        teller.on_read = teller.read_and_tell
        for reader in (self.reader, teller):
            reader.limit = 2
            reader.peer.send(b"abcdefg")
            reader.peer.close()
        self.turn(10)
        for reader in (self.reader, teller):
            self.assertEqual(b"abcdefg", reader.received)
            self.assertEqual(error.ConnectionDone, reader.told[-1])

    def test_end_by_itself(self) -> None:
        """
        The end of the stream behind data that was read before is reported.
        """
        self.reader.peer.send(b"first")
        self.turn()
        self.reader.peer.close()
        self.turn()
        self.assertEqual(["read", "read", error.ConnectionDone], self.reader.told)

    def test_end_behind_a_pause(self) -> None:
        """
        A reader that pauses at the data reads the end when it is resumed, and not before.
        """

        def read_and_pause() -> Any:
            self.poller.removeReader(self.reader)
            return self.reader.read()

        self.reader.on_read = read_and_pause
        self.reader.peer.send(b"last")
        self.reader.peer.close()
        self.turn(3)
        self.assertEqual((b"last", ["read"]), (self.reader.received, self.reader.told))
        self.reader.on_read = self.reader.read
        self.poller.addReader(self.reader)
        self.turn()
        self.assertEqual(["read", "read", error.ConnectionDone], self.reader.told)

    def test_resumed(self) -> None:
        """
        A reader that is resumed is told of what came meanwhile, or was left before.
        """
        self.reader.on_read = lambda: None
        self.reader.peer.send(b"left ")
        self.turn()
        self.poller.removeReader(self.reader)
        self.reader.peer.send(b"meanwhile")
        self.turn()
        self.reader.on_read = self.reader.read
        self.poller.addReader(self.reader)
        self.turn()
        self.assertEqual(b"left meanwhile", self.reader.received)

    def test_resumed_in_the_same_turn(self) -> None:
        """
        So is one that another pauses and resumes in the turn in which its own input came.
        """
        other = self.descriptor(EndReader)

        def disturb(victim: Any) -> Callable[[], None]:
            def act() -> None:
                self.poller.removeReader(victim)
                self.poller.addReader(victim)

            return act

        for one, another in ((self.reader, other), (other, self.reader)):
            one.on_read = disturb(another)
            one.peer.send(b"x")
        self.turn()
        for descriptor in (self.reader, other):
            descriptor.on_read = descriptor.read
        self.turn()
        told = [len(descriptor.told) for descriptor in (self.reader, other)]
        self.assertEqual([1, 1], sorted(told))
        self.assertEqual([b"", b"x"], sorted([self.reader.received, other.received]))

    def test_while_it_writes(self) -> None:
        """
        While it also waits for room it is told of input again and again, and no longer then; what
        it left meanwhile is reported once more.
        """
        self.reader.on_read = lambda: None
        self.poller.addWriter(self.reader)
        self.reader.peer.send(b"x")
        self.turn(3)
        self.assertEqual(["read", "write"] * 3, self.reader.told)
        self.poller.removeWriter(self.reader)
        self.reader.told.clear()
        self.turn(3)
        self.assertEqual(["read"], self.reader.told)

    def test_end_while_it_writes(self) -> None:
        """
        The end of the stream is told in the turn behind the data then, and is not lost.
        """
        self.poller.addWriter(self.reader)
        self.reader.peer.send(b"last")
        self.reader.peer.shutdown(socket.SHUT_WR)
        self.turn(2)
        self.assertEqual(["read", "write", "read", error.ConnectionDone], self.reader.told)

    def test_postponed(self) -> None:
        """
        An end of stream for which there was no time in its turn is reported again, data and all.
        """
        readers = [self.reader, self.descriptor(EndReader), self.descriptor(EndReader)]
        for reader in readers:
            reader.connectionLost = lambda _reason: self.reactor.advance(poller.OTHERS_MAX_SECONDS)
            reader.peer.send(b"last")
            reader.peer.shutdown(socket.SHUT_WR)
        for turn in (1, 2, 3):
            self.turn()
            self.assertEqual(turn, sum(reader.received == b"last" for reader in readers))
        self.assertEqual([["read", "read"]] * 3, [reader.told for reader in readers])

    def test_postponed_and_gone(self) -> None:
        """
        One that was removed, or closed without notice, while it waited hurts nobody.
        """
        readers = [self.reader, self.descriptor(EndReader), self.descriptor(EndReader)]

        def end(first: Any) -> Callable[[object], None]:
            def act(_reason: object) -> None:
                removed, closed = (reader for reader in readers if reader is not first)
                self.poller.removeReader(removed)
                os.close(closed.socket.detach())
                self.reactor.advance(poller.OTHERS_MAX_SECONDS)

            return act

        for reader in readers:
            reader.fileno = partial(int, reader.fileno())
            reader.connectionLost = end(reader)
            reader.peer.shutdown(socket.SHUT_WR)
        self.turn(3)
        self.assertEqual([[], [], ["read"]], sorted(reader.told for reader in readers))
        for reader in self.poller.getReaders():
            self.poller.removeReader(reader)


class UrgentTests(PollerTestCase):
    """
    Urgent data, at which a read ends although more is there. Only TCP has it.
    """

    def setUp(self) -> None:
        """
        A connection that reads to the end is watched.
        """
        super().setUp()
        self.reader = EndReader(self.poller)
        self.reader.close()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.reader.peer = socket.create_connection(listener.getsockname())
            self.reader.socket, _ = listener.accept()
        self.addCleanup(self.reader.close)
        self.reader.socket.setblocking(False)
        self.reader.fileno = self.reader.socket.fileno
        self.poller.addReader(self.reader)

    def test_behind_urgent_data(self) -> None:
        """
        What follows urgent data is read, and so is the end behind that; a mark with nothing behind
        it is no reason to be told of again and again.
        """
        peer = self.reader.peer
        peer.send(b"abc")
        peer.send(b"!", socket.MSG_OOB)
        peer.send(b"def")
        for _ in range(5):
            self.poller.doRead()
        self.assertEqual(b"abcdef", self.reader.received)
        peer.send(b"ghi")
        peer.send(b"!", socket.MSG_OOB)
        for _ in range(5):
            self.poller.doRead()
        self.assertEqual(b"abcdefghi", self.reader.received)
        told = len(self.reader.told)
        for _ in range(5):
            self.poller.doRead()
        self.assertEqual(told, len(self.reader.told))
        peer.send(b"jkl")
        peer.close()
        for _ in range(5):
            self.poller.doRead()
        self.assertEqual(b"abcdefghijkl", self.reader.received)
        self.assertEqual(error.ConnectionDone, self.reader.told[-1])


class DisconnectTests(PollerTestCase):
    """
    How connections end.
    """

    def test_end_of_stream(self) -> None:
        """
        ConnectionDone from doRead ends the connection.
        """
        descriptor = self.descriptor()
        descriptor.on_read = lambda: main.CONNECTION_DONE
        descriptor.peer.close()
        self.poller.doRead()
        self.assertEqual(["read", error.ConnectionDone], descriptor.told)
        self.assertEqual([], self.poller.getReaders())

    def test_end_of_half(self) -> None:
        """
        ConnectionDone from doRead ends only the reading half of what can be half-closed.
        """
        descriptor = self.descriptor(HalfCloseable)
        self.poller.addWriter(descriptor)
        descriptor.on_read = lambda: main.CONNECTION_DONE
        descriptor.peer.send(b"x")
        self.poller.doRead()
        self.assertEqual(["read", ("read half", error.ConnectionDone)], descriptor.told)
        self.assertEqual(([], [descriptor]), (self.poller.getReaders(), self.poller.getWriters()))

    def test_done_writing(self) -> None:
        """
        ConnectionDone from doWrite ends the whole connection.
        """
        descriptor = self.descriptor(HalfCloseable)
        self.poller.addWriter(descriptor)
        descriptor.on_write = lambda: main.CONNECTION_DONE
        self.poller.doRead()
        self.assertEqual(["write", error.ConnectionDone], descriptor.told)

    def test_hang_up_of_reader(self) -> None:
        """
        A hang-up with no input left ends the stream of a reader.
        """
        descriptor = self.descriptor(HalfCloseable)
        self.poller._dispatch(descriptor.fileno(), poller._ERR_OR_HUP)
        self.assertEqual([("read half", error.ConnectionDone)], descriptor.told)

    def test_hang_up_of_writer(self) -> None:
        """
        A hang-up is the loss of the connection to what only writes.
        """
        descriptor = self.descriptor(HalfCloseable)
        self.poller.addWriter(descriptor)
        self.poller.removeReader(descriptor)
        descriptor.peer.close()
        self.poller.doRead()
        self.assertEqual([error.ConnectionLost], descriptor.told)

    def test_other_reason(self) -> None:
        """
        Any other reason is handed on as it is.
        """
        descriptor = self.descriptor(HalfCloseable)
        descriptor.on_read = error.ConnectionAborted
        descriptor.peer.send(b"x")
        self.poller.doRead()
        self.assertEqual(["read", error.ConnectionAborted], descriptor.told)

    def test_exception(self) -> None:
        """
        An exception is logged and ends that descriptor; the others of the batch are served.
        """
        descriptors = [self.descriptor() for _ in range(3)]
        self.poller.addWriter(descriptors[2])
        for descriptor in descriptors:
            descriptor.on_read = lambda: 1 / 0
            descriptor.peer.send(b"x")
        self.poller.doRead()
        self.assertEqual([["read", ZeroDivisionError]] * 3, [d.told for d in descriptors])
        self.assertEqual(3, len(self.flushLoggedErrors(ZeroDivisionError)))
        self.assertEqual([], self.reactor.readers)

    def test_exception_in_connection_lost(self) -> None:
        """
        So is an exception in connectionLost, and one in logPrefix.
        """

        def fail(*_args: object) -> Any:
            raise ZeroDivisionError

        first, second = self.descriptor(), self.descriptor()
        for descriptor in (first, second):
            descriptor.on_read = lambda: main.CONNECTION_LOST
            descriptor.connectionLost = fail
            descriptor.logPrefix = fail
            descriptor.peer.send(b"x")
        self.poller.doRead()
        self.assertEqual([["read"]] * 2, [first.told, second.told])
        self.assertEqual(4, len(self.flushLoggedErrors(ZeroDivisionError)))

    def test_descriptor_gone(self) -> None:
        """
        A descriptor that has no number any more is disconnected.
        """
        descriptor = self.descriptor()
        self.poller.addWriter(descriptor)
        number = descriptor.fileno()
        descriptor.fileno = lambda: -1
        self.poller._dispatch(number, poller._IN | poller._OUT)
        self.assertEqual([error.ConnectionFdescWentAway], descriptor.told)

    def test_reactor_goes(self) -> None:
        """
        When the reactor drops the poller, everything watched is lost for the reactor's reason.
        """

        def fail(_reason: object) -> None:
            raise ZeroDivisionError

        descriptors = [self.descriptor() for _ in range(3)]
        descriptors[1].connectionLost = fail
        self.poller.connectionLost(failure.Failure(main.CONNECTION_LOST))
        self.assertEqual(
            [[error.ConnectionLost], [], [error.ConnectionLost]], [d.told for d in descriptors]
        )
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))
        self.assertEqual([], self.reactor.readers)
