"""
Expectations of the segments of a conversation: repairs, windows, probes, and how data is cut up.

They need dialogues that keep their segments (C{trail_max} of
L{netlab.analysis.observations.dialogue.Dialogues}).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from netlab.analysis.expectations.expectations import (
    SECOND_NS,
    Cast,
    Expectation,
    Shown,
    Who,
    count_of,
    ends_of,
    expect_of,
)
from netlab.analysis.observations.dialogue import Dialogue
from netlab.analysis.observations.trail import TrailStep
from netlab.analysis.tcp.frames import Mark
from netlab.capture.segments import Flag

#: RFC 6298's timer is at least a second, Linux's 200 ms; a fast retransmission waits for no timer.
TIMER_LEAST_SECONDS: Final = 0.15

#: A delayed ACK waits for 40 ms on Linux, for 500 ms at most (RFC 9293 section 3.8.6.3).
DELAYED_ACK_LEAST_SECONDS: Final = 0.025

_ANY_PROBE: Final = int(Mark.ZERO_WINDOW_PROBE | Mark.KEEP_ALIVE)
_FRAMES_MAX: Final = 20


def connections(count: int) -> Expectation:
    """
    Expect a number of connections.
    """

    def check(cast: Cast) -> Shown:
        return Shown(len(cast) == count, count_of(len(cast), "connection"), ends_of(cast))

    verb = "is" if count == 1 else "are"
    return Expectation("connections", f"There {verb} {count_of(count, 'connection')}", check)


def has_marked(
    number: int,
    who: Who,
    mark: Mark,
    name: str,
    what: str,
    *,
    least: int = 1,
    most: int | None = None,
) -> Expectation:
    """
    Expect segments of an end that Wireshark would mark.

    @param number: of the conversation.
    @param who: who sends them.
    @param mark: any of these bits.
    @param name: of the expectation.
    @param what: such a segment is called, as in C{duplicate ACK}.
    @param least: how many at least.
    @param most: how many at most; C{None} for any number.
    """

    def check(dialogue: Dialogue) -> Shown:
        found = [step for step in _of(dialogue, who) if step.marks & mark]
        is_met = len(found) >= least and (most is None or len(found) <= most)
        return Shown(is_met, count_of(len(found), what), _frames(found))

    if most is None:
        amount = f"at least {count_of(least, what)}"
    elif most == 0:
        amount = f"no {what}"
    else:
        amount = count_of(least, what) if least == most else f"{least} to {most} {what}s"
    return expect_of(number, name, f"shows {amount} of the {who}", check)


def retransmits_by_timer(number: int, who: Who) -> Expectation:
    """
    Expect a segment to be sent again after a wait that only a timer explains (RFC 6298). Only its
    sender's capture is sure to have both.
    """

    def check(dialogue: Dialogue) -> Shown:
        found = _repeats(dialogue, who)
        late = [repeat for repeat in found if repeat[0] >= TIMER_LEAST_SECONDS]
        if late:
            told = f"sent again after {late[0][0]:.3f} s"
            return Shown(True, told, _frames([step for _, step in late]))
        detail = "sent again without waiting" if found else "nothing is sent again"
        return Shown(False, detail, _frames([step for _, step in found]))

    sentence = f"shows a segment of the {who} again, after a timer has run out"
    return expect_of(number, f"{who}-timer", sentence, check)


def retransmits_at_once(number: int, who: Who, count: int) -> Expectation:
    """
    Expect exactly this number of segments to be sent again, none of them after a timer's wait.
    Only their sender's capture is sure to have both.
    """

    def check(dialogue: Dialogue) -> Shown:
        found = _repeats(dialogue, who)
        frames = _frames([step for _, step in found])
        times = ", ".join(f"{wait:.3f} s" for wait, _ in found[:4])
        told = f"{count_of(len(found), 'segment')} again" + (f", after {times}" if found else "")
        is_met = len(found) == count and all(wait < TIMER_LEAST_SECONDS for wait, _ in found)
        return Shown(is_met, told, frames)

    if count == 0:
        return expect_of(number, f"{who}-sends-once", f"shows no data of the {who} twice", check)
    sentence = f"shows {count_of(count, 'segment')} of the {who} again, without a timer"
    return expect_of(number, f"{who}-fast-retransmission", sentence, check)


def _repeats(dialogue: Dialogue, who: Who) -> list[tuple[float, TrailStep]]:
    """
    Find data that was sent before, with the seconds since it was first sent. What only probes does
    not count.
    """
    first: dict[int, int] = {}
    found = []
    for step in _of(dialogue, who):
        if not step.length or step.marks & _ANY_PROBE:
            continue
        before = first.setdefault(step.end, step.time_ns)
        if before != step.time_ns:
            found.append(((step.time_ns - before) / SECOND_NS, step))
    return found


def selectively_acknowledges(number: int, who: Who, ranges: int) -> Expectation:
    """
    Expect SACK options that report at least this number of ranges at once (RFC 2018).
    """

    def check(dialogue: Dialogue) -> Shown:
        found = [step for step in _of(dialogue, who) if step.sack_ranges >= ranges]
        most = max((step.sack_ranges for step in _of(dialogue, who)), default=0)
        told = f"at most {count_of(most, 'range')} at once" if most else "no SACK option"
        return Shown(bool(found), told, _frames(found))

    sentence = f"shows SACK options of the {who} with {count_of(ranges, 'range')} at once"
    return expect_of(number, f"{who}-sack", sentence, check)


def probes_zero_window(number: int, who: Who) -> Expectation:
    """
    Expect an end's window to close, the other's probes of it, and its opening again (RFC 9293
    section 3.8.6.1).

    @param who: whose window closes.
    """

    def check(dialogue: Dialogue) -> Shown:
        steps = dialogue.trail
        closed = [s for s in steps if _is_from(s, who) and s.marks & Mark.ZERO_WINDOW]
        if not closed:
            return Shown(False, f"the {who}'s window never closes")
        after = [s for s in steps if s.frame > closed[0].frame]
        probes = [s for s in after if not _is_from(s, who) and s.marks & _ANY_PROBE]
        if not probes:
            return Shown(False, "nobody probes the closed window", _frames(closed))
        opened = [
            s for s in after if _is_from(s, who) and s.frame > probes[-1].frame and s.window > 0
        ]
        if not opened:
            return Shown(False, "the window does not open again", _frames([*closed, *probes]))
        told = f"closed, probed {count_of(len(probes), 'time')}, opened again"
        return Shown(True, told, _frames([closed[0], *probes, opened[0]]))

    sentence = f"shows the {who}'s window closed, probed, and open again"
    return expect_of(number, f"{who}-zero-window", sentence, check)


def grows_in_flight(number: int, who: Who, least_bytes: int) -> Expectation:
    """
    Expect an end to have more and more bytes in flight: slow start (RFC 5681 section 3.1).

    @param least_bytes: how many at once at some time.
    """

    def check(dialogue: Dialogue) -> Shown:
        flights: list[TrailStep] = []
        most = 0
        for step in _of(dialogue, who):
            if step.in_flight is not None and step.in_flight >= 2 * most:
                flights.append(step)
            most = max(most, step.in_flight or 0)
        told = f"up to {most:,} bytes in flight"
        return Shown(most >= least_bytes, told, _frames(flights))

    sentence = f"shows {least_bytes:,} bytes and more of the {who} in flight"
    return expect_of(number, f"{who}-flights", sentence, check)


def cuts_into(
    number: int, who: Who, check_lengths: Callable[[Sequence[int]], bool], told: str
) -> Expectation:
    """
    Expect an end's data to be cut into segments in a certain way.

    @param check_lengths: judges their lengths, in order.
    @param told: what is expected, as in C{two segments}.
    """

    def check(dialogue: Dialogue) -> Shown:
        found = [step for step in _of(dialogue, who) if step.length]
        lengths = [step.length for step in found]
        shown = ", ".join(map(str, lengths[:8])) + (", …" if len(lengths) > 8 else "")
        detail = f"{count_of(len(lengths), 'segment')} of {shown} bytes" if lengths else "no data"
        return Shown(check_lengths(lengths), detail, _frames(found))

    return expect_of(number, f"{who}-segments", f"shows data of the {who} in {told}", check)


def says_in_segments(number: int, who: Who, lengths: Sequence[int]) -> Expectation:
    """
    Expect an end's data in segments of these lengths.
    """
    told = f"segments of {', '.join(map(str, lengths))} bytes"
    return cuts_into(number, who, lambda found: list(found) == list(lengths), told)


def waits_for_ack(number: int, who: Who) -> Expectation:
    """
    Expect an end to hold a small segment back until the one before is acknowledged, which takes as
    long as a delayed ACK does: Nagle's algorithm (RFC 9293 section 3.7.4).
    """

    def check(dialogue: Dialogue) -> Shown:
        waits = _nagle_waits(dialogue, who)
        told = f"{count_of(len(waits), 'segment')} held back"
        if waits:
            told += f", the first for {waits[0][0] / SECOND_NS:.3f} s"
        return Shown(bool(waits), told, _frames([step for _, step in waits]))

    sentence = f"shows a segment of the {who} that waited for a delayed ACK"
    return expect_of(number, f"{who}-waits", sentence, check)


def waits_for_no_ack(number: int, who: Who) -> Expectation:
    """
    Expect no segment to be held back so.
    """

    def check(dialogue: Dialogue) -> Shown:
        waits = _nagle_waits(dialogue, who)
        told = f"{count_of(len(waits), 'segment')} held back"
        return Shown(not waits, told, _frames([step for _, step in waits]))

    sentence = f"shows no segment of the {who} that waited for a delayed ACK"
    return expect_of(number, f"{who}-does-not-wait", sentence, check)


def _nagle_waits(dialogue: Dialogue, who: Who) -> list[tuple[int, TrailStep]]:
    """
    Find data that followed data of the same end late, and right after a bare ACK of the other's.
    """
    waits = []
    steps = [step for step in dialogue.trail if not step.flags & (Flag.SYN | Flag.RST)]
    for first, ack, second in zip(steps, steps[1:], steps[2:], strict=False):
        is_pair = _is_from(first, who) and first.length and _is_from(second, who) and second.length
        is_bare_ack = not _is_from(ack, who) and not ack.length and ack.ack == first.end
        waited = ack.time_ns - first.time_ns
        if is_pair and is_bare_ack and waited >= DELAYED_ACK_LEAST_SECONDS * SECOND_NS:
            waits.append((waited, second))
    return waits


def hears_after_fin(number: int, who: Who, least_bytes: int) -> Expectation:
    """
    Expect an end to get data after it has closed its own side: a half-closed connection.
    """

    def check(dialogue: Dialogue) -> Shown:
        fins = [step for step in _of(dialogue, who) if step.flags & Flag.FIN]
        if not fins:
            return Shown(False, f"the {who} sends no FIN")
        after = [step for step in _of(dialogue, who.other) if step.frame > fins[0].frame]
        data = [step for step in after if step.length]
        total = sum(step.length for step in data)
        told = f"{count_of(total, 'byte')} after the {who}'s FIN"
        return Shown(total >= least_bytes, told, _frames([fins[0], *data]))

    sentence = f"carries {least_bytes} bytes and more to the {who} after its FIN"
    return expect_of(number, f"{who}-half-closes", sentence, check)


def refuses(number: int) -> Expectation:
    """
    Expect a SYN to be answered by RST with ACK, whose number is the SYN's and one (RFC 9293 section
    3.5.2, group 1).
    """

    def check(dialogue: Dialogue) -> Shown:
        steps = dialogue.trail
        syns = [s for s in steps if s.from_client and s.flags & Flag.SYN]
        resets = [s for s in steps if not s.from_client and s.flags & Flag.RST]
        if not syns or not resets:
            return Shown(False, "there is no SYN with RST for an answer", _frames(steps))
        is_right = bool(resets[0].flags & Flag.ACK) and resets[0].ack == syns[0].end
        told = f"RST, which acknowledges {'the SYN' if is_right else 'something else'}"
        return Shown(is_right, told, _frames([syns[0], resets[0]]))

    return expect_of(number, "refuses", "is refused with RST and ACK", check)


def reuses_ports() -> Expectation:
    """
    Expect a connection between ports that had one before, whose initial sequence number is beyond
    the old ones (RFC 9293 section 3.6.1).
    """

    def check(cast: Cast) -> Shown:
        for before, after in pairwise(cast):
            if before.client.port != after.client.port:
                continue
            old, new = before.client.snd_nxt, after.client.iss
            frames = tuple(moment.frame for moment in (before.syn, after.syn) if moment is not None)
            if old is None or new is None:
                return Shown(False, "its beginning was not captured", frames)
            distance = (new - old) % 2**32
            if distance >= 1 << 31:
                return Shown(False, "its sequence numbers begin below the old ones", frames)
            told = f"from port {after.client.port} again, {distance:,} beyond the old numbers"
            return Shown(True, told, frames)
        return Shown(False, "no two connections share their ports", ends_of(cast))

    return Expectation("reuses-ports", "A pair of ports is used by two connections", check)


def _of(dialogue: Dialogue, who: Who) -> list[TrailStep]:
    return [step for step in dialogue.trail if _is_from(step, who)]


def _is_from(step: TrailStep, who: Who) -> bool:
    return step.from_client is (who is Who.CLIENT)


def _frames(steps: Sequence[TrailStep]) -> tuple[int, ...]:
    return tuple(step.frame for step in steps[:_FRAMES_MAX])
