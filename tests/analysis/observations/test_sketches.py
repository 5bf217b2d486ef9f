"""
Tests for L{netlab.analysis.observations.sketches}.
"""

from __future__ import annotations

import io

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.observations import sketches
from netlab.analysis.observations.sketches import Fate, Sketches
from netlab.analysis.tcp.frames import Analysed
from netlab.analysis.tcp.pipeline import Pipeline
from netlab.capture.reading import read_capture
from tests.captures.crowd import CALM, REFUSED, REPEATED, RESET, SLOW, crowd
from tests.captures.talk import Talk


def analysed_of(talk: Talk) -> list[Analysed]:
    """
    Analyse a capture.
    """
    return list(Pipeline(read_capture(io.BytesIO(talk.pcap()), "test.pcap")).segments())


def sketched(talk: Talk) -> Sketches:
    """
    Sketch the conversations of a capture.
    """
    found = Sketches()
    for analysed in analysed_of(talk):
        sketch = found.open.get(analysed.stream) or found.begin(analysed)
        if sketch is not None:
            sketch.observe(analysed)
            found.hold(sketch, analysed)
    return found


class FateTests(SynchronousTestCase):
    """
    What went wrong.
    """

    def test_each(self) -> None:
        """
        Each kind of fault is found in its conversation, with what it cost, and in no other.
        """
        outlines = sketched(crowd()).outlines()
        fates = {each.stream: each.fate for each in outlines if each.fate is not Fate.CALM}
        self.assertEqual(
            fates,
            {
                REFUSED: Fate.REFUSED,
                RESET: Fate.RESET,
                REPEATED: Fate.REPEATED,
                SLOW: Fate.SLOW,
            },
        )
        self.assertEqual(outlines[REPEATED].lost_ns, 300_000_000)
        self.assertEqual(outlines[SLOW].lost_ns, 3_000_000_000)
        self.assertEqual((outlines[REPEATED].repeats, outlines[SLOW].repeats), (1, 0))

    def test_unanswered(self) -> None:
        """
        A SYN that nothing answers is told from one that a RST answers.
        """
        talk = Talk()
        talk.send("c", 0x02)
        (outline,) = sketched(talk).outlines()
        self.assertEqual(outline.fate, Fate.UNANSWERED)

    def test_idle_is_not_slow(self) -> None:
        """
        A connection on which nobody speaks for long has lost no time: a client that asks again
        after ten seconds was not waited for.
        """
        talk = Talk().open().say("c", b"x").say("s", b"y")
        talk.close("c", after_ms=10_000)
        (outline,) = sketched(talk).outlines()
        self.assertEqual((outline.fate, outline.lost_ns), (Fate.CALM, 0))

    def test_figures(self) -> None:
        """
        Frames, bytes and times are those of the capture.
        """
        talk = Talk().open().say("c", b"x" * 5).say("s", b"y" * 7).close("s")
        (outline,) = sketched(talk).outlines()
        self.assertEqual(outline.frame_count, len(talk.frames))
        self.assertEqual((outline.client_bytes, outline.server_bytes), (5, 7))
        self.assertEqual((outline.start_ns, outline.end_ns), (talk.frames[0][0], talk.now_ns))


class BoundsTests(SynchronousTestCase):
    """
    What is kept.
    """

    def test_calm_ones_make_room(self) -> None:
        """
        Of more conversations than have sketches, those without a fault are counted, each once;
        those with one keep theirs.
        """
        self.patch(sketches, "SKETCHES_MAX", 8)
        found = sketched(crowd())
        self.assertLessEqual(len(found.open), 8)
        self.assertLessEqual({REFUSED, RESET, REPEATED, SLOW}, set(found.open))
        counted = sum(group.conversations for group in found.calm.values())
        kept = sum(each.fate is Fate.CALM for each in found.outlines())
        self.assertEqual(counted + kept, CALM)
        self.assertEqual(found.left_out, 0)

    def test_faults_without_room(self) -> None:
        """
        Where all that have sketches went wrong, further conversations are counted as left out, each
        once.
        """
        self.patch(sketches, "SKETCHES_MAX", 3)
        talk = Talk()
        for port in range(40001, 40009):
            talk = talk.again(port)
            for _ in range(3):
                talk.send("c", 0x02, seq=70000)
        found = sketched(talk)
        self.assertEqual((len(found.open), found.left_out), (3, 5))

    def test_servers(self) -> None:
        """
        Beyond a number of servers they are counted together.
        """
        self.patch(sketches, "SKETCHES_MAX", 1)
        self.patch(sketches, "SERVERS_MAX", 2)
        talk = Talk()
        for last in range(1, 9):
            talk = Talk(server=f"10.0.1.{last}", frames=talk.frames, now_ns=talk.now_ns)
            talk.open().close("c")
        found = sketched(talk)
        self.assertEqual(len(found.calm), 3)
        self.assertEqual(sum(group.conversations for group in found.calm.values()), 7)

    def test_frames_that_wait(self) -> None:
        """
        No more frames and bytes wait than may, and the conversations that go on are the last to
        lose theirs.
        """
        self.patch(sketches, "WAITING_FRAMES_MAX", 40)
        found = Sketches()
        for analysed in analysed_of(crowd()):
            sketch = found.open.get(analysed.stream) or found.begin(analysed)
            assert sketch is not None
            sketch.observe(analysed)
            found.hold(sketch, analysed)
            waiting = [each for each in found.open.values() if each.waiting]
            self.assertLessEqual(sum(len(each.waiting or ()) for each in waiting), 40)
            self.assertTrue(sketch.waiting or sketch.conversation.is_over)
        self.patch(sketches, "WAITING_MAX_BYTES", 4000)
        talk = Talk().open()
        for _ in range(20):
            talk.say("c", b"x" * 1000)
        (sketch,) = sketched(talk).open.values()
        self.assertIsNone(sketch.waiting)
