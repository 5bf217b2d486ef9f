"""
From segments to a story, in one pass and in bounded memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from netlab.analysis.claims.around import ODD, Around
from netlab.analysis.claims.choice import ALL, Choice
from netlab.analysis.claims.judges import (
    capture_claims,
    conversation_claims,
    neighbour_claims,
)
from netlab.analysis.claims.ranking import NO_FAULT, place_of
from netlab.analysis.claims.viewpoint import INFERRED_PLACES, View
from netlab.analysis.explanation.conversationstories import conversation_story
from netlab.analysis.explanation.keeping import Kept, keep
from netlab.analysis.explanation.passages import capture_passages
from netlab.analysis.explanation.privacy import Discretion
from netlab.analysis.explanation.rules import link_name
from netlab.analysis.explanation.story import (
    CalmLine,
    CaptureStory,
    CaptureTotals,
    ConversationLine,
    ConversationStory,
    Endpoint,
    FrameStory,
    Passage,
    PassageKind,
)
from netlab.analysis.http.allowance import NOT_ALL_MESSAGES, Allowance
from netlab.analysis.observations.facts import Facts, Point
from netlab.analysis.observations.sketches import (
    SKETCHES_MAX,
    CalmGroup,
    Fate,
    Outline,
    Sketch,
    Sketches,
)
from netlab.analysis.observations.surroundings import Surroundings
from netlab.analysis.tcp.frames import Analysed
from netlab.analysis.tls.tools import NO_TOOLS, Tools
from netlab.analysis.words.answers import answers_of
from netlab.analysis.words.outlines import outline_words
from netlab.analysis.words.units import count, duration
from netlab.capture.faults import Fault
from netlab.capture.icmp import IcmpError
from netlab.capture.records import Interface, Record
from netlab.capture.segments import Other

FRAMES_TOLD_MAX: Final = 10_000
"""A capture of more TCP frames is summarised."""

FRAMES_OF_SUMMARY: Final = 250
"""How many frames of such a capture are explained one by one, the first ones."""

CONVERSATIONS_TOLD_MAX: Final = 500
"""How many conversations are followed from the first frame on."""

FOLLOWED_MAX: Final = 20
"""How many of a capture that is summarised: enough to see where and how it was captured."""

FOLLOWED_LATE_MAX: Final = 300
"""How many more are followed because something goes wrong in them."""

REPORTED_MAX: Final = 100
"""How many conversations of a capture that is summarised are reported, those that went wrong."""

REPORTED_MIN: Final = 10
"""How many are reported in any case."""

SKIMMED_AFTER: Final = 32
"""How many frames of a conversation of such a capture are followed for what is said in them."""

PAYLOAD_COMPARED_MAX_BYTES: Final = 64 << 20
"""How many bytes of payload are kept of all conversations, to compare what was sent again."""

_FAULTS_TOLD_MAX: Final = 20

_SUMMARISED_MAX: Final = 8
"""Of how many conversations, without their frames, each is explained where they are not many."""

_LISTED_MIN: Final = 2
"""From how many conversations on they are listed."""


class Explainer:
    """
    Takes a capture's frames in order and tells what happened.
    """

    def __init__(
        self,
        discretion: Discretion | None = None,
        *,
        choice: Choice = ALL,
        tells_frames: bool = True,
        captured: View | None = None,
        tools: Tools = NO_TOOLS,
        tells_all: bool = False,
    ) -> None:
        """
        @param discretion: What is left out of the story.
        @param choice: What is explained.
        @param tells_frames: Whether frames are explained one by one, where there are not too many.
        @param tells_all: Whether conversations of a large capture are reported in which nothing
            went wrong.
        @param captured: Where it was captured, if that need not be inferred.
        @param tools: With what TLS is opened.
        """
        self._tools = tools
        self._allowance = Allowance()
        self._tells_frames = tells_frames
        self._captured = captured
        self._interface: Interface | None = None
        self._discretion = discretion or Discretion()
        self._choice = choice
        self._chosen: set[int] = set()
        self._tells_all = tells_all
        self._facts: dict[int, Facts] = {}
        self._sketches = Sketches()
        self._open = self._sketches.open
        self._followed = 0
        self._late: set[int] = set()
        self._kept: list[Kept] = []
        self._keeps = True
        self._payload_room = PAYLOAD_COMPARED_MAX_BYTES
        self._other_count = 0
        self._tcp_count = 0
        self._told_count = 0
        self._streams = 0
        self._surroundings = Surroundings()
        self._links: dict[int, str] = {}

    def observe(self, analysed: Analysed) -> None:
        """
        Take the next segment.
        """
        record = analysed[0][0]
        self._tcp_count += 1
        self._surroundings.observe(analysed)
        if record[4] is not self._interface:
            self._see(record)
        stream = analysed[1].stream
        sketch = self._open.get(stream)
        if sketch is None:
            sketch = self._begin(analysed)
            if sketch is None:
                return
        is_wrong = sketch.observe(analysed)
        facts = sketch.facts
        if facts is None:
            if sketch.waiting is not None:
                self._sketches.hold(sketch, analysed)
            if is_wrong:
                self._follow(sketch)
        elif facts.skimmed is not None:
            facts.skim(analysed)
        elif self._keeps and stream not in self._late:
            self._keep(facts, analysed)
        else:
            _follow_on(facts, analysed)

    def _begin(self, analysed: Analysed) -> Sketch | None:
        """
        Take a segment of a conversation that has no sketch.

        @return: Its sketch, if it is given one.
        """
        stream = analysed.stream
        is_new = stream >= self._streams
        self._streams = max(self._streams, stream + 1)
        if self._choice.takes(analysed.conversation):
            sketch = self._sketches.begin(analysed)
            if sketch is not None:
                self._chosen.add(stream)
                self._surroundings.begin(analysed)
                is_all = self._tells_all or (self._keeps and self._tells_frames)
                most = CONVERSATIONS_TOLD_MAX if is_all else FOLLOWED_MAX
                if self._followed < most:
                    self._followed += 1
                    sketch.facts = self._facts_of(analysed)
            return sketch
        # Every conversation says why the next one was needed, so others are followed too.
        facts = self._facts.get(stream)
        if facts is None and is_new and len(self._facts) < CONVERSATIONS_TOLD_MAX:
            self._surroundings.begin(analysed)
            facts = self._facts_of(analysed)
        if facts is not None:
            _follow_on(facts, analysed)
        return None

    def _facts_of(self, analysed: Analysed) -> Facts:
        first = Point(analysed.number, analysed.time_ns)
        facts = Facts(analysed.conversation, first, self._tools, self._allowance)
        facts.history.keeps_payload = self._discretion.quotes
        self._facts[analysed.stream] = facts
        return facts

    def _follow(self, sketch: Sketch) -> None:
        """
        Follow a conversation in which something goes wrong, if its beginning is at hand.
        """
        frames = self._sketches.release(sketch)
        if frames and len(self._late) < FOLLOWED_LATE_MAX:
            self._late.add(frames[0].stream)
            sketch.facts = facts = self._facts_of(frames[0])
            for analysed in frames:
                _follow_on(facts, analysed)

    def _keep(self, facts: Facts, analysed: Analysed) -> None:
        """
        Follow a conversation of a capture that may be small enough to explain each frame.
        """
        facts.observe(analysed)
        self._told_count += 1
        kept = keep(analysed)
        self._payload_room -= facts.history.add(analysed, kept.checksum, self._payload_room)
        if self._tells_frames:
            self._kept.append(kept)
        if self._told_count > FRAMES_TOLD_MAX:
            self._keeps = False
            del self._kept[FRAMES_OF_SUMMARY:]

    def observe_other(
        self, other: Other, error: IcmpError | None = None, stream: int | None = None
    ) -> None:
        """
        Take a frame that is no TCP segment.

        @param other: The frame.
        @param error: The ICMP error that it is.
        @param stream: The conversation that the error is about.
        """
        record = other.record
        self._other_count += 1
        self._surroundings.observe_other(other, error, stream)
        if record.interface is not self._interface:
            self._see(record)

    def note_drops(self, dropped: int) -> None:
        """
        Take how many frames the capture says that it has not got.
        """
        self._surroundings.dropped = dropped

    def _see(self, record: Record) -> None:
        """
        Take note of another interface, as that of the first frame is.
        """
        self._interface = record.interface
        link_type = record.interface.link_type
        self._surroundings.links.add(link_type)
        self._links[link_type] = link_name(link_type)

    @property
    def _frame_count(self) -> int:
        return self._tcp_count + self._other_count

    @property
    def conversation_count(self) -> int:
        """How many conversations there were so far."""
        return self._streams

    def finish(self, faults: Sequence[Fault] = ()) -> CaptureStory:
        """
        Tell the story; there are no more frames.

        @param faults: What could not be read.
        """
        clock = self._surroundings.clock
        start, end = clock.first_ns, clock.last_ns
        self._surroundings.finish()
        around = Around(self._surroundings, self._discretion)
        outlines = self._outlines()
        for facts in self._facts.values():
            facts.finish()
        known = sorted(stream for stream in self._facts if self._is_told(stream))
        quotes = self._discretion.quotes
        # What is said of several together holds where none of them is left out.
        first = [self._facts[each].history for each in known if each not in self._late]
        shared = capture_claims(first, around, quotes=quotes)
        if self._captured is not None:
            shared = tuple(claim for claim in shared if claim.kind not in INFERRED_PLACES)
        followed = sorted(self._facts.keys() - self._late)
        neighbours = neighbour_claims(
            [self._facts[each].history for each in followed], quotes=quotes
        )
        told = self._reported(known, outlines)
        frames: dict[int, list[Kept]] = {stream: [] for stream in told}
        for kept in self._kept:
            if kept.analysed.stream in frames:
                frames[kept.analysed.stream].append(kept)
        stories = []
        for stream in told:
            facts = self._facts[stream]
            story = conversation_story(
                facts,
                frames[stream],
                self._discretion,
                (
                    *neighbours.get(stream, ()),
                    *conversation_claims(facts.history, around, quotes=quotes),
                ),
                start,
            )
            back = clock.back_ns(facts.first.number, facts.last.number)
            is_timed = back * ODD <= facts.last.time_ns - facts.first.time_ns
            stories.append(replace(story, frames=self._shown(story.frames), is_timed=is_timed))
        is_abridged = self._is_abridged(len(outlines))
        lines: Sequence[ConversationLine] = ()
        calm: Sequence[CalmLine] = ()
        totals = None
        if len(outlines) >= _LISTED_MIN:
            lines = self._listed(outlines, stories, is_abridged=is_abridged)
            totals, calm = self._counted(outlines, lines)
        told_all = CaptureStory(
            title=self._title(),
            passages=(),
            conversations=stories,
            conversation_count=self._streams,
            frame_count=self._frame_count,
            start_ns=start,
            end_ns=end,
            link=", ".join(dict.fromkeys(self._links.values())),
            claims=shared,
            lines=lines,
            totals=totals,
            calm=calm,
            is_abridged=is_abridged,
        )
        is_whole = self._streams == len(told) and all(
            self._facts[each].history.is_whole for each in told
        )
        answers = answers_of(told_all, is_whole=is_whole)
        said = {answer.sentence for answer in answers}
        passages = (
            *self._passages(start, end, faults),
            *(
                passage
                for passage in capture_passages(shared, (start, end))
                if passage.sentence not in said
            ),
        )
        return replace(told_all, answers=answers, passages=passages)

    def _outlines(self) -> list[Outline]:
        """
        Give the figures of the chosen conversations, and follow those of which it shows only now
        that something went wrong.
        """
        for sketch in list(self._sketches.open.values()):
            if sketch.facts is None and sketch.outline().fate is not Fate.CALM:
                self._follow(sketch)
        return [
            outline
            for outline in self._sketches.outlines()
            if self._is_in_time(outline.start_ns, outline.end_ns)
        ]

    def _is_abridged(self, conversations: int) -> bool:
        """
        Tell whether a report for reading lists conversations instead of explaining each.
        """
        if self._tells_all:
            return False
        most = _SUMMARISED_MAX if self._keeps and not self._tells_frames else 1
        is_small = self._keeps and self._tells_frames
        return not is_small and conversations > most

    def _reported(self, known: Sequence[int], outlines: Sequence[Outline]) -> Sequence[int]:
        """
        Choose the conversations that are reported.

        @param known: The numbers of those that were followed.
        @return: Their numbers, ascending.
        """
        if self._keeps or self._tells_all:
            return known
        places = {outline.stream: place_of(outline) for outline in outlines}
        ranked = sorted((each for each in known if each in places), key=places.__getitem__)
        faulty = sum(places[each][0] < NO_FAULT for each in ranked)
        shown = {kept.analysed.stream for kept in self._kept}
        worst = ranked[: min(max(faulty, REPORTED_MIN), REPORTED_MAX)]
        return sorted({*worst, *shown.intersection(known)})

    def _listed(
        self,
        outlines: Sequence[Outline],
        stories: Sequence[ConversationStory],
        *,
        is_abridged: bool,
    ) -> Sequence[ConversationLine]:
        """
        List the conversations, the worst first.

        @param is_abridged: Whether only some of those without a fault are listed.
        """
        known = {story.stream: story for story in stories}
        places = {
            each.stream: place_of(each, known[each.stream].claims if each.stream in known else ())
            for each in outlines
        }
        ranked = sorted(outlines, key=lambda each: places[each.stream])
        if is_abridged:
            faulty = sum(rank < NO_FAULT for rank, _, _ in places.values())
            ranked = ranked[: max(faulty, REPORTED_MIN)]
        address = self._discretion.address
        lines = []
        for outline in ranked:
            story = known.get(outline.stream)
            rank, _, _ = places[outline.stream]
            words = outline_words(outline, story.title if story is not None else "")
            client, server = (
                Endpoint(address(raw), port) for raw, port in (outline.client, outline.server)
            )
            lines.append(ConversationLine(outline, client, server, rank, words))
        return lines

    def _counted(
        self, outlines: Sequence[Outline], lines: Sequence[ConversationLine]
    ) -> tuple[CaptureTotals, Sequence[CalmLine]]:
        """
        Add the conversations up; those without a fault by server.

        @param lines: Those that are listed, all with a fault among them.
        """
        faulty = {each.outline.stream: each for each in lines if each.rank < NO_FAULT}
        calm = dict(self._sketches.calm)
        fates = Counter({Fate.CALM: sum(each.conversations for each in calm.values())})
        for outline in outlines:
            is_faulty = outline.stream in faulty
            fates[outline.fate if is_faulty else Fate.CALM] += 1
            if not is_faulty:
                calm[outline.server] = calm.get(outline.server, CalmGroup()).plus(outline)
        groups = [
            CalmLine(Endpoint(self._discretion.address(raw), port) if raw else None, group)
            for (raw, port), group in sorted(calm.items(), key=lambda each: -each[1].conversations)
        ]
        totals = CaptureTotals(
            {fate: fates[fate] for fate in Fate if fates[fate]},
            len({outline.client[0] for outline in outlines}),
            len({*calm, *(outline.server for outline in outlines)}),
            sum(outline.client_bytes for outline in outlines),
            sum(outline.server_bytes for outline in outlines),
        )
        return totals, groups

    def _is_in_time(self, first_ns: int, last_ns: int) -> bool:
        """
        Tell whether a part of what lasted so long lies in the chosen time.
        """
        choice = self._choice
        is_late = choice.begin_ns is not None and last_ns - self.start_ns < choice.begin_ns
        return not is_late and (choice.end_ns is None or first_ns - self.start_ns <= choice.end_ns)

    @property
    def start_ns(self) -> int:
        """When the capture begins, as far as it was read."""
        return self._surroundings.clock.first_ns

    def _is_told(self, stream: int) -> bool:
        """
        Tell whether a conversation is reported: it is chosen, and part of it lies in the time.
        """
        facts = self._facts[stream]
        is_chosen = stream in self._chosen
        return is_chosen and self._is_in_time(facts.first.time_ns, facts.last.time_ns)

    def _shown(self, frames: Sequence[FrameStory]) -> Sequence[FrameStory]:
        """
        Give the frames in the chosen time.
        """
        if not self._choice.is_timed:
            return frames
        start = self.start_ns
        return tuple(frame for frame in frames if self._choice.spans(frame.time_ns - start))

    def _title(self) -> str:
        clock = self._surroundings.clock
        told = f"{count(self._streams, 'connection')}, {count(self._frame_count, 'frame')}"
        return told if clock.is_odd else f"{told} in {duration(clock.last_ns - clock.first_ns)}"

    def _passages(self, start: int, end: int, faults: Sequence[Fault]) -> Iterable[Passage]:
        span = (start, end)
        if self._captured is not None:
            yield Passage(PassageKind.VIEW, (), *span, self._captured.sentence)
        # What is not decoded may be TCP, and TCP that was cut is: each has a remark of its own.
        unread = {"TCP", *self._surroundings.unknown_layers}
        layers = {
            name: layer.frames
            for name, layer in self._surroundings.layers.items()
            if name not in unread
        }
        if layers:
            named = ", ".join(
                f"{frames} {name}"
                for name, frames in sorted(layers.items(), key=lambda each: -each[1])[:5]
            )
            told = count(sum(layers.values()), "frame is", "frames are")
            yield Passage(PassageKind.UNUSUAL, (), *span, f"{told} not TCP ({named}).")
        if not self._keeps or any(facts.skimmed for facts in self._facts.values()):
            shown = len(self._kept)
            first = f" but for its first {count(shown, 'frame')}" if shown else ""
            sentence = (
                f"The capture is large: it is summarised{first}. The messages of a conversation "
                f"are read for some {SKIMMED_AFTER} frames, and only counted after that. To see "
                "more of one conversation, choose it with --conversation."
            )
            yield Passage(PassageKind.UNUSUAL, (), *span, sentence)
        if self._sketches.left_out:
            more = count(self._sketches.left_out, "more connection")
            sentence = f"{more} began after {SKETCHES_MAX} others, and are not looked at."
            yield Passage(PassageKind.UNUSUAL, (), *span, sentence)
        if self._allowance.is_used_up:
            yield Passage(PassageKind.UNUSUAL, (), *span, NOT_ALL_MESSAGES)
        for fault in faults[:_FAULTS_TOLD_MAX]:
            frames = (fault.number,) if fault.number else ()
            where = f"#{fault.number}: " if fault.number else ""
            yield Passage(PassageKind.UNUSUAL, frames, *span, f"{where}{fault.text}")
        if len(faults) > _FAULTS_TOLD_MAX:
            rest = count(len(faults) - _FAULTS_TOLD_MAX, "more fault")
            yield Passage(PassageKind.UNUSUAL, (), *span, f"{rest} of the file.")


def _follow_on(facts: Facts, analysed: Analysed) -> None:
    """
    Give a segment to a conversation that is summarised.
    """
    if facts.skimmed is not None:
        facts.skim(analysed)
        return
    facts.remember(analysed)
    facts.observe(analysed)
    facts.trim()
    if facts.frame_count >= SKIMMED_AFTER:
        facts.begin_skimming()
