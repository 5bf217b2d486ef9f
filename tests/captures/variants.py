"""
The reference exchanges as other systems, hosts and capture programs would show them.

Each variant tells the same story: only what differs between systems is changed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tests.captures.frames import (
    ACK,
    FLAGS,
    LINK_ETHERNET,
    LINK_NULL,
    SYN,
    Segment,
    ethernet_frame,
    ip_packet,
    null_frame,
    pcap_file,
    syn_options,
)
from tests.captures.reference import exchange

_HARDWARE = (b"\x02\0\0\0\0\x0a", b"\x02\0\0\0\0\x0b")


@dataclass(frozen=True)
class Variant:
    """
    What is changed.

    @ivar client: The client's address, IPv4 or IPv6.
    @ivar server: The server's, of the same family.
    @ivar port: The server's port.
    @ivar ports: How far the client's ports are moved.
    @ivar numbers: How far all sequence numbers are moved.
    @ivar is_ethernet: Whether frames are Ethernet's, and padded, or the BSD loopback's.
    @ivar has_timestamps: Whether every segment has a timestamp option, as Linux and macOS do.
    @ivar shift: The window scale shift, or C{None} for no scaling.
    @ivar keeps_acks: Whether segments that only acknowledge are there; without them it is as if
        each ACK had been delayed until there was something else to send.
    @ivar is_doubled: Whether every frame was captured twice.
    @ivar pieces: Into how many segments data is cut.
    @ivar again: The number of the frame whose data is sent again 5 ms later; 0 for none.
    @ivar pace: By what all times are multiplied; a busy machine is slower.
    """

    client: str = "192.0.2.1"
    server: str = "192.0.2.2"
    port: int = 8080
    ports: int = 0
    numbers: int = 0
    is_ethernet: bool = True
    has_timestamps: bool = False
    shift: int | None = 7
    keeps_acks: bool = True
    is_doubled: bool = False
    pieces: int = 1
    again: int = 0
    pace: float = 1.0


def vary(name: str, variant: Variant) -> bytes:
    """
    Make a variant of a reference exchange.

    @param name: Of the exchange.
    @param variant: What is changed.
    @return: A capture file.
    """
    original = exchange(name)
    frames: list[tuple[int, bytes]] = []
    start = original.times_ns[0]
    opened: set[int] = set()
    for row, time_ns, frame in zip(original.rows, original.times_ns, original.frames, strict=True):
        length = row["payload_length"]
        # The payload ends where the frame does, before what pads it.
        payload = frame[row["frame_length"] - length : row["frame_length"]] if length else b""
        flags = sum(FLAGS[flag] for flag in row["flags"])
        stream = row["stream"]
        is_third = stream not in opened and flags == ACK
        if is_third:
            opened.add(stream)
        if flags == ACK and not length and not is_third and not variant.keeps_acks:
            continue
        at = start + round((time_ns - start) * variant.pace)
        made = _frames(row, flags, payload, variant)
        frames += [(at + number * 1000, each) for number, each in enumerate(made)]
        if variant.again == row["frame"] and length:
            frames += [(at + 5_000_000 + number, each) for number, each in enumerate(made)]
    frames.sort(key=lambda one: one[0])
    if variant.is_doubled:
        frames = [(time_ns + copy, each) for time_ns, each in frames for copy in range(2)]
    return pcap_file(LINK_ETHERNET if variant.is_ethernet else LINK_NULL, frames)


def _frames(row: dict[str, object], flags: int, payload: bytes, variant: Variant) -> list[bytes]:
    is_up = row["from"] == "client"
    here, there = (variant.client, variant.server) if is_up else (variant.server, variant.client)
    source, target = row["src"], row["dst"]
    assert isinstance(source, list)
    assert isinstance(target, list)
    client_port = (source if is_up else target)[1] + variant.ports
    ports = (client_port, variant.port) if is_up else (variant.port, client_port)
    seq, ack = row["seq_raw"], row["ack_raw"]
    assert isinstance(seq, int)
    assert isinstance(ack, int)
    options = b""
    if flags & SYN:
        options = syn_options(1460, variant.shift, sack_permitted=variant.shift is not None)
    if variant.has_timestamps:
        options += struct.pack("!BBBBII", 1, 1, 8, 10, 1000, 2000)
    step = max(1, -(-len(payload) // variant.pieces))
    made = []
    for begin in range(0, max(1, len(payload)), step):
        segment = Segment(
            here,
            there,
            ports[0],
            ports[1],
            (seq + variant.numbers + begin) % 2**32,
            (ack + variant.numbers) % 2**32 if flags & ACK else 0,
            flags,
            payload[begin : begin + step],
            500,
            options,
        )
        packet = ip_packet(segment)
        hardware = _HARDWARE if is_up else _HARDWARE[::-1]
        made.append(
            ethernet_frame(packet, *hardware, padded=True)
            if variant.is_ethernet
            else null_frame(packet)
        )
    return made
