"""
Captures that no network would make twice: conversations of segments drawn by chance, from a seed.

The numbers are drawn from few values that lie close together, so that segments overlap, repeat,
overtake and acknowledge each other in every way, windows close and open, ports are used again and
sequence numbers wrap around.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tests.captures.frames import (
    ACK,
    FIN,
    LINK_ETHERNET,
    PSH,
    RST,
    SYN,
    Segment,
    ethernet_frame,
    ip_packet,
    pcap_file,
    syn_options,
)

_CLIENT, _SERVER = b"\x02\x00\x00\x00\x00\x01", b"\x02\x00\x00\x00\x00\x02"
_START_NS = 1_600_000_000_000_000_000

_BARE, _DATA = ACK, PSH | ACK
#: Flags, and how often.
_FLAGS = {
    _BARE: 40,
    _DATA: 30,
    FIN | ACK: 4,
    RST | ACK: 2,
    RST: 1,
    SYN: 1,
    SYN | ACK: 1,
    0: 1,
    FIN: 1,
    SYN | FIN: 1,
}
_STEPS_NS = (0, 1_000, 100_000, 2_000_000, 4_000_000, 15_000_000, 30_000_000, 1_000_000_000)
_LENGTHS = (1, 1, 2, 10, 10, 10, 20, 100)
_WINDOWS = (0, 1, 10, 20, 100, 100, 100, 1000, 65535)


@dataclass
class _End:
    address: str
    port: int
    seq: int
    ack: int
    window: int


def capture(seed: int, conversations: int = 40, segments: int = 60) -> bytes:
    """
    Draw a capture.

    @param seed: the same one makes the same capture.
    @param conversations: how many, one after the other.
    @param segments: of each.
    @return: a pcap file.
    """
    chance = random.Random(seed)
    frames: list[tuple[int, bytes]] = []
    now = _START_NS
    for number in range(conversations):
        for segment in _conversation(chance, number, segments):
            now += chance.choice(_STEPS_NS)
            is_up = segment.src.endswith("1")
            ends = (_CLIENT, _SERVER) if is_up else (_SERVER, _CLIENT)
            frames.append((now, ethernet_frame(ip_packet(segment), *ends)))
    return pcap_file(LINK_ETHERNET, frames)


def _conversation(chance: random.Random, number: int, count: int) -> Iterator[Segment]:
    isn = chance.choice((0, 1, 100, 1 << 31, (1 << 32) - 60, (1 << 32) - 5, 3_000_000_000))
    other = chance.choice((0, 5, 1 << 31, (1 << 32) - 30, 77_000))
    # Now and then the ports of the conversation before.
    port = 30_000 + number - chance.choice((0, 0, 0, 1))
    client = _End("10.0.0.1", port, isn, 0, 1000)
    server = _End("10.0.0.2", 80, other, 0, 1000)
    if chance.random() < 0.8:
        yield from _handshake(chance, client, server)
    is_one_way = chance.random() < 0.1
    for _ in range(count):
        sender, peer = (client, server) if chance.random() < 0.5 or is_one_way else (server, client)
        yield _draw(chance, sender, peer)


def _handshake(chance: random.Random, client: _End, server: _End) -> Iterator[Segment]:
    shifts = [chance.choice((None, 0, 2, 7, 14, 20)) for _ in range(2)]
    yield _segment(client, server, client.seq, 0, SYN, b"", 1000, syn_options(1460, shifts[0]))
    client.seq += 1
    if chance.random() < 0.1:
        return
    if chance.random() < 0.1:
        yield _segment(client, server, client.seq - 1, 0, SYN, b"", 1000, syn_options(1460))
    options = syn_options(1460, shifts[1], sack_permitted=True)
    yield _segment(server, client, server.seq, client.seq, SYN | ACK, b"", 1000, options)
    server.seq += 1
    client.ack, server.ack = server.seq, client.seq
    if chance.random() < 0.9:
        yield _segment(client, server, client.seq, client.ack, ACK, b"", client.window)


def _draw(chance: random.Random, sender: _End, peer: _End) -> Segment:
    flags = chance.choices(list(_FLAGS), list(_FLAGS.values()))[0]
    likelihood = 1.0 if flags in (_DATA, 0) else 0.1 if flags == _BARE else 0.2
    payload = bytes(chance.choice(_LENGTHS)) if chance.random() < likelihood else b""
    seq = sender.seq
    if chance.random() < 0.25:
        seq += chance.choice((-21, -20, -11, -10, -10, -2, -1, -1, 1, 10, 10, 20))
    if chance.random() < 0.5:
        sender.ack = peer.seq
    ack = sender.ack
    if chance.random() < 0.15:
        ack += chance.choice((-20, -10, -5, -1, 1, 10, 20))
    if chance.random() < 0.1:
        sender.window = chance.choice(_WINDOWS)
    options = b""
    if chance.random() < 0.1:
        left = (ack + chance.choice((-10, 1, 10))) % 2**32
        right = (left + chance.choice((1, 10, 20))) % 2**32
        options = b"\x01\x01" + struct.pack("!BBII", 5, 10, left, right)
    elif chance.random() < 0.1:
        options = b"\x01\x01" + struct.pack("!BBII", 8, 10, chance.randrange(1 << 32), 0)
    end = seq + len(payload) + bool(flags & (SYN | FIN))
    if end > sender.seq and chance.random() < 0.9:
        sender.seq = end
    return _segment(sender, peer, seq, ack, flags, payload, sender.window, options)


def _segment(
    sender: _End,
    peer: _End,
    seq: int,
    ack: int,
    flags: int,
    payload: bytes,
    window: int,
    options: bytes = b"",
) -> Segment:
    return Segment(
        sender.address,
        peer.address,
        sender.port,
        peer.port,
        seq % 2**32,
        ack % 2**32,
        flags,
        payload,
        window,
        options,
    )


if __name__ == "__main__":
    import sys
    from pathlib import Path

    Path(sys.argv[2]).write_bytes(capture(int(sys.argv[1])))
