"""
Tests for L{netlab.analysis.transfer.windows}, L{netlab.analysis.transfer.probing} and
L{netlab.analysis.transfer.acks}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.claims.claim import Known
from tests.analysis.dialogue_script import Script
from tests.analysis.transfer.judged import claims_of, fault_kinds, kinds_of, sack
from tests.captures.faults import fault_claims


def closed() -> Script:
    """
    Write 4000 bytes that fill a window, and its close in #9.
    """
    script = Script(window=4000).open().client("PSH ACK", b"get")
    for index in range(4):
        script.server("PSH ACK", bytes([97 + index]) * 1000, after=0.0001)
    return script.client("ACK", window=0)


class ZeroWindowTests(SynchronousTestCase):
    """
    A receiver that does not read.
    """

    def test_probes_and_give_up(self) -> None:
        """
        What asks for a closed window is a window probe, not a keep-alive; a RST ends the waiting.
        """
        claims = fault_claims("f20")
        kinds = [each.kind for each in claims]
        self.assertEqual(kinds.count("windows.closed"), 1)
        self.assertEqual(kinds.count("windows.probe"), 6)
        self.assertEqual(fault_kinds("f20", "keepalives."), [])
        (claim,) = [each for each in claims if each.kind == "resets.window-stayed-shut"]
        self.assertEqual(claim.figures["shut_ns"], 25_000_000_000)
        self.assertEqual(claim.frames[0], 9)

    def test_probe_with_a_byte(self) -> None:
        """
        A probe with the next byte is no data beyond the window, and its byte no repeat later.
        """
        script = closed()
        script.server("ACK", b"e", after=0.5, arrives=False).client("ACK", window=0)
        script.client("ACK", window=4000, after=1)
        script.server("PSH ACK", b"e" * 1000, seq=4001)
        self.assertEqual(kinds_of(script, "repeats"), [])
        self.assertNotIn("windows.beyond", kinds_of(script, "windows"))
        (claim,) = claims_of(script, "windows.reopened")
        self.assertEqual((claim.figures["window"], claim.figures["probes"]), (4000, 1))

    def test_to_the_end(self) -> None:
        """
        A window that stays closed says so, if the capture has all of the conversation.
        """
        script = closed().server("ACK", seq=4000, after=0.5).client("ACK", window=0)
        (claim,) = claims_of(script, "windows.closed-to")
        self.assertEqual((claim.who, claim.figures["probes"]), ("client", 1))

    def test_raised(self) -> None:
        """
        A window that grows after the handshake has no cause that the frames show.
        """
        (claim,) = [each for each in fault_claims("f28") if each.kind == "windows.raised"]
        self.assertEqual((claim.who, claim.causes), ("server", ()))

    def test_shrunk(self) -> None:
        """
        An edge that goes back is taken back.
        """
        script = Script().open().client("PSH ACK", b"get").server("PSH ACK", b"a" * 100)
        script.client("ACK", window=1000)
        (claim,) = claims_of(script, "windows.shrunk")
        self.assertEqual(claim.figures["taken_back"], 64000 - 1000 - 100)


class EdgeTests(SynchronousTestCase):
    """
    Data at the window's edge and beyond.
    """

    def test_full(self) -> None:
        """
        The segment that ends at the edge fills the window.
        """
        (claim,) = claims_of(closed(), "windows.full")
        self.assertEqual((claim.frames[-1], claim.figures["in_flight"]), (8, 4000))

    def test_beyond(self) -> None:
        """
        What lies far outside the window is not accepted (RFC 9293 section 3.10.7.4).
        """
        (claim,) = [each for each in fault_claims("f32") if each.kind == "windows.beyond"]
        self.assertEqual(claim.frames[-1], 6)

    def test_beyond_and_acknowledged(self) -> None:
        """
        What was acknowledged was inside: an ACK with a larger window was not captured.
        """
        script = Script(window=1000).open()
        script.client("PSH ACK", b"a" * 30_000, is_captured=False)
        script.client("PSH ACK", b"b" * 1000).server("ACK")
        self.assertEqual(kinds_of(script, "windows"), [])
        self.assertIn("gaps.not-captured", kinds_of(script, "gaps"))

    def test_one_window_a_round_trip(self) -> None:
        """
        A window of 64 KiB on a way of 100 ms gives 5.2 Mbit/s.
        """
        (claim,) = [each for each in fault_claims("f41") if each.kind == "windows.one-a-round-trip"]
        self.assertEqual(claim.figures["scaling"], "neither")
        self.assertEqual(claim.figures["window"], 65535)
        self.assertAlmostEqual(int(claim.figures["bits_per_second"]) / 1e6, 5.24, 1)

    def test_short_way(self) -> None:
        """
        It is not claimed where a window is never waited for.
        """
        for name in ("f13", "f14", "f20", "f40", "f58_compare_client_does_not_read_a"):
            self.assertNotIn("windows.one-a-round-trip", fault_kinds(name))


class KeepAliveTests(SynchronousTestCase):
    """
    Signs of life.
    """

    def test_three_and_three(self) -> None:
        """
        Three are answered, three are not, then the asker gives up.
        """
        kinds = fault_kinds("f45", "keepalives.")
        self.assertEqual(kinds.count("keepalives.probe"), 6)
        self.assertEqual(kinds.count("keepalives.answer"), 3)
        resets = [each for each in fault_claims("f45") if each.topic == "resets"]
        self.assertEqual([each.kind for each in resets], ["resets.keep-alives-unanswered"])
        self.assertEqual(resets[0].frames[-4:], (13, 14, 15, 16))

    def test_first_of_a_capture(self) -> None:
        """
        As the first segment of a capture it is only possible.
        """
        self.assertEqual(
            fault_kinds("f60", "keepalives."),
            ["keepalives.possible-probe", "keepalives.answer", "keepalives.exchanged"],
        )
        self.assertEqual(fault_kinds("f60", "gaps."), [])

    def test_with_a_byte(self) -> None:
        """
        A keep-alive may carry a byte of anything: that byte is no repeat, and no other byte.
        """
        script = Script().open().client("PSH ACK", b"abc").server("ACK")
        script.client("ACK", b"\0", seq=3, after=60).server("ACK")
        self.assertIn("keepalives.answer", kinds_of(script, "keepalives"))
        self.assertEqual(kinds_of(script, "repeats"), [])

    def test_unanswered(self) -> None:
        """
        At the end of a capture one may be without an answer.
        """
        script = (
            Script().open().client("PSH ACK", b"abc").server("ACK").client("ACK", seq=3, after=60)
        )
        self.assertIn("keepalives.unanswered", kinds_of(script, "keepalives"))


class AckTests(SynchronousTestCase):
    """
    ACKs that say more.
    """

    def test_never_sent(self) -> None:
        """
        An ACK of what the peer never sent is impossible.
        """
        (claim,) = [each for each in fault_claims("f39") if each.kind == "acks.never-sent"]
        self.assertEqual((claim.frames, claim.known), ((4,), Known.FOLLOWS))

    def test_beyond_the_window(self) -> None:
        """
        So is one beyond all that its sender has allowed.
        """
        script = Script().open().client("PSH ACK", b"abc", ack=2_000_000).server("ACK")
        self.assertEqual(kinds_of(script, "acks"), ["acks.never-sent"])
        self.assertEqual(kinds_of(script, "gaps"), [])

    def test_answer_to_a_syn(self) -> None:
        """
        In a handshake a strange ACK is an old connection's, and another topic.
        """
        self.assertEqual(fault_kinds("f34", "acks."), [])

    def test_duplicates(self) -> None:
        """
        That something beyond the hole came is certain only where SACK says so.
        """
        script = Script().open().client("PSH ACK", b"get")
        script.server("PSH ACK", b"a" * 100, is_captured=False, arrives=False)
        script.server("PSH ACK", b"b" * 100, arrives=False).client("ACK")
        script.client("ACK", options=sack((101, 201)))
        first, second = claims_of(script, "acks.")
        self.assertEqual((first.kind, first.known), ("acks.duplicate", Known.POSSIBLE))
        self.assertEqual((second.kind, second.known), ("acks.duplicate-for-hole", Known.FOLLOWS))

    def test_duplicate_of_a_repeat(self) -> None:
        """
        A segment that brought nothing new is answered by a duplicate ACK, too.
        """
        script = Script().open().client("PSH ACK", b"get").server("PSH ACK", b"a" * 100)
        script.client("ACK").server("PSH ACK", b"b" * 100, arrives=False)
        script.server("PSH ACK", b"a" * 100, seq=1, after=0.3).client("ACK")
        (claim,) = claims_of(script, "acks.")
        self.assertEqual(claim.causes, ("later-segment-came", "nothing-new-came"))

    def test_selective(self) -> None:
        """
        An ACK of new data may show a hole, too.
        """
        script = Script().open().client("PSH ACK", b"get")
        for index in range(3):
            script.server("PSH ACK", bytes([97 + index]) * 100)
        script.client("ACK", ack=101, options=sack((201, 301)))
        (claim,) = claims_of(script, "acks.selective")
        self.assertEqual(claim.figures["sacked_bytes"], 100)
