"""
Which segments their receivers discard: those that arrive with a wrong checksum (RFC 9293 section
3.1).

A wrong checksum alone proves nothing: captures are changed afterwards, and large segments put
together by a network card keep the checksum of their first part. So it counts only where most
checksums of the same sender are right, and nothing shows that the segment was taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from netlab.analysis.observations.history import Sent
from netlab.analysis.tcp.frames import Analysed
from netlab.capture.segments import Checksum, Flag

CHECKED_MAX: Final = 8
"""How many segments without data of an end are checked until one of them is right."""

_SYN_FIN_RST: Final = int(Flag.SYN | Flag.FIN | Flag.RST)


def discarded_of(segments: Sequence[Sent]) -> frozenset[int]:
    """
    Find the frames that their receiver discards.

    @param segments: of one conversation, in the order of the capture.
    @return: their numbers.
    """
    wrong: tuple[list[Sent], list[Sent]] = ([], [])
    right = [0, 0]
    for each in segments:
        if each.checksum is Checksum.BAD:
            wrong[each.sender].append(each)
        elif each.checksum is Checksum.GOOD:
            right[each.sender] += 1
    found: set[int] = set()
    for sender in (0, 1):
        # Where one was taken all the same, what is wrong is the capture.
        if len(wrong[sender]) < right[sender] and not _any_taken(segments, wrong[sender]):
            found.update(each.number for each in wrong[sender])
    return frozenset(found)


def _any_taken(segments: Sequence[Sent], wrong: Iterable[Sent]) -> bool:
    """
    Tell whether the other end acknowledged numbers of a segment that no sound one had carried by
    then.
    """
    pending = {each.number: each for each in wrong if each.end > each.start}
    if not pending:
        return False
    waiting: list[Sent] = []
    for each in segments:
        if each.number in pending:
            waiting.append(each)
        elif waiting:
            waiting = [one for one in waiting if not _covers(each, one)]
            if any(_acknowledges(each, one) for one in waiting):
                return True
    return False


def _covers(sound: Sent, wrong: Sent) -> bool:
    """
    Tell whether a segment carries the last number of another of the same sender.
    """
    return (
        sound.sender == wrong.sender
        and sound.checksum is not Checksum.BAD
        and sound.start < wrong.end <= sound.end
    )


def _acknowledges(answer: Sent, wrong: Sent) -> bool:
    return (
        answer.sender != wrong.sender
        and answer.ack is not None
        and answer.ack >= wrong.end
        and not answer.has_rst
    )


class Soundness:
    """
    Judges segments without data as they come, when what follows is not known: one that opens,
    closes or resets the connection is not to do so if its receiver discards it. The others are not
    judged, which would take time linear in their data.
    """

    __slots__ = ("_checked", "_has_sound")

    def __init__(self) -> None:
        self._has_sound = [False, False]
        self._checked = [0, 0]

    def is_discarded(self, analysed: Analysed) -> bool:
        """
        Take the conversation's next segment.

        @return: whether its checksum is wrong, where one of the same sender was right before.
        """
        segment, sender = analysed.segment, analysed.flow.index
        if segment.length:
            return False
        if not self._has_sound[sender]:
            if self._checked[sender] < CHECKED_MAX:
                self._checked[sender] += 1
                self._has_sound[sender] = segment.checksum is Checksum.GOOD
            return False
        return bool(segment.flags & _SYN_FIN_RST) and segment.checksum is Checksum.BAD
