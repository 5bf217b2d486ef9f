"""
Two exchanges side by side: in what they differ, and why.

Each capture is taken down in the same questions; where the answers differ, the cause is looked for
in the frames of the side that has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from netlab.analysis.expectations.expectations import SECOND_NS, count_of, frames_of
from netlab.analysis.observations.dialogue import Dialogue, Farewell, Moment

#: How many conversations of each capture are contrasted, the first ones.
CONVERSATIONS_MAX: Final = 50

#: Since the last byte, in nanoseconds: a FIN after less has not waited for a timer of a second.
_AT_ONCE_NS: Final = 600_000_000


@dataclass(frozen=True, slots=True)
class TimedAnswer:
    """
    What one capture says to a question.

    @ivar text: in a few words.
    @ivar frames: the frames that show it, ascending.
    """

    text: str
    frames: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Contrast:
    """
    A question, and what both captures say to it.

    @ivar question: a few words.
    @ivar first: the first capture's answer.
    @ivar second: the second capture's answer.
    @ivar whys: for each capture whose answer needs a cause, the cause, a sentence.
    """

    question: str
    first: TimedAnswer
    second: TimedAnswer
    whys: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """
        Whether the answers differ.
        """
        return self.first.text != self.second.text


Span = tuple[Moment, Moment]


@dataclass(frozen=True, slots=True)
class Lapse:
    """
    How long the same thing took in both captures. Clocks are not compared, durations are.

    @ivar what: a few words.
    @ivar first: from where to where in the first capture.
    @ivar second: the same in the second one.
    """

    what: str
    first: Span
    second: Span


def lapses(first: Sequence[Dialogue], second: Sequence[Dialogue]) -> tuple[Lapse, ...]:
    """
    Tell how long connections took in one capture and in the other, the first with the first, and so
    on, as far as both captures show it.

    @param first: the conversations of a capture, finished, in the order in which they began.
    @param second: those of another.
    """
    found = []
    pairs = zip(first[:CONVERSATIONS_MAX], second[:CONVERSATIONS_MAX], strict=False)
    for number, (mine, other) in enumerate(pairs, 1):
        for what, ask in _LAPSES:
            spans = ask(mine), ask(other)
            if spans[0] is not None and spans[1] is not None:
                found.append(Lapse(f"connection {number}, {what}", spans[0], spans[1]))
    return tuple(found)


def _handshake(dialogue: Dialogue) -> Span | None:
    if dialogue.syn is None or dialogue.established is None:
        return None
    return dialogue.syn, dialogue.established


def _longest_wait(dialogue: Dialogue) -> Span | None:
    waits = [
        (message.last, answer.first)
        for message, answer in pairwise(dialogue.turns)
        if message.from_client
    ]
    return max(waits, key=lambda wait: wait[1].time_ns - wait[0].time_ns, default=None)


def _talk(dialogue: Dialogue) -> Span | None:
    return (dialogue.turns[0].first, dialogue.turns[-1].last) if dialogue.turns else None


_LAPSES: Final[tuple[tuple[str, Callable[[Dialogue], Span | None]], ...]] = (
    ("the handshake", _handshake),
    ("the longest wait for an answer", _longest_wait),
    ("from the first byte to the last", _talk),
)


def contrast(first: Sequence[Dialogue], second: Sequence[Dialogue]) -> tuple[Contrast, ...]:
    """
    Put two captures side by side.

    @param first: the conversations of a capture, finished, in the order in which they began.
    @param second: those of another.
    @return: questions in the order of a story.
    """
    found = [
        Contrast(
            "connections",
            _count(first),
            _count(second),
            tuple(
                f"{name}: {why}"
                for name, dialogues in (("A", first), ("B", second))
                for why in _whys(dialogues)
            )
            if len(first) != len(second)
            else (),
        )
    ]
    most = min(max(len(first), len(second)), CONVERSATIONS_MAX)
    for number in range(most):
        mine = first[number] if number < len(first) else None
        other = second[number] if number < len(second) else None
        for question, ask in _QUESTIONS:
            answers = [_NONE if side is None else ask(side) for side in (mine, other)]
            found.append(Contrast(f"connection {number + 1}: {question}", answers[0], answers[1]))
    return tuple(found)


_NONE: Final = TimedAnswer("no such connection")


def _count(dialogues: Sequence[Dialogue]) -> TimedAnswer:
    frames = frames_of(*(dialogue.syn for dialogue in dialogues))
    return TimedAnswer(count_of(len(dialogues), "connection"), frames)


def _opening(dialogue: Dialogue) -> TimedAnswer:
    steps = (dialogue.syn, dialogue.syn_ack, dialogue.established)
    names = ("SYN", "SYN+ACK", "ACK")
    seen = [name for name, step in zip(names, steps, strict=True) if step is not None]
    return TimedAnswer(", ".join(seen) or "not captured", frames_of(*steps))


def _said(dialogue: Dialogue) -> TimedAnswer:
    up = sum(turn.length for turn in dialogue.turns if turn.from_client)
    down = sum(turn.length for turn in dialogue.turns if not turn.from_client)
    frames = frames_of(*(turn.first for turn in dialogue.turns))
    return TimedAnswer(
        f"{up} bytes up, {down} down in {count_of(len(dialogue.turns), 'turn')}", frames
    )


def _repeated(dialogue: Dialogue) -> TimedAnswer:
    texts = []
    for who, flow, from_client in (
        ("client", dialogue.client, True),
        ("server", dialogue.server, False),
    ):
        once = sum(turn.length for turn in dialogue.turns if turn.from_client == from_client)
        if flow.payload_bytes > once:
            texts.append(f"{count_of(flow.payload_bytes - once, 'byte')} of the {who}")
    return TimedAnswer(", ".join(texts) or "no byte")


def _requests(dialogue: Dialogue) -> TimedAnswer:
    exchanges = dialogue.http.exchanges
    if not exchanges:
        return TimedAnswer("no request")
    statuses = ", ".join(
        "no answer" if one.status is None else str(one.status) for one in exchanges
    )
    frames = sorted({one.response.first_frame for one in exchanges if one.response is not None})
    return TimedAnswer(f"{count_of(len(exchanges), 'request')}: {statuses}", tuple(frames))


def _close(dialogue: Dialogue) -> TimedAnswer:
    for who, reset in zip(("client", "server"), dialogue.resets, strict=True):
        if reset is not None and None in (dialogue.client_fin, dialogue.server_fin):
            return TimedAnswer(f"reset by the {who}", (reset.frame,))
    ends = (dialogue.client_fin, dialogue.server_fin)
    frames = frames_of(*(end.at for end in ends if end is not None))
    if dialogue.is_simultaneous_close:
        return TimedAnswer("both at once, the FINs cross", frames)
    first = _first_fin(dialogue)
    if first is None:
        return TimedAnswer("not closed in the capture")
    who, farewell = first
    how = "at once" if farewell.idle_ns < _AT_ONCE_NS else "after an idle time"
    half = "" if None not in ends else ", the other end does not close"
    return TimedAnswer(f"the {who} first, {how}{half}", frames)


def _first_fin(dialogue: Dialogue) -> tuple[str, Farewell] | None:
    ends = [("client", dialogue.client_fin), ("server", dialogue.server_fin)]
    seen = [(who, end) for who, end in ends if end is not None]
    return min(seen, key=lambda one: one[1].at) if seen else None


_QUESTIONS: Final[tuple[tuple[str, Callable[[Dialogue], TimedAnswer]], ...]] = (
    ("opens by", _opening),
    ("carries", _said),
    ("seen again", _repeated),
    ("HTTP", _requests),
    ("closed by", _close),
)


def _whys(dialogues: Sequence[Dialogue]) -> Iterator[str]:
    """
    Say why there are as many connections as there are: why each new one, why none.
    """
    for dialogue in dialogues[:CONVERSATIONS_MAX]:
        yield from _reuses(dialogue)
    for before, after in pairwise(dialogues[:CONVERSATIONS_MAX]):
        yield _why_new(before, after)


def _reuses(dialogue: Dialogue) -> Iterator[str]:
    exchanges = dialogue.http.exchanges
    for before, after in pairwise(exchanges[:CONVERSATIONS_MAX]):
        if before.response is None or after.request is None:
            continue
        gap = (after.request.first_time_ns - before.response.last_time_ns) / SECOND_NS
        yield (
            f"the request in #{after.request.first_frame} came {gap:.6f} s after the answer in "
            f"#{before.response.last_frame}, and nobody had closed the connection: it was used "
            "again"
        )


def _why_new(before: Dialogue, after: Dialogue) -> str:
    begins = f"the connection of #{after.conversation.first_frame} is new"
    first = _first_fin(before)
    if first is None or (after.syn is not None and first[1].at > after.syn):
        if not after.turns:
            return f"{begins} while the one before is open, and carries nothing"
        return f"{begins} while the one before is open"
    who, farewell = first
    frame = farewell.at.frame
    answered = before.http.exchanges[-1].response if before.http.exchanges else None
    if answered is not None and b"close" in answered.head.fields.tokens(b"connection"):
        return (
            f"{begins}: the answer in #{answered.first_frame} had said Connection: close, and "
            f"the {who} had closed in #{frame}"
        )
    idle = farewell.idle_ns / SECOND_NS
    if farewell.idle_ns >= _AT_ONCE_NS:
        return (
            f"{begins}: the {who} had closed the one before in #{frame}, after {idle:.6f} s "
            "without a byte"
        )
    return f"{begins}: the {who} had closed the one before in #{frame}"
