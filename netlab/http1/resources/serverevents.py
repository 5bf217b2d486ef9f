"""
Server-sent events (HTML standard, section 9.2): what a browser's C{EventSource} reads.
"""

from __future__ import annotations

from typing import Final

from netlab.http1.sansio.fields import Fields

EVENT_STREAM: Final = Fields(
    [(b"Content-Type", b"text/event-stream"), (b"Cache-Control", b"no-store")]
)
"""The header section of a response whose content is events."""

HEARTBEAT: Final = b":\n\n"
"""A comment. Sent now and then where events are rare, it finds out whether the client is there."""


def server_event(data: str, name: str = "", identifier: str = "") -> bytes:
    """
    Write one event.

    @param data: any text; each of its lines becomes a field of its own.
    @param name: the event's type, which a page listens for; empty for C{message}.
    @param identifier: what the browser sends as Last-Event-ID when it connects again.
    @raise ValueError: name or identifier could end their line.
    """
    lines = []
    for field, value in (("event", name), ("id", identifier)):
        if any(character in value for character in "\r\n\0"):
            raise ValueError(f"not fit for one line: {value!a}")
        if value:
            lines.append(f"{field}: {value}\n")
    text = data.replace("\r\n", "\n").replace("\r", "\n")
    lines.extend(f"data: {line}\n" for line in text.split("\n"))
    lines.append("\n")
    return "".join(lines).encode()
