"""
Tests for L{netlab.analysis.claims.closing}, by way of whole captures.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.claims.story import Passage, PassageKind
from tests.captures.frames import ACK, FIN, PSH, RST, SYN
from tests.captures.stories import only, reference_story, story_of
from tests.captures.talk import Talk


def close_of(pcap: bytes) -> tuple[str, Passage]:
    """
    Give the title of a capture's one conversation, and the passage on its close.
    """
    conversation = only(story_of(pcap))
    (passage,) = [each for each in conversation.passages if each.kind is PassageKind.CLOSE]
    return conversation.title, passage


class CloseTests(SynchronousTestCase):
    """
    How conversations end.
    """

    def test_simultaneous(self) -> None:
        """
        The echo's FINs crossed: nobody closed first (RFC 9293 section 3.6, case 3).
        """
        conversation = only(reference_story("echo"))
        (passage,) = [each for each in conversation.passages if each.kind is PassageKind.CLOSE]
        self.assertIn("simultaneous close", conversation.title)
        self.assertIn("FIN FIN ACK ACK", passage.sentence)
        self.assertEqual(passage.frames, (8, 9, 10, 11))

    def test_idle_timeout(self) -> None:
        """
        A FIN of the server after a silence is its idle timeout, told with its length.
        """
        conversation = only(reference_story("single_fin"))
        (passage,) = [each for each in conversation.passages if each.kind is PassageKind.CLOSE]
        self.assertIn("closed first by the server after 1.014 s idle", conversation.title)
        self.assertIn("its idle timeout", passage.sentence)
        self.assertEqual(
            passage.findings[0].equation, "1.116909 s (#12) − 0.103314 s (#10) = 1.013595 s"
        )

    def test_half_close(self) -> None:
        """
        The time from one FIN to the other is a half-close, told with its length.
        """
        conversation = only(reference_story("single_fin"))
        (passage,) = [each for each in conversation.passages if each.kind is PassageKind.CLOSE]
        self.assertIn("3.988 s later", passage.sentence)
        self.assertIn("half-closed", passage.sentence)
        self.assertEqual(
            passage.findings[1].equation, "5.104990 s (#14) − 1.116909 s (#12) = 3.988081 s"
        )

    def test_three_frames(self) -> None:
        """
        A FIN that is answered by FIN and ACK in one frame is an orderly close like any other.
        """
        talk = Talk().open()
        talk.send("c", FIN | ACK)
        talk.send("s", FIN | ACK)
        talk.send("c", ACK)
        title, passage = close_of(talk.pcap())
        self.assertIn("closed first by the client", title)
        self.assertEqual(passage.frames, (4, 5, 6))
        self.assertNotIn("half-closed", passage.sentence)

    def test_one_end_alone(self) -> None:
        """
        A connection of which one end never closes is half-closed.
        """
        talk = Talk().open()
        talk.send("s", FIN | ACK)
        talk.send("c", ACK)
        self.assertIn("half-closed by the server", close_of(talk.pcap())[0])

    def test_still_open(self) -> None:
        """
        A capture may end before the connection does.
        """
        self.assertIn("still open", close_of(Talk().open().say("c", b"x").pcap())[0])

    def test_unread_data(self) -> None:
        """
        A RST of an end that had been sent data may have left some unread, also where it answered.
        """
        talk = Talk().open().say("c", b"0123456789").say("s", b"01234")
        talk.send("s", RST | ACK)
        title, passage = close_of(talk.pcap())
        self.assertIn("reset by the server", title)
        self.assertIn("before it had read all of the 10 bytes", passage.sentence)

    def test_abort(self) -> None:
        """
        A RST of an end that had been sent nothing has left nothing unread.
        """
        talk = Talk().open().say("c", b"0123456789")
        talk.send("c", RST | ACK, after_ms=2000)
        title, passage = close_of(talk.pcap())
        self.assertIn("reset by the client", title)
        self.assertIn("after 2.000 s of silence: it aborts", passage.sentence)

    def test_reset_instead_of_a_second_fin(self) -> None:
        """
        An end that has everything, the FIN too, may give the connection up without its own FIN.
        """
        talk = Talk().open().say("s", b"0123456789")
        talk.send("s", FIN | ACK)
        talk.send("c", ACK)
        talk.send("c", RST | ACK)
        title, passage = close_of(talk.pcap())
        self.assertIn("closed first by the server, reset by the client", title)
        self.assertIn("nothing is lost on the way", passage.sentence)

    def test_data_after_closing(self) -> None:
        """
        A RST of an end that had closed answers data that nobody there reads.
        """
        talk = Talk().open()
        talk.send("c", FIN | ACK)
        talk.send("s", PSH | ACK, b"late")
        talk.send("c", RST)
        title, passage = close_of(talk.pcap())
        self.assertIn("closed first by the client, reset by the client", title)
        self.assertIn("it had closed already (#4)", passage.sentence)

    def test_refused(self) -> None:
        """
        A RST in answer to a SYN is a refusal.
        """
        talk = Talk()
        talk.send("c", SYN)
        talk.send("s", RST | ACK, ack=1001)
        title, passage = close_of(talk.pcap())
        self.assertEqual(title, "refused")
        self.assertIn("nobody listens on port 8080", passage.sentence)

    def test_a_reset_after_the_close_changes_nothing(self) -> None:
        """
        A RST for a connection that is over does not make an orderly close a reset.
        """
        talk = Talk().open().close("c")
        talk.send("c", RST)
        self.assertIn("closed first by the client", close_of(talk.pcap())[0])
