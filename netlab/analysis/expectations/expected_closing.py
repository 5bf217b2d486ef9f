"""
Expectations of how a conversation ends: who closes, when, and whether it is reset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from netlab.analysis.expectations.expectations import (
    SECOND_NS,
    Expectation,
    Shown,
    Who,
    expect_of,
    frames_of,
)
from netlab.analysis.observations.dialogue import Dialogue, Farewell, Moment


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """
    How long something may take.

    @ivar least: in seconds, inclusive.
    @ivar most: in seconds, inclusive.
    @ivar most_repaired: in seconds, inclusive, where TCP had to repair something, which shortens or
        lengthens what can be seen.
    """

    least: float
    most: float
    most_repaired: float

    def holds(self, time_ns: int, *, is_repaired: bool) -> bool:
        """
        Say whether a time is within the span.
        """
        least = 0.5 * self.least if is_repaired else self.least
        most = self.most_repaired if is_repaired else self.most
        return round(least * SECOND_NS) <= time_ns <= round(most * SECOND_NS)


#: The idle timeout of a second: a timer never fires early, and may be late on a busy machine.
IDLE_TIMEOUT: Final = TimeSpan(0.9, 1.6, 3.0)

#: At once, so that no timer can have been what was waited for.
AT_ONCE: Final = TimeSpan(0.0, 0.6, 2.0)


def closes_idle(number: int, who: Who, span: TimeSpan = IDLE_TIMEOUT) -> Expectation:
    """
    Expect an end to close first, after the connection has been idle for a time.

    @param number: of the conversation.
    @param who: the end.
    @param span: how long.
    """
    sentence = f"is closed by the {who} after {span.least:g} to {span.most:g} s without a byte"
    return _closes(number, f"{who}-closes-idle", sentence, who, span)


def closes_at_once(number: int, who: Who) -> Expectation:
    """
    Expect an end to close first, right after the last byte.

    @param number: of the conversation.
    @param who: the end.
    """
    sentence = f"is closed by the {who} right after the last byte"
    return _closes(number, f"{who}-closes-at-once", sentence, who, AT_ONCE)


def closes_first(number: int, who: Who) -> Expectation:
    """
    Expect an end to close first, whenever.

    @param number: of the conversation.
    @param who: the end.
    """
    return _closes(number, f"{who}-closes-first", f"is closed by the {who} first", who, None)


def closes_second(number: int, who: Who) -> Expectation:
    """
    Expect an end to answer the other's FIN with its own, at once or later.

    @param number: of the conversation.
    @param who: the end that does.
    """

    def check(dialogue: Dialogue) -> Shown:
        first, second = _fin(dialogue, who.other), _fin(dialogue, who)
        frames = _fin_frames(dialogue)
        if second is None:
            return Shown(False, f"the {who} sends no FIN", frames)
        if first is None or second.at < first.at:
            return Shown(False, f"the {who} sends its FIN first", frames)
        later = (second.at.time_ns - first.at.time_ns) / SECOND_NS
        return Shown(True, f"FIN of the {who} {later:.6f} s after the {who.other}'s", frames)

    return expect_of(number, f"{who}-closes-second", f"is closed by the {who} second", check)


def closes_both(number: int) -> Expectation:
    """
    Expect both ends to send FIN, in whatever order.

    @param number: of the conversation.
    """

    def check(dialogue: Dialogue) -> Shown:
        frames = _fin_frames(dialogue)
        for who in Who:
            if _fin(dialogue, who) is None:
                return Shown(False, f"the {who} sends no FIN", frames)
        if dialogue.is_simultaneous_close:
            return Shown(True, "each FIN left before the other arrived", frames)
        client, server = dialogue.client_fin, dialogue.server_fin
        is_client = client is not None and server is not None and client.at < server.at
        return Shown(True, f"the {Who.CLIENT if is_client else Who.SERVER} closes first", frames)

    return expect_of(number, "both-close", "is closed by a FIN of each end", check)


def closes_simultaneously(number: int) -> Expectation:
    """
    Expect each end to send its FIN before the other's arrives (RFC 9293 section 3.6, case 3).

    @param number: of the conversation.
    """

    def check(dialogue: Dialogue) -> Shown:
        frames = _fin_frames(dialogue)
        for who in Who:
            if _fin(dialogue, who) is None:
                return Shown(False, f"the {who} sends no FIN", frames)
        if not dialogue.is_simultaneous_close:
            return Shown(False, "one end had the other's FIN when it sent its own", frames)
        return Shown(True, "each FIN left before the other arrived", frames)

    sentence = "is closed by both ends simultaneously"
    return expect_of(number, "simultaneous-close", sentence, check)


def has_no_reset(number: int) -> Expectation:
    """
    Expect no RST before both ends have sent FIN.

    @param number: of the conversation.
    """

    def check(dialogue: Dialogue) -> Shown:
        for who, moment in zip(Who, dialogue.resets, strict=True):
            if moment is not None and not _is_after_close(dialogue, moment):
                return Shown(False, f"the {who} resets the connection", (moment.frame,))
        return Shown(True, "no reset", _fin_frames(dialogue))

    return expect_of(number, "no-reset", "is not reset", check)


def is_reset(number: int, who: Who) -> Expectation:
    """
    Expect an end to reset the connection.

    @param number: of the conversation.
    @param who: the end.
    """

    def check(dialogue: Dialogue) -> Shown:
        moment = dialogue.resets[who is Who.SERVER]
        if moment is None:
            return Shown(False, f"the {who} sends no RST", _fin_frames(dialogue))
        return Shown(True, f"RST of the {who}", (moment.frame,))

    return expect_of(number, f"{who}-resets", f"is reset by the {who}", check)


def _closes(number: int, name: str, sentence: str, who: Who, span: TimeSpan | None) -> Expectation:
    def check(dialogue: Dialogue) -> Shown:
        mine, others = _fin(dialogue, who), _fin(dialogue, who.other)
        frames = _fin_frames(dialogue)
        if mine is None:
            if others is not None:
                return Shown(False, f"only the {who.other} sends a FIN", frames)
            return Shown(False, "nobody sends a FIN", frames)
        if others is not None and others.at < mine.at:
            return Shown(False, f"the {who.other} closes first", frames)
        if others is not None and not others.knows_other:
            return Shown(False, "each FIN left before the other arrived", frames)
        told = f"FIN of the {who} after {mine.idle_ns / SECOND_NS:.6f} s without a byte"
        is_repaired = dialogue.is_repaired
        is_met = (
            span is None
            or span.holds(mine.idle_ns, is_repaired=is_repaired)
            # What this end said last was lost, and came again just before its FIN.
            or (is_repaired and span.holds(mine.unheard_ns, is_repaired=True))
        )
        return Shown(is_met, told, frames_of(mine.at))

    return expect_of(number, name, sentence, check)


def _fin(dialogue: Dialogue, who: Who) -> Farewell | None:
    return dialogue.client_fin if who is Who.CLIENT else dialogue.server_fin


def _fin_frames(dialogue: Dialogue) -> tuple[int, ...]:
    """
    List the frames with FIN; where there is none, the last frame.
    """
    ends = (dialogue.client_fin, dialogue.server_fin)
    frames = frames_of(*(end.at for end in ends if end is not None))
    return frames or (dialogue.conversation.last_frame,)


def _is_after_close(dialogue: Dialogue, moment: Moment) -> bool:
    """
    Say whether both ends had sent FIN by then: what a host answers to late segments.
    """
    ends = (dialogue.client_fin, dialogue.server_fin)
    return all(end is not None and end.at < moment for end in ends)
