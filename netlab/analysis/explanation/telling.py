"""
Frames told one by one while they come, before the rest of the capture is known.
"""

from __future__ import annotations

from typing import Final

from netlab.analysis.explanation.books import Books
from netlab.analysis.explanation.explain import CONVERSATIONS_TOLD_MAX
from netlab.analysis.explanation.framestories import frame_story
from netlab.analysis.explanation.httpnotes import notes_of
from netlab.analysis.explanation.keeping import keep
from netlab.analysis.explanation.privacy import Discretion
from netlab.analysis.explanation.story import FrameStory
from netlab.analysis.observations.facts import Facts, Point
from netlab.analysis.tcp.analyser import Analyser
from netlab.analysis.tcp.limits import STREAMING
from netlab.capture.segments import Segment

_EXCHANGES_LOOKED_AT: Final = 32
"""A frame begins messages of the newest HTTP exchanges; the others need not be looked through."""


class FrameTeller:
    """
    Tells each frame when it comes.

    Where the story of a whole capture knows better, since it knows what followed, this does not:
    completeness is that so far, a message whose head comes in several frames has no name yet in the
    first of them, and what opened a connection must have been seen for its numbers to be relative.
    """

    def __init__(self, discretion: Discretion | None = None) -> None:
        """
        @param discretion: What is left out.
        """
        self._discretion = discretion or Discretion()
        self._analyser = Analyser(STREAMING)
        self._open: dict[int, tuple[Facts, Books]] = {}

    def tell(self, segment: Segment) -> FrameStory | None:
        """
        Tell the next segment.

        @param segment: It; its record's number is the one that is cited.
        @return: None for what an ICMP error quotes, which nobody sent just now, and for segments of
            conversations beyond the first L{CONVERSATIONS_TOLD_MAX}.
        """
        if segment.is_quoted:
            return None
        analysed = self._analyser.analyse(segment)
        found = self._open.get(analysed.stream)
        if found is None:
            if len(self._open) >= CONVERSATIONS_TOLD_MAX:
                return None
            conversation = analysed.conversation
            first = Point(analysed.number, analysed.time_ns)
            found = self._open[analysed.stream] = Facts(conversation, first), Books(conversation)
        facts, books = found
        facts.observe(analysed)
        facts.trim()
        dialogue = facts.dialogue
        notes = notes_of(
            dialogue.http.exchanges[-_EXCHANGES_LOOKED_AT:], quotes=self._discretion.quotes
        )
        return frame_story(
            books.enter(keep(analysed)),
            notes,
            # What a claim says may need what comes later; live, a frame is explained as it is seen.
            (),
            is_from_client=analysed.flow is dialogue.client,
            discretion=self._discretion,
        )
