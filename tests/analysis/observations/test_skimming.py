"""
Tests for L{netlab.analysis.observations.skimming}, by way of whole captures that are told in
summary.
"""

from __future__ import annotations

import random

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.explanation import explain
from netlab.analysis.explanation.story import CaptureStory, PassageKind
from netlab.analysis.observations.facts import Facts
from tests.captures.frames import ACK, FIN, PSH, RST
from tests.captures.stories import only, story_of
from tests.captures.talk import Talk

_REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_LAST_ANSWER = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"


def exchanges(talk: Talk, number: int) -> Talk:
    """
    Ask and answer, four frames each time.
    """
    for _ in range(number):
        talk.say("c", _REQUEST).say("s", _ANSWER)
    return talk


def sentences(story: CaptureStory, *kinds: PassageKind) -> list[str]:
    """
    Give what is said of some kinds in the one conversation, but for claims that need to have all
    its segments.
    """
    passages = [
        passage
        for passage in only(story).passages
        if not passage.claims or passage.claims[0].topic == "http"
    ]
    return [passage.sentence for passage in passages if passage.kind in kinds]


class SkimmingTests(SynchronousTestCase):
    """
    Conversations that go on after they have been followed far enough.
    """

    def summary(self, talk: Talk, after: int = 12) -> CaptureStory:
        """
        Tell a capture in summary.

        @param after: How many frames of a conversation are followed.
        """
        self.patch(explain, "FRAMES_TOLD_MAX", 3)
        self.patch(explain, "FRAMES_OF_SUMMARY", 2)
        self.patch(explain, "SKIMMED_AFTER", after)
        return story_of(talk.pcap())

    def test_exchanges_are_counted(self) -> None:
        """
        Of HTTP the first exchanges are told and all of the others counted.
        """
        story = self.summary(exchanges(Talk().open(), 30).close("s"))
        self.assertTrue(only(story).title.startswith("30 HTTP exchanges; "), only(story).title)
        told = sentences(story, PassageKind.EXCHANGE)
        self.assertTrue(told[0].startswith("Request 1: GET / "), told)
        self.assertEqual(
            told[-1],
            "28 more exchanges like these, counted by the segments that begin with a request.",
        )

    def test_an_exchange_that_goes_on(self) -> None:
        """
        Of the only exchange it is said that it was not followed, and not that its end is missing.
        """
        talk = Talk().open().say("c", _REQUEST)
        talk.say("s", b"HTTP/1.1 200 OK\r\nContent-Length: 30000\r\n\r\n")
        for _ in range(30):
            talk.say("s", bytes(1000))
        (told,) = sentences(self.summary(talk.close("s")), PassageKind.EXCHANGE)
        self.assertIn("It continues; it was not followed to its end", told)

    def test_a_request_that_goes_on(self) -> None:
        """
        Of a request that is not followed to its end it is not said that nobody answers it.
        """
        talk = (
            Talk().open().say("c", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n")
        )
        for _ in range(30):
            talk.say("c", bytes(1000))
        (told,) = sentences(self.summary(talk.say("s", _ANSWER)), PassageKind.EXCHANGE)
        self.assertIn("it was not followed to its end", told)
        self.assertNotIn("not answered", told)

    def test_an_announced_close(self) -> None:
        """
        An answer that says C{Connection: close} is found, as it is why there is a new connection.
        """
        talk = exchanges(Talk().open(), 20).say("c", _REQUEST)
        talk.say("s", _LAST_ANSWER)
        announced = len(talk.frames) - 1
        talk.close("s")
        exchanges(talk.again(40001).open(), 1)
        why = self.summary(talk).conversations[1].passages[0].sentence
        self.assertIn(f"Connection: close in #{announced}", why)

    def test_other_protocols(self) -> None:
        """
        What is no HTTP has its first turns told, and no request is counted where one seems to be.
        """
        talk = Talk().open()
        for _ in range(10):
            talk.say("c", b"hello").say("s", b"HELLO")
        talk.say("c", _REQUEST)
        story = self.summary(talk)
        self.assertIn("bytes up", only(story).title)
        self.assertEqual(sentences(story, PassageKind.EXCHANGE)[-1], "And so on.")

    def test_nothing_said_before(self) -> None:
        """
        A connection that carries its first byte after it was followed is not called empty.
        """
        talk = Talk().open()
        for _ in range(15):
            talk.send("c", ACK, b"\0", seq=talk.next["c"] - 1, after_ms=1000)
            talk.send("s", ACK)
        talk.say("c", b"at last")
        story = self.summary(talk)
        self.assertIn("7 bytes up", only(story).title)
        self.assertNotIn("carries not a byte", only(story).passages[0].sentence)

    def test_the_rest_is_the_same(self) -> None:
        """
        Idle spells, what is unusual, how many frames and bytes there were, and how it ended are
        told as if all had been followed.
        """
        for seed in range(30):
            chance = random.Random(seed)
            talk = Talk().open()
            for _ in range(40):
                end = chance.choice("cs")
                data = bytes(chance.randrange(1, 900))
                lost = chance.random() < 0.1
                at = talk.next[end]
                wait = chance.choice((1, 1, 1, 700))
                talk.send(end, PSH | ACK, data, arrives=not lost, after_ms=wait)
                if lost:
                    talk.send(end, PSH | ACK, data, seq=at, after_ms=250)
                    talk.arrive("s" if end == "c" else "c")
                talk.send("s" if end == "c" else "c", ACK, after_ms=0.1)
            ends = chance.randrange(4)
            if ends == 0:
                talk.close(chance.choice("cs"), after_ms=chance.choice((1, 900)), then_ms=600)
            elif ends == 1:
                talk.send("s", RST | ACK)
            elif ends == 2:
                talk.send("c", FIN | ACK)
                talk.send("s", ACK)
                talk.say("s", b"more").send("c", RST | ACK)
            whole, skimmed = self.summary(talk, after=10_000), self.summary(talk)
            self.assertEqual(only(whole).title, only(skimmed).title)
            self.assertEqual(only(whole).frame_count, only(skimmed).frame_count)
            self.assertEqual(only(whole).end_ns, only(skimmed).end_ns)
            for kind in (PassageKind.IDLE, PassageKind.UNUSUAL, PassageKind.CLOSE):
                self.assertEqual(sentences(whole, kind), sentences(skimmed, kind), seed)

    def test_memory(self) -> None:
        """
        Bytes that wait for a gap are let go.
        """
        talk = Talk().open()
        talk.send("c", PSH | ACK, b"lost", is_captured=False)
        for _ in range(200):
            talk.send("c", PSH | ACK, bytes(1000))
        explainer_facts = []
        begin = Facts.begin_skimming

        def noted(facts: Facts) -> None:
            begin(facts)
            explainer_facts.append(facts)

        self.patch(Facts, "begin_skimming", noted)
        self.summary(talk)
        (facts,) = explainer_facts
        self.assertEqual([stream._waiting for stream in facts.dialogue._streams], [[], []])
