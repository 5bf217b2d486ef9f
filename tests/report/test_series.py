"""
Tests for L{netlab.report.series}.
"""

from __future__ import annotations

import json
from itertools import pairwise

from twisted.trial.unittest import SynchronousTestCase

from netlab.report import json as json_report
from netlab.report.plots import plots_of
from netlab.report.series import DirectionSeries, series_of
from netlab.report.times import PAUSE_MIN_NS
from tests.captures.frames import ACK, PSH
from tests.captures.reference import NAMES
from tests.captures.stories import only, reference_story, story_of
from tests.captures.talk import Talk


def lossy() -> Talk:
    """
    A server sends five segments of 1000 bytes, of which the second is lost behind the point of
    capture; three duplicate ACKs with SACK, and it sends it again.
    """
    talk = Talk().open(half_ms=(20, 20)).say("c", b"ask")
    base = talk.next["s"]
    for _ in range(5):
        talk.send("s", ACK, bytes(1000), after_ms=0.1, arrives=False)
    talk.send("c", ACK, ack=base + 1000, after_ms=20)
    for index in (2, 3, 4):
        ranges = ((base + 2000, base + 1000 * (index + 1)),)
        talk.send("c", ACK, ack=base + 1000, after_ms=0.1, sacks=ranges)
    talk.send("s", PSH | ACK, bytes(1000), seq=base + 1000, after_ms=0.1)
    talk.arrive("c")
    talk.send("c", ACK, after_ms=20)
    return talk


def server_of(talk: Talk) -> DirectionSeries:
    """
    Follow the server's data.
    """
    return series_of(only(story_of(talk.pcap())))[1]


class SeriesTests(SynchronousTestCase):
    """
    Figures over time.
    """

    def test_in_flight(self) -> None:
        """
        Bytes are in flight from the segment that carries them to the ACK that covers them.
        """
        client, _ = series_of(only(reference_story("echo")))
        in_flight = [sample.value for sample in client.in_flight]
        self.assertEqual(in_flight, [1, 0, 33, 0, 20, 0, 1, 0])

    def test_windows(self) -> None:
        """
        The window is the receiver's last one, and its edge where that lies.
        """
        client, _ = series_of(only(reference_story("echo")))
        windows = [sample.value for sample in client.window]
        self.assertEqual(windows[:2], [65535, 1049600])
        edges = [sample.value for sample in client.edge]
        acks = [sample.value for sample in client.acknowledged]
        self.assertEqual(edges[0], acks[0] + windows[0])

    def test_an_edge_takes_nothing_back(self) -> None:
        """
        A receiver whose window shrinks does not move its edge to the left.
        """
        talk = Talk(shift=None).open().say("s", b"x" * 100)
        talk.send("c", ACK, window=100)
        edges = [sample.value for sample in server_of(talk).edge]
        self.assertEqual(edges, sorted(edges))

    def test_loss(self) -> None:
        """
        Of a segment that was sent again both copies are known as such, and no other.
        """
        sent = server_of(lossy()).sent
        again = [each for each in sent if each.is_again]
        repeated = [each for each in sent if each.was_repeated]
        self.assertEqual([(each.start, each.end) for each in again], [(1001, 2001)])
        self.assertEqual([(each.start, each.end) for each in repeated], [(1001, 2001)])
        self.assertLess(repeated[0].number, again[0].number)

    def test_a_spurious_one_had_arrived(self) -> None:
        """
        What an ACK had covered before it was sent again was not lost: its first copy has no mark.
        """
        talk = Talk().open()
        base = talk.next["s"]
        talk.say("s", bytes(1000))
        talk.send("s", PSH | ACK, bytes(1000), seq=base, after_ms=300)
        sent = server_of(talk).sent
        self.assertEqual([each.was_repeated for each in sent], [False, False, False])
        self.assertEqual([each.is_again for each in sent], [False, False, True])

    def test_sacks(self) -> None:
        """
        SACK blocks are known by relative numbers.
        """
        ranges = [(each.start, each.end) for each in server_of(lossy()).sacks]
        self.assertEqual(ranges, [(2001, 3001), (2001, 4001), (2001, 5001)])

    def test_round_trips(self) -> None:
        """
        A round trip is from a segment to the ACK that covers it.
        """
        talk = Talk().open(half_ms=(20, 30))
        talk.send("s", PSH | ACK, bytes(10))
        talk.send("c", ACK, after_ms=25)
        values = [sample.value for sample in server_of(talk).rtt]
        self.assertEqual(values, [30_000_000, 25_000_000])

    def test_rates(self) -> None:
        """
        Rates times their spells are the payload, each spell is after the one before it, and none
        lies in a pause.
        """
        talk = lossy()
        talk.now_ns += 10_000_000_000
        for _ in range(4):
            talk.say("s", bytes(500), after_ms=7)
        rate = server_of(talk).rate
        total = sum(each.value * (each.end_ns - each.start_ns) for each in rate) / 1e9
        self.assertAlmostEqual(total, 5000 + 1000 + 4 * 500, delta=len(rate))
        for before, after in pairwise(rate):
            self.assertLessEqual(before.end_ns, after.start_ns)
        spells = {each.end_ns - each.start_ns for each in rate}
        self.assertEqual(len(spells), 1)
        self.assertLess(len(rate), 100)

    def test_long_silence(self) -> None:
        """
        A capture of years has no more spells than one of a second.
        """
        talk = Talk().open()
        for _ in range(300):
            talk.say("c", b"x", after_ms=86_400_000)
        client, _ = series_of(only(story_of(talk.pcap())))
        self.assertLess(len(client.rate), 1000)

    def test_a_clock_that_is_set_back(self) -> None:
        """
        Where times go back, bytes are still counted once, and the plots are drawn.
        """
        talk = Talk().open().say("s", bytes(700))
        talk.now_ns -= 3_000_000_000
        talk.say("s", bytes(800)).close("c")
        conversation = only(story_of(talk.pcap()))
        _, server = series_of(conversation)
        total = sum(each.value * (each.end_ns - each.start_ns) for each in server.rate) / 1e9
        self.assertAlmostEqual(total, 1500, delta=len(server.rate))
        stack = plots_of(conversation)
        assert stack is not None
        self.assertNotRegex(stack.svg, r"nan|inf|-\d{4}")

    def test_json(self) -> None:
        """
        JSON has the same numbers, from the conversation's beginning on.
        """
        for name in NAMES:
            story = reference_story(name)
            document = json.loads(json_report.render(story, "x.pcap"))
            for told, ours in zip(document["conversations"], story.conversations, strict=True):
                for shown, series in zip(told["series"], series_of(ours), strict=True):
                    self.assertEqual(shown["from"], "client" if series.from_client else "server")
                    self.assertEqual(
                        shown["in_flight"],
                        [[time - ours.start_ns, value] for time, value in series.in_flight],
                    )
                    self.assertEqual(
                        [each[0] for each in shown["sent"]], [each.number for each in series.sent]
                    )
                    self.assertEqual(len(shown["rate"]), len(series.rate))
        document = json.loads(json_report.render(story_of(lossy().pcap()), "x.pcap"))
        _, server = document["conversations"][0]["series"]
        signs = [each[4:] for each in server["sent"]]
        self.assertEqual(signs.count(["again"]), 1)
        self.assertEqual(signs.count(["repeated"]), 1)
        self.assertGreaterEqual(PAUSE_MIN_NS, 1)
