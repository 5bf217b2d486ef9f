"""
Tests for L{netlab.analysis.transfer.delays} and L{netlab.analysis.transfer.growth}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.claims.claim import Known
from tests.analysis.dialogue_script import Script
from tests.analysis.transfer.judged import claims_of, fault_kinds, kinds_of
from tests.captures.faults import fault_claims


class NagleTests(SynchronousTestCase):
    """
    Small writes that wait for a delayed ACK.
    """

    def test_five_times(self) -> None:
        """
        Each is claimed, and their sum.
        """
        claims = fault_claims("f40")
        self.assertEqual(len([each for each in claims if each.kind == "delays.nagle"]), 5)
        (total,) = [each for each in claims if each.kind == "delays.nagle-total"]
        self.assertEqual((total.figures["times"], total.known), (5, Known.POSSIBLE))
        self.assertEqual(int(total.figures["waited_ns"]) // 1_000_000, 200)

    def test_answer_in_between(self) -> None:
        """
        What answers the peer's data was not held back.
        """
        script = Script().open(rtt=0.0002).client("PSH ACK", b"a").server("ACK", after=0.04)
        script.server("PSH ACK", b"x", after=0.0001).client("PSH ACK", b"b", after=0.0001)
        self.assertEqual(claims_of(script, "delays.nagle"), [])

    def test_pause(self) -> None:
        """
        Nor was what came a while after the ACK.
        """
        script = Script().open(rtt=0.0002).client("PSH ACK", b"a").server("ACK", after=0.04)
        script.client("PSH ACK", b"b", after=0.01)
        self.assertEqual(claims_of(script, "delays.nagle"), [])
        self.assertEqual(kinds_of(script, "delays"), ["delays.delayed-ack"])

    def test_full_segments(self) -> None:
        """
        Nor is a full segment, which need not wait (RFC 9293 section 3.7.4).
        """
        script = Script().open(rtt=0.0002).client("PSH ACK", b"a").server("ACK", after=0.04)
        script.client("PSH ACK", b"b" * 1460, after=0.0001)
        self.assertEqual(claims_of(script, "delays.nagle"), [])


class ShareTests(SynchronousTestCase):
    """
    Where the time went.
    """

    def test_three_places(self) -> None:
        """
        The same wait is the server's, the client's or the network's by its figures.
        """
        for name, longest in (
            ("server", "server_ns"),
            ("client", "client_ns"),
            ("way", "network_ns"),
        ):
            claims = fault_claims(f"f42_slow_server_against_slow_network_{name}")
            (shares,) = [each for each in claims if each.kind == "delays.shares"]
            spent = {
                each: shares.figures[each] for each in ("server_ns", "client_ns", "network_ns")
            }
            self.assertEqual(max(spent, key=lambda each: int(spent[each])), longest)
        (claim,) = [
            each
            for each in fault_claims("f42_slow_server_against_slow_network_server")
            if each.kind == "delays.server"
        ]
        self.assertEqual(claim.figures["end_ns"], 3_000_000_000)
        self.assertEqual(claim.figures["ack_ns"], 10_000_000)
        # The way there is 10 ms long: what this segment met on it is not seen.
        self.assertEqual(claim.causes, ("waited-there", "held-up-on-the-way"))

    def test_a_copy_may_have_been_lost(self) -> None:
        """
        Where the server sent packets that were not captured, its answer may have been lost before.
        """
        script = Script().open().client("PSH ACK", b"get").server("ACK", after=0.02)
        script.server("PSH ACK", b"x", is_captured=False, arrives=False)
        script.server("PSH ACK", b"x", seq=1, after=0.5)
        (claim,) = claims_of(script, "delays.server")
        self.assertIn("lost-before-this-point", claim.causes)

    def test_only_answers_with_data(self) -> None:
        """
        Where no ACK came without data, a program may have taken all of the time: nothing is said
        of the way, nor of what is left for an end.
        """
        script = Script().begins().client("PSH ACK", b"ask").server("PSH ACK", b"say", after=15)
        script.client("PSH ACK", b"more", after=60).server("PSH ACK", b"good", after=16)
        self.assertEqual(kinds_of(script, "delays"), [])
        script = Script().begins().client("PSH ACK", b"ask").server("ACK", after=0.01)
        script.server("PSH ACK", b"say", after=15)
        self.assertEqual(kinds_of(script, "delays"), ["delays.server", "delays.shares"])

    def test_drips(self) -> None:
        """
        Between pieces that are acknowledged one by one the time passes at their sender.
        """
        claims = fault_claims("f58_compare_client_drips_a")
        pauses = [each for each in claims if each.kind == "delays.paused"]
        self.assertEqual({each.who for each in pauses}, {"client"})
        self.assertEqual(len(pauses), 7)
        (shares,) = [each for each in claims if each.kind == "delays.shares"]
        self.assertGreater(int(shares.figures["client_ns"]), 3_000_000_000)

    def test_closed_window(self) -> None:
        """
        While a window is closed the time passes at its end.
        """
        script = Script(window=1000).open().client("PSH ACK", b"get")
        script.server("PSH ACK", b"a" * 1000, after=0.02).client("ACK", window=0)
        script.client("ACK", after=9).server("PSH ACK", b"b" * 500, after=0.02)
        script.client("PSH ACK", b"more")
        (shares,) = claims_of(script, "delays.shares")
        self.assertEqual(int(shares.figures["client_ns"]) // 10**9, 9)
        self.assertLess(int(shares.figures["transfer_ns"]), 100_000_000)

    def test_waiting_for_an_ack_is_no_pause(self) -> None:
        """
        What was not acknowledged, or a closed window, holds a sender back: that is no pause.
        """
        script = Script().open().client("PSH ACK", b"get").server("PSH ACK", b"a" * 100, after=0.02)
        script.server("PSH ACK", b"b" * 100, after=0.5)
        self.assertEqual(claims_of(script, "delays.paused"), [])
        script = Script().open().client("PSH ACK", b"get").server("PSH ACK", b"a" * 100, after=0.02)
        script.client("ACK", window=0).server("PSH ACK", b"b" * 100, after=0.5)
        self.assertEqual(claims_of(script, "delays.paused"), [])

    def test_repeats_are_no_waiting(self) -> None:
        """
        A wait in which a request was sent again is nobody's work.
        """
        script = Script().open().client("PSH ACK", b"get").client("PSH ACK", b"get", seq=1, after=1)
        script.server("PSH ACK", b"x", after=0.02)
        self.assertEqual(kinds_of(script, "delays"), [])


class UnsteadyTests(SynchronousTestCase):
    """
    Ways that do not always take as long.
    """

    def test_jitter(self) -> None:
        """
        Where ACKs take 20 ms at one time and 320 ms at another, a wait of 600 ms may be the way's
        as well as the server's.
        """
        script = Script().open(rtt=0.02).client("PSH ACK", b"one").server("ACK", after=0.32)
        script.client("PSH ACK", b"two").server("ACK", after=0.02)
        script.server("PSH ACK", b"answer", after=0.6)
        (claim,) = claims_of(script, "delays.server")
        self.assertEqual(claim.known, Known.POSSIBLE)
        self.assertIn("slow-way", claim.causes)
        self.assertIn("waited-there", claim.causes)

    def test_steady(self) -> None:
        """
        Where they always take 20 ms, it passed at the server, or the answer met what no other
        segment did; where the server is next to the capture, it passed there for sure.
        """
        script = Script().open(rtt=0.02).client("PSH ACK", b"one").server("ACK", after=0.02)
        script.client("PSH ACK", b"two").server("ACK", after=0.02)
        script.server("PSH ACK", b"answer", after=0.6)
        (claim,) = claims_of(script, "delays.server")
        causes = ("waited-there", "held-up-on-the-way")
        self.assertEqual((claim.known, claim.causes), (Known.POSSIBLE, causes))
        script = Script().open(rtt=0.0002).client("PSH ACK", b"one").server("ACK", after=0.0002)
        script.server("PSH ACK", b"answer", after=0.6)
        (claim,) = claims_of(script, "delays.server")
        self.assertEqual((claim.known, claim.causes), (Known.SEEN, ()))


class PushTests(SynchronousTestCase):
    """
    PSH.
    """

    def test_writes(self) -> None:
        """
        It parts what was sent, possibly into what the program wrote at once.
        """
        script = Script().open()
        for _ in range(3):
            script.client("ACK", b"a" * 1460).client("PSH ACK", b"b" * 540).server("ACK")
        (claim,) = claims_of(script, "delays.pushes")
        self.assertEqual((claim.figures["pushes"], claim.figures["segments"]), (3, 6))
        self.assertEqual((claim.known, claim.who), (Known.POSSIBLE, "client"))
        self.assertIn("write-ended", claim.causes)

    def test_all_or_none(self) -> None:
        """
        Where each segment sets it, or none does, it parts nothing.
        """
        for flags in ("PSH ACK", "ACK"):
            script = Script().open()
            for _ in range(6):
                script.client(flags, b"a" * 100).server("ACK")
            self.assertEqual(claims_of(script, "delays.pushes"), [])


class GrowthTests(SynchronousTestCase):
    """
    Slow start.
    """

    def transfer(self, *flights: int, lost: bool = False) -> Script:
        """
        Write flights of so many segments, each acknowledged before the next.
        """
        script = Script().open(rtt=0.1).client("PSH ACK", b"get")
        for flight in flights:
            for _ in range(flight):
                script.server("ACK", b"x" * 1000, after=0.00001)
            script.client("ACK", after=0.1)
        if lost:
            at = script.next[1]
            script.server("ACK", b"y" * 1000)
            script.server("ACK", b"y" * 1000, seq=at, after=0.3)
        return script

    def test_doubling(self) -> None:
        """
        Flights that double are a slow start (RFC 5681 section 3.1).
        """
        (claim,) = claims_of(self.transfer(4, 8, 16, 20), "delays.slow")
        self.assertEqual(claim.figures["flights"], 3)
        self.assertEqual((claim.figures["first_bytes"], claim.figures["last_bytes"]), (4000, 16000))

    def test_loss_ends_it(self) -> None:
        """
        A repeat right after it ended it.
        """
        (claim,) = claims_of(self.transfer(4, 8, 16, lost=True), "delays.slow")
        self.assertEqual(claim.figures["ended"], "loss")

    def test_no_growth(self) -> None:
        """
        Flights of one size are none.
        """
        self.assertEqual(claims_of(self.transfer(4, 4, 4, 4), "delays.slow"), [])
        self.assertNotIn("delays.slow-start", fault_kinds("f41"))
