"""
Every bound on what a peer may make us hold or wait for, in one place.

Bytes, counts and seconds are inclusive: a message of exactly the limit passes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """
    The bounds of one connection's messages, the same for both roles.

    @ivar start_line_max_bytes: a request line or status line without its CRLF; beyond it 414.
        nginx 8192 (large_client_header_buffers), Apache 8190, RFC 9112 section 3 asks for 8000.
    @ivar header_section_max_bytes: all field lines with their CRLFs; beyond it 431.
        Node and h11 16384 with the start line, nginx four buffers of 8192.
    @ivar field_lines_max: how many field lines a header or trailer section may have; beyond it
        431. Apache 100, Jetty 200, Node 2000.
    @ivar content_max_bytes: the content of one message; a request beyond it gets 413. nginx 1 MiB.
    @ivar unwanted_content_max_bytes: how much content that nobody asked for is read and thrown
        away to keep the connection; with more the answer says close. Go reads 256 KiB.
    @ivar chunk_size_max_digits: hexadecimal digits of a chunk-size, leading zeros included; 16 is
        a 64-bit number.
    @ivar chunk_extension_max_bytes: one chunk line's extensions. Most servers take 4096 and more,
        which lets each byte of content cost kilobytes.
    @ivar chunk_overhead_max_bytes: all chunk extensions of one message together. Go 16 KiB.
    @ivar pipelined_max_bytes: bytes that may wait behind the request being answered before
        reading from the transport is paused.
    @ivar exchanges_max: requests on one connection; the last one's answer says close; 0 is any
        number. nginx 1000, Apache 100.
    """

    start_line_max_bytes: int = 8192
    header_section_max_bytes: int = 16384
    field_lines_max: int = 200
    content_max_bytes: int = 1 << 20
    unwanted_content_max_bytes: int = 65536
    chunk_size_max_digits: int = 16
    chunk_extension_max_bytes: int = 256
    chunk_overhead_max_bytes: int = 16384
    pipelined_max_bytes: int = 65536
    exchanges_max: int = 10_000


@dataclass(frozen=True, slots=True)
class Admission:
    """
    How many connections a server takes; further ones get a 503.

    @ivar connections_max: in all. nginx 512 for each worker, Apache 150 to 400; what an idle one
        costs here is about a kilobyte and a descriptor.
    @ivar connections_per_peer_max: of one peer's address, for IPv6 of one /64; 0 is any number,
        as in nginx and Apache: behind a proxy or a shared address many people are one peer.
    """

    connections_max: int = 16384
    connections_per_peer_max: int = 0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """
    How long each phase of a connection may last, in seconds.

    @ivar idle: from the end of an exchange, or from the connection's start, to the first byte of
        the next request. The reference 1 s, nginx 75 s, Apache 5 s.
    @ivar head: from a head's first byte to its last; a byte now and then does not extend it.
        nginx 60 s, Apache 20 to 40 s.
    @ivar content: from the end of a head to the last byte of its content. Apache 20 s and more
        for a faster sender; nginx 60 s for each read, which a slow sender stretches at will.
    @ivar write: for how long a peer may take no byte of what we send. nginx 60 s for each write.
    @ivar linger: for how long input is drained behind a refusal, so that a reset does not
        overtake the answer. Apache 2 s (30 s in all), nginx 5 s (30 s in all).
    """

    idle: float = 1.0
    head: float = 10.0
    content: float = 30.0
    write: float = 30.0
    linger: float = 2.0
