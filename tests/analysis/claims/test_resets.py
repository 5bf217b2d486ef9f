"""
Tests for L{netlab.analysis.claims.resets}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.claims.claim import Claim, Known
from netlab.analysis.words.sentences import sentence
from tests.analysis.dialogue_script import CLIENT, SERVER, Script, of_kind
from tests.captures.faults import fault_claims


def one(claims: tuple[Claim, ...], kind: str = "resets.") -> Claim:
    """
    Give the only claim of a kind or topic.
    """
    (found,) = of_kind(claims, kind)
    return found


class RefusalTests(SynchronousTestCase):
    """
    A RST before the connection is open.
    """

    def test_refused(self) -> None:
        """
        A RST with the ACK of a SYN refuses it; a firewall may have sent it as well.
        """
        claim = one(Script().client("SYN").server("RST ACK", seq=0, after=0.02).claims())
        self.assertEqual((claim.kind, claim.frames), ("resets.refused", (1, 2)))
        self.assertEqual(claim.figures["port"], 8080)
        self.assertEqual(claim.figures["answered_ns"], 20_000_000)
        self.assertEqual(set(claim.causes), {"no-listener", "firewall-rejects"})

    def test_half_open(self) -> None:
        """
        A RST of the client right after the SYN-ACK is a half-open scan, or a health check, and
        tells that the port is open.
        """
        for stream, last in enumerate((3, 6, 9)):
            claim = one(fault_claims("f06_half_open_scan_of_ssh", stream))
            self.assertEqual(claim.kind, "resets.after-syn-ack")
            self.assertEqual(claim.frames[-1], last)
            self.assertIn("half-open-scan", claim.causes)
            self.assertIn("health-check", claim.causes)

    def test_unacceptable(self) -> None:
        """
        An ACK that does not acknowledge the SYN is answered by a RST; that is not the end.
        """
        claims = fault_claims("f34_ack_answers_a_syn")
        self.assertEqual(one(claims, "resets.unacceptable-ack").frames, (1, 2, 3))
        self.assertEqual(one(claims, "resets.goes-on").frames[0], 3)
        self.assertEqual(len(of_kind(claims, "closes.first")), 1)

    def test_bytes_before_the_answered_segment(self) -> None:
        """
        A closed socket that gets data and a FIN answers the data first, and has lost it.
        """
        script = Script().open().client("FIN ACK").server("PSH ACK", b"alert", ack=1, after=0.01)
        script.server("FIN ACK", ack=1).client("RST", seq=1)
        claim = one(script.claims(), "resets.data-after-close")
        self.assertEqual((claim.figures["late_bytes"], claim.frames), (5, (4, 5, 7)))
        self.assertNotIn("No data is lost", sentence(claim))
        script = Script().open().client("FIN ACK").server("FIN ACK", ack=1).client("RST", seq=1)
        self.assertIn("No data is lost", sentence(one(script.claims(), "resets.closed-socket")))

    def test_own_attempt(self) -> None:
        """
        A client may give up its own attempt.
        """
        claim = one(Script().client("SYN").client("RST", after=3).claims())
        self.assertEqual((claim.kind, claim.who), ("resets.own-attempt", "client"))


class UnknownConnectionTests(SynchronousTestCase):
    """
    A RST as a host answers what belongs to no connection (RFC 9293 section 3.10.7.1).
    """

    def test_forgotten(self) -> None:
        """
        Without ACK, with the number that the answered segment acknowledges: after a long silence
        the host, or a device, has forgotten the connection. Nothing says that a program ended.
        """
        claim = one(fault_claims("f47_peer_forgot_the_connection"))
        self.assertEqual((claim.kind, claim.frames), ("resets.unknown-connection", (7, 8)))
        self.assertEqual(claim.figures["silent_ns"], 900_000_000_000)
        self.assertEqual(claim.known, Known.POSSIBLE)
        self.assertNotIn("unread-data", claim.causes)

    def test_soon(self) -> None:
        """
        Without a long silence before it, an abort or unread data are possible as well: on some
        systems they look the same.
        """
        script = Script().open().say(SERVER, b"y").client("PSH ACK", b"x").server("RST", after=0.02)
        claim = one(script.claims())
        self.assertEqual(claim.kind, "resets.unknown-connection")
        self.assertIn("abort", claim.causes)
        script = Script().open().say(SERVER, b"y").server("FIN ACK").client("RST", after=0.02)
        self.assertIn("unread-data", one(script.claims()).causes)

    def test_with_ack(self) -> None:
        """
        A RST with ACK is no such answer.
        """
        script = Script().open().client("PSH ACK", b"x" * 10).server("RST ACK", after=0.02)
        self.assertEqual(one(script.claims()).kind, "resets.abort")

    def test_another_number(self) -> None:
        """
        Nor is one with another number.
        """
        script = Script().open().client("PSH ACK", b"x" * 10).server("RST", seq=2, after=0.02)
        self.assertEqual(one(script.claims()).kind, "resets.abort")

    def test_closed_socket(self) -> None:
        """
        After its own FIN an end answers so because its socket is gone; no data is lost where it
        answers a FIN.
        """
        claim = one(fault_claims("f04_fin_fin_rst"))
        self.assertEqual((claim.kind, claim.frames), ("resets.closed-socket", (7, 8, 9)))
        self.assertEqual(claim.figures["fin"], 1)

    def test_late_data(self) -> None:
        """
        Data that comes after the FIN is answered so as well, and lost; also where it crossed that.
        """
        script = Script().open().client("FIN ACK").server("PSH ACK", b"late", after=0.02)
        crossing = Script().open().server("PSH ACK", b"late", arrives=False).client("FIN ACK")
        for each, frames in ((script.client("RST"), (4, 5, 6)), (crossing, (4, 5, 6))):
            if each is crossing:
                each.client("RST", seq=1)
            claim = one(each.claims())
            self.assertEqual((claim.kind, claim.frames), ("resets.data-after-close", frames))
            self.assertEqual((claim.known, claim.figures["late_bytes"]), (Known.FOLLOWS, 4))

    def test_each_segment_is_answered(self) -> None:
        """
        A closed socket answers each segment with a RST. They are alike, and no copies.
        """
        script = Script().open().client("FIN ACK").server("ACK", b"a", ack=1, after=0.01)
        script.server("ACK", b"b", ack=1).client("RST", seq=1, ip_id=0)
        script.client("RST", seq=1, ip_id=0).client("RST", seq=1, ip_id=0)
        found = [(each.kind, each.frames) for each in of_kind(script.claims(), "resets.")]
        self.assertEqual(found[0], ("resets.data-after-close", (4, 5, 7)))
        self.assertEqual([frames[-1] for _, frames in found], [7, 8, 9])


class ClosingTests(SynchronousTestCase):
    """
    A RST after a FIN.
    """

    def test_without_data(self) -> None:
        """
        After its own acknowledged FIN, without data of the peer since: an abort, or a timeout of
        FIN-WAIT-2, and no data was under way.
        """
        claims = fault_claims("f57_fin_then_rst_without_data")
        claim = one(claims)
        self.assertEqual((claim.kind, claim.frames), ("resets.after-own-fin", (7, 8, 9)))
        self.assertEqual(claim.figures["late_bytes"], 0)
        self.assertEqual(set(claim.causes), {"abort", "fin-wait-timeout"})

    def test_data_after_close(self) -> None:
        """
        With data of the peer since, that may be the reason (RFC 9293 section 3.6.1).
        """
        script = Script().open().client("FIN ACK").server("PSH ACK", b"late", after=0.02)
        claim = one(script.client("RST ACK").claims())
        self.assertEqual(claim.kind, "resets.data-after-close")
        self.assertEqual(claim.figures["late_bytes"], 4)
        self.assertEqual(claim.frames[-1], 6)

    def test_repeated_data_is_not_late(self) -> None:
        """
        What had been sent before the FIN and comes again is no data after it.
        """
        script = Script().open().server("PSH ACK", b"early").client("FIN ACK")
        script.server("PSH ACK", b"early", seq=1, after=0.3).client("RST ACK")
        self.assertEqual(one(script.claims()).kind, "resets.after-own-fin")

    def test_instead_of_fin(self) -> None:
        """
        An end may reset instead of closing too; whether it had read all is not known.
        """
        script = Script().open().say(SERVER, b"0123456789").server("FIN ACK").client("ACK")
        claim = one(script.client("RST ACK").claims())
        self.assertEqual(claim.kind, "resets.instead-of-fin")
        self.assertEqual((claim.figures["received"], claim.figures["fin_acked"]), (10, 1))
        self.assertIn("unread-data", claim.causes)


class AbortTests(SynchronousTestCase):
    """
    A RST without anything that explains it.
    """

    def test_unread_data(self) -> None:
        """
        Unread data is a possible cause only where the sender had been sent some.
        """
        script = Script().open().client("PSH ACK", b"0123456789").server("ACK", after=0.02)
        with_data = one(Script().open().say(SERVER, b"x").client("RST ACK").claims())
        without = one(script.client("RST ACK", after=2).claims())
        self.assertIn("unread-data", with_data.causes)
        self.assertNotIn("unread-data", without.causes)
        self.assertEqual(without.figures["after_ns"], 2_000_000_000)

    def test_alone(self) -> None:
        """
        A RST of which nothing before is here may answer what was not captured.
        """
        claim = one(Script().begins(server=9).server("RST ACK").claims())
        self.assertEqual((claim.kind, claim.frames), ("resets.abort", (1,)))
        self.assertIn("answers-what-is-not-here", claim.causes)
        self.assertNotIn("unread-data", claim.causes)

    def test_text(self) -> None:
        """
        What a RST carries is not data.
        """
        claims = fault_claims("f30_reset_with_a_text")
        self.assertEqual(one(claims, "resets.text").figures["bytes"], 13)
        self.assertEqual(one(claims, "resets.abort").figures["received"], 10)

    def test_fast_close(self) -> None:
        """
        The RST answers an MP_FASTCLOSE (RFC 8684 section 3.5); unread data is no cause.
        """
        claim = one(fault_claims("f29_multipath_fast_close"))
        self.assertEqual((claim.kind, claim.frames), ("resets.fast-close", (8, 9)))
        self.assertEqual((claim.known, claim.causes), (Known.FOLLOWS, ()))

    def test_shut_window(self) -> None:
        """
        The server gives up 25 s after the window closed, through six probes.
        """
        claim = one(fault_claims("f20_zero_window_probes_and_give_up"))
        self.assertEqual(claim.kind, "resets.window-stayed-shut")
        self.assertEqual(claim.frames[0], 9)
        self.assertEqual((claim.figures["probes"], claim.figures["shut_ns"]), (6, 25_000_000_000))

    def test_keep_alives(self) -> None:
        """
        Three keep-alives were answered, three were not: the peer is gone, or the way to it.
        """
        claim = one(fault_claims("f45_keep_alive_against_application"))
        self.assertEqual(claim.kind, "resets.keep-alives-unanswered")
        self.assertEqual((claim.figures["answered"], claim.figures["unanswered"]), (3, 3))
        self.assertNotIn("unread-data", claim.causes)

    def test_no_answer(self) -> None:
        """
        Data sent again and again in vain ends in a RST of its sender.
        """
        script = Script().open()
        for after in (0.1, 0.2, 0.4, 0.8):
            script.client("PSH ACK", b"x" * 100, seq=1, after=after)
        claim = one(script.client("RST ACK", seq=101, after=1.6).claims())
        self.assertEqual(claim.kind, "resets.no-answer")
        self.assertEqual(claim.figures["sendings"], 4)


class AfterTheEndTests(SynchronousTestCase):
    """
    RSTs of an end that has reset the connection.
    """

    def test_an_answer(self) -> None:
        """
        One without ACK, with the number that a segment acknowledges, answers that segment: it is
        neither outside the window nor a second end.
        """
        talk = Script().open().client("ACK", b"ask").server("ACK", b"x" * 1000)
        talk = talk.server("RST ACK").client("ACK", ack=501).server("RST", seq=501)
        claims = of_kind(talk.claims(), "resets.")
        kinds = [(claim.kind, claim.frames) for claim in claims]
        self.assertEqual(kinds[-1], ("resets.answers-a-segment", (7, 8)))
        self.assertEqual([kind for kind, _ in kinds if kind == "resets.outside-window"], [])


class ObeyedTests(SynchronousTestCase):
    """
    Whether a RST ends the connection.
    """

    def test_outside(self) -> None:
        """
        One from outside the window is not obeyed (RFC 5961 section 3.2); its time to live tells
        that it is very likely forged. The connection ends by FIN, and no other cause is claimed.
        """
        claims = fault_claims("f05_rst_injected_and_ignored")
        outside = one(claims, "resets.outside-window")
        self.assertEqual(outside.frames[-1], 6)
        self.assertEqual((outside.figures["ttl"], outside.figures["usual_ttl"]), (240, 52))
        self.assertIn("forged", outside.causes)
        # One RST, one claim: nor does the topic windows tell of it.
        self.assertEqual(len(of_kind(claims, "resets.")), 1)
        self.assertEqual(of_kind(claims, "windows.beyond"), [])
        self.assertEqual(one(claims, "closes.first").who, "client")

    def test_within_the_window(self) -> None:
        """
        One at the expected number is obeyed, wherever it comes from.
        """
        script = Script().open().say(SERVER, b"x").server("RST ACK", ttl=200)
        claims = script.claims()
        self.assertEqual(of_kind(claims, "resets.outside-window"), [])
        self.assertEqual(len(of_kind(claims, "resets.abort")), 1)

    def test_other_identification(self) -> None:
        """
        Of a host that counts its packets, a RST that does not continue the count very likely comes
        from another sender; one that is not numbered at all may well be its own.
        """
        for ip_id, is_odd in ((40_000, True), (0, False), (206, False)):
            script = Script().open().say(SERVER, b"a").say(SERVER, b"b").say(SERVER, b"c")
            claims = script.server("RST ACK", ip_id=ip_id).claims()
            found = of_kind(claims, "resets.other-sender")
            self.assertEqual(bool(found), is_odd, ip_id)
            for claim in found:
                self.assertEqual(claim.figures["ip_id"], ip_id)
                self.assertEqual(claim.known, Known.POSSIBLE)
                self.assertIn("forged", claim.causes)

    def test_ahead_of_what_is_acknowledged(self) -> None:
        """
        Nor is one outside that follows data that is still under way.
        """
        script = Script(window=2000).open()
        for _ in range(4):
            script.server("ACK", b"y" * 1000, arrives=False)
        claims = script.server("RST ACK").claims()
        self.assertEqual(of_kind(claims, "resets.outside-window"), [])

    def test_goes_on(self) -> None:
        """
        A RST after which both ends send is not the end.
        """
        script = Script().open().say(SERVER, b"x").server("RST ACK")
        script.say(SERVER, b"more").close()
        claims = script.claims()
        self.assertEqual(one(claims, "resets.goes-on").frames[0], 6)
        self.assertEqual(one(claims, "closes.first").who, "client")

    def test_overtaking(self) -> None:
        """
        A RST that has overtaken its sender's last data has still reset the connection.
        """
        script = Script().open().say(SERVER, b"x")
        script.server("ACK", b"last", is_captured=False, arrives=False).server("RST ACK")
        script.client("ACK", after=0.001).server("ACK", b"last", seq=2, after=0.01)
        claims = script.server("RST", seq=2).claims()
        self.assertEqual(of_kind(claims, "resets.goes-on"), [])
        self.assertEqual(of_kind(claims, "resets.without-effect"), [])
        self.assertEqual(one(claims, "resets.abort").frames[-1], 6)

    def test_crossing(self) -> None:
        """
        What the other end had sent before it got the RST is not the connection going on.
        """
        script = Script().open().say(SERVER, b"x").server("RST ACK").client("PSH ACK", b"crossed")
        claims = script.claims()
        self.assertEqual(of_kind(claims, "resets.goes-on"), [])
        self.assertEqual(of_kind(claims, "closes."), [])

    def test_several(self) -> None:
        """
        The first RST has the reason; further ones are only counted.
        """
        script = Script().open().say(SERVER, b"x").client("RST ACK").client("RST ACK", after=0.5)
        claims = script.server("RST ACK").claims()
        kinds = [claim.kind for claim in of_kind(claims, "resets.")]
        self.assertEqual(kinds, ["resets.abort", "resets.again", "resets.after-a-reset"])

    def test_no_later_cause(self) -> None:
        """
        No claim on a RST cites a later frame, but where it is about what came after.
        """
        for name in ("f04_fin_fin_rst", "f05_rst_injected_and_ignored", "f53_another_syn_ack"):
            for claim in of_kind(fault_claims(name), "resets."):
                if claim.kind != "resets.goes-on":
                    self.assertEqual(claim.frames[-1], max(claim.frames))


class HowFarTests(SynchronousTestCase):
    """
    RSTs that end nothing, or that answer what is no connection.
    """

    def test_closed_port(self) -> None:
        """
        A FIN without ACK is answered by a RST with the number 0 that acknowledges it: a closed port
        (RFC 9293 section 3.10.7.1). No program closed anything.
        """
        script = Script(isn=(1_000_000, 0)).client("FIN PSH URG", seq=1).server("RST ACK", seq=0)
        claims = script.claims()
        self.assertEqual(one(claims, "resets.no-connection").frames, (1, 2))
        self.assertEqual(of_kind(claims, "resets.instead-of-fin"), [])

    def test_its_sender_sends_on(self) -> None:
        """
        A RST within the window but not at the next number is answered by a challenge ACK
        (RFC 5961 section 3.2), and its sender goes on: it has neither aborted nor closed.
        """
        script = Script().open().say(CLIENT, b"x" * 8)
        script.server("RST", seq=101, ttl=200).client("ACK").server("PSH ACK", b"y" * 35)
        claims = script.client("ACK").claims()
        self.assertEqual(one(claims, "resets.without-effect").causes, ("forged", "sent-on-the-way"))
        self.assertEqual(of_kind(claims, "resets.abort"), [])

    def test_ack_of_another_syn_ack(self) -> None:
        """
        An ACK that does not acknowledge the SYN-ACK is answered by a RST while the handshake is not
        complete (RFC 9293 section 3.10.7.4): the host knows the connection.
        """
        script = Script().client("SYN").server("SYN ACK").client("ACK", ack=6)
        claims = script.server("RST", seq=6).claims()
        self.assertEqual(one(claims, "resets.unacceptable-ack").who, "server")
        self.assertEqual(of_kind(claims, "resets.unknown-connection"), [])

    def test_ack_out_of_nothing(self) -> None:
        """
        A lone ACK that is answered by a RST may be a scan's: nothing shows that there was a
        connection.
        """
        claims = Script().begins().client("ACK").server("RST", seq=1).claims()
        self.assertIn("never-existed", one(claims, "resets.unknown-connection").causes)
        self.assertEqual(of_kind(claims, "opening.not-captured"), [])
        self.assertEqual(len(of_kind(claims, "opening.unconfirmed")), 1)

    def test_a_request_that_meets_a_closed_socket(self) -> None:
        """
        Of two RSTs that answer a request and the FIN after it the first answers the request.
        """
        script = Script().open().say(CLIENT, b"one").server("FIN ACK").client("ACK")
        script.client("PSH ACK", b"two", after=1.0, arrives=False).client("FIN ACK", after=0.0001)
        claims = script.server("RST", after=0.1).server("RST", after=0.0001).claims()
        closed = one(claims, "resets.data-after-close")
        self.assertEqual((closed.frames, closed.figures["late_bytes"]), ((6, 8, 10), 3))


class RestartedTests(SynchronousTestCase):
    """
    A RST without ACK is what a host sends that has forgotten the connection.
    """

    def test_named(self) -> None:
        """
        That it was restarted is one of the causes, unless the RST has an ACK flag.
        """
        for flags, is_named in (("RST", True), ("RST ACK", False)):
            script = Script().open().say(CLIENT, b"ask").say(SERVER, b"answer")
            script.server("PSH ACK", b"more").server(flags)
            claim = one(script.claims(), "resets.abort")
            self.assertEqual("restarted" in claim.causes, is_named)


class OvertakenTests(SynchronousTestCase):
    """
    What a receiver expects stands in its highest ACK.
    """

    def test_an_older_ack(self) -> None:
        """
        An ACK that was overtaken does not say what is expected.
        """
        script = Script().open()
        for _ in range(50):
            script.server("PSH ACK", bytes(1400))
        script.client("ACK").client("ACK", ack=1401).server("RST", seq=1401)
        claim = one(script.claims(), "resets.outside-window")
        self.assertEqual(claim.frames, (54, 56))
