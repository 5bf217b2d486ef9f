"""
Expectations: claims about conversations that the frames show, or do not.

An expectation has a name for programs, a sentence for people, and a check. The functions here make
them; a named exchange (L{netlab.analysis.expectations.references}) is a list of them, and so is
what a
laboratory's experiment expects. None asks for option sizes, ports, addresses, how many segments
carry a message or how many frames a close takes: systems differ in these and are all right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final, TypeAlias

from netlab.analysis.observations.dialogue import Dialogue, Moment

Cast: TypeAlias = Sequence[Dialogue]
"""
The conversations of an exchange, in the order in which they began; the first is number 0.
"""

SECOND_NS: Final = 1_000_000_000

#: What is found of a conversation that the capture does not hold.
NO_CONNECTION: Final = "there is no such connection"


class Who(StrEnum):
    """
    An end of a conversation.
    """

    CLIENT = "client"
    SERVER = "server"

    @property
    def other(self) -> Who:
        """
        The other end.
        """
        return Who.SERVER if self is Who.CLIENT else Who.CLIENT


@dataclass(frozen=True, slots=True)
class Shown:
    """
    What a check found.

    @ivar is_met: whether the expectation holds.
    @ivar detail: what is there, in a short sentence without a full stop.
    @ivar frames: the frames that show it, ascending; where nothing is there, the frames around it.
    """

    is_met: bool
    detail: str
    frames: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Expectation:
    """
    A claim.

    @ivar name: lower-case words joined by hyphens, stable, for programs.
    @ivar sentence: the claim, for people.
    @ivar check: judges it; it must bear any conversations, also too few.
    """

    name: str
    sentence: str
    check: Callable[[Cast], Shown]


@dataclass(frozen=True, slots=True)
class Result:
    """
    An expectation, judged.

    @ivar expectation: it.
    @ivar shown: what was found.
    """

    expectation: Expectation
    shown: Shown


def judge(expectations: Sequence[Expectation], cast: Cast) -> tuple[Result, ...]:
    """
    Judge expectations.

    @param expectations: in the order in which they are reported.
    @param cast: the conversations, which have been read to their end.
    @return: a result for each.
    """
    return tuple(Result(expectation, expectation.check(cast)) for expectation in expectations)


def opens(number: int = 0) -> Expectation:
    """
    Expect a handshake of SYN, SYN+ACK and ACK (RFC 9293 section 3.5).

    @param number: of the conversation.
    """

    def check(dialogue: Dialogue) -> Shown:
        steps = (dialogue.syn, dialogue.syn_ack, dialogue.established)
        names = ("SYN", "SYN+ACK", "the ACK of it")
        missing = [name for name, step in zip(names, steps, strict=True) if step is None]
        frames = frames_of(*steps)
        if missing:
            return Shown(False, f"the capture does not show {' nor '.join(missing)}", frames)
        return Shown(True, "SYN, SYN+ACK, ACK", frames)

    return expect_of(number, "opens", "opens with the three-way handshake", check)


def says(number: int, lengths: Sequence[int]) -> Expectation:
    """
    Expect both ends to speak in turn, the client first.

    @param number: of the conversation.
    @param lengths: the length of each turn in bytes.
    """

    def check(dialogue: Dialogue) -> Shown:
        turns = dialogue.turns
        found = [turn.length for turn in turns]
        frames = frames_of(*(turn.first for turn in turns), *(turn.last for turn in turns))
        who = [turn.from_client for turn in turns]
        is_met = (
            found == list(lengths)
            and who == [at % 2 == 0 for at in range(len(lengths))]
            and not dialogue.has_more_turns
        )
        if not found:
            return Shown(False, "nobody said anything")
        told = ", ".join(f"{turn.length} {_ARROW[turn.from_client]}" for turn in turns[:8])
        return Shown(is_met, f"{told}{', ...' if len(turns) > 8 else ''}", frames)

    told = ", ".join(f"{length} {_ARROW[at % 2 == 0]}" for at, length in enumerate(lengths))
    return expect_of(number, "says", f"carries these bytes in turn: {told}", check)


def answers_in_capitals(number: int = 0) -> Expectation:
    """
    Expect each answer to be the message before it in capitals.

    @param number: of the conversation.
    """

    def check(dialogue: Dialogue) -> Shown:
        turns = dialogue.turns
        pairs = [(a, b) for a, b in pairwise(turns) if a.from_client]
        if not pairs:
            return Shown(False, "no message was answered")
        for message, answer in pairs:
            compared = min(len(message.text), len(answer.text))
            if message.text[:compared].upper() != answer.text[:compared]:
                frames = frames_of(message.first, answer.first)
                return Shown(False, "an answer is not its message in capitals", frames)
        frames = frames_of(*(moment for pair in pairs for moment in (pair[0].first, pair[1].first)))
        if not all(turn.is_whole for pair in pairs for turn in pair):
            return Shown(True, "each answer is its message in capitals, as far as captured", frames)
        return Shown(True, "each answer is its message in capitals", frames)

    sentence = "answers each message with the same text in capitals"
    return expect_of(number, "capitals", sentence, check)


def says_nothing(number: int) -> Expectation:
    """
    Expect a spare connection: one that never carries a byte.

    @param number: of the conversation.
    """

    def check(dialogue: Dialogue) -> Shown:
        if dialogue.turns:
            first = dialogue.turns[0]
            speaker = Who.CLIENT if first.from_client else Who.SERVER
            return Shown(False, f"the {speaker} said {first.length} bytes", (first.first.frame,))
        return Shown(True, "not one byte", frames_of(dialogue.syn, dialogue.established))

    return expect_of(number, "says-nothing", "carries not one byte", check)


def opens_after(number: int, what: str, after: Callable[[Dialogue], Moment | None]) -> Expectation:
    """
    Expect a conversation to be new: begun from another port, after something in the one before it.

    @param number: of the conversation.
    @param what: that something, as in C{the server's FIN}.
    @param after: finds it in the conversation before.
    """

    def check(cast: Cast) -> Shown:
        if len(cast) <= number:
            return Shown(False, NO_CONNECTION, ends_of(cast))
        dialogue, before = cast[number], cast[number - 1]
        moment = after(before)
        frames = frames_of(moment, dialogue.syn)
        if moment is None:
            return Shown(False, f"{what} is not there", frames)
        begun = dialogue.syn
        if begun is None or begun < moment:
            return Shown(False, f"it opens before {what}", frames)
        if dialogue.client.port == before.client.port:
            return Shown(False, f"both use the client's port {dialogue.client.port}", frames)
        later = (begun.time_ns - moment.time_ns) / SECOND_NS
        return Shown(True, f"{later:.6f} s after {what}, from another port", frames)

    sentence = f"{_subject(number)} opens after {what}"
    return Expectation(_name(number, "new-connection"), sentence, check)


def opens_while_open(number: int) -> Expectation:
    """
    Expect a conversation to begin while the one before it is open, or just after.

    @param number: of the conversation.
    """

    def check(cast: Cast) -> Shown:
        if len(cast) <= number:
            return Shown(False, NO_CONNECTION, ends_of(cast))
        dialogue, before = cast[number], cast[number - 1]
        frames = frames_of(before.syn, dialogue.syn)
        if dialogue.client.port == before.client.port:
            return Shown(False, f"both use the client's port {dialogue.client.port}", frames)
        return Shown(True, f"from port {dialogue.client.port}", frames)

    sentence = f"{_subject(number)} is another one of the same client"
    return Expectation(_name(number, "new-connection"), sentence, check)


def expect_of(
    number: int, name: str, sentence: str, check: Callable[[Dialogue], Shown]
) -> Expectation:
    """
    Make an expectation of one conversation.

    @param number: of the conversation.
    @param name: its name; that of the conversation is put before it, but for the first.
    @param sentence: the claim without its subject.
    @param check: judges the conversation.
    """

    def check_one(cast: Cast) -> Shown:
        if len(cast) <= number:
            return Shown(False, NO_CONNECTION, ends_of(cast))
        return check(cast[number])

    return Expectation(_name(number, name), f"{_subject(number)} {sentence}", check_one)


def frames_of(*moments: Moment | None) -> tuple[int, ...]:
    """
    List the frames of what is there, ascending, each once.
    """
    return tuple(sorted({moment.frame for moment in moments if moment is not None}))


def ends_of(cast: Cast) -> tuple[int, ...]:
    """
    List the first and the last frame of conversations, for what is not there.
    """
    if not cast:
        return ()
    first = min(dialogue.conversation.first_frame for dialogue in cast)
    return tuple(sorted({first, max(dialogue.conversation.last_frame for dialogue in cast)}))


def count_of(count: int, what: str) -> str:
    """
    Write a number of things.
    """
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _name(number: int, name: str) -> str:
    return name if number == 0 else f"{_ORDINALS[number]}-{name}"


def _subject(number: int) -> str:
    return f"The {_ORDINALS[number]} connection"


_ORDINALS: Final = ("first", "second", "third", "fourth", "fifth")
_ARROW: Final = {True: "up", False: "down"}
