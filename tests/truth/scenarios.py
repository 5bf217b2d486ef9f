"""
Experiments drawn by chance: programs that do this or that, on a wire that does this or that.

A seed makes the same experiment each time; what the kernel makes of it may differ a little.
"""

from __future__ import annotations

import random
import socket
import time
from contextlib import suppress
from typing import Final

from netlab.lab.api.experiment import Experiment, Impairment, Laboratory, WireSettings
from netlab.lab.api.sockets import connect, receive, receive_to_end

_PORT: Final = 9000

#: How many bytes an answer has at most: some tens of segments.
_ANSWER_MAX_BYTES: Final = 60_000


def serve(listener: socket.socket, turns: int, size: int, thinks: float, ends: str) -> None:
    """
    Answer each message of 100 bytes, then end the connection as asked.
    """
    connection, _ = listener.accept()
    connection.settimeout(20)
    for _ in range(turns):
        if len(receive(connection, 100)) < 100:
            break
        time.sleep(thinks)
        connection.sendall(b"a" * size)
    if ends == "server-aborts":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.close()
        return
    if ends == "server-closes":
        connection.shutdown(socket.SHUT_WR)
    with suppress(OSError):
        receive_to_end(connection)
    connection.close()


def ask(address: str, turns: int, size: int, pauses: float, ends: str) -> None:
    """
    Send messages of 100 bytes and read the answers, then end the connection as asked.
    """
    with connect(address, _PORT) as connection:
        if ends == "client-reads-slowly":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(turns):
            connection.sendall(b"q" * 100)
            if ends == "client-reads-slowly":
                time.sleep(0.4)
            receive(connection, size)
            time.sleep(pauses)
        if ends == "client-aborts":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            return
        if ends != "server-aborts":
            connection.shutdown(socket.SHUT_WR)
        with suppress(OSError):
            receive_to_end(connection)


def scenario(seed: int) -> Experiment:
    """
    Draw an experiment.
    """
    dice = random.Random(seed)
    turns = dice.randrange(1, 5)
    size = dice.choice((10, 700, 5000, 20_000, _ANSWER_MAX_BYTES))
    ends = dice.choice(
        ("client-closes", "server-closes", "client-aborts", "server-aborts", "client-reads-slowly")
    )
    thinks, pauses = dice.choice((0, 0, 0.05, 0.6)), dice.choice((0, 0, 0.05, 0.7))

    def impairment() -> Impairment:
        return Impairment(
            delay=dice.choice((0.0, 0.002, 0.01, 0.04)),
            jitter=dice.choice((0.0, 0.0, 0.003)),
            loss=dice.choice((0.0, 0.0, 0.02, 0.08)),
            duplication=dice.choice((0.0, 0.0, 0.03)),
            reordering=dice.choice((0.0, 0.0, 0.05)),
            corruption=dice.choice((0.0, 0.0, 0.0, 0.02)),
        )

    async def perform(lab: Laboratory) -> None:
        await lab.server.serve_function(serve, turns, size, thinks, ends, port=_PORT)
        await lab.client.run_function(ask, lab.server.address, turns, size, pauses, ends)
        await lab.pause(0.3)

    return Experiment(
        name=f"scenario_{seed}",
        question="Is what is told true?",
        programs=f"{turns} turns of {size} bytes; {ends}.",
        look_for="",
        explanation="",
        perform=perform,
        wire=WireSettings(impairment(), impairment(), seed=seed),
        needs_wire=True,
    )
