"""
What becomes of a connection that a port has accepted.
"""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import dataclass
from typing import Any

from twisted.internet import error

from netlab.transport.server import FastServer
from tests.transport.connections import (
    ConnectionTestCase,
    HalfCloseableRecorder,
    Recorder,
    RecorderFactory,
    reset,
)
from tests.transport.traffic import MUCH, echo


@dataclass
class Answer:
    """
    An answer that ends its connection.
    """

    data: bytes


class BookOfAnswers:
    """
    One-shot answers: it knows some requests, and remembers what happens.

    @ivar known: answers by request.
    @ivar asked: who has sent what, in order.
    @ivar answered: who was answered in what way.
    @ivar finished: how much of each answer had been sent before there was a protocol.
    """

    def __init__(self, **known: bytes) -> None:
        self.known = {request.encode(): answer for request, answer in known.items()}
        self.asked: list[tuple[str, bytes]] = []
        self.answered: list[tuple[str, bytes]] = []
        self.finished: list[int] = []

    def find_answer(self, host: str, data: bytes) -> Answer | None:
        """
        Look it up.
        """
        self.asked.append((host, data))
        known = self.known.get(data)
        return None if known is None else Answer(known)

    def answer_sent(self, host: str, answer: Answer) -> None:
        """
        Remember it.
        """
        self.answered.append((host, answer.data))

    def finish_rest(self, protocol: Any, answer: Answer, sent: int) -> None:
        """
        Remember it, and send the rest.
        """
        self.finished.append(sent)
        protocol.transport.write(answer.data[sent:])
        protocol.transport.loseConnection()


class PoorSocket:
    """
    A connected socket for which the kernel has no memory, once.
    """

    def __init__(self, connected: socket.socket, name: str) -> None:
        """
        @param name: of the method that fails.
        """
        self._connected = connected
        self._refuses = [name]

    def __getattr__(self, name: str) -> Any:
        if name in self._refuses:
            self._refuses.remove(name)
            return self._refuse
        return getattr(self._connected, name)

    def _refuse(self, *_args: object) -> Any:
        raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))


class GuardedFactory(RecorderFactory):
    """
    A factory with one-shot answers.
    """

    def __init__(self, one_shot: Any, build: Any = lambda: Recorder(echo)) -> None:
        super().__init__(build)
        self.one_shot = one_shot


class ReceptionTests(ConnectionTestCase):
    """
    Connections to a factory that has one-shot answers.
    """

    def setUp(self) -> None:
        """
        Nobody is connected.
        """
        super().setUp()
        self.one_shot = BookOfAnswers(known=b"answer")
        self.factory = GuardedFactory(self.one_shot)
        self.open(self.factory)

    def open(self, factory: GuardedFactory) -> None:
        """
        Open a port that remembers which sockets it has accepted.
        """
        self.port = self.listen_for(factory)
        self.accepted: list[socket.socket] = []
        accept = self.port._accept

        def remember() -> tuple[socket.socket, Any]:
            accepted, client = accept()
            self.accepted.append(accepted)
            return accepted, client

        self.port._accept = remember

    # One-shot connections

    def test_answered(self) -> None:
        """
        Who asks what has a one-shot answer gets the answer and the end of the stream; nothing is
        built, and that is told once.
        """
        client = self.come(b"known")
        self.port.doRead()
        self.assertEqual(b"answer", self.read_to_end(client))
        self.assertEqual([("127.0.0.1", b"answer")], self.one_shot.answered)
        self.assertEqual([("127.0.0.1", b"known")], self.one_shot.asked)
        self.assertEqual([], self.factory.built)
        self.assertEqual([-1], [accepted.fileno() for accepted in self.accepted])

    def test_unknown(self) -> None:
        """
        What has no one-shot answer reaches the protocol once, and so does what follows.
        """
        client = self.come(b"unknown")
        self.port.doRead()
        (protocol,) = self.factory.built
        self.assertEqual(b"unknown", protocol.received)
        client.send(b" more")
        self.assertEqual(b"unknown more", self.read_bytes(client, 12))
        self.assertEqual((b"unknown more", 2), (protocol.received, protocol.deliveries))
        self.assertEqual([("127.0.0.1", b"unknown")], self.one_shot.asked)

    def test_long_unknown(self) -> None:
        """
        What is longer than one read arrives whole and in order.
        """
        self.factory.build = Recorder
        sent = MUCH[: 2 * FastServer.bufferSize]
        client = self.come()
        client.setblocking(True)
        client.sendall(sent)
        self.turn_until(
            lambda: self.factory.built and len(self.factory.built[0].received) >= len(sent)
        )
        self.assertTrue(self.factory.built[0].received == sent)

    def test_silent(self) -> None:
        """
        Who has sent nothing gets a protocol, and is watched; no answer is asked for.
        """
        client = self.come()
        self.port.doRead()
        (protocol,) = self.factory.built
        self.assertIn(protocol.transport, self.watcher.getReaders())
        client.send(b"known")
        self.assertEqual(b"known", self.read_bytes(client, 5))
        self.assertEqual([], self.one_shot.asked)

    def test_closed_at_once(self) -> None:
        """
        A peer that has closed without a word is told to the protocol as it would be later.
        """
        for build, reasons, halves in (
            (Recorder, [error.ConnectionDone], []),
            (HalfCloseableRecorder, [], ["read"]),
        ):
            self.factory.build = build
            client = self.come()
            client.shutdown(socket.SHUT_WR)
            self.port.doRead()
            protocol = self.factory.built[-1]
            self.assertEqual((b"", reasons), (protocol.received, protocol.reasons))
            self.assertEqual(halves, getattr(protocol, "halves", []))
        self.assertEqual([], self.one_shot.asked)

    def test_closed_behind_a_request(self) -> None:
        """
        A peer that has shut its half behind what it asked is answered, with a protocol or without.
        """
        for request, answer in ((b"known", b"answer"), (b"unknown", b"unknown")):
            client = self.come(request)
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(answer, self.read_to_end(client))
        (protocol,) = self.factory.built
        self.assertEqual([error.ConnectionDone], protocol.reasons)

    def test_reset_at_once(self) -> None:
        """
        Of a peer that has reset its connection nobody learns, and the socket is closed.
        """
        reset(self.come())
        self.port.doRead()
        self.assertEqual([-1], [accepted.fileno() for accepted in self.accepted])
        self.assertEqual(([], []), (self.factory.built, self.one_shot.asked))

    def test_reset_behind_a_request(self) -> None:
        """
        Who is gone before the answer is done with, as one that goes right behind it.
        """
        client = self.come(b"known")
        find_answer = self.one_shot.find_answer

        def answer_too_late(host: str, data: bytes) -> Answer | None:
            reset(client)
            return find_answer(host, data)

        self.patch(self.one_shot, "find_answer", answer_too_late)
        self.port.doRead()
        self.assertEqual([-1], [accepted.fileno() for accepted in self.accepted])
        self.assertEqual([("127.0.0.1", b"answer")], self.one_shot.answered)
        self.assertEqual([], self.factory.built)

    def test_no_memory(self) -> None:
        """
        Where the kernel has no memory to read, or to send, it is asked again later.
        """
        for name, request, answer in (
            ("recv", b"unknown", b"unknown"),
            ("send", b"known", b"answer"),
        ):
            client = self.come(request)
            accepted, address = self.port._accept()
            self.port._reception.admit_all([(PoorSocket(accepted, name), address)])
            self.assertEqual(answer, self.read_bytes(client, len(answer)))
        self.assertEqual([0], self.one_shot.finished)

    def test_large_answer(self) -> None:
        """
        An answer that the kernel does not take at once arrives whole, once and in order: a protocol
        sends the rest.
        """
        self.one_shot.known[b"known"] = MUCH
        client = self.come(b"known")
        self.port.doRead()
        (sent,) = self.one_shot.finished
        self.assertTrue(0 < sent < len(MUCH))
        self.assertTrue(self.read_to_end(client) == MUCH)
        (protocol,) = self.factory.built
        self.assertEqual((b"", [error.ConnectionDone]), (protocol.received, protocol.reasons))
        self.assertEqual([], self.one_shot.answered)

    def test_refused_in_the_middle(self) -> None:
        """
        Where no protocol wants to send the rest of an answer the connection is closed.
        """
        self.one_shot.known[b"known"] = MUCH
        self.factory.build = lambda: None
        client = self.come(b"known")
        self.port.doRead()
        self.assertEqual([-1], [accepted.fileno() for accepted in self.accepted])
        self.assertLess(len(self.read_to_end(client)), len(MUCH))
        self.assertEqual([], self.one_shot.finished)

    # Faults

    def check_hurts_nobody(self, factory: GuardedFactory, request: bytes) -> None:
        """
        Check that the connection that meets a fault is closed, and who comes with it is served.
        """
        self.open(factory)
        unlucky = self.come(request)
        lucky = self.come(b"hello")
        self.port.doRead()
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))
        self.assertEqual(-1, self.accepted[0].fileno())
        self.read_to_end(unlucky)
        self.assertEqual(b"hello", self.read_bytes(lucky, 5))

    def test_exception_in_one_shot(self) -> None:
        """
        An exception of what answers is logged and ends that connection, and no other.
        """
        for name, answer in (
            ("find_answer", b"answer"),
            ("answer_sent", b"answer"),
            ("finish_rest", MUCH),
        ):
            one_shot = BookOfAnswers(known=answer)
            method = getattr(one_shot, name)

            def fail_once(*args: Any, method: Any = method) -> Any:
                if args[-1] == b"hello":
                    return method(*args)
                raise ZeroDivisionError("of the application")

            setattr(one_shot, name, fail_once)
            self.check_hurts_nobody(GuardedFactory(one_shot), b"known")

    def test_exception_in_factory(self) -> None:
        """
        So does an exception when a protocol is built, and one when it learns that it is connected.
        """

        def fail(*_args: object) -> Any:
            raise ZeroDivisionError("of the application")

        def fail_when_made() -> Recorder:
            protocol = Recorder()
            protocol.on_made = fail
            return protocol

        for build in (fail, fail_when_made):
            for request in (b"", b"unknown"):
                factory = GuardedFactory(BookOfAnswers())
                builds = iter([build])
                factory.build = lambda builds=builds: next(builds, lambda: Recorder(echo))()  # type: ignore[misc]
                self.check_hurts_nobody(factory, request)
                lost = [protocol.reasons for protocol in factory.built]
                self.assertEqual(
                    [[ZeroDivisionError]] if build is fail_when_made else [], lost[:-1]
                )
