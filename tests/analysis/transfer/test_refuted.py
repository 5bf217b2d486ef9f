"""
What the frames refuted when stories of odd programs' captures were read: each once.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.analysis.dialogue_script import CLIENT, SERVER, Script
from tests.analysis.transfer.judged import claims_of, kinds_of, sack, stamp
from tests.captures import frames


class AckTests(SynchronousTestCase):
    """
    ACKs of what was not sent, and what they do not show.
    """

    def test_optimistic_ack(self) -> None:
        """
        An ACK of bytes that their sender has not sent, as its own next ACK shows, is none of bytes
        that the capture missed (RFC 9293 section 3.10.7.4).
        """
        script = Script().open().client("PSH ACK", b"x" * 5).server("PSH ACK", b"y" * 10)
        script.client("ACK", ack=21).server("ACK").server("PSH ACK", b"z" * 10, after=0.1)
        script.client("ACK", after=0.1)
        self.assertEqual(kinds_of(script, "gaps"), [])
        (claim,) = claims_of(script, "acks.never-sent")
        self.assertEqual(claim.frames, (6,))

    def test_missed_bytes_are_still_missed(self) -> None:
        """
        A sender whose next ACK stands behind the acknowledged bytes has sent them.
        """
        script = Script().open().server("PSH ACK", b"y" * 10)
        script.server("PSH ACK", b"z" * 10, is_captured=False).client("ACK").server("ACK")
        script.server("PSH ACK", b"z" * 10).client("ACK")
        self.assertEqual(kinds_of(script, "acks"), [])
        self.assertEqual(len(claims_of(script, "gaps.")), 1)

    def test_seen_after_an_ack_of_a_part(self) -> None:
        """
        Of bytes that come after an ACK of their first half only that half was acknowledged before.
        """
        script = Script().open().client("ACK", ack=11).server("PSH ACK", b"y" * 30)
        (claim,) = claims_of(script, "gaps.seen-after-its-ack")
        self.assertEqual((claim.figures["first"], claim.figures["last"]), (1, 10))
        self.assertEqual(claim.figures["bytes"], 10)


class ProbeTests(SynchronousTestCase):
    """
    Keep-alives and windows.
    """

    def test_no_keep_alive_at_once(self) -> None:
        """
        An ACK with the number of a keep-alive, 50 microseconds after the other end's, is none.
        """
        script = Script().open().say(CLIENT, b"x" * 8).say(SERVER, b"y" * 35)
        script.server("ACK", seq=35, after=0.00005).client("ACK")
        self.assertEqual(kinds_of(script, "keepalives"), [])

    def test_a_window_is_taken_back_once(self) -> None:
        """
        A window that was made smaller, and then larger again, was taken back once.
        """
        script = Script(window=5000).open().client("PSH ACK", b"x" * 5)
        script.server("PSH ACK", b"y" * 35).client("ACK", ack=11, window=3)
        script.client("ACK", window=100)
        self.assertEqual(len(claims_of(script, "windows.shrunk")), 1)

    def test_a_forged_window_is_no_offer(self) -> None:
        """
        What a segment with another time to live allowed, its namesake does not take back.
        """
        script = Script(window=5000).open().client("PSH ACK", b"x" * 8)
        script.server("ACK", window=60000, ttl=200).server("PSH ACK", b"y" * 35)
        script.client("PSH ACK", b"x" * 8).server("ACK")
        self.assertEqual(claims_of(script, "windows.shrunk"), [])


class RepeatTests(SynchronousTestCase):
    """
    What is no repeat, and what no timer.
    """

    def test_other_bytes_are_no_spurious_repeat(self) -> None:
        """
        A D-SACK of numbers that two segments fill with different bytes makes neither a repeat.
        """
        script = Script().open().client("PSH ACK", b"x" * 8).server("PSH ACK", b"FORGED", ttl=200)
        script.client("ACK").server("PSH ACK", b"genuin", seq=1, after=0.1)
        script.client("ACK", options=sack((1, 7)))
        self.assertEqual(claims_of(script, "repeats.spurious-by-sack"), [])
        self.assertEqual(len(claims_of(script, "repeats.received-twice")), 1)

    def test_no_timer_is_that_quick(self) -> None:
        """
        85 microseconds after the first copy no retransmission timer has expired.
        """
        options = frames.syn_options(1460) + b"\x01\x01\x04\x02"
        script = Script().client("SYN", options=options)
        script.server("SYN ACK", options=options, after=0.00002)
        script.client("ACK", after=0.00001).say(SERVER, b"y" * 100, rtt=0.00001)
        script.server("PSH ACK", b"z" * 100).server("PSH ACK", b"z" * 100, seq=101, after=0.000085)
        (claim,) = [each for each in claims_of(script, "repeats.") if each.kind.endswith("timer")]
        self.assertNotIn("retransmission-timeout", claim.causes)

    def test_a_pause_before_the_ack_has_come(self) -> None:
        """
        A sender that echoes an older time stamp has not got the ACK yet (RFC 7323 section 4.3): it
        does not pause because it has nothing to send.
        """
        for echo, paused in ((100, 0), (300, 1)):
            script = Script()
            script.client("SYN", options=frames.syn_options(1460) + stamp(100))
            script.server("SYN ACK", options=frames.syn_options(1460) + stamp(900, 100))
            script.client("ACK", options=stamp(100, 900))
            script.client("PSH ACK", b"get", options=stamp(100, 900))
            script.server("PSH ACK", b"head", options=stamp(910, 100))
            script.client("ACK", options=stamp(300, 910))
            script.server("PSH ACK", b"body", options=stamp(1120, echo), after=0.21)
            with self.subTest(echo=echo):
                self.assertEqual(len(claims_of(script, "delays.paused")), paused)


class BareAckTests(SynchronousTestCase):
    """
    An ACK without data has the number of the byte that its sender sends next.
    """

    def test_what_never_came(self) -> None:
        """
        An answer that was lost before this point shows by the number of a later ACK.
        """
        script = Script().open().client("PSH ACK", b"get").server("ACK")
        script.server("PSH ACK", b"y" * 213, is_captured=False, arrives=False)
        script.client("FIN ACK", after=5.0).server("ACK")
        (claim,) = claims_of(script, "gaps.never-filled")
        self.assertEqual((claim.figures["first"], claim.figures["last"]), (1, 213))

    def test_what_was_missed(self) -> None:
        """
        If those bytes are acknowledged, the capture missed them.
        """
        script = Script().open().client("PSH ACK", b"get", is_captured=False).client("ACK")
        script.server("ACK")
        (claim,) = claims_of(script, "gaps.not-captured")
        self.assertEqual((claim.figures["first"], claim.figures["last"]), (1, 3))

    def test_no_room_for_a_segment(self) -> None:
        """
        A sender may wait while the window has no room for a full segment (RFC 9293 section
        3.8.6.2.1): it does not pause because it has nothing to send.
        """
        for window, paused in ((10, 0), (4000, 1)):
            script = Script(window=window).open().server("PSH ACK", b"y" * 10)
            script.client("ACK").server("PSH ACK", b"y" * 10, after=0.36)
            with self.subTest(window=window):
                self.assertEqual(len(claims_of(script, "delays.paused")), paused)

    def test_a_scan_is_no_first_sending(self) -> None:
        """
        A SYN after one with FIN and URG repeats nothing, and nothing was lost.
        """
        script = Script().client("SYN FIN URG", seq=0, arrives=False)
        script.client("SYN", seq=0, after=1.0).server("SYN ACK")
        self.assertEqual(kinds_of(script, "repeats"), [])
        kinds = [claim.kind for claim in script.claims()]
        self.assertNotIn("opening.syn-lost", kinds)
