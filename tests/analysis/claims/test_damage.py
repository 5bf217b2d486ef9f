"""
Tests for L{netlab.analysis.claims.damage} and L{netlab.analysis.observations.soundness}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.claims.claim import Claim, Known
from netlab.analysis.expectations.expectations import SECOND_NS
from tests.analysis.dialogue_script import CLIENT, SERVER, Script, of_kind
from tests.analysis.transfer.judged import sack
from tests.captures.frames import Checksum

_BAD = Checksum.BAD
_GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def asked() -> Script:
    """
    Open a connection with a request and its answer: seven frames.
    """
    return Script().open().say(CLIENT, _GET).say(SERVER, _OK)


class DiscardedTests(SynchronousTestCase):
    """
    Segments whose checksum is wrong, where those of the same sender are right (RFC 9293 section
    3.1).
    """

    def discarded(self, script: Script) -> list[Claim]:
        """
        Give the claims that a segment is discarded.
        """
        return of_kind(script.claims(), "damage.discarded")

    def test_fin(self) -> None:
        """
        A damaged FIN closes nothing: the other end goes on, and who closes first is another.
        """
        script = asked()
        script.server("FIN ACK", checksum=_BAD, arrives=False, seq=script.next[SERVER])
        script.say(CLIENT, _GET, after=0.5).say(SERVER, _OK).close(CLIENT)
        (claim,) = self.discarded(script)
        self.assertEqual((claim.frames, claim.known), ((8,), Known.FOLLOWS))
        self.assertEqual((claim.figures["flag"], claim.figures["right"]), ("FIN", 6))
        claims = script.claims()
        (first,) = of_kind(claims, "closes.first")
        self.assertEqual((first.frames[-1], first.who), (13, "client"))
        statuses = [each.figures["status"] for each in of_kind(claims, "http.exchange")]
        self.assertEqual(statuses, [200, 200])

    def test_reset(self) -> None:
        """
        Nor does a damaged RST reset anything, at the end of the capture or before.
        """
        for goes_on in (True, False):
            script = asked().server("RST ACK", checksum=_BAD)
            if goes_on:
                script.say(CLIENT, _GET).say(SERVER, _OK).close(CLIENT)
            self.assertEqual([each.frames for each in self.discarded(script)], [(8,)])
            self.assertEqual(of_kind(script.claims(), "resets."), [])
            (conversation,) = script.story().conversations
            self.assertNotIn("reset", conversation.title)

    def test_syn(self) -> None:
        """
        The SYN that was sent again in its place opens the connection.
        """
        script = Script().client("SYN", checksum=_BAD, arrives=False)
        script.client("SYN", seq=0, after=1).server("SYN ACK", after=0.02).client("ACK")
        claims = script.say(CLIENT, _GET).say(SERVER, _OK).claims()
        self.assertEqual([each.frames for each in of_kind(claims, "damage.discarded")], [(1,)])
        (again,) = of_kind(claims, "damage.sent-again")
        self.assertEqual((again.frames, again.figures["waited_ns"]), ((1, 2), SECOND_NS))
        (opening,) = of_kind(claims, "opening.")
        self.assertEqual((opening.kind, opening.frames), ("opening.handshake", (2, 3, 4)))

    def test_syn_ack(self) -> None:
        """
        A SYN is not called unanswered whose answer came damaged.
        """
        script = Script().client("SYN").server("SYN ACK", checksum=_BAD, arrives=False, after=0.02)
        script.client("SYN", seq=0, after=1).server("SYN ACK", seq=0, after=0.02).client("ACK")
        claims = script.say(CLIENT, _GET).say(SERVER, _OK).claims()
        (lost,) = of_kind(claims, "opening.syn-ack-discarded")
        self.assertEqual(lost.frames, (2, 3))
        self.assertEqual(lost.figures["cost_ns"], round(1.02 * SECOND_NS))
        self.assertEqual(of_kind(claims, "opening.syn-lost"), [])

    def test_data(self) -> None:
        """
        Data that is sent again was not lost, where it came damaged.
        """
        script = Script().open().say(CLIENT, _GET)
        script.server("PSH ACK", _OK, checksum=_BAD, arrives=False)
        script.server("PSH ACK", _OK, seq=1, after=0.25).client("ACK", after=0.02)
        claims = script.claims()
        self.assertEqual([each.frames for each in of_kind(claims, "damage.discarded")], [(6,)])
        (repeat,) = of_kind(claims, "repeats.timeout")
        self.assertEqual(repeat.figures["discarded_frame"], 6)

    def test_the_one_that_arrived(self) -> None:
        """
        Of three copies the first of which came damaged, the second is the one that had arrived when
        the third came twice.
        """
        script = Script().open().server("ACK", b"x" * 100, checksum=_BAD, arrives=False)
        script.server("ACK", b"x" * 100, seq=1, after=0.3).server("ACK", b"x" * 100, seq=1, after=1)
        script.client("ACK", options=sack((1, 101)))
        (twice,) = of_kind(script.claims(), "repeats.spurious-by-sack")
        self.assertEqual((twice.figures["first_frame"], twice.figures["repeat_frame"]), (5, 6))

    def test_ack(self) -> None:
        """
        A damaged ACK acknowledges nothing.
        """
        script = Script().open().server("ACK", b"x" * 1000).client("ACK", checksum=_BAD)
        script.server("ACK", b"x" * 1000, seq=1, after=0.3).client("ACK").close()
        claims = script.claims()
        self.assertEqual([each.frames for each in of_kind(claims, "damage.")], [(5,)])
        self.assertEqual(of_kind(claims, "repeats.acknowledged-before"), [])
        self.assertEqual(len(of_kind(claims, "repeats.timeout")), 1)


class TakenTests(SynchronousTestCase):
    """
    Wrong checksums that say something about the capture alone.
    """

    def test_all_are_wrong(self) -> None:
        """
        Where none of an end is right, it is the capture that is wrong.
        """
        script = Script()
        for who, flags, data in (
            (CLIENT, "SYN", b""), (SERVER, "SYN ACK", b""), (CLIENT, "ACK", b""),
            (CLIENT, "PSH ACK", _GET), (SERVER, "PSH ACK", _OK), (CLIENT, "FIN ACK", b""),
            (SERVER, "FIN ACK", b""), (CLIENT, "ACK", b""),
        ):  # fmt: skip
            script.send(who, flags, data, checksum=_BAD)
        claims = script.claims()
        self.assertEqual(of_kind(claims, "damage."), [])
        self.assertEqual(len(of_kind(claims, "closes.second")), 1)

    def test_acknowledged(self) -> None:
        """
        A segment that a network card has put together of several keeps the first one's checksum.
        Its data is acknowledged without being sent again: it was not discarded, nor are others.
        """
        script = asked().server("PSH ACK", b"x" * 2000, checksum=_BAD).client("ACK")
        script.server("FIN ACK", checksum=_BAD).client("FIN ACK").server("ACK")
        claims = script.claims()
        self.assertEqual(of_kind(claims, "damage."), [])
        (first,) = of_kind(claims, "closes.first")
        self.assertEqual(first.who, "server")
