"""
The poller by itself: what it watches, and one turn after another, made by hand.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.interfaces import (
    IReactorFDSet,
    IReactorFromThreads,
    IReactorTime,
    IReadDescriptor,
)
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from netlab.transport import poller
from tests.transport.descriptors import Descriptor, PollerTestCase


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
