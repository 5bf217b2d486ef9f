"""
Reading a capture, whatever its format.
"""

from __future__ import annotations

from collections.abc import Iterator

from netlab.capture.faults import CaptureError, Faults
from netlab.capture.pcap import VARIANTS, read_pcap
from netlab.capture.pcapng import PcapngReader
from netlab.capture.records import Interface, Record
from netlab.capture.source import ByteStream, Source

#: What people hand over instead, by its first bytes.
_STRANGERS = (
    (b"\x1f\x8b", "it is packed with gzip, twice over"),
    (b"\x28\xb5\x2f\xfd", "it is packed with zstd; unpack it with `zstd -d` first"),
    (b"\xfd7zXZ\0", "it is packed with xz; unpack it with `xz -d` first"),
    (b"BZh", "it is packed with bzip2; unpack it with `bzip2 -d` first"),
    (b"PK\x03\x04", "it is a zip archive; unpack it first"),
    (b"\x04\x22\x4d\x18", "it is packed with lz4; unpack it with `lz4 -d` first"),
    (b"snoop\0\0\0", "it is a snoop file; convert it with `editcap -F pcapng`"),
    (b"TRSNIFF data", "it is a Sniffer file; convert it with `editcap -F pcapng`"),
    (b"RTSS", "it is a Network Monitor file; convert it with `editcap -F pcapng`"),
    (b"GMBU", "it is a Network Monitor file; convert it with `editcap -F pcapng`"),
)


class Reader:
    """
    The frames of a capture, one after the other, once. Memory does not grow with the capture.

    @ivar format: C{pcap} or C{pcapng}.
    @ivar interfaces: those that have been described so far.
    @ivar names: names of addresses (4 or 16 bytes) that the file gives so far.
    @ivar secrets: key logs of TLS that the file holds so far; a reader may take them away.
    @ivar drops: how many frames an interface says so far that it dropped, by its number.
    @ivar faults: what is wrong with the file so far.
    """

    def __init__(self, source: Source, kind: str) -> None:
        self.format = kind
        self.interfaces: list[Interface] = []
        self.names: dict[bytes, str] = {}
        self.secrets: list[bytes] = []
        self.drops: dict[int, int] = {}
        self.faults: Faults = source.faults
        self._source = source
        self._records = (
            read_pcap(source, self.interfaces)
            if kind == "pcap"
            else PcapngReader(source, self.interfaces, self.names, self.secrets, self.drops).read()
        )

    @property
    def offset(self) -> int:
        """How many bytes of the (unpacked) stream have been consumed, to within a chunk."""
        return self._source.begin

    def __iter__(self) -> Iterator[Record]:
        return self._records


def read_capture(
    stream: ByteStream, name: str = "the input", faults: Faults | None = None
) -> Reader:
    """
    Begin to read a capture.

    @param stream: not packed; read from as frames are asked for.
    @param name: what the error calls it.
    @param faults: where the reader tells of faults, if others do so too.
    @raise CaptureError: it begins like no capture that we know.
    """
    source = Source(stream, Faults() if faults is None else faults)
    source.refill(0, 4)
    magic = source.window[:4]
    if magic == b"\x0a\x0d\x0d\x0a":
        return Reader(source, "pcapng")
    if magic in VARIANTS:
        return Reader(source, "pcap")
    if not magic:
        raise CaptureError(f"{name} is empty: it is not a capture")
    source.refill(0, 16)
    why = next(
        (why for begin, why in _STRANGERS if source.window.startswith(begin)),
        f"it begins with {source.window[:4].hex(' ')}",
    )
    raise CaptureError(f"{name} is neither pcap nor pcapng: {why}")
