"""
Tests for L{netlab.analysis.claims.capturing}.
"""

from __future__ import annotations

import io
import struct

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.claims.claim import Claim, Known
from netlab.capture.reading import read_capture
from netlab.report.reading import tell
from tests.analysis.dialogue_script import Script, of_kind
from tests.capture.streams import block, interface, packet, section
from tests.captures.faults import NAMES, fault_claims, fault_story
from tests.captures.frames import Checksum


def of_capture(name: str, kind: str) -> list[Claim]:
    """Give the claims about a whole capture of a kind."""
    return of_kind(fault_story(name).claims, kind)


class TimeTests(SynchronousTestCase):
    """
    Times that go back.
    """

    def test_times_go_back(self) -> None:
        """
        The step is told with its frame and its size; both causes are possible (f26, f61).
        """
        for name, frames, by in (
            ("f26_records_out_of_order_times_go_back", (1, 2), 20_000_000),
            ("f61", (1, 2), 8_481_000_000),
        ):
            (claim,) = of_capture(name, "capture.times-go-back")
            self.assertEqual((claim.frames, claim.known), (frames, Known.POSSIBLE))
            self.assertEqual((claim.figures["by_ns"], claim.figures["steps"]), (by, 1))

    def test_no_duration_across_the_step(self) -> None:
        """
        No claim with a duration spans a frame at which the clock goes back by more than a tenth of
        it, and no sentence has a negative one.
        """
        for name in ("f26_records_out_of_order_times_go_back", "f61"):
            story = fault_story(name)
            for claim in (*story.claims, *story.conversations[0].claims):
                if claim.kind == "capture.times-go-back" or not claim.frames:
                    continue
                if claim.frames[0] < 2 <= claim.frames[-1]:
                    spells = [each for each in claim.figures if each.endswith("_ns")]
                    self.assertEqual((name, claim.kind, spells), (name, claim.kind, []))
            self.assertFalse(story.conversations[0].is_timed)
            self.assertNotIn("-", story.title)

    def test_small_steps(self) -> None:
        """
        Steps of microseconds between queues of a card spoil no duration of milliseconds.
        """
        script = Script().client("SYN").server("SYN ACK", after=0.02)
        script.client("ACK", after=0.02).client("PSH ACK", b"x", after=-0.000_002)
        story = script.server("ACK", after=0.02).story()
        (claim,) = of_kind(story.claims, "capture.times-go-back")
        self.assertEqual(claim.figures["by_ns"], 2000)
        self.assertTrue(story.conversations[0].is_timed)
        self.assertIn("ms", story.title)

    def test_answer_before_its_syn(self) -> None:
        """
        A SYN right after its answer was recorded too late (f26); one after a second was sent again.
        """
        name = "f26_records_out_of_order_syn_after_its_answer"
        (claim,) = of_capture(name, "capture.answer-before-syn")
        self.assertEqual((claim.frames, claim.figures["after_ns"]), ((1, 2), 300_000))
        script = Script().client("SYN", is_captured=False).server("SYN ACK")
        script.client("SYN", seq=0, after=1)
        self.assertEqual(of_kind(script.story().claims, "capture.answer-before-syn"), [])


class LayerTests(SynchronousTestCase):
    """
    What is not decoded, or cut.
    """

    def test_undecoded_layer(self) -> None:
        """
        It is named and counted, and a possible cause for the direction that is missing (f49).
        """
        (claim,) = of_capture("f49", "capture.layer-not-decoded")
        self.assertEqual(
            (claim.frames, dict(claim.figures)), ((2,), {"layer": "ethertype 0x8909", "frames": 4})
        )
        (claim,) = of_kind(fault_claims("f49"), "capture.one-direction")
        self.assertEqual((claim.who, claim.causes[0]), ("server", "layer-not-decoded"))

    def test_snap_length(self) -> None:
        """
        Ports and sizes are told of TCP headers that were cut (f50).
        """
        story = fault_story("f50")
        self.assertEqual((story.conversation_count, story.frame_count), (0, 9))
        (claim,) = of_kind(story.claims, "capture.snapped")
        self.assertEqual(dict(claim.figures), {"snap_bytes": 40, "frames": 9, "headers_cut": 9})
        cuts = [dict(claim.figures) for claim in of_kind(story.claims, "capture.header-cut")]
        # The client's SYN has four bytes of options, its request ten of data.
        self.assertEqual(
            [(each["source_port"], each["segments"], each["bytes"]) for each in cuts],
            [(40000, 6, 14), (5000, 3, 14)],
        )

    def test_nobody_answers(self) -> None:
        """
        Where an end acknowledges nothing, nothing shows that the other sent anything (f02, f03).
        """
        for name in ("f02", "f03", "f35_icmp_port_unreachable", "f59"):
            self.assertEqual(of_kind(fault_claims(name), "capture.one-direction"), [])

    def test_one_direction(self) -> None:
        """
        An end that acknowledges ever more hears one that is not in the capture (f36).
        """
        (claim,) = of_kind(fault_claims("f36"), "capture.one-direction")
        self.assertEqual((claim.who, claim.known), ("client", Known.POSSIBLE))
        script = Script().begins().server("ACK", ack=1).server("ACK", ack=1)
        self.assertEqual(of_kind(script.claims(), "capture.one-direction"), [])
        script.server("ACK", ack=100)
        (claim,) = of_kind(script.claims(), "capture.one-direction")
        self.assertEqual(claim.frames, (1, 3))

    def test_damaged_ports(self) -> None:
        """
        A frame that was damaged may name a port of no connection: nobody is missing there.
        """
        bad = Checksum.BAD
        script = Script().begins().server("SYN ACK", ack=1, checksum=bad)
        self.assertEqual(of_kind(script.claims(), "capture.one-direction"), [])
        script = Script().begins().server("SYN ACK", ack=1)
        self.assertEqual(len(of_kind(script.claims(), "capture.one-direction")), 1)


class DropTests(SynchronousTestCase):
    """
    What the capture says of itself.
    """

    def test_dropped(self) -> None:
        """
        Frames that the file says were dropped are told; without any nothing is said.
        """
        data = section() + interface() + packet(Script().client("SYN").records[0][1])
        body = struct.pack("<IIIHHQ", 0, 0, 0, 5, 8, 12) + bytes(4)
        for more, expected in ((b"", []), (block(5, body), [12])):
            reader = read_capture(io.BytesIO(data + more))
            claims = of_kind(tell(reader, "x").story.claims, "capture.dropped")
            self.assertEqual([claim.figures["frames"] for claim in claims], expected)


class ChecksumTests(SynchronousTestCase):
    """
    Checksums that are not right.
    """

    def test_offloaded(self) -> None:
        """
        Segmentation offload is no wrong checksum either (f24).
        """
        (claim,) = of_capture("f24", "capture.checksums-offloaded")
        self.assertEqual((claim.figures["segments"], claim.figures["checked"]), (3, 8))
        self.assertEqual(of_capture("f24", "capture.checksums-wrong"), [])

    def test_zeroed(self) -> None:
        """
        Sums of 0 are told once, and no frame has a finding of it (f25).
        """
        (claim,) = of_capture("f25", "capture.checksums-zeroed")
        self.assertEqual(dict(claim.figures), {"segments": 9, "checked": 9, "accepted": 2})
        findings = [
            finding.rule
            for frame in fault_story("f25").conversations[0].frames
            for finding in frame.findings
        ]
        self.assertNotIn("checksum", findings)

    def test_wrong_and_accepted(self) -> None:
        """
        Data that was acknowledged and not sent again was not damaged on its way there.
        """
        script = Script().open().client("PSH ACK", b"x" * 10, checksum=Checksum.BAD)
        (claim,) = of_kind(script.server("ACK").story().claims, "capture.checksums-wrong")
        self.assertEqual(claim.causes, ("changed-after-capture", "unknown"))
        self.assertEqual(claim.figures["accepted"], 1)

    def test_wrong_and_sent_again(self) -> None:
        """
        Data that was sent again may have been damaged on its way; where hardly a checksum of its
        sender is right, the capture does not tell.
        """
        bad = Checksum.BAD
        script = Script().client("SYN").server("SYN ACK", after=0.02).client("ACK", checksum=bad)
        script.client("PSH ACK", b"x" * 10, checksum=bad, arrives=False)
        script.client("PSH ACK", b"x" * 10, seq=1, after=0.3).server("ACK")
        (claim,) = of_kind(script.story().claims, "capture.checksums-wrong")
        self.assertEqual(claim.causes[0], "damaged-on-the-way")
        self.assertEqual(claim.figures["accepted"], 0)

    def test_right(self) -> None:
        """
        Of captures with right checksums nothing is claimed of them.
        """
        for name in NAMES:
            if not name.startswith(("f24", "f25")):
                self.assertEqual((name, of_capture(name, "capture.checksums-wrong")), (name, []))


class ReadAloudTests(SynchronousTestCase):
    """
    What an expert refuted about the capture itself.
    """

    def test_no_times(self) -> None:
        """
        Where all segments have one time, that is said.
        """
        script = Script()
        for _ in range(8):
            script.client("SYN", at=0.0, seq=0)
        self.assertEqual(len(of_kind(script.story().claims, "capture.no-times")), 1)
        script.client("SYN", at=0.1, seq=0)
        self.assertEqual(of_kind(script.story().claims, "capture.no-times"), [])

    def test_what_is_not_decoded_may_hold_it(self) -> None:
        """
        Bytes in a frame whose layer is not decoded were captured.
        """
        script = Script().open().client("PSH ACK", b"x" * 100)
        time_ns, frame = script.records[-1]
        script.records[-1] = time_ns, frame[:23] + b"\x6c" + frame[24:]
        (claim,) = of_kind(script.server("ACK").claims(), "gaps.not-captured")
        self.assertIn("in-what-is-not-decoded", claim.causes)
