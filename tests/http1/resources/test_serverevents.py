"""
Tests for L{netlab.http1.resources.serverevents}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.resources.serverevents import HEARTBEAT, server_event


def parse(stream: str) -> list[tuple[str, str, str]]:
    """
    Read a stream as the HTML standard's section 9.2.6 says: type, identifier and data of
    each event.
    """
    events = []
    name = identifier = ""
    data: list[str] = []
    for line in stream.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if not line:
            if data:
                events.append((name, identifier, "\n".join(data)))
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "id":
            identifier = value
        elif field == "data":
            data.append(value)
    return events


class ServerEventTests(SynchronousTestCase):
    """
    Events as they are sent.
    """

    def test_form(self) -> None:
        """
        An event is its fields and an empty line; lines of data are fields of their own.
        """
        self.assertEqual(server_event("a"), b"data: a\n\n")
        self.assertEqual(
            server_event("a\nb", "tick", "7"), b"event: tick\nid: 7\ndata: a\ndata: b\n\n"
        )

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """
        Any text comes through as one event, except that each kind of line end becomes a newline.
        """
        stream = server_event(text, "tick").decode() + HEARTBEAT.decode() + "data: next\n\n"
        expected = text.replace("\r\n", "\n").replace("\r", "\n")
        self.assertEqual(parse(stream), [("tick", "", expected), ("", "", "next")])

    def test_injection(self) -> None:
        """
        A name or an identifier that could end its line is refused.
        """
        for bad in ("a\n", "\rb", "a\0"):
            self.assertRaises(ValueError, server_event, "x", bad)
            self.assertRaises(ValueError, server_event, "x", "", bad)
