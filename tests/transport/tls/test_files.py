"""
Files sent over TLS, which the kernel cannot do.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from netlab.transport.sendfile import FileTruncatedError, TransferStoppedError, send_file
from netlab.transport.tls.secureserver import FILE_PIECE_BYTES
from tests.transport.connections import Recorder, reset
from tests.transport.tls.secured import SecureTestCase
from tests.transport.traffic import MUCH


class FileTests(SecureTestCase):
    """
    Ranges of a file.
    """

    def setUp(self) -> None:
        """
        Make a file.
        """
        super().setUp()
        path = Path(self.mktemp())
        path.write_bytes(MUCH)
        self.path = path
        self.fd = os.open(path, os.O_RDONLY)
        self.addCleanup(os.close, self.fd)

    def test_sizes(self) -> None:
        """
        A head and a range of any size arrive whole and in order, and the connection goes on.
        """
        protocol, client = self.connected(Recorder())
        sizes = (0, 1, 16384, 16385, FILE_PIECE_BYTES, FILE_PIECE_BYTES + 1, 5 << 20)
        for start, size in enumerate(sizes):
            sent: list[int] = []
            finished = send_file(protocol.transport, self.fd, start, size, b"head")
            finished.addCallback(sent.append)
            wanted = b"head" + MUCH[start : start + size]
            self.assertTrue(self.read_bytes(client, len(wanted)) == wanted)
            self.turn_until(lambda: sent)  # noqa: B023 (called here)
            self.assertEqual([size], sent)
        protocol.transport.write(b"after")
        self.assertEqual(b"after", self.read_bytes(client, 5))

    def test_together(self) -> None:
        """
        A head and a small file leave in one piece, with nothing to be waited for.
        """
        protocol, client = self.connected(Recorder())
        sends: list[int] = []
        transport = protocol.transport

        class Socket:
            def __getattr__(self, name: str) -> Any:
                return getattr(inner, name)

            def send(self, data: bytes, flags: int = 0) -> int:
                sends.append(len(data))
                sent: int = inner.send(data, flags)
                return sent

        inner, transport.socket = transport.socket, Socket()
        send_file(transport, self.fd, 0, 1000, b"head")
        transport.socket = inner
        self.assertEqual(1, len(sends))
        self.assertEqual(b"head" + MUCH[:1000], self.read_bytes(client, 1004))

    def test_slow_reader(self) -> None:
        """
        Of a large file no more than a piece waits for a client that does not read.
        """
        protocol, client = self.connected(Recorder(), receive_buffer=65536)
        transport = protocol.transport
        finished = send_file(transport, self.fd, 0, len(MUCH))
        self.turn(200)
        self.assertNoResult(finished)
        self.assertLess(len(transport.dataBuffer) + transport._tempDataLen, 2 * FILE_PIECE_BYTES)
        self.assertTrue(self.read_bytes(client, len(MUCH)) == MUCH)
        self.assertEqual(len(MUCH), self.successResultOf(finished))

    def test_close_behind(self) -> None:
        """
        A connection that is to be closed is closed behind the file, in order.
        """
        protocol, client = self.connected(Recorder())
        send_file(protocol.transport, self.fd, 0, len(MUCH))
        protocol.transport.loseConnection()
        self.assertTrue(self.read_to_end(client) == MUCH)

    def test_truncated_file(self) -> None:
        """
        A file that ends too early cuts the connection: nothing seems complete.
        """
        protocol, client = self.connected(Recorder())
        finished = send_file(protocol.transport, self.fd, 10, len(MUCH))
        finished.addErrback(lambda failure: failure.trap(FileTruncatedError))
        self.assertRaises(ConnectionResetError, self.read_to_end, client)
        self.assertIs(FileTruncatedError, self.successResultOf(finished))

    def test_gone(self) -> None:
        """
        A client that goes in the middle ends the transfer.
        """
        protocol, client = self.connected(Recorder(), receive_buffer=65536)
        finished = send_file(protocol.transport, self.fd, 0, len(MUCH))
        self.turn(5)
        reset(client)
        self.turn_until(lambda: protocol.lost)
        self.failureResultOf(finished, TransferStoppedError)
