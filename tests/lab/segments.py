"""
Frames as the hosts of a laboratory send them.
"""

from __future__ import annotations

from netlab.capture.decode import Decoder
from netlab.capture.records import Interface, LinkType, Record
from netlab.capture.segments import Segment
from netlab.lab.api.sides import Side
from netlab.lab.hosts.settings import CLIENT, SERVER
from tests.captures import frames

_HOSTS = {Side.CLIENT: (CLIENT, 50000), Side.SERVER: (SERVER, 12345)}


def frame(
    sender: Side, flags: int = frames.ACK, payload: bytes = b"", *, seq: int = 1, ack: int = 1
) -> bytes:
    """
    Make an Ethernet frame with a segment between port 50000 of the client and 12345 of the server.
    """
    (source, source_port), (target, target_port) = _HOSTS[sender], _HOSTS[sender.other]
    segment = frames.Segment(
        source.address,
        target.address,
        source_port,
        target_port,
        seq,
        ack,
        flags,
        payload,
    )
    packet = frames.ip_packet(segment)
    return frames.ethernet_frame(packet, source.hardware_address, target.hardware_address)


def decoded(data: bytes) -> Segment:
    """
    Decode a frame.
    """
    record = Record(1, 0, data, len(data), Interface(LinkType.ETHERNET))
    segment = Decoder().decode(record)
    assert isinstance(segment, Segment)
    return segment
