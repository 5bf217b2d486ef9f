"""
Tests for L{netlab.analysis.claims.reasons}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.claims.claim import Claim, Known
from tests.analysis.dialogue_script import CLIENT, SERVER, Script, of_kind
from tests.captures.faults import fault_claims, fault_story
from tests.captures.stories import reference_story


def reasons(script: Script, stream: int) -> Claim:
    """
    Give the first claim on why there is a conversation.
    """
    return of_kind(script.story().conversations[stream].claims, "reasons.")[0]


class NeighbourTests(SynchronousTestCase):
    """
    A connection after one before it.
    """

    def test_announced_close(self) -> None:
        """
        The server closed the first connection as its answer had announced; the frames say so.
        """
        claims = reference_story("redirect").conversations[1].claims
        claim = of_kind(claims, "reasons.after-the-end")[0]
        self.assertEqual((claim.who, claim.frames[0]), ("server", 6))
        self.assertEqual(claim.figures["announced_frame"], 6)

    def test_client_closed(self) -> None:
        """
        Or the client closed it.
        """
        script = Script().open().say(CLIENT, b"x").close(CLIENT)
        claim = reasons(script.another(40001).open().say(CLIENT, b"y"), 1)
        self.assertEqual((claim.kind, claim.who), ("reasons.after-the-end", "client"))
        self.assertEqual((claim.figures["how"], claim.figures["before"]), ("closed", 0))

    def test_reset(self) -> None:
        """
        Or it was reset, or refused.
        """
        script = Script().open().say(CLIENT, b"x").server("RST ACK")
        claim = reasons(script.another(40001).open(), 1)
        self.assertEqual((claim.figures["how"], claim.who), ("reset", "server"))
        script = Script().client("SYN").server("RST ACK", seq=0)
        claim = reasons(script.another(40001).open(), 1)
        self.assertEqual(claim.figures["how"], "refused")

    def test_half_open_scan(self) -> None:
        """
        A connection that its client reset before it was open was not refused.
        """
        claim = of_kind(fault_claims("f06_half_open_scan_of_ssh", 1), "reasons.after-the-end")[0]
        self.assertEqual((claim.figures["how"], claim.who), ("reset", "client"))

    def test_attempt(self) -> None:
        """
        Or nobody had answered.
        """
        script = Script().client("SYN").another(40001).client("SYN", after=3)
        self.assertEqual(reasons(script, 1).kind, "reasons.another-attempt")

    def test_beside(self) -> None:
        """
        Or it was still open.
        """
        script = Script().open().say(CLIENT, b"x").another(40001).open().say(CLIENT, b"y")
        self.assertEqual(reasons(script, 1).kind, "reasons.beside")

    def test_another_port(self) -> None:
        """
        A connection to another port is the first one there.
        """
        script = Script().open()
        script._ports = (40001, 9090)
        script.next, script.heard = [0, 0], [0, 0]
        self.assertEqual(reasons(script.open(), 1).kind, "reasons.first")


class EmptyTests(SynchronousTestCase):
    """
    Connections without a byte.
    """

    def test_no_bytes(self) -> None:
        """
        What such a connection was for is not known: several causes are named, as possible ones.
        """
        (claim,) = of_kind(Script().open().close().claims(), "reasons.no-bytes")
        self.assertEqual(claim.known, Known.POSSIBLE)
        self.assertIn("spare-connection", claim.causes)
        self.assertIn("health-check", claim.causes)

    def test_with_bytes(self) -> None:
        """
        One with data is none, whoever sent it.
        """
        for who in (CLIENT, SERVER):
            claims = Script().open().say(who, b"x").close().claims()
            self.assertEqual(of_kind(claims, "reasons.no-bytes"), [])


class SeriesTests(SynchronousTestCase):
    """
    Several such connections.
    """

    def test_scan(self) -> None:
        """
        Three connections to port 22, each reset right after the SYN-ACK.
        """
        (claim,) = of_kind(fault_story("f06_half_open").claims, "reasons.series-half-open")
        self.assertEqual((claim.figures["connections"], claim.figures["port"]), (3, 22))
        self.assertEqual(set(claim.causes), {"half-open-scan", "health-check"})

    def test_health_checks(self) -> None:
        """
        One every 5 s without a byte.
        """
        (claim,) = of_kind(fault_story("f07_health").claims, "reasons.series-no-bytes")
        self.assertEqual((claim.figures["every_ns"], claim.figures["regular"]), (5_000_000_000, 1))
        self.assertEqual(claim.causes[0], "health-check")

    def test_refusals(self) -> None:
        """
        Three refused ones.
        """
        script = Script()
        for port in (40001, 40002, 40003):
            script.another(port, isn=(port * 1000, 0)).client("SYN").server("RST ACK", seq=0)
        (claim,) = of_kind(script.story().claims, "reasons.series-refused")
        self.assertEqual(claim.figures["connections"], 3)

    def test_two_are_none(self) -> None:
        """
        Two are no series.
        """
        script = Script().open().close().another(40001).open().close()
        self.assertEqual(of_kind(script.story().claims, "reasons."), [])
