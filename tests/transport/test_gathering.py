"""
Connections that come fast, and are accepted together.
"""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

from tests.transport.connections import (
    ConnectionTestCase,
    Recorder,
    RecorderFactory,
    no_descriptors,
)
from tests.transport.test_reception import Answer, BookOfAnswers, GuardedFactory
from tests.transport.traffic import echo


class AlwaysFast:
    """
    A pace at which connections are gathered.

    @ivar slowed: how often it was found that hardly anybody comes.
    """

    def __init__(self) -> None:
        self.slowed = 0

    def is_fast(self, _now: float) -> bool:
        """
        Say so.
        """
        return True

    def slow_down(self) -> None:
        """
        Count it.
        """
        self.slowed += 1


class GatheringTests(ConnectionTestCase):
    """
    A port to which connections come fast.
    """

    def setUp(self) -> None:
        """
        It listens; its factory has one-shot answers, so that it can tell who has said nothing yet.
        """
        super().setUp()
        self.one_shot = BookOfAnswers(known=b"answer")
        self.factory = GuardedFactory(self.one_shot)
        self.port = self.listen_fast(self.factory)

    def listen_fast(self, factory: RecorderFactory) -> Any:
        """
        Listen where connections come fast.
        """
        port = self.listen_for(factory)
        port._pace = AlwaysFast()
        return port

    def begin(self) -> None:
        """
        Turn the reactor until the port gathers.
        """
        self.turn_until(lambda: self.port._gathering)

    def accept_round(self) -> None:
        """
        Turn the reactor until the port has accepted once more.
        """
        call = self.port._gathering
        self.assertTrue(call.active())
        self.turn_until(lambda: self.port._gathering is not call)

    def is_watched(self) -> bool:
        """
        Find out whether the port is told of who comes.
        """
        return self.port in self.watcher.getReaders()

    def refuse_after(self, count: int) -> None:
        """
        Let accept(2) fail for want of descriptors once it has accepted so many.
        """
        accept = self.port._accept
        left = [accept] * count

        def accept_some() -> Any:
            if left:
                return left.pop()()
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        self.port._accept = accept_some

    # Rounds

    def test_waits(self) -> None:
        """
        A port that gathers accepts nobody for a moment, in which it is not told of who comes; then
        it accepts all at once.
        """
        clients = [self.come(b"first")]
        self.begin()
        self.assertFalse(self.is_watched())
        clients.append(self.come(b"other"))
        self.assertEqual([], self.factory.built)
        self.accept_round()
        self.assertEqual([b"first", b"other"], [made.received for made in self.factory.built])
        self.assertEqual([b"first", b"other"], [client.recv(100) for client in clients])

    def test_one_shot(self) -> None:
        """
        Those who ask what has a one-shot answer are answered without a protocol.
        """
        clients = [self.come(b"known") for _ in range(3)]
        self.begin()
        self.accept_round()
        self.assertEqual([b"answer"] * 3, [client.recv(100) for client in clients])
        self.assertEqual([], self.factory.built)

    def test_silent(self) -> None:
        """
        Who has said nothing is looked at once more, and gets a protocol if there is nothing still.
        """
        silent, late = self.come(), self.come()
        self.begin()
        self.accept_round()
        self.assertEqual([], self.factory.built)
        late.send(b"known")
        self.accept_round()
        self.assertEqual(b"answer", self.read_to_end(late))
        (protocol,) = self.factory.built
        silent.send(b"known")
        self.assertEqual(b"known", self.read_bytes(silent, 5))
        self.assertEqual(b"known", protocol.received)

    def test_without_doorkeeper(self) -> None:
        """
        Where nobody answers without a protocol a protocol is made of each connection at once.
        """
        factory = RecorderFactory(lambda: Recorder(echo))
        self.port = self.listen_fast(factory)
        self.come()
        self.begin()
        self.accept_round()
        self.assertEqual(1, len(factory.built))

    def test_ends(self) -> None:
        """
        When hardly anybody comes the port is told again of who comes.
        """
        self.come(b"known")
        self.begin()
        self.accept_round()
        self.assertTrue(self.is_watched())
        self.assertEqual((None, 1), (self.port._gathering, self.port._pace.slowed))
        self.come(b"known")
        self.begin()

    def test_goes_on(self) -> None:
        """
        As long as several come, or somebody is silent, the port goes on.
        """
        self.come(b"known")
        self.begin()
        self.come(b"known")
        self.accept_round()
        self.come()
        self.accept_round()
        self.assertFalse(self.is_watched())
        self.accept_round()
        self.assertTrue(self.is_watched())
        self.assertEqual(1, self.port._pace.slowed)

    def test_many(self) -> None:
        """
        All who come in several rounds are served: with a protocol or without, early or late.
        """
        expected: dict[socket.socket, bytes] = {}
        late: list[socket.socket] = []
        for _ in range(5):
            for request, answer in ((b"known", b"answer"), (b"unknown", b"unknown")):
                expected[self.come(request)] = answer
            late.append(self.come())
            self.turn_until(lambda: self.port._gathering)
            self.accept_round()
        for client in late:
            client.send(b"late")
            expected[client] = b"late"
        self.assertEqual(
            expected,
            {client: self.read_bytes(client, len(expected[client])) for client in expected},
        )

    def test_one_of_several_processes(self) -> None:
        """
        A port that accepts one at a time, for others wait for the same connections, gathers nobody.
        """
        self.port.accepts_max = 1
        for _ in range(3):
            self.come(b"unknown")
        self.port.doRead()
        self.assertEqual((1, None), (len(self.factory.built), self.port._gathering))
        self.assertTrue(self.is_watched())

    # The end

    def check_stopped(self, served: list[socket.socket]) -> None:
        """
        Check that a port which has just been stopped does nothing more, and has served these.
        """
        self.assertEqual((None, []), (self.port._gathering, self.port._quiet))
        self.turn_until(lambda: not self.port.connected)
        for client in served:
            client.send(b"late")
            self.assertEqual(b"late", self.read_bytes(client, 4))
        self.assertEqual(len(served), len(self.factory.built))

    def test_stopped(self) -> None:
        """
        A port that is stopped takes in who was accepted and who waits in the backlog.
        """
        silent = self.come()
        self.begin()
        self.accept_round()
        waiting = self.come()
        self.port.stopListening()
        self.check_stopped([silent, waiting])

    def test_stopped_before_the_first_round(self) -> None:
        """
        So it does when nobody was accepted yet.
        """
        waiting = self.come()
        self.begin()
        self.port.stopListening()
        self.check_stopped([waiting])

    def test_shared_stopped(self) -> None:
        """
        A port whose socket others have too takes in who was accepted, and leaves them the rest.
        """
        self.port.is_shared = True
        silent = self.come()
        self.begin()
        self.accept_round()
        self.come()
        self.port.stopListening()
        self.check_stopped([silent])

    def test_stopped_within_a_round(self) -> None:
        """
        Where one of those who were accepted stops the port the others are not forgotten.
        """

        def stop(_host: str, _answer: Answer) -> None:
            self.port.stopListening()

        self.patch(self.one_shot, "answer_sent", stop)
        self.come(b"known")
        silent = self.come()
        self.begin()
        self.accept_round()
        self.check_stopped([silent])

    def test_connection_lost(self) -> None:
        """
        A port that is lost without notice forgets its call.
        """
        self.come()
        self.begin()
        call = self.port._gathering
        self.port.connectionLost(None)
        self.assertFalse(call.active())

    # Want of descriptors

    def test_out_of_descriptors(self) -> None:
        """
        A port that runs out of descriptors while it gathers rests, and then is told of who comes.
        """
        waiting = self.come()
        self.begin()
        with no_descriptors(self.port.fileno()):
            self.accept_round()
        self.assertEqual(b"", waiting.recv(1))
        self.assertEqual((None, False), (self.port._gathering, self.is_watched()))
        self.port._resting.reset(0)
        self.turn_until(self.is_watched)
        client = self.come(b"unknown")
        self.assertEqual(b"unknown", self.read_bytes(client, 7))

    def test_accepted_before_descriptors_ran_out(self) -> None:
        """
        Who was accepted before does not wait until it has rested.
        """
        self.come()
        self.come(b"unknown")
        self.begin()
        self.refuse_after(2)
        self.accept_round()
        self.assertEqual([b"", b"unknown"], sorted(made.received for made in self.factory.built))
        self.assertTrue(self.port._resting.active())
        self.assertEqual([], self.port._quiet)

    def test_rest_ends_gathering(self) -> None:
        """
        A port that runs out of descriptors when it is asked to accept who waits gathers no more.
        """
        self.come()
        self.begin()
        call = self.port._gathering
        self.refuse_after(0)
        self.port.accept_waiting()
        self.assertEqual((False, None), (call.active(), self.port._gathering))
        self.assertTrue(self.port._resting.active())


class GatheringWithoutPollerTests(GatheringTests):
    """
    The same straight in Twisted's epoll reactor.
    """

    has_poller = False
