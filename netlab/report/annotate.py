"""
The same capture with the story as packet comments, to be opened in Wireshark.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from netlab.analysis.explanation.privacy import Discretion
from netlab.analysis.explanation.story import CaptureStory, FrameStory
from netlab.capture.pcapng import NOT_A_FRAME
from netlab.capture.records import Interface, Record
from netlab.capture.writing import TIME_MAX_NS, PcapngWriter
from netlab.report.redact import Redactor

_LINK_TYPE_USER: Final = 147
"""The first link type that is free for private use (LINKTYPE_USER0)."""


def comments_of(story: CaptureStory) -> dict[int, tuple[str, ...]]:
    """
    Write a story as comments.

    @param story: The story.
    @return: By frame number: what the frame does and why its numbers are right; on a conversation's
        first frame also the conversation's own story.
    """
    comments: dict[int, tuple[str, ...]] = {}
    for conversation in story.conversations:
        for frame in conversation.frames:
            comments[frame.number] = (_comment(frame),)
        if conversation.frames:
            first = conversation.frames[0].number
            text = "\n".join(
                [
                    f"Conversation {conversation.stream}: {conversation.title}",
                    *(f"- {passage.sentence}" for passage in conversation.passages),
                ]
            )
            comments[first] = (*comments[first], text)
    return comments


def pieces(
    records: Iterable[Record],
    interfaces: Sequence[Interface],
    story: CaptureStory,
    discretion: Discretion,
) -> Iterator[bytes]:
    """
    Write the capture again, as pcapng with nanoseconds, with comments.

    @param records: Its frames, read a second time. Comments that they have stay, unless anything is
        left out: somebody may have noted it there. A time that pcapng cannot say is the nearest
        that it can, and a comment says so. What was counted and is no frame of a network, as an
        entry of a journal, is one of an interface that says so: later frames keep their numbers.
    @param interfaces: All of the capture's interfaces, as the first reading found them.
    @param story: What the first reading told.
    @param discretion: What is left out, as in the story.
    """
    comments = comments_of(story)
    names = [
        interface if discretion.quotes else interface._replace(name="", description="")
        for interface in interfaces
    ]
    writer = PcapngWriter(names)
    numbers = {interface: index for index, interface in enumerate(interfaces)}
    redactor = Redactor(discretion)
    yield writer.begin()
    for record in records:
        frame = redactor.redacted(record)
        if frame is None:
            continue
        old = record.comments if discretion.quotes else ()
        time_ns = min(max(record.time_ns, 0), TIME_MAX_NS)
        if time_ns != record.time_ns:
            old = (*old, f"This frame's time was {record.time_ns} ns, which no pcapng can say.")
        if record.interface not in numbers:
            numbers[record.interface] = len(writer.interfaces)
            yield writer.another(NOT_A_FRAME._replace(link_type=_LINK_TYPE_USER))
        yield writer.packet(
            time_ns,
            frame.data,
            interface=numbers[record.interface],
            length=frame.length,
            comments=(*old, *comments.get(record.number, ())),
        )


def _comment(frame: FrameStory) -> str:
    lines = [frame.sentence]
    lines += [f"{finding.verdict} {finding.equation}" for finding in frame.findings]
    return "\n".join(lines)
