"""
Tests for L{netlab.analysis.explanation.keeping}.
"""

from __future__ import annotations

import io

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.explanation.keeping import keep
from netlab.analysis.tcp.analyser import Analyser
from netlab.capture.decode import Decoder
from netlab.capture.reading import read_capture
from netlab.capture.segments import Segment
from tests.captures.reference import exchange


class KeepTests(SynchronousTestCase):
    """
    What is kept of a frame until it is told.
    """

    def test_comments_go(self) -> None:
        """
        Somebody's comments are not kept, which may be thousands of times as long as the frame.
        """
        decoder, analyser = Decoder(), Analyser()
        for plain in read_capture(io.BytesIO(exchange("redirect").pcap())):
            segment = decoder.decode(plain)
            assert isinstance(segment, Segment)
            analysed = analyser.analyse(segment)
            record = analysed.segment.record._replace(comments=("c" * 65535,))
            commented = analysed._replace(segment=analysed.segment._replace(record=record))
            kept = keep(commented).analysed
            self.assertEqual(kept.segment.record.comments, ())
            self.assertEqual(kept, keep(analysed).analysed)
