"""
Tests for L{netlab.analysis.explanation.framestories}, by way of whole captures.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.explanation.story import FrameKind
from tests.analysis.dialogue_script import Script
from tests.captures.frames import ACK, FIN, PSH, RST
from tests.captures.stories import frame_of, reference_story, story_of
from tests.captures.talk import Talk


def sentence(talk: Talk, number: int) -> str:
    """
    Say what a frame of a capture does.
    """
    return frame_of(story_of(talk.pcap()), number).sentence


class OrdinaryTests(SynchronousTestCase):
    """
    What frames do where all goes well.
    """

    def test_the_echo(self) -> None:
        """
        Each frame of the echo has its sentence, and the server's FIN says that it crossed.
        """
        story = reference_story("echo")
        for number, start in (
            (
                1,
                "The client asks the server for a connection: initial sequence number (ISN) 19",
            ),
            (
                2,
                "The server answers with a SYN-ACK: initial sequence number (ISN) 27",
            ),
            (3, "The client acknowledges the server's SYN."),
            (4, "The client sends 33 bytes."),
            (7, "The server sends 20 bytes and acknowledges the 20 bytes of #6."),
            (8, "The client closes its direction: a FIN consumes one sequence number."),
            (9, "The server closes its direction: a FIN consumes one sequence number. It does not"),
            (10, "The client acknowledges the server's FIN."),
            (11, "The server acknowledges the client's FIN."),
        ):
            self.assertTrue(frame_of(story, number).sentence.startswith(start), number)
        self.assertTrue(frame_of(story, 8).is_crossed)

    def test_http(self) -> None:
        """
        A frame that begins an HTTP message says which; its arrow too.
        """
        story = reference_story("redirect")
        self.assertEqual(frame_of(story, 4).sentence, "The client sends GET /redirect (449 bytes).")
        self.assertEqual(frame_of(story, 6).label, "301 Moved Permanently · 77 bytes")

    def test_before_the_first_number(self) -> None:
        """
        An ACK of what lies before the first number seen acknowledges what it adds to the one
        before it, never less than nothing.
        """
        script = Script().begins(server=5000).server("PSH ACK", b"late")
        story = script.client("ACK", ack=1000).client("ACK", ack=1054).story()
        self.assertEqual(frame_of(story, 3).sentence, "The client acknowledges 54 bytes.")

    def test_silence(self) -> None:
        """
        A frame after a long silence says how long it was.
        """
        story = reference_story("single_fin")
        self.assertIn("Nothing had travelled for 1.014 s", frame_of(story, 12).sentence)

    def test_kinds(self) -> None:
        """
        Frames are of the kind of what they mainly do.
        """
        story = reference_story("single_fin")
        kinds = [frame_of(story, number).kind for number in range(1, 16)]
        self.assertEqual(
            kinds,
            [FrameKind.OPENING] * 3
            + [FrameKind.DATA, FrameKind.ACK, FrameKind.DATA, FrameKind.ACK] * 2
            + [FrameKind.CLOSING] * 4,
        )

    def test_fin_with_data(self) -> None:
        """
        A FIN may carry the last data, and may acknowledge the peer's FIN.
        """
        talk = Talk().open()
        talk.send("c", FIN | PSH | ACK, b"bye")
        talk.send("s", FIN | ACK)
        self.assertIn("sends 3 bytes and closes", sentence(talk, 4))
        self.assertIn("in the same frame acknowledges the client's FIN", sentence(talk, 5))


class TroubleTests(SynchronousTestCase):
    """
    What frames do where something goes wrong.
    """

    def test_retransmission(self) -> None:
        """
        A segment that is sent again says after how long, and which it repeats.
        """
        talk = Talk().open()
        talk.send("c", PSH | ACK, b"again", arrives=False)
        talk.send("c", PSH | ACK, b"again", seq=1001, after_ms=300)
        told = sentence(talk, 5)
        self.assertIn("Bytes 1 to 5 again; #4 carried them first, 300.0 ms earlier", told)
        self.assertIn("retransmission timer expired", told)
        self.assertEqual(frame_of(story_of(talk.pcap()), 5).marks, ("retransmission",))

    def test_spurious_retransmission(self) -> None:
        """
        One that had been acknowledged says so.
        """
        talk = Talk().open().say("c", b"12345")
        talk.send("c", PSH | ACK, b"12345", seq=1001, after_ms=300)
        self.assertIn("although #5 had acknowledged them", sentence(talk, 6))

    def test_duplicate_ack(self) -> None:
        """
        A repeated ACK says which byte is still expected.
        """
        talk = Talk().open()
        talk.send("c", PSH | ACK, b"a" * 100, arrives=False)
        for _ in range(2):
            talk.send("c", PSH | ACK, b"b" * 100, arrives=False)
            talk.send("s", ACK, ack=1001)
        self.assertIn("Duplicate ACK 1: the server still expects byte 1.", sentence(talk, 8))

    def test_zero_window(self) -> None:
        """
        A closed window says that the peer must wait, and its opening how long that was.
        """
        talk = Talk().open().say("c", b"12345")
        talk.send("s", ACK, window=0)
        talk.send("s", ACK, window=400)
        self.assertIn("announces a window of 0", sentence(talk, 6))
        self.assertIn("opens its window again in #7, to 51 200 bytes", sentence(talk, 7))

    def test_keep_alive(self) -> None:
        """
        A keep-alive and its answer say what they are.
        """
        talk = Talk().open().say("c", b"12345")
        talk.send("c", ACK, seq=1005, after_ms=10_000)
        talk.send("s", ACK)
        self.assertIn("#6 is a keep-alive", sentence(talk, 6))
        self.assertIn("answers #6", sentence(talk, 7))

    def test_reset(self) -> None:
        """
        A RST is told with what is claimed of it.
        """
        talk = Talk().open().say("c", b"x")
        talk.send("s", RST | ACK)
        told = frame_of(story_of(talk.pcap()), 6)
        self.assertIn("resets.abort", [claim.kind for claim in told.claims])
        self.assertIn("aborted", told.sentence)

    def test_selective_acknowledgement(self) -> None:
        """
        An ACK says what has arrived behind the hole, in relative numbers.
        """
        talk = Talk().open()
        talk.send("c", PSH | ACK, b"a" * 100, arrives=False)
        talk.send("c", PSH | ACK, b"b" * 100, arrives=False)
        talk.send("s", ACK, ack=1001, sacks=((1101, 1201),))
        self.assertIn("100 bytes beyond the hole, up to byte 200 (SACK).", sentence(talk, 6))

    def test_lost_before(self) -> None:
        """
        Data behind a hole says that something is missing.
        """
        talk = Talk().open()
        talk.send("c", PSH | ACK, b"lost", is_captured=False, arrives=False)
        talk.send("c", PSH | ACK, b"seen", arrives=False)
        self.assertIn("4 bytes before #4 (bytes 1 to 4) had not been captured", sentence(talk, 4))
