"""
From segments to a story, in one pass and in bounded memory.
"""

from __future__ import annotations

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
from netlab.analysis.claims.viewpoint import INFERRED_PLACES, View
from netlab.analysis.explanation.conversationstories import conversation_story
from netlab.analysis.explanation.keeping import Kept, keep
from netlab.analysis.explanation.passages import capture_passages
from netlab.analysis.explanation.privacy import Discretion
from netlab.analysis.explanation.rules import link_name
from netlab.analysis.explanation.story import (
    CaptureStory,
    FrameStory,
    Passage,
    PassageKind,
)
from netlab.analysis.http.allowance import NOT_ALL_MESSAGES, Allowance
from netlab.analysis.observations.facts import Facts, Point
from netlab.analysis.observations.surroundings import Surroundings
from netlab.analysis.tcp.frames import Analysed
from netlab.analysis.tls.tools import NO_TOOLS, Tools
from netlab.analysis.words.answers import answers_of
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
"""How many conversations are reported; further ones are counted."""

SKIMMED_AFTER: Final = 32
"""How many frames of a conversation of such a capture are followed for what is said in them."""

PAYLOAD_COMPARED_MAX_BYTES: Final = 64 << 20
"""How many bytes of payload are kept of all conversations, to compare what was sent again."""

_FAULTS_TOLD_MAX: Final = 20


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
    ) -> None:
        """
        @param discretion: What is left out of the story.
        @param choice: What is explained.
        @param tells_frames: Whether frames are explained one by one, where there are not too many.
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
        self._facts: dict[int, Facts] = {}
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
        facts = self._facts.get(stream)
        if facts is None:
            # Every conversation says why the next one was needed, so all are observed even where
            # only one is reported.
            self._streams = max(self._streams, stream + 1)
            is_chosen = self._choice.takes(analysed.conversation)
            room = self._chosen if is_chosen and not self._choice.takes_all else self._facts
            if len(room) >= CONVERSATIONS_TOLD_MAX:
                return
            if is_chosen:
                self._chosen.add(stream)
            first = Point(analysed.number, analysed.time_ns)
            facts = Facts(analysed.conversation, first, self._tools, self._allowance)
            facts.history.keeps_payload = self._discretion.quotes
            self._facts[stream] = facts
            self._surroundings.begin(analysed)
        if facts.skimmed is not None:
            facts.skim(analysed)
            return
        is_told = stream in self._chosen
        if not self._keeps or not is_told:
            facts.remember(analysed)
        facts.observe(analysed)
        if is_told:
            self._told_count += 1
        if not self._keeps or not is_told:
            facts.trim()
            if facts.frame_count >= SKIMMED_AFTER:
                facts.begin_skimming()
            return
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
        for facts in self._facts.values():
            facts.finish()
        told = [stream for stream in self._facts if self._is_told(stream)]
        frames: dict[int, list[Kept]] = {stream: [] for stream in told}
        for kept in self._kept:
            if kept.analysed.stream in frames:
                frames[kept.analysed.stream].append(kept)
        quotes = self._discretion.quotes
        shared = capture_claims([self._facts[each].history for each in told], around, quotes=quotes)
        if self._captured is not None:
            shared = tuple(claim for claim in shared if claim.kind not in INFERRED_PLACES)
        neighbours = neighbour_claims(
            [facts.history for facts in self._facts.values()], quotes=quotes
        )
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

    @property
    def start_ns(self) -> int:
        """When the capture begins, as far as it was read."""
        return self._surroundings.clock.first_ns

    def _is_told(self, stream: int) -> bool:
        """
        Tell whether a conversation is reported: it is chosen, and part of it lies in the time.
        """
        choice, facts = self._choice, self._facts[stream]
        if stream not in self._chosen:
            return False
        first, last = facts.first.time_ns - self.start_ns, facts.last.time_ns - self.start_ns
        is_late = choice.begin_ns is not None and last < choice.begin_ns
        return not is_late and (choice.end_ns is None or first <= choice.end_ns)

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
        if not self._keeps:
            first = f"its first {len(self._kept)} frames are explained one by one, the rest is"
            sentence = (
                f"The capture is large: {first if self._tells_frames else 'it is'} summarised. "
                f"The messages of a conversation are read for some {SKIMMED_AFTER} frames, and "
                "only counted after that. To see more of one conversation, choose it with "
                "--conversation."
            )
            yield Passage(PassageKind.UNUSUAL, (), *span, sentence)
        if self._streams > len(self._facts):
            sentence = (
                f"Of {count(self._streams, 'connection')}, only the first {len(self._facts)} are "
                "reported here."
            )
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
