"""
What clients of a TLS server that attack it cost everybody else: the longest that an honest client
waits meanwhile.

    python -m benchmarks.tls_attack HOST PORT ATTACK CONNECTIONS [RECORDS]

ATTACK is C{silent} (connects and says nothing), C{half} (sends the beginning of a handshake),
C{keyupdate} or C{tiny} (records of one byte). The server needs no trusted certificate.
"""

from __future__ import annotations

import socket
import ssl
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.transport.tls.rawrecords import RecordWriter, secret_in

_REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
_CLIENT_HELLO_BEGINS = b"\x16\x03\x01\x02\x00\x01"


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


_HONEST = _context()


def _ask(place: tuple[str, int]) -> float:
    """
    Ask by a new connection.

    @return: how long the answer took, in seconds.
    """
    began = time.monotonic()
    with _HONEST.wrap_socket(socket.create_connection(place, 60)) as client:
        client.sendall(_REQUEST)
        if not client.recv(12).startswith(b"HTTP/1.1 "):
            raise ConnectionError("no answer")
    return time.monotonic() - began


def _prepared(place: tuple[str, int], attack: str, records: int) -> tuple[socket.socket, bytes]:
    """
    Connect an attacker.

    @return: it, and what it will send.
    """
    client = socket.create_connection(place, 60)
    if attack == "silent":
        return client, b""
    if attack == "half":
        return client, _CLIENT_HELLO_BEGINS
    context = _context()
    with tempfile.TemporaryDirectory() as folder:
        key_log = Path(folder) / "keys"
        context.keylog_filename = str(key_log)
        tls = context.wrap_socket(client)
        suite = tls.cipher()
        assert suite is not None
        writer = RecordWriter(suite[0], secret_in(key_log))
    if attack == "keyupdate":
        return tls, b"".join(writer.key_update() for _ in range(records))
    return tls, b"".join(writer.record(b"G") for _ in range(records))


def _send(client: socket.socket, data: bytes) -> None:
    try:
        while data:
            data = data[socket.socket.send(client, data) :]
    except OSError:
        pass  # the server has had enough


def main(words: list[str]) -> None:
    """
    Attack.

    @param words: host, port, attack, connections, records.
    """
    host, port, attack, connections, *others = words
    place = (host, int(port))
    records = int(others[0]) if others else 2400
    quiet = max(_ask(place) for _ in range(20))
    attackers = [_prepared(place, attack, records) for _ in range(int(connections))]
    threads = [threading.Thread(target=_send, args=attacker) for attacker in attackers]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 5
    waited = []
    while time.monotonic() < until:
        waited.append(_ask(place))
    for client, _ in attackers:
        client.close()
    for thread in threads:
        thread.join()
    waited.sort()
    print(
        f"{attack} by {connections}: an honest client waited {waited[-1]:.3f} s at most, "
        f"{waited[len(waited) // 2]:.4f} s in the median ({len(waited)} times); "
        f"{quiet:.4f} s at most before"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
