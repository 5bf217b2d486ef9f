"""
Tests for L{netlab.analysis.claims.viewpoint}, by way of whole captures.
"""

from __future__ import annotations

import io

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.claims.claim import Claim, Known
from netlab.analysis.claims.viewpoint import Place, View
from netlab.analysis.explanation.story import PassageKind
from netlab.capture.reading import read_capture
from netlab.capture.records import LinkType
from netlab.report.reading import tell
from tests.analysis.dialogue_script import Script, of_kind
from tests.captures import frames
from tests.captures.faults import NAMES, fault_story
from tests.captures.reference import exchange


def shaken(first: float, second: float, script: Script | None = None) -> Script:
    """Shake hands, with these seconds for the two halves."""
    script = Script() if script is None else script
    return script.client("SYN").server("SYN ACK", after=first).client("ACK", after=second)


def places(script: Script) -> list[Claim]:
    """Claim where it was taken."""
    return of_kind(script.story().claims, "capture.place")


class HandshakeTests(SynchronousTestCase):
    """
    The halves of a handshake.
    """

    def test_near_the_client(self) -> None:
        """
        Where the SYN-ACK is late and the ACK is not, it was near the client, or the server slow.
        """
        (claim,) = places(shaken(0.08, 0.0002))
        self.assertEqual((claim.who, claim.known), ("client", Known.POSSIBLE))
        self.assertEqual(claim.causes, ("near-the-client", "server-answers-late"))
        self.assertEqual(claim.frames, (1, 2, 3))
        self.assertEqual((claim.figures["far_ns"], claim.figures["near_ns"]), (80_000_000, 200_000))

    def test_near_the_server(self) -> None:
        """
        The other way round it was near the server.
        """
        (claim,) = places(shaken(0.0002, 0.08))
        self.assertEqual(claim.who, "server")

    def test_between(self) -> None:
        """
        Halves that are alike tell nothing, nor do such as are short altogether.
        """
        self.assertEqual(places(shaken(0.02, 0.01)), [])
        self.assertEqual(places(shaken(0.0002, 0.00001)), [])

    def test_a_handshake_with_a_repeat(self) -> None:
        """
        Where a SYN was sent again, its answer's time is not that of a way.
        """
        script = Script().client("SYN").client("SYN", seq=0, after=1)
        self.assertEqual(places(script.server("SYN ACK", after=0.02).client("ACK")), [])

    def test_connections_that_disagree(self) -> None:
        """
        One connection that says otherwise is enough for no claim.
        """
        script = shaken(0.08, 0.0002)
        self.assertEqual(len(places(script)), 1)
        shaken(0.0002, 0.08, script.another(40001))
        self.assertEqual(places(script), [])
        self.assertEqual(of_kind(fault_story("f52").claims, "capture.place"), [])

    def test_connections_that_agree(self) -> None:
        """
        The claim says how many connections it rests on.
        """
        script = shaken(0.08, 0.0002)
        (claim,) = places(shaken(0.07, 0.0002, script.another(40001)))
        self.assertEqual(claim.figures["connections"], 2)


class SignTests(SynchronousTestCase):
    """
    Other signs.
    """

    def test_offloaded_checksums(self) -> None:
        """
        An end whose checksums were unfinished is on the host that captured, or that host runs it.
        """
        for who in (0, 1):
            script = shaken(0.001, 0.001)
            script.send(who, "ACK", b"x", checksum=frames.Checksum.OFFLOADED)
            (claim,) = places(script)
            self.assertEqual(claim.who, ("client", "server")[who])
            self.assertEqual((claim.figures["evidence"], claim.frames), ("offload", (4,)))

    def test_signs_that_disagree(self) -> None:
        """
        Where checksums and times name different ends, nothing is claimed.
        """
        script = shaken(0.08, 0.0002)
        self.assertEqual(places(script.server("ACK", b"x", checksum=frames.Checksum.OFFLOADED)), [])

    def test_padding_is_no_sign(self) -> None:
        """
        Padding tells nothing against times, nor by itself (f08).
        """
        script = Script().client("SYN").server("SYN ACK", padded=True)
        script.client("ACK").server("ACK", padded=True)
        self.assertEqual(places(script), [])
        (claim,) = of_kind(fault_story("f08").claims, "capture.place")
        self.assertEqual(claim.who, "client")

    def test_bare_link(self) -> None:
        """
        A link without addresses is no proof of one host: it may be a tunnel's (f09).
        """
        claims = fault_story("f09").claims
        self.assertEqual(len(of_kind(claims, "capture.bare-link")), 1)
        self.assertEqual(of_kind(claims, "capture.one-host"), [])
        self.assertEqual([each.who for each in of_kind(claims, "capture.place")], ["client"])

    def test_one_host(self) -> None:
        """
        Loopback addresses do not leave a host (RFC 1122 section 3.2.1.3).
        """
        script = Script(addresses=("127.0.0.1", "127.0.0.1"), link_type=LinkType.NULL)
        claims = shaken(0.08, 0.0002, script).story().claims
        (claim,) = of_kind(claims, "capture.one-host")
        self.assertEqual(claim.known, Known.FOLLOWS)
        self.assertEqual(of_kind(claims, "capture.place"), [])
        self.assertEqual(of_kind(claims, "capture.bare-link"), [])

    def test_one_address(self) -> None:
        """
        An address that talks to itself may be one host, or forged.
        """
        script = Script(addresses=("192.0.2.1", "192.0.2.1"))
        claims = shaken(0.08, 0.0002, script).story().claims
        (claim,) = of_kind(claims, "capture.one-address")
        self.assertEqual(claim.causes, ("one-host", "false-address"))
        self.assertEqual(of_kind(claims, "capture.one-host"), [])

    def test_never_more_than_possible(self) -> None:
        """
        Where a capture was taken is never claimed as a fact.
        """
        for name in NAMES:
            for claim in of_kind(fault_story(name).claims, "capture.place"):
                self.assertEqual((name, claim.known), (name, Known.POSSIBLE))

    def test_known(self) -> None:
        """
        Where the place is known, no sign in the frames says otherwise.
        """
        reader = read_capture(io.BytesIO(exchange("echo").pcap()), "echo.pcap")
        story = tell(reader, "echo.pcap", captured=View(Place.SERVER, "On the roof.")).story
        views = [
            each.sentence
            for each in story.passages
            if each.kind is PassageKind.VIEW and not each.claims
        ]
        self.assertEqual(views, ["On the roof."])
        self.assertEqual(of_kind(story.claims, "capture.place"), [])


class HalvesTests(SynchronousTestCase):
    """
    What the halves of a handshake say.
    """

    def test_no_time_at_all(self) -> None:
        """
        An ACK in the same microsecond came after 0, not after a nanosecond.
        """
        script = Script().client("SYN").server("SYN ACK", after=0.9).client("ACK", after=0.0)
        (claim,) = of_kind(script.story().claims, "capture.place")
        self.assertEqual(claim.figures["near_ns"], 0)

    def test_two_slow_halves(self) -> None:
        """
        A second from here is near no end.
        """
        script = Script().client("SYN").server("SYN ACK", after=1.0).client("ACK", after=100.0)
        self.assertEqual(of_kind(script.story().claims, "capture.place"), [])
