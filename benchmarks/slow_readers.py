"""
Clients that take a big file slowly: 64 KiB on each connection, ten times a second.

    python benchmarks/slow_readers.py PORT PATH

says C{ready} when all have asked, and reads until its standard input ends.
"""

from __future__ import annotations

import select
import socket
import sys
from typing import Final

_CONNECTIONS: Final = 32
_REQUESTS: Final = 50
_BYTES: Final = 65536
_PAUSE_SECONDS: Final = 0.1


def main() -> None:
    """
    Read slowly.
    """
    port, path = int(sys.argv[1]), sys.argv[2]
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    clients = []
    for _ in range(_CONNECTIONS):
        client = socket.create_connection(("127.0.0.1", port), timeout=20)
        client.sendall(request * _REQUESTS)
        client.setblocking(False)
        clients.append(client)
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], _PAUSE_SECONDS)[0]:
        for client in clients:
            try:
                client.recv(_BYTES)
            except BlockingIOError:
                continue


if __name__ == "__main__":
    main()
