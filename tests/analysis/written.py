"""
Conversations written down frame by frame, and what expectations say of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.expectations.expectations import Cast, Expectation, Shown
from netlab.analysis.observations.dialogue import Dialogue, Dialogues
from netlab.analysis.tcp.analyser import Analyser
from netlab.capture.decode import Decoder
from netlab.capture.records import Interface, LinkType, Record
from netlab.capture.segments import Segment
from tests.captures import frames
from tests.captures.frames import ACK, SYN

CLIENT, SERVER = "10.0.0.1", "10.0.0.2"

Line = tuple[float, str, int, int, int, bytes | int]
"""Milliseconds, sender (c or s), flags, relative seq, relative ack, and payload or window."""

#: A handshake; both ends begin at 1000.
OPENING: Sequence[Line] = (
    (0, "c", SYN, 0, 0, b""),
    (1, "s", SYN | ACK, 0, 1, b""),
    (2, "c", ACK, 1, 1, b""),
)


def read(
    lines: Sequence[Line],
    *,
    port: int = 50000,
    start: int = 1000,
    sack: bytes = b"",
    trail: int = 99,
) -> list[Dialogue]:
    """
    Read a conversation that is written down.

    @param sack: the options of every ACK of the client that repeats one.
    """
    return read_all([(port, start, lines)], sack=sack, trail=trail)


def read_all(
    conversations: Sequence[tuple[int, int, Sequence[Line]]], *, sack: bytes = b"", trail: int = 99
) -> list[Dialogue]:
    """
    Read conversations, each with its client's port and its first sequence numbers.
    """
    decoder, analyser, dialogues = Decoder(), Analyser(), Dialogues(trail_max=trail)
    number = 0
    for port, start, lines in conversations:
        for milliseconds, sender, flags, seq, ack, rest in lines:
            number += 1
            ends = (CLIENT, SERVER) if sender == "c" else (SERVER, CLIENT)
            ports = (port, 8080) if sender == "c" else (8080, port)
            segment = frames.Segment(
                *ends,
                *ports,
                start + seq,
                start + ack if flags & ACK else 0,
                flags,
                rest if isinstance(rest, bytes) else b"",
                rest if isinstance(rest, int) else 65535,
                sack if sender == "c" and number > 6 else b"",
            )
            data = frames.ethernet_frame(frames.ip_packet(segment), b"\2" * 6, b"\4" * 6)
            time_ns = round(milliseconds * 1e6)
            record = Record(number, time_ns, data, len(data), Interface(LinkType.ETHERNET))
            decoded = decoder.decode(record)
            assert isinstance(decoded, Segment)
            dialogues.receive(analyser.analyse(decoded))
    return dialogues.finish()


class ExpectationTestCase(SynchronousTestCase):
    """
    What the tests share.
    """

    def assert_met(self, expectation: Expectation, cast: Cast) -> Shown:
        """
        Require an expectation to hold.
        """
        shown = expectation.check(cast)
        self.assertTrue(shown.is_met, shown)
        return shown

    def assert_missed(self, expectation: Expectation, cast: Cast, detail: str) -> None:
        """
        Require an expectation not to hold, for a reason; and not to hold of nothing either.
        """
        shown = expectation.check(cast)
        self.assertFalse(shown.is_met, shown)
        self.assertIn(detail, shown.detail)
