"""
Tests for L{netlab.analysis.explanation.explain}: the story of whole captures.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.explanation import explain
from netlab.analysis.explanation.conversationstories import completeness_text
from netlab.analysis.explanation.privacy import Discretion
from netlab.analysis.explanation.story import CaptureStory, PassageKind
from tests.captures.frames import PSH, SYN
from tests.captures.reference import exchange
from tests.captures.stories import only, reference_story, story_of
from tests.captures.talk import Talk


def sentences(story: CaptureStory, stream: int, kind: PassageKind) -> list[str]:
    """
    Say what a story says of a conversation under one heading.
    """
    conversation = next(each for each in story.conversations if each.stream == stream)
    return [each.sentence for each in conversation.passages if each.kind is kind]


class ExchangeTests(SynchronousTestCase):
    """
    What was said.
    """

    def test_the_echo(self) -> None:
        """
        The echo's answers are its messages in capitals.
        """
        told = sentences(reference_story("echo"), 0, PassageKind.EXCHANGE)
        self.assertEqual(len(told), 2)
        self.assertEqual(
            told[0],
            "The client sends 33 bytes (#4); 72.56 ms later the server sends 33 bytes (#5), "
            "the same text in capitals.",
        )
        self.assertIn("20.83 ms later the server sends 20 bytes (#7), the same text", told[1])

    def test_an_answer_that_ends_with_the_stream(self) -> None:
        """
        The 301 travelled in frame 6, and frame 8, an empty FIN, is its end.
        """
        (told,) = sentences(reference_story("redirect"), 0, PassageKind.EXCHANGE)
        self.assertIn("301 Moved Permanently (77 bytes, #6)", told)
        self.assertIn("the server's FIN (#8) is its end", told)

    def test_reuse(self) -> None:
        """
        Single_fin has two exchanges on one connection.
        """
        told = sentences(reference_story("single_fin"), 0, PassageKind.EXCHANGE)
        self.assertEqual(len(told), 2)
        self.assertIn(
            "Request 2: GET / (59 bytes, #8) is answered by 200 OK (274 bytes, #10)", told[1]
        )

    def test_idle_spells(self) -> None:
        """
        The wait for the idle timeout is told; so is that for the client.
        """
        told = sentences(reference_story("single_fin"), 0, PassageKind.IDLE)
        self.assertEqual(
            [text[text.index(", from ") :] for text in told],
            [", from #11 to #12.", ", from #13 to #14."],
        )

    def test_unanswered(self) -> None:
        """
        A request without an answer, and a SYN without one, are told as such.
        """
        talk = Talk().open().say("c", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        (told,) = sentences(story_of(talk.pcap()), 0, PassageKind.EXCHANGE)
        self.assertIn("has no answer in this capture", told)
        alone = Talk()
        alone.send("c", SYN)
        claims = story_of(alone.pcap()).conversations[0].claims
        self.assertIn("opening.unanswered", [claim.kind for claim in claims])


class BoundsTests(SynchronousTestCase):
    """
    Large captures.
    """

    def test_summary(self) -> None:
        """
        Of a capture with more frames than are told, the first ones are, and the whole conversation.
        """
        self.patch(explain, "FRAMES_TOLD_MAX", 20)
        self.patch(explain, "FRAMES_OF_SUMMARY", 5)
        talk = Talk().open()
        for _ in range(20):
            talk.say("c", b"x").say("s", b"y")
        talk.close("s", after_ms=1000)
        story = story_of(talk.pcap())
        conversation = only(story)
        self.assertEqual(len(conversation.frames), 5)
        self.assertEqual(conversation.frame_count, len(talk.frames))
        self.assertIn("closed first by the server after 1.000 s of silence", conversation.title)
        self.assertIn("but for its first 5 frames", story.passages[-1].sentence)

    def test_one_conversation_of_many(self) -> None:
        """
        One conversation that is asked for is told whole, whatever the others have.
        """
        self.patch(explain, "FRAMES_TOLD_MAX", 20)
        talk = Talk().open()
        for _ in range(40):
            talk.say("c", b"x")
        second = talk.again(40001).open().say("c", b"y")
        story = story_of(second.pcap(), conversation=1)
        self.assertEqual(len(only(story).frames), 5)
        self.assertEqual(story.conversation_count, 2)

    def test_many_conversations(self) -> None:
        """
        More conversations than are told are counted.
        """
        self.patch(explain, "CONVERSATIONS_TOLD_MAX", 3)
        talk = Talk().open()
        for port in range(40001, 40010):
            talk = talk.again(port).open()
        story = story_of(talk.pcap())
        self.assertEqual((len(story.conversations), story.conversation_count), (3, 10))
        self.assertEqual(only(story_of(talk.pcap(), conversation=9)).stream, 9)

    def test_every_frame_twice(self) -> None:
        """
        A capture that has each frame twice is named as such, not as full of retransmissions.
        """
        talk = Talk().open().say("c", b"hello").close("c")
        talk.frames = [frame for frame in talk.frames for _ in range(2)]
        told = sentences(story_of(talk.pcap()), 0, PassageKind.UNUSUAL)
        self.assertEqual(len(told), 1)
        self.assertIn("9 frames of 18 are copies", told[0])

    def test_an_answer_is_not_said_again(self) -> None:
        """
        What the first sentences of a report say does not stand among the passages below them too.
        """
        story = reference_story("echo")
        answers = {answer.sentence for answer in story.answers}
        self.assertTrue(any("checksum" in sentence for sentence in answers))
        self.assertEqual([p for p in story.passages if p.sentence in answers], [])
        self.assertTrue(story.passages)

    def test_other_frames(self) -> None:
        """
        Frames that are no TCP are counted by what they are, and what is malformed is told.
        """
        talk = Talk().open()
        talk.frames.append((talk.now_ns, b"\xff" * 12 + b"\x08\x06" + bytes(28)))
        told = [each.sentence for each in story_of(talk.pcap()).passages]
        self.assertIn("1 frame is not TCP (1 ARP).", told)

    def test_a_clock_that_is_set_back(self) -> None:
        """
        No duration of a capture is negative.
        """
        talk = Talk().open()
        talk.send("c", PSH | 16, b"x", after_ms=-5000)
        story = story_of(talk.pcap())
        self.assertGreaterEqual(story.end_ns, story.start_ns)
        self.assertNotIn("-", story.title)


class DiscretionTests(SynchronousTestCase):
    """
    What a story leaves out.
    """

    def test_payload(self) -> None:
        """
        Without payload a request is named by its method, an answer by its status.
        """
        story = reference_story("redirect", Discretion(shows_payload=False))
        (told,) = sentences(story, 0, PassageKind.EXCHANGE)
        self.assertIn("Request 1: a GET request (449 bytes, #4) is answered by 301 (77", told)
        self.assertNotIn("/redirect", repr(story))
        self.assertNotIn("Mozilla", repr(story))

    def test_addresses(self) -> None:
        """
        Stand-ins are dealt out in order of appearance, from the ranges for documentation; loopback
        addresses stay.
        """
        discretion = Discretion(anonymises=True)
        self.assertEqual(discretion.address(bytes([10, 1, 2, 3])), "192.0.2.1")
        self.assertEqual(discretion.address(bytes([8, 8, 8, 8])), "192.0.2.2")
        self.assertEqual(discretion.address(bytes([10, 1, 2, 3])), "192.0.2.1")
        self.assertEqual(discretion.address(bytes([127, 0, 0, 1])), "127.0.0.1")
        self.assertEqual(discretion.address(bytes(15) + b"\x01"), "::1")
        self.assertEqual(discretion.address(b"\x20\x01" + bytes(14)), "2001:db8::1")

    def test_more_addresses_than_a_range_has(self) -> None:
        """
        Beyond 254 addresses stand-ins come from the larger range for benchmarks, all different.
        """
        discretion = Discretion(anonymises=True)
        seen = {
            discretion.address(number.to_bytes(4, "big"))
            for number in range(1 << 24, (1 << 24) + 600)
        }
        self.assertEqual(len(seen), 600)
        self.assertTrue(all(each.startswith(("192.0.2.", "198.18.")) for each in seen))


class CompletenessTests(SynchronousTestCase):
    """
    How much of a connection's life was captured.
    """

    def test_words(self) -> None:
        """
        The bits of C{tcp.completeness} in words.
        """
        self.assertEqual(completeness_text(31), "complete (SYN, SYN-ACK, ACK, data, FIN)")
        self.assertEqual(
            completeness_text(15), "complete but for its end (SYN, SYN-ACK, ACK, data)"
        )
        self.assertEqual(completeness_text(24), "complete but for its beginning (data, FIN)")
        self.assertEqual(completeness_text(37), "without a whole handshake (SYN, ACK, RST)")
        self.assertEqual(completeness_text(1), "without a whole handshake (SYN)")
        self.assertEqual(completeness_text(8), "a part from the middle (data)")

    def test_the_reference(self) -> None:
        """
        The reference exchanges are complete; the spare connection has no data.
        """
        story = reference_story("notfound")
        self.assertEqual([each.completeness for each in story.conversations], [31, 23])
        self.assertEqual(story.frame_count, len(exchange("notfound").frames))
