"""
Frames told one by one while they come, before the rest of the capture is known.
"""

from __future__ import annotations

from typing import Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.explanation.books import Books
from netlab.analysis.explanation.explain import CONVERSATIONS_TOLD_MAX
from netlab.analysis.explanation.framestories import frame_story
from netlab.analysis.explanation.httpnotes import notes_of
from netlab.analysis.explanation.keeping import keep
from netlab.analysis.explanation.privacy import Discretion
from netlab.analysis.explanation.story import FrameStory
from netlab.analysis.observations.facts import Facts, Point
from netlab.analysis.observations.history import History
from netlab.analysis.tcp.analyser import Analyser
from netlab.analysis.tcp.frames import Analysed
from netlab.analysis.tcp.limits import STREAMING
from netlab.analysis.transfer import judge as transfer
from netlab.capture.segments import Flag, Segment

JUDGED_MAX: Final = 500
"""Up to which segment of a conversation claims are made while it comes: each takes time linear in
the segments before it."""

PAYLOAD_COMPARED_MAX_BYTES: Final = 16 << 20
"""How many bytes of payload are kept of all conversations, to compare what is sent again."""

_TOPICS_TOLD: Final = frozenset(
    {"repeats", "reordering", "acks", "windows", "keepalives", "copies"}
)
"""Topics whose claims rest on what came before their last frame."""

_LATER: Final = frozenset(
    {
        "acks.never-sent",
        "keepalives.exchanged",
        "keepalives.unanswered",
        "repeats.again",
        "repeats.counts",
        "windows.beyond",
        "windows.closed-to-the-end",
    }
)
"""Kinds of those topics that what comes later takes back, or that are of no one frame."""

_SYN_FIN: Final = int(Flag.SYN | Flag.FIN)

_EXCHANGES_LOOKED_AT: Final = 32
"""A frame begins messages of the newest HTTP exchanges; the others need not be looked through."""


class FrameTeller:
    """
    Tells each frame when it comes.

    Where the story of a whole capture knows better, since it knows what followed, this does not:
    completeness is that so far, a message whose head comes in several frames has no name yet in the
    first of them, and what opened a connection must have been seen for its numbers to be relative.
    Only claims that nothing later takes back.
    """

    def __init__(self, discretion: Discretion | None = None) -> None:
        """
        @param discretion: What is left out.
        """
        self._discretion = discretion or Discretion()
        self._analyser = Analyser(STREAMING)
        self._room = PAYLOAD_COMPARED_MAX_BYTES
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
        if len(facts.history.segments) < JUDGED_MAX:
            self._room -= facts.history.add(analysed, payload_max=self._room)
            facts.history.client = facts.dialogue.client.index
            claims = _claims_of(analysed, facts.history)
            is_judged = True
        else:
            claims, is_judged = (), False
        dialogue = facts.dialogue
        notes = notes_of(
            dialogue.http.exchanges[-_EXCHANGES_LOOKED_AT:], quotes=self._discretion.quotes
        )
        return frame_story(
            books.enter(keep(analysed)),
            notes,
            claims,
            is_judged=is_judged,
            is_from_client=analysed.flow is dialogue.client,
            discretion=self._discretion,
        )


def _claims_of(analysed: Analysed, history: History) -> tuple[Claim, ...]:
    """
    Claim what may be claimed of the newest segment, after those before it.
    """
    if not analysed.marks and not analysed.flags & _SYN_FIN:
        # Nothing about it is unusual.
        return ()
    return tuple(
        claim
        for claim in transfer.claims_of(history)
        if claim.topic in _TOPICS_TOLD
        and claim.kind not in _LATER
        and claim.frames[-1] == analysed.number
    )
