"""
The five reference exchanges as capture files.

C{wire/} holds the numbers of each frame exactly as they were captured between real machines. Here
they become frames again: with made-up payloads of the captured lengths where the texts are not ours
to publish (the echo's messages and the browsers' requests), and with the reference server's own
answers elsewhere.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.captures.frames import (
    FLAGS,
    LINK_ETHERNET,
    LINK_NULL,
    Checksum,
    Segment,
    ethernet_frame,
    ip_packet,
    null_frame,
    pcap_file,
    syn_options,
)

NAMES = ("echo", "single_fin", "double_fin", "redirect", "notfound")

#: When each rebuilt capture begins, in nanoseconds since 1970: 2025-03-01, 12:00 UTC.
START_NS = 1_740_830_400_000_000_000

_WIRE = Path(__file__).parent / "wire"
_HTDOCS = Path(__file__).parents[2] / "htdocs"

#: Locally administered, so that they belong to no maker.
_HARDWARE_ADDRESSES = {"client": b"\x02\x00\x00\x00\x00\xc1", "server": b"\x02\x00\x00\x00\x00\x5e"}

ECHO_MESSAGES = (b"the quick brown fox jumps onwards", b"over the lazy dog 20")

_SCRIPT_REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n"
_REDIRECT = b"HTTP/1.1 301 Moved Permanently\r\nConnection: close\r\nLocation: /result.html\r\n\r\n"
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n"


def _ok(content: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n" % len(content)
    ) + content


def _browser_request(path: bytes, length: int) -> bytes:
    """
    Make a browser's request that is so many bytes long; the user agent's name fills what is left.
    """
    head = (
        b"GET " + path + b" HTTP/1.1\r\n"
        b"Host: 192.168.1.224:8080\r\n"
        b"Connection: keep-alive\r\n"
        b"Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"
        b"Accept-Encoding: gzip, deflate\r\n"
        b"Accept-Language: en\r\n"
        b"User-Agent: "
    )
    end = b"\r\n\r\n"
    return head + b"Mozilla/5.0 (made up) ".ljust(length - len(head) - len(end), b"x") + end


@functools.cache
def _payloads() -> dict[str, tuple[bytes, ...]]:
    """
    Give each exchange's payloads, in the order in which they travelled.
    """
    index = _ok((_HTDOCS / "index.html").read_bytes())
    result = _ok((_HTDOCS / "result.html").read_bytes())
    first, second = ECHO_MESSAGES
    return {
        "echo": (first, first.upper(), second, second.upper()),
        "single_fin": (_SCRIPT_REQUEST, index) * 2,
        "double_fin": (_SCRIPT_REQUEST, index) * 2,
        "redirect": (
            _browser_request(b"/redirect", 449),
            _REDIRECT,
            _browser_request(b"/result.html", 452),
            result,
        ),
        "notfound": (_browser_request(b"/missing.html", 478), _NOT_FOUND),
    }


@dataclass(frozen=True, slots=True)
class Exchange:
    """
    A reference exchange.

    @ivar name: One of L{NAMES}.
    @ivar link_type: The LINKTYPE_ of its frames.
    @ivar rows: What C{wire/} says of each frame.
    @ivar times_ns: Each frame's time, in nanoseconds since 1970.
    @ivar frames: Each frame's bytes.
    """

    name: str
    link_type: int
    rows: Sequence[dict[str, Any]]
    times_ns: Sequence[int]
    frames: Sequence[bytes]

    def pcap(self) -> bytes:
        """
        Give it as a capture file.
        """
        return pcap_file(self.link_type, zip(self.times_ns, self.frames, strict=True))


@functools.cache
def exchange(name: str) -> Exchange:
    """
    Rebuild a reference exchange.

    The echo was captured on the client's host: what the client sends has its checksum left to the
    card and no padding, what it receives is padded to 60 bytes. The others were captured on a
    loopback, where nobody computes checksums.

    @param name: One of L{NAMES}.
    @return: It.
    """
    text = (_WIRE / f"{name}.json").read_text(encoding="ascii")
    document = json.loads(text)
    rows: list[dict[str, Any]] = document["frames"]
    is_ethernet = document["link"] == "Ethernet"
    payloads = iter(_payloads()[name])
    frames = []
    for row in rows:
        is_received = is_ethernet and row["from"] == "server"
        segment = Segment(
            row["src"][0],
            row["dst"][0],
            row["src"][1],
            row["dst"][1],
            row["seq_raw"],
            row["ack_raw"],
            sum(FLAGS[flag] for flag in row["flags"]),
            next(payloads) if row["payload_length"] else b"",
            row["window_field"],
            syn_options(row["mss"], row["window_scale_shift"], sack_permitted=True)
            if "SYN" in row["flags"]
            else b"",
            Checksum.GOOD if is_received else Checksum.OFFLOADED,
        )
        packet = ip_packet(segment, identification=row["frame"])
        if is_ethernet:
            peer = "client" if is_received else "server"
            source, target = _HARDWARE_ADDRESSES[row["from"]], _HARDWARE_ADDRESSES[peer]
            frames.append(ethernet_frame(packet, source, target, padded=is_received))
        else:
            frames.append(null_frame(packet))
    return Exchange(
        name,
        LINK_ETHERNET if is_ethernet else LINK_NULL,
        rows,
        [START_NS + round(row["time"] * 1_000_000) * 1000 for row in rows],
        frames,
    )


if __name__ == "__main__":
    import sys

    folder = Path(sys.argv[1])
    for each in NAMES:
        (folder / f"{each}.pcap").write_bytes(exchange(each).pcap())
