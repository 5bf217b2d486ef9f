"""
Tests for L{netlab.analysis.claims.viewpoint}, by way of whole captures.
"""

from __future__ import annotations

import io

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.claims.story import PassageKind
from netlab.analysis.claims.viewpoint import Place, View
from netlab.capture.reading import read_capture
from netlab.report.reading import tell
from tests.captures.frames import ACK, LINK_NULL, PSH, SYN, Checksum
from tests.captures.reference import exchange
from tests.captures.stories import only, reference_story, story_of
from tests.captures.talk import Talk


def view_of(pcap: bytes) -> str:
    """
    Say where a capture says that it was made.
    """
    story = story_of(pcap)
    passages = [*story.passages, *only(story).passages]
    (view,) = [each.sentence for each in passages if each.kind is PassageKind.VIEW]
    return view


class ViewTests(SynchronousTestCase):
    """
    Where conversations were captured.
    """

    def test_offloaded_checksums(self) -> None:
        """
        The end whose checksums were unfinished is on the host that captured.
        """
        (view,) = [
            each.sentence
            for each in reference_story("echo").passages
            if each.kind is PassageKind.VIEW
        ]
        self.assertIn("Captured on the client's host", view)
        talk = Talk().open()
        talk.send("s", PSH | ACK, b"x", checksum=Checksum.OFFLOADED)
        self.assertIn("Captured on the server's host", view_of(talk.pcap()))

    def test_known(self) -> None:
        """
        Where the place is known, no sign in the frames says otherwise.
        """
        reader = read_capture(io.BytesIO(exchange("echo").pcap()), "echo.pcap")
        story = tell(reader, "echo.pcap", captured=View(Place.SERVER, "On the roof.")).story
        views = [each.sentence for each in story.passages if each.kind is PassageKind.VIEW]
        self.assertEqual(views, ["On the roof."])

    def test_padding(self) -> None:
        """
        The end whose short frames are not padded is on the host that captured.
        """
        talk = Talk(shift=None)
        talk.send("c", SYN)
        talk.send("s", SYN | ACK, padded=True)
        talk.send("c", ACK)
        talk.send("s", ACK, padded=True)
        self.assertIn("padded", view_of(talk.pcap()))
        self.assertIn("Captured on the client's host", view_of(talk.pcap()))

    def test_loopback(self) -> None:
        """
        On a loopback link both ends are on one host.
        """
        self.assertIn("both ends run on", view_of(Talk(link_type=LINK_NULL).open().pcap()))

    def test_handshake(self) -> None:
        """
        Without other signs the longer half of the handshake lies on the far side.
        """
        self.assertIn("near the client", view_of(Talk().open(half_ms=(20, 0.1)).pcap()))
        self.assertIn("near the server", view_of(Talk().open(half_ms=(0.1, 20)).pcap()))
        self.assertIn("between the ends", view_of(Talk().open(half_ms=(10, 10)).pcap()))

    def test_nothing_tells(self) -> None:
        """
        Where nothing tells, nothing is claimed.
        """
        talk = Talk(client="10.0.0.1")
        talk.send("c", PSH | ACK, b"x" * 100, ack=5000)
        self.assertIn("Nothing in the frames tells", view_of(talk.pcap()))
