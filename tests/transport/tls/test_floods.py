"""
Floods of records that cost a server work and bring it nothing.
"""

from __future__ import annotations

import select
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import error

from netlab.transport.tls.channel import CONTENTLESS_RECORDS_MAX
from netlab.transport.tls.secureserver import RECORDS_A_TURN, RECORDS_QUEUED
from netlab.transport.tls.turns import TURN_SECONDS, DecryptionTurns
from tests.transport.connections import Recorder
from tests.transport.tls.rawrecords import ALERT, RecordWriter, secret_in
from tests.transport.tls.secured import SecureTestCase
from tests.transport.traffic import echo

READ_SECONDS = TURN_SECONDS / 4
"""What decrypting a record takes by the clock of these tests."""


class CountingObject(ssl.SSLObject):
    """
    Counts how often records are decrypted.
    """

    reads = 0

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002
        """
        Decrypt.
        """
        CountingObject.reads += 1
        return super().read(len, buffer)


class WorkClock:
    """
    Time that passes only by decrypting; calls are the reactor's.
    """

    def __init__(self, reactor: Any) -> None:
        self.callLater = reactor.callLater

    def seconds(self) -> float:
        """
        Tell how long all that was decrypted has taken.
        """
        return CountingObject.reads * READ_SECONDS


class FloodTests(SecureTestCase):
    """
    Clients that write their records by hand.
    """

    def setUp(self) -> None:
        """
        Count what is decrypted, and let clients write down their secrets.
        """
        super().setUp()
        self.key_log = Path(self.mktemp())
        self.client_context.keylog_filename = str(self.key_log)
        self.context.current.sslobject_class = CountingObject
        CountingObject.reads = 0

    def attacker(self, port: Any) -> tuple[Any, RecordWriter]:
        """
        Connect a client that will write its records by hand.
        """
        client: Any = self.connect(port)
        suite = client.tls.cipher()[0]
        return client, RecordWriter(suite, secret_in(self.key_log))

    def attacked(self) -> tuple[Any, Any, RecordWriter]:
        """
        Connect one such client.

        @return: its protocol, the client, and what writes its records.
        """
        port, factory = self.listen(lambda: Recorder(echo))
        client, writer = self.attacker(port)
        self.turn_until(lambda: factory.built)
        return factory.built[0], client, writer

    def test_key_updates_with_content(self) -> None:
        """
        As many KeyUpdates as are allowed are harmless where content follows, any number of times.
        """
        protocol, client, writer = self.attacked()
        for number in range(3):
            records = [writer.key_update() for _ in range(CONTENTLESS_RECORDS_MAX)]
            send(client, b"".join(records) + writer.record(b"%d" % number))
        self.turn_until(lambda: protocol.received == b"012")
        self.assertEqual([], protocol.lost)

    def test_key_updates(self) -> None:
        """
        One more ends the connection, and what is behind it is never decrypted.
        """
        protocol, client, writer = self.attacked()
        before = CountingObject.reads
        send(client, b"".join(writer.key_update() for _ in range(2000)))
        self.turn_until(lambda: protocol.lost)
        self.assertEqual([error.ConnectionLost], protocol.reasons)
        self.assertEqual(CONTENTLESS_RECORDS_MAX + 1, CountingObject.reads - before)

    def test_padded_key_updates(self) -> None:
        """
        So it does where each has the size of a request.
        """
        protocol, client, writer = self.attacked()
        before = CountingObject.reads
        send(client, b"".join(writer.key_update(padding=400) for _ in range(100)))
        self.turn_until(lambda: protocol.lost)
        self.assertEqual(CONTENTLESS_RECORDS_MAX + 1, CountingObject.reads - before)

    def test_one_key_update_a_delivery(self) -> None:
        """
        So it does where each comes alone.
        """
        protocol, client, writer = self.attacked()
        for _ in range(CONTENTLESS_RECORDS_MAX):
            before = CountingObject.reads
            send(client, writer.key_update())
            self.turn_until(lambda: CountingObject.reads > before)  # noqa: B023 (called here)
        self.assertEqual([], protocol.lost)
        send(client, writer.key_update())
        self.turn_until(lambda: protocol.lost)
        self.assertEqual([error.ConnectionLost], protocol.reasons)

    def test_warnings(self) -> None:
        """
        Alerts that end nothing do not go on for ever either.
        """
        protocol, client, writer = self.attacked()
        user_canceled = bytes([1, 90])
        send(client, b"".join(writer.record(user_canceled, ALERT) for _ in range(100)))
        self.turn_until(lambda: protocol.lost)
        self.assertEqual([error.ConnectionLost], protocol.reasons)

    @pytest.mark.slow
    def test_turns(self) -> None:
        """
        Records of one byte keep no other client waiting: in each turn of the reactor no more of
        them are decrypted than take their share of time, and everybody has one.
        """
        port, factory = self.listen(lambda: Recorder(echo))
        reception = port._reception
        attackers = [self.attacker(port) for _ in range(20)]
        bystander = self.connect(port)
        self.turn_until(lambda: len(factory.built) == len(attackers) + 1)
        reception.turns = turns = DecryptionTurns(WorkClock(self.reactor))
        for protocol in factory.built:
            protocol.transport._turns = turns
        CountingObject.reads = 0
        for client, writer in attackers:
            send(client, b"".join(writer.record(b"x") for _ in range(200)))
        await_arrival(factory.built[:-1])
        self.turn()
        # One each, but for those that came before the time was up.
        self.assertLessEqual(CountingObject.reads, len(attackers) + 2 * RECORDS_A_TURN)
        most = 0
        for _ in range(50):
            before = CountingObject.reads
            bystander.send(b"?")
            await_arrival([factory.built[-1]])
            self.turn(2)
            await_arrival_at(bystander)
            self.assertEqual(b"?", bystander.recv(10))
            most = max(most, CountingObject.reads - before)
        # In two turns: the bystander's record, and two shares.
        a_share = int(TURN_SECONDS / READ_SECONDS) + RECORDS_QUEUED
        self.assertLessEqual(most, 2 * a_share + 1)
        self.turn_until(lambda: all(len(p.received) >= 200 for p in factory.built[:-1]))
        self.assertEqual([], [p.lost for p in factory.built if p.lost])

    def test_upload(self) -> None:
        """
        What comes in records of any size arrives whole and in order.
        """
        port, factory = self.listen(Recorder)
        client, writer = self.attacker(port)
        wanted = bytearray()
        for size in (1, 16384, 3, 16000, 1200, 7) * 30:
            content = bytes([size % 251]) * size
            wanted += content
            send(client, writer.record(content, padding=size % 5), self.turn)
        self.turn_until(lambda: factory.built and len(factory.built[0].received) >= len(wanted))
        self.assertTrue(factory.built[0].received == wanted)


def await_arrival(protocols: list[Any]) -> None:
    """
    Wait until the kernel has something for each of these connections.
    """
    for protocol in protocols:
        await_arrival_at(protocol.transport.socket)


def await_arrival_at(end: Any) -> None:
    """
    Wait until the kernel has something for a socket.
    """
    if not select.select([end], [], [], 60)[0]:
        raise AssertionError("nothing has come")


def send(client: Any, records: bytes, turn: Any = None) -> None:
    """
    Send records past a client's own TLS.
    """
    while records:
        try:
            records = records[socket.socket.send(client.tls, records) :]
        except BlockingIOError:
            turn()
