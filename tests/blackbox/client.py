"""
Sends cases to a real server.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from tests.blackbox.answers import read_answers
from tests.blackbox.case import After, Case, request
from tests.blackbox.judge import Happened, Names, bytes_of, judge

_THREADS = 8


def exchange(address: tuple[str, int], case: Case, names: Names, patience: float) -> Happened:
    """
    Send a case on a connection of its own, and read until the server closes.

    @param patience: how many seconds the server may say nothing.
    """
    received = bytearray()
    data = bytes_of(case, names)
    with socket.create_connection(address, patience) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def send() -> None:
            # A server may refuse and close while we are still sending.
            with suppress(OSError):
                client.sendall(data)
                if case.after is After.SHUT:
                    client.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        has_followed = not case.after_100
        is_ended = is_reset = False
        try:
            while piece := client.recv(65536):
                received += piece
                if not has_followed and received.startswith(b"HTTP/1.1 100"):
                    has_followed = True
                    client.sendall(case.after_100)
            is_ended = True
        except TimeoutError:
            client.shutdown(socket.SHUT_RDWR)
        except OSError:
            is_ended = is_reset = True
        sender.join()
    return Happened(bytes(received), is_ended, is_reset)


def names_of(address: tuple[str, int]) -> Names:
    """
    Ask a server what it calls the state of /text.txt.
    """
    asked = Case("names", "", request(b"/text.txt", b"Connection: close"), (200,), After.SILENT)
    happened = exchange(address, asked, Names(b"", b""), 10)
    ((answer,), _) = read_answers(happened.received, [], is_ended=True)
    return Names(
        answer.fields.get(b"etag", b'"none"'), answer.fields.get(b"last-modified", b"none")
    )


def run(
    address: tuple[str, int], cases: Sequence[Case], *, is_ours: bool, patience: float
) -> list[tuple[Case, list[str]]]:
    """
    Try all cases, several at a time.

    @return: each case and what is wrong about it.
    """
    names = names_of(address)

    def try_one(case: Case) -> list[str]:
        return judge(case, exchange(address, case, names, patience), is_ours=is_ours)

    with ThreadPoolExecutor(_THREADS) as threads:
        return list(zip(cases, threads.map(try_one, cases), strict=True))
