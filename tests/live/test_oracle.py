"""
What real sockets say on the loopback interface: captured by dumpcap, read by us and by tshark.
"""

from __future__ import annotations

import io
import os
import shutil
import socket
import struct
from collections import Counter
from pathlib import Path
from threading import Thread

import pytest
from twisted.internet.threads import deferToThread

from netlab.analysis.expectations.references import ECHO, verify
from netlab.analysis.observations.dialogue import Dialogue, Dialogues
from netlab.analysis.tcp.analyser import Analyser
from netlab.capture.decode import Decoder
from netlab.capture.reading import read_capture
from netlab.capture.segments import Segment
from tests.live.conftest import RunNetlab, StartCommand, StartServer
from tests.oracle import comparison, differences, reference

pytestmark = [
    pytest.mark.skipif(
        reference.TSHARK is None or shutil.which("dumpcap") is None,
        reason="tshark and dumpcap are not installed",
    ),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may capture"),
]

_MESSAGES = ("a message of thirty-three letters", "and one of twenty by")
_LONG = bytes(300_000)


@pytest.mark.slow
async def test_sockets(
    twistd: StartServer, start_command: StartCommand, netlab: RunNetlab, tmp_path: Path
) -> None:
    """
    The echo exchange passes as itself in a capture of real sockets, beside connections that are
    reset, closed by halves, or stopped by a full window; tshark agrees with all figures.
    """
    server = await twistd("netlab-echo")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # So small that the sender is stopped at once.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        port = listener.getsockname()[1]
        ports = f"tcp port {server.port} or tcp port {port}"
        dumpcap = start_command("dumpcap", "-q", "-i", "lo", "-f", ports, "-w", "-")
        # The file's head is written when the interface is open.
        await dumpcap.output(bool)
        await netlab("echo", server.host, str(server.port), *_MESSAGES)
        await deferToThread(_talk, listener, port)
        captured = await dumpcap.output(lambda data: _count_over(data) == 4)
    dialogues = _read(captured)
    assert verify(ECHO, dialogues).is_met
    path = tmp_path / "lo.pcapng"
    path.write_bytes(captured)
    rows = {int(row["frame.number"]): row for row in reference.read(path)}
    found = comparison.compare(comparison.read(path), rows.values())
    assert differences.unexplained(found, rows) == ([], set())
    marks = Counter(
        name for row in rows.values() for name, field in reference.MARKS.items() if row[field]
    )
    assert marks["WINDOW_FULL"]
    assert [reset is not None for one in dialogues for reset in one.resets].count(True) == 1


def _talk(listener: socket.socket, port: int) -> None:
    """
    Reset a connection, close one by halves, and send more than the receiver's window holds.
    """
    client, peer = _connect(listener, port)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    peer.close()

    client, peer = _connect(listener, port)
    with client, peer:
        client.sendall(b"what is left to say?")
        client.shutdown(socket.SHUT_WR)
        while peer.recv(100):
            pass
        peer.sendall(b"this")
        peer.shutdown(socket.SHUT_WR)
        while client.recv(100):
            pass

    client, peer = _connect(listener, port)
    with client, peer:
        sender = Thread(target=_send_and_end, args=(client,))
        sender.start()
        while peer.recv(65536):
            pass
        sender.join()


def _send_and_end(client: socket.socket) -> None:
    client.sendall(_LONG)
    client.shutdown(socket.SHUT_WR)


def _connect(listener: socket.socket, port: int) -> tuple[socket.socket, socket.socket]:
    client = socket.create_connection(("127.0.0.1", port))
    peer, _ = listener.accept()
    return client, peer


def _read(captured: bytes) -> list[Dialogue]:
    decoder, analyser, dialogues = Decoder(), Analyser(), Dialogues()
    for record in read_capture(io.BytesIO(captured)):
        segment = decoder.decode(record)
        assert isinstance(segment, Segment)
        dialogues.receive(analyser.analyse(segment))
    return dialogues.finish()


def _count_over(captured: bytes) -> int:
    return sum(dialogue.conversation.is_over for dialogue in _read(captured))
