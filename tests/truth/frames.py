"""
A capture's TCP segments as C{tshark} reads them.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final, NamedTuple

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
PSH: Final = 0x08
ACK: Final = 0x10

_MODULUS: Final = 1 << 32

_FIELDS: Final = (
    "frame.number",
    "frame.time_epoch",
    "tcp.stream",
    "ip.src",
    "ipv6.src",
    "tcp.srcport",
    "ip.dst",
    "ipv6.dst",
    "tcp.dstport",
    "tcp.flags",
    "tcp.seq_raw",
    "tcp.ack_raw",
    "tcp.len",
    "tcp.window_size_value",
    "ip.ttl",
    "ip.id",
    "icmp.type",
    "icmpv6.type",
    "tcp.options.timestamp.tsval",
    "tcp.options.timestamp.tsecr",
    "frame.protocols",
    "tcp.checksum.status",
    "tcp.checksum",
    "tcp.payload",
)


class Frame(NamedTuple):
    """
    One frame with a TCP segment.

    @ivar number: from 1.
    @ivar time_ns: since 1970.
    @ivar stream: C{tcp.stream}.
    @ivar src: address and port of its sender.
    @ivar dst: those of its receiver.
    @ivar flags: C{tcp.flags}.
    @ivar seq: C{tcp.seq_raw}.
    @ivar ack: C{tcp.ack_raw}.
    @ivar length: C{tcp.len}.
    @ivar window: C{tcp.window_size_value}.
    @ivar ttl: time to live; -1 where there is none.
    @ivar ip_id: IPv4's identification; -1 where there is none.
    @ivar payload: as far as it was captured.
    @ivar stamp: its time stamp; -1 where there is none.
    @ivar echo: the time stamp that it echoes; -1 where there is none.
    @ivar is_quoted: an ICMP error quotes it; nobody sent it just then.
    @ivar is_sound: whether its checksum is right; None where that is not known.
    """

    number: int
    time_ns: int
    stream: int
    src: tuple[str, str]
    dst: tuple[str, str]
    flags: int
    seq: int
    ack: int
    length: int
    window: int
    ttl: int
    ip_id: int
    payload: bytes
    is_quoted: bool
    is_sound: bool | None = None
    stamp: int = -1
    echo: int = -1

    def has(self, *flags: int) -> bool:
        """
        Tell whether all of some flags are set.
        """
        return all(self.flags & flag for flag in flags)

    def distance(self, other: Frame) -> int:
        """
        Tell how many numbers after another segment's first this one's first is, from -2**31 on.
        """
        ahead = (self.seq - other.seq) % _MODULUS
        return ahead - _MODULUS if ahead >= _MODULUS // 2 else ahead

    def carries_bytes_of(self, other: Frame) -> bool | None:
        """
        Tell whether two segments of one sender carry the same bytes at numbers that both have.

        @return: None where both have some, but not all of those were captured.
        """
        if self.src != other.src:
            return False
        offset = self.distance(other) + bool(self.flags & SYN) - bool(other.flags & SYN)
        low, high = max(0, offset), min(other.length, offset + self.length)
        if low >= high:
            return False
        own = self.payload[low - offset : high - offset]
        theirs = other.payload[low:high]
        if len(own) < high - low or len(theirs) < high - low:
            return None
        return own == theirs


def read_frames(path: Path) -> dict[int, Frame]:
    """
    Read a capture's TCP segments.

    @return: by frame number.
    """
    command = ["tshark", "-2", "-n", "-r", str(path), "-Y", "tcp", "-T", "fields"]
    command += ["-o", "tcp.desegment_tcp_streams:FALSE", "-o", "tcp.check_checksum:TRUE"]
    command += ["-E", "separator=|", "-E", "occurrence=l"]
    # It shows frames within its messages, whose addresses would be taken for the segment's.
    command += ["--disable-protocol", "openflow"]
    for field in _FIELDS:
        command += ["-e", field]
    printed = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    frames = {}
    for line in printed.splitlines():
        row = dict(zip(_FIELDS, line.split("|"), strict=True))
        if not row["tcp.stream"]:
            continue
        frame = _frame(row)
        frames[frame.number] = frame
    return frames


def _frame(row: dict[str, str]) -> Frame:
    seconds, _, fraction = row["frame.time_epoch"].partition(".")
    layers = row["frame.protocols"].split(":")
    # In a tunnel there are two; the inner one is TCP's.
    inner = next((layer for layer in reversed(layers) if layer in {"ip", "ipv6"}), "ip")
    return Frame(
        int(row["frame.number"]),
        int(seconds) * 10**9 + int(fraction.ljust(9, "0") or 0),
        int(row["tcp.stream"]),
        (row[f"{inner}.src"], row["tcp.srcport"]),
        (row[f"{inner}.dst"], row["tcp.dstport"]),
        int(row["tcp.flags"] or "0", 16),
        int(row["tcp.seq_raw"] or 0),
        int(row["tcp.ack_raw"] or 0),
        int(row["tcp.len"] or 0),
        int(row["tcp.window_size_value"] or 0),
        int(row["ip.ttl"] or -1),
        int(row["ip.id"] or "-1", 0),
        bytes.fromhex(row["tcp.payload"]),
        bool(row["icmp.type"] or row["icmpv6.type"]),
        # A sum of zero has two forms (RFC 1624); tshark takes one of them for bad.
        True
        if row["tcp.checksum"] == "0xffff"
        else {"0": False, "1": True}.get(row["tcp.checksum.status"]),
        int(row["tcp.options.timestamp.tsval"] or -1),
        int(row["tcp.options.timestamp.tsecr"] or -1),
    )
