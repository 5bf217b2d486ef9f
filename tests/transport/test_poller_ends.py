"""
The poller by itself: input that is read to its end in one turn, and descriptors that end.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet import error, main
from twisted.python import failure

from netlab.transport import poller
from netlab.transport.poller import NestedPoller
from tests.transport.descriptors import Descriptor, HalfCloseable, PollerTestCase


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

    def test_hand_over(self) -> None:
        """
        A descriptor is watched on behalf of another object from one moment to the next; only one
        that is watched, and for nothing but input, can be handed over.
        """
        successor = EndReader(self.poller)
        self.addCleanup(successor.close)
        successor.fileno = self.reader.fileno
        self.assertFalse(self.poller.hand_over(successor, self.reader))
        self.poller.addWriter(self.reader)
        self.assertFalse(self.poller.hand_over(self.reader, successor))
        self.poller.removeWriter(self.reader)
        self.assertTrue(self.poller.hand_over(self.reader, successor))
        successor.on_read = lambda: None
        self.reader.peer.send(b"x")
        self.turn()
        self.assertEqual((["read"], []), (successor.told, self.reader.told))
        self.poller.removeReader(self.reader)
        self.assertEqual([successor], self.poller.getReaders())
        self.poller.removeReader(successor)

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
