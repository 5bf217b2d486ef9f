"""
Connections that each shake hands in full, ask once and end.

    python benchmarks/handshakes.py PORT PATH SECONDS ANSWER_BYTES

prints how many there were. wrk cannot do this: it resumes its sessions. Several threads keep the
server from waiting for this process; each answer must be a 200 of that many bytes.
"""

from __future__ import annotations

import socket
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

_THREADS: Final = 8


def main() -> None:
    """
    Shake hands, and count.
    """
    port, path, seconds, answer_bytes = (
        *(int(sys.argv[1]), sys.argv[2]),
        *(float(sys.argv[3]), int(sys.argv[4])),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    end = time.monotonic() + seconds

    def ask_again_and_again() -> int:
        count = 0
        while time.monotonic() < end:
            with (
                socket.create_connection(("127.0.0.1", port), timeout=20) as connection,
                context.wrap_socket(connection) as client,
            ):
                assert not client.session_reused
                client.sendall(request)
                received = b""
                while data := client.recv(1 << 16):
                    received += data
            if not received.startswith(b"HTTP/1.1 200 ") or len(received) != answer_bytes:
                raise ValueError(f"an answer of {len(received)} bytes, not {answer_bytes}")
            count += 1
        return count

    with ThreadPoolExecutor(_THREADS) as threads:
        counts = [threads.submit(ask_again_and_again) for _ in range(_THREADS)]
        print(sum(count.result() for count in counts))


if __name__ == "__main__":
    main()
