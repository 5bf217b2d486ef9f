"""
A verdict does not depend on the system, the network or the capture program.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.expectations.references import EXCHANGES, verify
from netlab.analysis.observations.dialogue import Dialogue, Dialogues
from netlab.analysis.tcp.analyser import Analyser
from netlab.capture.decode import Decoder
from netlab.capture.reading import read_capture
from netlab.capture.segments import Segment
from tests.captures.frames import pcap_file
from tests.captures.reference import NAMES, exchange
from tests.captures.variants import Variant, vary

_ADDRESSES = st.sampled_from(
    [
        ("192.0.2.1", "192.0.2.2"),
        ("127.0.0.1", "127.0.0.1"),
        ("2001:db8::1", "2001:db8::2"),
        ("::1", "::1"),
    ]
)
_VARIANTS = st.builds(
    lambda addresses, **others: Variant(*addresses, **others),
    _ADDRESSES,
    port=st.sampled_from([80, 8080, 12345, 65535]),
    ports=st.integers(-30000, 0),
    numbers=st.integers(0, 2**32 - 1),
    is_ethernet=st.booleans(),
    has_timestamps=st.booleans(),
    shift=st.sampled_from([None, 0, 7, 14]),
    keeps_acks=st.booleans(),
    is_doubled=st.booleans(),
    pieces=st.integers(1, 4),
    again=st.integers(0, 12),
    pace=st.floats(0.95, 1.4),
)


def _dialogues(capture: bytes) -> Sequence[Dialogue]:
    decoder, analyser, dialogues = Decoder(), Analyser(), Dialogues()
    for record in read_capture(io.BytesIO(capture)):
        segment = decoder.decode(record)
        assert isinstance(segment, Segment)
        dialogues.receive(analyser.analyse(segment))
    return dialogues.finish()


class VariantsTests(SynchronousTestCase):
    """
    Reference exchanges as others would have captured them.
    """

    @settings(deadline=None)
    @given(st.sampled_from(NAMES), _VARIANTS)
    def test_same_story(self, name: str, variant: Variant) -> None:
        """
        Addresses, ports, numbers, link layer, options, window scaling, delayed acknowledgements,
        doubled frames, other segment sizes, a retransmission, a slower machine: none of them
        changes a verdict.
        """
        dialogues = _dialogues(vary(name, variant))
        found = verify(EXCHANGES[name], dialogues)
        self.assertEqual([(one.expectation.name, one.shown.detail) for one in found.failures], [])

    def test_variants_are_right(self) -> None:
        """
        The plain variant has a frame for each of the original's, with the same flags and lengths.
        """
        for name in NAMES:
            frames = [
                Decoder().decode(record)
                for record in read_capture(io.BytesIO(vary(name, Variant(ports=3))))
            ]
            rows = exchange(name).rows
            self.assertEqual(
                [(one.length, one.seq) for one in frames if isinstance(one, Segment)],
                [(row["payload_length"], row["seq_raw"]) for row in rows],
            )

    def test_frames_left_out(self) -> None:
        """
        Without any one frame that carries data, SYN or FIN, the exchange is not as expected, but
        where the frame is the second FIN of a spare connection.
        """
        for name in NAMES:
            original = exchange(name)
            for row in original.rows:
                if row["flags"] == ["ACK"]:
                    continue
                frames = [
                    pair
                    for pair, other in zip(
                        zip(original.times_ns, original.frames, strict=True),
                        original.rows,
                        strict=True,
                    )
                    if other is not row
                ]
                capture = pcap_file(original.link_type, frames)
                is_met = verify(EXCHANGES[name], _dialogues(capture)).is_met
                is_spare = name == "notfound" and row["frame"] == 17
                self.assertEqual((name, row["frame"], is_met), (name, row["frame"], is_spare))
