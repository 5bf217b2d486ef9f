"""
Tests for L{netlab.analysis.tcp.pipeline}.
"""

from __future__ import annotations

import io

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.tcp import pipeline
from netlab.analysis.tcp.frames import Analysed
from netlab.analysis.tcp.limits import MemoryLimits
from netlab.analysis.tcp.pipeline import Pipeline
from netlab.capture.reading import read_capture
from netlab.capture.records import LinkType
from netlab.capture.writing import PcapWriter
from tests.capture.test_decode import FragmentTests
from tests.captures.frames import ACK
from tests.captures.talk import Talk


def capture(*frames: bytes) -> bytes:
    """Write a capture of Ethernet frames, a microsecond apart."""
    writer = PcapWriter(LinkType.ETHERNET)
    return writer.begin() + b"".join(
        writer.packet(1000 * number, frame) for number, frame in enumerate(frames)
    )


def pipeline_of(pcap: bytes, thorough_frames: int = 100) -> Pipeline:
    """Make a pipeline of a capture."""
    return Pipeline(read_capture(io.BytesIO(pcap)), thorough_frames=thorough_frames)


class PipelineTests(SynchronousTestCase):
    """
    A capture, frame by frame.
    """

    def test_frames_in_order(self) -> None:
        """
        Segments come analysed, other frames as what they are, all of them counted.
        """
        talk = Talk().open()
        arp = bytes(12) + b"\x08\x06" + bytes(46)
        reading = pipeline_of(capture(talk.frames[0][1], arp, talk.frames[1][1]))
        kinds = [
            frame.flags if isinstance(frame, Analysed) else frame.protocol for frame in reading
        ]
        self.assertEqual((kinds, reading.frame_count), ([2, "ARP", 18], 3))

    def test_conversation_of_a_key(self) -> None:
        """
        A conversation is found by the addresses and ports of either direction.
        """
        reading = pipeline_of(Talk().open().pcap())
        segment = next(reading.segments()).segment
        found = [reading.stream_of(key) for key in (segment.key, segment.reverse_key, b"")]
        self.assertEqual(found, [0, 0, None])

    def test_memory_counts_after_so_many_frames(self) -> None:
        """
        From the named frame on, as little is remembered as of a capture of any size.
        """
        self.patch(pipeline, "STREAMING", MemoryLimits(unacked_max=5))
        talk = Talk().open()
        for _ in range(30):
            talk.send("c", ACK, b"x")
        for frames, rules in ((100, []), (10, ["unacknowledged"])):
            reading = pipeline_of(talk.pcap(), frames)
            self.assertEqual(len(list(reading.segments())), 33)
            self.assertEqual([fault.rule for fault in reading.faults], rules)

    def test_a_fragment_that_stays_alone(self) -> None:
        """
        A datagram whose other fragments never came is a fault of the capture, told at its end.
        """
        first, *_ = FragmentTests().pieces()
        reading = pipeline_of(capture(first))
        self.assertEqual(list(reading.segments()), [])
        self.assertEqual([fault.rule for fault in reading.faults], ["fragment"])
