"""
Experiments drawn by chance: programs that do this or that, on a wire that does this or that.

A seed makes the same experiment each time; what the kernel makes of it may differ a little.
"""

from __future__ import annotations

import random
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from netlab.lab.api.experiment import Experiment, Impairment, Laboratory, Side, WireSettings
from netlab.lab.api.sockets import connect, receive, receive_to_end, say

_PORT: Final = 9000

#: How many bytes an answer has at most: some tens of segments.
_ANSWER_MAX_BYTES: Final = 60_000

_ASKED_BYTES: Final = 100

#: How long a program waits that gives up, and how long the other lets it wait.
_PATIENCE: Final = 0.9
_TOO_LONG: Final = 1.6

#: How many seconds more a frame takes at most on a way that is not steady.
_JITTER: Final = 0.3


class Ending(StrEnum):
    """
    How the programs end the connection.
    """

    CLIENT_CLOSES = "client-closes"
    SERVER_CLOSES = "server-closes"
    CLIENT_ABORTS = "client-aborts"
    SERVER_ABORTS = "server-aborts"
    CLIENT_READS_SLOWLY = "client-reads-slowly"
    CLIENT_NEVER_READS = "client-never-reads"
    SERVER_LEAVES_UNREAD = "server-leaves-unread"
    SERVER_TIMES_OUT = "server-times-out"
    CLIENT_TIMES_OUT = "client-times-out"
    HALF_CLOSE = "half-close"
    SERVER_CRASHES = "server-crashes"
    WIRE_IS_CUT = "wire-is-cut"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    What is done.

    @ivar experiment: the laboratory's.
    @ivar ending: how the programs end the connection.
    @ivar is_steady: whether all frames take about as long to the other end.
    """

    experiment: Experiment
    ending: Ending
    is_steady: bool


def _abort(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    connection.close()


def serve(listener: socket.socket, turns: int, size: int, thinks: float, ending: str) -> None:
    """
    Answer each message of 100 bytes, then end the connection as asked.
    """
    connection, _ = listener.accept()
    connection.settimeout(_PATIENCE if ending == Ending.SERVER_TIMES_OUT else 20)
    with suppress(OSError):
        _answer(connection, turns, size, thinks, ending)
    connection.close()


def _answer(connection: socket.socket, turns: int, size: int, thinks: float, ending: str) -> None:
    for turn in range(turns):
        is_last = turn + 1 == turns
        if ending == Ending.SERVER_LEAVES_UNREAD and is_last:
            connection.recv(10)
            time.sleep(thinks)
            return
        if len(receive(connection, _ASKED_BYTES)) < _ASKED_BYTES:
            return
        time.sleep(_TOO_LONG if ending == Ending.CLIENT_TIMES_OUT and is_last else thinks)
        connection.sendall(b"a" * size)
    if ending == Ending.SERVER_ABORTS:
        _abort(connection)
        return
    if ending in {Ending.SERVER_CLOSES, Ending.HALF_CLOSE}:
        connection.shutdown(socket.SHUT_WR)
    receive_to_end(connection)


def ask(address: str, turns: int, size: int, pauses: float, ending: str) -> None:
    """
    Send messages of 100 bytes and read the answers, then end the connection as asked.
    """
    try:
        connection = connect(address, _PORT)
    except ConnectionRefusedError:
        return
    with connection, suppress(OSError):
        if ending in {Ending.CLIENT_READS_SLOWLY, Ending.CLIENT_NEVER_READS}:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for turn in range(turns):
            _one_turn(connection, size, pauses, ending, is_last=turn + 1 == turns)
        if ending == Ending.CLIENT_ABORTS:
            _abort(connection)
            return
        if ending == Ending.SERVER_TIMES_OUT:
            time.sleep(_TOO_LONG)
        if ending not in {Ending.SERVER_ABORTS, Ending.SERVER_CLOSES, Ending.CLIENT_TIMES_OUT}:
            connection.shutdown(socket.SHUT_WR)
        receive_to_end(connection)


def _one_turn(
    connection: socket.socket, size: int, pauses: float, ending: str, *, is_last: bool
) -> None:
    connection.sendall(b"q" * _ASKED_BYTES)
    if is_last and ending == Ending.HALF_CLOSE:
        connection.shutdown(socket.SHUT_WR)
    if ending == Ending.CLIENT_READS_SLOWLY:
        time.sleep(0.4)
    if ending == Ending.CLIENT_NEVER_READS:
        time.sleep(_TOO_LONG)
        connection.close()
        return
    if is_last and ending == Ending.CLIENT_TIMES_OUT:
        connection.settimeout(_PATIENCE)
    receive(connection, size)
    if ending in {Ending.SERVER_CRASHES, Ending.WIRE_IS_CUT}:
        say("answered")
        sys.stdin.readline()
    time.sleep(pauses)


def scenario(seed: int) -> Scenario:
    """
    Draw an experiment.
    """
    dice = random.Random(seed)
    turns = dice.randrange(1, 5)
    size = dice.choice((10, 700, 5000, 20_000, _ANSWER_MAX_BYTES))
    ending = dice.choice(list(Ending))
    thinks, pauses = dice.choice((0, 0, 0.05, 0.6)), dice.choice((0, 0, 0.05, 0.7))
    if ending is Ending.CLIENT_NEVER_READS:
        turns, size = 1, _ANSWER_MAX_BYTES
    if ending in {Ending.SERVER_CRASHES, Ending.WIRE_IS_CUT}:
        turns += 1

    def impairment() -> Impairment:
        return Impairment(
            delay=dice.choice((0.0, 0.002, 0.01, 0.04)),
            jitter=dice.choice((0.0, 0.0, 0.003, _JITTER)),
            loss=dice.choice((0.0, 0.0, 0.02, 0.08)),
            duplication=dice.choice((0.0, 0.0, 0.03)),
            reordering=dice.choice((0.0, 0.0, 0.05)),
            corruption=dice.choice((0.0, 0.0, 0.0, 0.02)),
        )

    async def perform(lab: Laboratory) -> None:
        if ending is not Ending.REFUSED:
            await lab.server.serve_function(serve, turns, size, thinks, ending.value, port=_PORT)
        asked = (lab.server.address, turns, size, pauses, ending.value)
        if ending not in {Ending.SERVER_CRASHES, Ending.WIRE_IS_CUT}:
            await lab.client.run_function(ask, *asked)
            await lab.pause(0.3)
            return
        client = lab.client.start_function(ask, *asked)
        await client.line("answered")
        if ending is Ending.WIRE_IS_CUT:
            lab.wire.cut()
            client.send(b"go on\n")
            await lab.pause(2.5)
            return
        await lab.crash(Side.SERVER)
        await lab.reboot(Side.SERVER)
        client.send(b"go on\n")
        await client.ended()

    experiment = Experiment(
        name=f"scenario_{seed}",
        question="Is what is told true?",
        programs=f"{turns} turns of {size} bytes; {ending}.",
        look_for="",
        explanation="",
        perform=perform,
        wire=WireSettings(impairment(), impairment(), seed=seed),
        needs_wire=True,
    )
    ways = (experiment.wire.client, experiment.wire.server)
    is_steady = all(way.jitter < _JITTER and not way.reordering for way in ways)
    return Scenario(experiment, ending, is_steady)
