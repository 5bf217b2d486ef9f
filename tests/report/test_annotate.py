"""
Tests for L{netlab.report.annotate} and L{netlab.report.redact}.
"""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.explanation.privacy import Discretion
from netlab.capture.decode import Decoder
from netlab.capture.reading import read_capture
from netlab.capture.records import Interface, Record
from netlab.capture.segments import Segment
from netlab.capture.writing import PcapngWriter
from netlab.report import annotate
from netlab.report.reading import tell
from tests.capture.streams import block, interface, packet, section
from tests.captures.reference import NAMES, exchange
from tests.captures.talk import Talk


def annotated(capture: bytes, discretion: Discretion) -> bytes:
    """
    Annotate a capture that is held in memory.
    """
    reading = tell(read_capture(io.BytesIO(capture)), "test", discretion)
    again = read_capture(io.BytesIO(capture))
    return b"".join(annotate.pieces(again, reading.interfaces, reading.story, discretion))


def records(capture: bytes) -> list[Record]:
    """
    Read a capture.
    """
    return list(read_capture(io.BytesIO(capture)))


def segments(capture: Iterable[Record]) -> list[Segment]:
    """
    Decode frames that are all TCP.
    """
    decoder = Decoder()
    found = [decoder.decode(record) for record in capture]
    return [each for each in found if isinstance(each, Segment)]


class CommentTests(SynchronousTestCase):
    """
    The capture with comments.
    """

    def test_the_capture_is_the_same(self) -> None:
        """
        Frames keep their bytes and times; each has its sentence and equations as a comment.
        """
        for name in NAMES:
            before = records(exchange(name).pcap())
            after = records(annotated(exchange(name).pcap(), Discretion()))
            self.assertEqual(
                [(each.time_ns, each.data, each.length) for each in after],
                [(each.time_ns, each.data, each.length) for each in before],
            )
            for each in after:
                self.assertRegex(each.comments[0], "\n(PASS|NOTED) ")

    def test_the_conversation_is_told_at_its_first_frame(self) -> None:
        """
        The first frame of a conversation has that conversation's story as a second comment.
        """
        after = records(annotated(exchange("redirect").pcap(), Discretion()))
        told = {each.number for each in after if len(each.comments) == 2}
        self.assertEqual(told, {1, 12})
        self.assertIn("closed first by the server", after[0].comments[1])

    def test_old_comments_stay(self) -> None:
        """
        Comments that somebody made before come first. With anything left out they go, and so do the
        interfaces' names: they may hold what is hidden.
        """
        writer = PcapngWriter([Interface(0, name="lo", description="Ann's laptop")])
        capture = writer.begin() + b"".join(
            writer.packet(time, frame, comments=["by Ann"])
            for time, frame in zip(
                exchange("single_fin").times_ns, exchange("single_fin").frames, strict=True
            )
        )
        after = records(annotated(capture, Discretion()))
        self.assertEqual({each.comments[0] for each in after}, {"by Ann"})
        self.assertEqual(after[0].interface.name, "lo")
        for discretion in (Discretion(anonymises=True), Discretion(shows_payload=False)):
            self.assertNotIn(b"Ann", annotated(capture, discretion))

    def test_times_that_pcapng_cannot_say(self) -> None:
        """
        A frame from before 1970 or after 2554, which an offset in a capture can make of it, gets
        the nearest time that can be written, and a comment with its own.
        """
        frame = exchange("single_fin").frames[0]
        for offset, written_ns in ((-5, 0), (1 << 40, (1 << 64) - 1)):
            values = [(14, struct.pack("<q", offset))]
            capture = section() + interface(0, values=values) + packet(frame)
            (after,) = records(annotated(capture, Discretion()))
            self.assertEqual(after.time_ns, written_ns)
            self.assertIn(f"time was {offset * 10**9} ns", after.comments[0])

    def test_what_is_no_frame(self) -> None:
        """
        A custom block, an entry of a systemd journal and a frame of an interface that is missing
        stay counted, so that the frames behind them keep their numbers; without payloads they go.
        """
        frames = exchange("single_fin").frames
        missing = block(6, struct.pack("<IIIII", 7, 0, 0, 3, 3) + b"abc")
        odd = block(0x0BAD, bytes(8)) + block(9, b"x=1\n") + missing
        capture = section() + interface(0) + odd + b"".join(map(packet, frames))
        after = records(annotated(capture, Discretion()))
        self.assertEqual([each.data for each in after], [b"", b"", b"abc", *frames])
        self.assertEqual({each.interface.link_type for each in after[:3]}, {147})
        self.assertIn("no frame", after[0].interface.description)
        self.assertEqual({each.interface.link_type for each in after[3:]}, {0})
        self.assertIn("\nNOTED ", after[3].comments[0])
        self.assertEqual(len(records(annotated(capture, Discretion(False)))), len(frames))


class RedactTests(SynchronousTestCase):
    """
    The capture without what nobody is to see.
    """

    def test_without_payload(self) -> None:
        """
        Frames end behind their TCP header; their length on the wire is as it was.
        """
        before = segments(records(exchange("redirect").pcap()))
        after = segments(records(annotated(exchange("redirect").pcap(), Discretion(False))))
        self.assertEqual([each.payload for each in after], [b""] * 22)
        self.assertEqual([each.length for each in after], [each.length for each in before])
        self.assertEqual(
            [each.record.length for each in after], [each.record.length for each in before]
        )
        self.assertEqual([each.src for each in after], [each.src for each in before])

    def test_anonymised(self) -> None:
        """
        Every address is replaced by one for documentation, the same one each time; hardware
        addresses are zero, and IPv4's checksum is right.
        """
        after = segments(records(annotated(exchange("echo").pcap(), Discretion(anonymises=True))))
        self.assertEqual({each.src for each in after}, {"192.0.2.1", "192.0.2.2"})
        for each in after:
            self.assertEqual(each.record.data[:12], bytes(12))
            words = each.record.data[14:34]
            total = sum(int.from_bytes(words[at : at + 2]) for at in range(0, 20, 2))
            self.assertEqual((total & 0xFFFF) + (total >> 16), 0xFFFF)

    def test_anonymised_ipv6(self) -> None:
        """
        IPv6 addresses are replaced too; the header has no checksum to mend.
        """
        capture = Talk("fd00::5", "fd00::6").open().say("c", b"secret").pcap()
        after = segments(records(annotated(capture, Discretion(anonymises=True))))
        self.assertEqual({each.src for each in after}, {"2001:db8::1", "2001:db8::2"})
        self.assertEqual(len(after), 5)

    def test_what_is_no_tcp_goes(self) -> None:
        """
        With anything left out, a frame that is no TCP segment is left out too; else it stays.
        """
        writer = PcapngWriter([Interface(1)])
        other = b"\xff" * 12 + b"\x08\x06" + bytes(28)
        capture = writer.begin() + writer.packet(0, other)
        capture += b"".join(
            writer.packet(time, frame)
            for time, frame in zip(exchange("echo").times_ns, exchange("echo").frames, strict=True)
        )
        self.assertEqual(len(records(annotated(capture, Discretion()))), 12)
        self.assertEqual(len(records(annotated(capture, Discretion(shows_payload=False)))), 11)


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_shows_the_comments(tmp_path: Path) -> None:
    """
    Tshark reads the sentences as packet comments, and nothing in the file surprises it.
    """
    capture = tmp_path / "echo.pcapng"
    capture.write_bytes(annotated(exchange("echo").pcap(), Discretion()))
    shown = subprocess.run(
        ["tshark", "-n", "-r", str(capture), "-T", "fields", "-e", "frame.comment"],
        capture_output=True,
        check=True,
        timeout=60,
    )
    lines = shown.stdout.decode().splitlines()
    assert len(lines) == 11
    assert lines[6].startswith("The server sends 20 bytes and acknowledges the 20 bytes of #6.")
    assert "ISN 1928250445 + 1 (SYN) + 33 (#4) + 20 (#6)" in lines[6]
