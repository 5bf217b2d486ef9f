"""
From segments to a story, in one pass and in bounded memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from netlab.analysis.claims.conversationstories import conversation_story
from netlab.analysis.claims.judges import (
    capture_claims,
    conversation_claims,
    neighbour_claims,
)
from netlab.analysis.claims.keeping import Kept, keep
from netlab.analysis.claims.passages import capture_passages
from netlab.analysis.claims.privacy import Discretion
from netlab.analysis.claims.rules import link_name
from netlab.analysis.claims.story import CaptureStory, ConversationStory, Passage, PassageKind
from netlab.analysis.claims.units import count, duration
from netlab.analysis.claims.viewpoint import Place, View, view_of
from netlab.analysis.observations.facts import Facts, Point
from netlab.analysis.observations.history import BEGINNING_MAX
from netlab.analysis.tcp.frames import Analysed
from netlab.capture.faults import Fault
from netlab.capture.records import Interface, Record

FRAMES_TOLD_MAX: Final = 10_000
"""A capture of more TCP frames is told in summary."""

FRAMES_OF_SUMMARY: Final = 250
"""How many frames of such a capture are told one by one, the first ones."""

CONVERSATIONS_TOLD_MAX: Final = 500
"""How many conversations are told; further ones are counted."""

SKIMMED_AFTER: Final = 32
"""How many frames of a conversation of such a capture are followed for what is said in them."""

PAYLOAD_COMPARED_MAX_BYTES: Final = 64 << 20
"""How many bytes of payload are kept of all conversations, to compare what was sent again."""

_PAYLOAD_OF_THE_REST_MAX: Final = 256
"""Up to which size payloads are kept where not all frames are."""

_FAULTS_TOLD_MAX: Final = 20
_ACROSS_MAX: Final = 5


class Explainer:
    """
    Takes a capture's frames in order and tells what happened.
    """

    def __init__(
        self,
        discretion: Discretion | None = None,
        *,
        conversation: int | None = None,
        tells_frames: bool = True,
        captured: View | None = None,
    ) -> None:
        """
        @param discretion: What is left out of the story.
        @param conversation: Tell only the conversation of this number.
        @param tells_frames: Whether frames are told one by one, where there are not too many.
        @param captured: Where it was captured, if that need not be inferred.
        """
        self._tells_frames = tells_frames
        self._captured = captured
        self._interface: Interface | None = None
        self._discretion = discretion or Discretion()
        self._only = conversation
        self._facts: dict[int, Facts] = {}
        self._views: dict[int, int] = {}
        self._kept: list[Kept] = []
        self._keeps = True
        self._payload_room = PAYLOAD_COMPARED_MAX_BYTES
        self._other_count = 0
        self._tcp_count = 0
        self._told_count = 0
        self._others: dict[str, int] = {}
        self._streams = 0
        self._first_ns = 0
        self._last_ns = 0
        self._links: dict[int, str] = {}

    def observe(self, analysed: Analysed) -> None:
        """
        Take the next segment.
        """
        record = analysed[0][0]
        self._tcp_count += 1
        # A clock that is set back makes no negative duration.
        self._last_ns = max(self._last_ns, record[1])
        if record[4] is not self._interface:
            self._see(record)
        stream = analysed[1].stream
        facts = self._facts.get(stream)
        if facts is None:
            # Every conversation says why the next one was needed, so all are observed even where
            # only one is told.
            self._streams = max(self._streams, stream + 1)
            if len(self._facts) >= CONVERSATIONS_TOLD_MAX and stream != self._only:
                return
            facts = Facts(analysed.conversation, Point(analysed.number, analysed.time_ns))
            self._facts[stream] = facts
            self._views[stream] = record.interface.link_type
        if facts.skimmed is not None:
            facts.skim(analysed)
            return
        facts.observe(analysed)
        is_told = self._only is None or stream == self._only
        if is_told:
            self._told_count += 1
        if not self._keeps or not is_told:
            if len(facts.history.segments) < BEGINNING_MAX:
                facts.history.add(analysed, payload_max=_PAYLOAD_OF_THE_REST_MAX)
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

    def observe_other(self, record: Record, protocol: str) -> None:
        """
        Take a frame that is no TCP segment.

        @param record: The frame.
        @param protocol: What it is, by name.
        """
        self._other_count += 1
        self._last_ns = max(self._last_ns, record.time_ns)
        if record.interface is not self._interface:
            self._see(record)
        if protocol in self._others or len(self._others) < 50:
            self._others[protocol] = self._others.get(protocol, 0) + 1

    def _see(self, record: Record) -> None:
        """
        Take note of another interface, as that of the first frame is.
        """
        if self._interface is None:
            self._first_ns = self._last_ns = record.time_ns
        self._interface = record.interface
        link_type = record.interface.link_type
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
        start = self._first_ns
        for facts in self._facts.values():
            facts.finish()
        views = {
            stream: self._captured or view_of(facts, self._views[stream])
            for stream, facts in self._facts.items()
        }
        told = [stream for stream in self._facts if self._only is None or stream == self._only]
        frames: dict[int, list[Kept]] = {stream: [] for stream in told}
        for kept in self._kept:
            if kept.analysed.stream in frames:
                frames[kept.analysed.stream].append(kept)
        quotes = self._discretion.quotes
        shared = capture_claims([self._facts[each].history for each in told], quotes=quotes)
        neighbours = neighbour_claims(
            [facts.history for facts in self._facts.values()], quotes=quotes
        )
        place = _common_view(views[stream] for stream in told)
        stories = [
            conversation_story(
                self._facts[stream],
                frames[stream],
                list(_view_passages(self._facts[stream], views[stream], place)),
                self._discretion,
                (
                    *neighbours.get(stream, ()),
                    *conversation_claims(self._facts[stream].history, quotes=quotes),
                ),
                start,
            )
            for stream in told
        ]
        return CaptureStory(
            title=self._title(start),
            passages=(
                *self._passages(start, place, faults),
                *capture_passages(shared, (start, self._last_ns)),
                *_across(stories),
            ),
            conversations=stories,
            conversation_count=self._streams,
            frame_count=self._frame_count,
            start_ns=start,
            end_ns=self._last_ns,
            link=", ".join(dict.fromkeys(self._links.values())),
            claims=shared,
        )

    def _title(self, start: int) -> str:
        return (
            f"{count(self._streams, 'connection')}, {count(self._frame_count, 'frame')} in "
            f"{duration(self._last_ns - start)}"
        )

    def _passages(
        self,
        start: int,
        place: View | None,
        faults: Sequence[Fault],
    ) -> Iterable[Passage]:
        span = (start, self._last_ns)
        if place is not None:
            yield Passage(PassageKind.VIEW, (), *span, place.sentence)
        if self._others:
            named = ", ".join(
                f"{number} {name}"
                for name, number in sorted(self._others.items(), key=lambda each: -each[1])[:5]
            )
            total = self._other_count
            sentence = f"{count(total, 'frame is', 'frames are')} no TCP and left out ({named})."
            yield Passage(PassageKind.UNUSUAL, (), *span, sentence)
        if not self._keeps:
            first = f"its first {len(self._kept)} frames are told one by one, the rest"
            sentence = (
                f"The capture is large: {first if self._tells_frames else 'it is told'} in "
                f"summary. What is said in a conversation is read for some {SKIMMED_AFTER} frames "
                "and counted after that. One conversation alone (--conversation) is told further."
            )
            yield Passage(PassageKind.UNUSUAL, (), *span, sentence)
        if self._streams > len(self._facts):
            sentence = (
                f"{count(self._streams, 'connection')} are more than are told: here are the first "
                f"{len(self._facts)}."
            )
            yield Passage(PassageKind.UNUSUAL, (), *span, sentence)
        for fault in faults[:_FAULTS_TOLD_MAX]:
            frames = (fault.number,) if fault.number else ()
            where = f"#{fault.number}: " if fault.number else ""
            yield Passage(PassageKind.UNUSUAL, frames, *span, f"{where}{fault.text}")
        if len(faults) > _FAULTS_TOLD_MAX:
            rest = count(len(faults) - _FAULTS_TOLD_MAX, "more fault")
            yield Passage(PassageKind.UNUSUAL, (), *span, f"{rest} of the file.")


def _common_view(views: Iterable[View]) -> View | None:
    """
    Give the place where all conversations were captured, if it is one.
    """
    found = list(views)
    known = [view for view in found if view.place is not Place.UNKNOWN]
    if known and all(view.place is known[0].place for view in known):
        return known[0]
    return None


def _view_passages(facts: Facts, view: View, common: View | None) -> Iterable[Passage]:
    if common is None:
        yield Passage(
            PassageKind.VIEW,
            (facts.first.number,),
            facts.first.time_ns,
            facts.last.time_ns,
            view.sentence,
        )


def _across(stories: Sequence[ConversationStory]) -> Iterable[Passage]:
    """
    Repeat for the whole capture why there are several connections, and what is unusual in them.
    """
    if len(stories) < 2:
        return
    for kind, skipped in ((PassageKind.WHY, 1), (PassageKind.UNUSUAL, 0)):
        found = [
            (story.stream, passage)
            for story in stories[skipped:]
            for passage in story.passages
            if passage.kind is kind
        ]
        for stream, passage in found[:_ACROSS_MAX]:
            sentence = f"Conversation {stream}: {passage.sentence}"
            yield Passage(kind, passage.frames, passage.start_ns, passage.end_ns, sentence)
        if len(found) > _ACROSS_MAX:
            last = found[-1][1]
            rest = "more connections" if kind is PassageKind.WHY else "more such remarks"
            sentence = f"{len(found) - _ACROSS_MAX} {rest}, told with each conversation."
            yield Passage(kind, (), last.start_ns, last.end_ns, sentence)
