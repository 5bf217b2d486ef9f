"""
Two ends whose segments are analysed as they are sent.
"""

from __future__ import annotations

import struct
from typing import Final

from netlab.analysis.tcp.analyser import Analyser
from netlab.analysis.tcp.frames import Analysed
from netlab.analysis.tcp.limits import MemoryLimits
from netlab.capture.decode import Decoder
from netlab.capture.records import Interface, Record
from netlab.capture.segments import Segment
from tests.captures import frames

MILLISECOND: Final = 1_000_000
FIN, SYN, RST, PSH, ACK = frames.FIN, frames.SYN, frames.RST, frames.PSH, frames.ACK

_ETHERNET: Final = Interface(1)


class Wire:
    """
    A capture under way. Sequence numbers are raw: the client's ISS is 1000, the server's 5000.

    @ivar number: of the last frame.
    @ivar analyser: what follows the segments.
    """

    def __init__(self, limits: MemoryLimits | None = None) -> None:
        self.number = 0
        self.analyser = Analyser(limits)
        self.decoder = Decoder()
        self.now_ns = 1_000_000_000_000_000_000

    def send(
        self,
        source: str,
        target: str,
        seq: int,
        ack: int = 0,
        flags: int = ACK,
        payload: bytes | int = b"",
        window: int = 1000,
        options: bytes = b"",
        *,
        after_ms: float = 100,
        identification: int | None = None,
    ) -> Analysed:
        """
        Send a segment between two endpoints, each written C{address:port}.

        @param payload: the data, or how many bytes of any.
        @param after_ms: time since the last frame.
        """
        src, _, srcport = source.rpartition(":")
        dst, _, dstport = target.rpartition(":")
        payload = bytes(payload) if isinstance(payload, int) else payload
        segment = frames.Segment(
            src, dst, int(srcport), int(dstport), seq, ack, flags, payload, window, options
        )
        packet = frames.ip_packet(
            segment, self.number + 1 if identification is None else identification
        )
        return self.frame(packet, after_ms)

    def frame(self, packet: bytes, after_ms: float = 100) -> Analysed:
        """
        Send any IP packet that has a TCP segment in it.
        """
        self.number += 1
        self.now_ns += round(after_ms * MILLISECOND)
        ethertype = 0x86DD if packet[0] >> 4 == 6 else 0x0800
        data = bytes(12) + struct.pack(">H", ethertype) + packet
        record = Record(self.number, self.now_ns, data, len(data), _ETHERNET)
        decoded = self.decoder.decode(record)
        assert isinstance(decoded, Segment)
        return self.analyser.analyse(decoded)

    def client(
        self,
        seq: int,
        ack: int = 0,
        flags: int = ACK,
        payload: bytes | int = b"",
        window: int = 1000,
        options: bytes = b"",
        *,
        after_ms: float = 100,
    ) -> Analysed:
        """Send from client to server."""
        return self.send(
            "10.0.0.1:4000",
            "10.0.0.2:80",
            seq,
            ack,
            flags,
            payload,
            window,
            options,
            after_ms=after_ms,
        )

    def server(
        self,
        seq: int,
        ack: int = 0,
        flags: int = ACK,
        payload: bytes | int = b"",
        window: int = 1000,
        options: bytes = b"",
        *,
        after_ms: float = 100,
    ) -> Analysed:
        """Send from server to client."""
        return self.send(
            "10.0.0.2:80",
            "10.0.0.1:4000",
            seq,
            ack,
            flags,
            payload,
            window,
            options,
            after_ms=after_ms,
        )

    def open(self, shift: int | None = None, *, window: int = 1000) -> None:
        """
        Shake hands: three frames, 100 ms apart. The next numbers are 1001 and 5001.
        """
        options = frames.syn_options(1460, shift, sack_permitted=True)
        self.client(1000, 0, SYN, options=options, window=window)
        self.server(5000, 1001, SYN | ACK, options=options, window=window)
        self.client(1001, 5001, window=window)
