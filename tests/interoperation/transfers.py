"""
What is transferred: drawn from a seed, and the programs of it. Each program checks every byte that
it gets, and ends with status 0 only if all were right and the end came as was agreed.
"""

from __future__ import annotations

import random
import socket
import time
from dataclasses import dataclass
from typing import Any, Final

from netlab.lab.api.experiment import Experiment, Impairment, Laboratory, Side, WireSettings
from netlab.lab.api.sockets import receive, receive_to_end, say

_PORT: Final = 9000
_PATIENCE_SECONDS: Final = 120.0
_SIZES: Final = (0, 1, 1459, 1460, 1461, 20_000, 120_000)
_LOSSES: Final = (0.0, 0.0, 0.01, 0.03, 0.1)
_ENDINGS: Final = ("client closes", "server closes", "both close", "client half-closes", "reset")

#: Options of either host, by their sysctls.
_SYSCTLS: Final = {
    "net.ipv4.tcp_timestamps": ("0", "1"),
    "net.ipv4.tcp_sack": ("1", "1", "0"),
    "net.ipv4.tcp_window_scaling": ("1", "1", "0"),
    "net.ipv4.tcp_ecn": ("0", "1", "2"),
    "net.ipv4.tcp_congestion_control": ("reno", "cubic"),
    "net.ipv4.tcp_recovery": ("1", "0"),
    "net.ipv4.tcp_early_retrans": ("0", "3"),
}


@dataclass(frozen=True, slots=True)
class Transfer:
    """
    One transfer.

    @ivar ours: the host that has our TCP; the other has Linux's.
    @ivar experiment: it, ready to be run.
    @ivar text: what it is, in a line.
    """

    ours: Side
    experiment: Experiment
    text: str


def pattern(size: int, offset: int) -> bytes:
    """
    Make bytes that are different everywhere near.
    """
    return bytes((index * 7 + (index >> 8) * 13 + offset) & 0xFF for index in range(size))


def serve(listening: socket.socket, up: int, down: int, ending: str) -> None:
    """
    Take what goes up, send what goes down, and end as agreed.
    """
    connection, _ = listening.accept()
    connection.settimeout(_PATIENCE_SECONDS)
    with connection:
        if ending == "client half-closes":
            assert receive_to_end(connection) == pattern(up, 1)
        else:
            assert receive(connection, up) == pattern(up, 1)
        connection.sendall(pattern(down, 2))
        match ending:
            case "client closes" | "both close":
                if ending == "both close":
                    connection.shutdown(socket.SHUT_WR)
                assert receive_to_end(connection) == b""
            case "reset":
                try:
                    assert receive_to_end(connection) == b""
                    raise AssertionError("no reset came")
                except ConnectionResetError:
                    pass
    say("served")


def ask(address: str, up: int, down: int, ending: str) -> None:
    """
    The other side of it.
    """
    connection = socket.create_connection((address, _PORT), _PATIENCE_SECONDS)
    connection.settimeout(_PATIENCE_SECONDS)
    with connection:
        connection.sendall(pattern(up, 1))
        if ending == "client half-closes":
            connection.shutdown(socket.SHUT_WR)
        assert receive(connection, down) == pattern(down, 2)
        match ending:
            case "server closes" | "client half-closes":
                assert receive_to_end(connection) == b""
            case "both close":
                connection.shutdown(socket.SHUT_WR)
                assert receive_to_end(connection) == b""
            case "reset":
                # Until the server has all of its ACKs, a loss would reset what is still to come.
                time.sleep(1)
                linger = b"\x01\0\0\0\0\0\0\0"
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    say("asked")


def transfer(seed: int) -> Transfer:
    """
    Draw a transfer.
    """
    chance = random.Random(f"transfer {seed}")
    ours = list(Side)[seed % 2]
    up, down = chance.choice(_SIZES), chance.choice(_SIZES)
    ending = chance.choice(_ENDINGS)
    wire = WireSettings(_impairment(chance), _impairment(chance), seed=seed)
    # A lost RST is not sent again.
    if ending == "reset":
        wire = WireSettings(Impairment(delay=wire.client.delay), wire.server, seed=seed)
    sysctls = {
        side: {name: chance.choice(values) for name, values in _SYSCTLS.items()} for side in Side
    }
    # Not every kernel lets a host have another one than the machine's.
    sysctls[ours.other].pop("net.ipv4.tcp_congestion_control")

    async def perform(lab: Laboratory) -> None:
        server = await lab.server.serve_function(serve, up, down, ending, port=_PORT)
        client = lab.client.start_function(ask, lab.server.address, up, down, ending)
        for name, program in (("client", client), ("server", server)):
            status = await program.ended()
            if status:
                raise RuntimeError(f"the {name} ended with status {status}")

    options: dict[str, Any] = {
        "client_sysctls": sysctls[Side.CLIENT],
        "server_sysctls": sysctls[Side.SERVER],
    }
    experiment = Experiment(
        f"transfer-{seed}",
        "",
        "",
        "",
        "",
        perform,
        wire=wire,
        patience=_PATIENCE_SECONDS,
        settle=0,
        **options,
    )
    text = f"{up} bytes up, {down} down, {ending}; ours: {ours.value}; {wire}; {sysctls}"
    return Transfer(ours, experiment, text)


def _impairment(chance: random.Random) -> Impairment:
    return Impairment(
        delay=chance.choice((0.0, 0.001, 0.01)),
        jitter=chance.choice((0.0, 0.0, 0.005)),
        loss=chance.choice(_LOSSES),
        duplication=chance.choice((0.0, 0.0, 0.02)),
        reordering=chance.choice((0.0, 0.0, 0.02)),
        corruption=chance.choice((0.0, 0.0, 0.01)),
    )
