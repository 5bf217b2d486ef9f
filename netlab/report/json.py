"""
A story as JSON, for programs. docs/json.md describes it; L{VERSION} says which description.

The document is written frame by frame and line by line.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator
from operator import itemgetter
from typing import Any, Final

from netlab.analysis.figures import Figures
from netlab.analysis.findings import Finding
from netlab.analysis.frames import Analysed
from netlab.analysis.framestories import flag_names, mark_names
from netlab.analysis.privacy import Discretion
from netlab.analysis.story import CaptureStory, ConversationStory, FrameStory, Passage

VERSION: Final = 1
"""Raised when a member changes its meaning or goes; new members do not raise it."""


def pieces(
    story: CaptureStory,
    name: str,
    figures: Figures | None = None,
    discretion: Discretion | None = None,
) -> Iterator[str]:
    """
    Write a story.

    @param story: The story.
    @param name: What the capture is called.
    @param figures: Those of all segments, for the frames that the story does not tell one by one.
    @param discretion: What is left out of them.
    @return: The document in pieces.
    """
    head = {
        "format": "netlab-explain",
        "version": VERSION,
        "name": name,
        "title": story.title,
        "link": story.link,
        "start_ns": story.start_ns,
        "end_ns": story.end_ns,
        "frame_count": story.frame_count,
        "conversation_count": story.conversation_count,
        "passages": [_passage(passage) for passage in story.passages],
        "conversations": [_conversation(each) for each in story.conversations],
    }
    yield _dump(head)[:-1]
    yield ',\n"frames":[\n'
    frames = sorted(
        (frame for each in story.conversations for frame in each.frames),
        key=lambda frame: frame.number,
    )
    told = ((frame.number, _frame(frame)) for frame in frames)
    rest: Iterator[tuple[int, dict[str, Any]]] = iter(())
    if figures is not None:
        known = {frame.number for frame in frames}
        addresses = discretion or Discretion()
        rest = (
            (analysed.number, _figures(analysed, addresses))
            for analysed in figures.analysed(without=known)
        )
    for index, (_, frame_members) in enumerate(heapq.merge(told, rest, key=itemgetter(0))):
        yield (",\n" if index else "") + _dump(frame_members)
    yield "\n]}\n"


def render(story: CaptureStory, name: str) -> str:
    """
    Write a story.

    @param story: The story.
    @param name: What the capture is called.
    @return: The document.
    """
    return "".join(pieces(story, name))


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "frames": finding.frames,
        "equation": finding.equation,
        "verdict": finding.verdict.value,
        "sentence": finding.sentence,
    }


def _passage(passage: Passage) -> dict[str, Any]:
    return {
        "kind": passage.kind.value,
        "frames": passage.frames,
        "start_ns": passage.start_ns,
        "end_ns": passage.end_ns,
        "sentence": passage.sentence,
        "findings": [_finding(finding) for finding in passage.findings],
    }


def _conversation(conversation: ConversationStory) -> dict[str, Any]:
    return {
        "stream": conversation.stream,
        "client": {"address": conversation.client.address, "port": conversation.client.port},
        "server": {"address": conversation.server.address, "port": conversation.server.port},
        "start_ns": conversation.start_ns,
        "end_ns": conversation.end_ns,
        "title": conversation.title,
        "completeness": conversation.completeness,
        "frame_count": conversation.frame_count,
        "frames_told": len(conversation.frames),
        "passages": [_passage(passage) for passage in conversation.passages],
    }


def _frame(frame: FrameStory) -> dict[str, Any]:
    return {
        "number": frame.number,
        "time_ns": frame.time_ns,
        "stream": frame.stream,
        "src": frame.src.address,
        "dst": frame.dst.address,
        "srcport": frame.src.port,
        "dstport": frame.dst.port,
        "from_client": frame.is_from_client,
        "flags": frame.flags,
        "seq_raw": frame.seq_raw,
        "ack_raw": frame.ack_raw,
        "seq": frame.seq,
        "ack": frame.ack,
        "len": frame.len,
        "nxtseq": frame.nxtseq,
        "window_size_value": frame.window_size_value,
        "window_size": frame.window_size,
        "completeness": frame.completeness,
        "frame_len": frame.frame_len,
        "bytes_in_flight": frame.bytes_in_flight,
        "kind": frame.kind.value,
        "marks": frame.marks,
        "label": frame.label,
        "sentence": frame.sentence,
        "findings": [_finding(finding) for finding in frame.findings],
        "payload": frame.payload.hex(),
    }


def _figures(analysed: Analysed, discretion: Discretion) -> dict[str, Any]:
    """
    Write a frame that is not told: what Wireshark shows of it, and no finding.
    """
    flow, conversation = analysed.flow, analysed.conversation
    return {
        "number": analysed.number,
        "time_ns": analysed.time_ns,
        "stream": analysed.stream,
        "src": discretion.address(flow.raw_address),
        "dst": discretion.address(flow.peer.raw_address),
        "srcport": analysed.srcport,
        "dstport": analysed.dstport,
        "from_client": flow is conversation.client,
        "flags": flag_names(analysed.flags),
        "seq_raw": analysed.seq_raw,
        "ack_raw": analysed.ack_raw,
        "seq": analysed.seq,
        "ack": analysed.ack,
        "len": analysed.len,
        "nxtseq": analysed.nxtseq,
        "window_size_value": analysed.window_size_value,
        "window_size": analysed.window_size,
        "completeness": analysed.completeness,
        "frame_len": analysed.segment.record.length,
        "bytes_in_flight": analysed.bytes_in_flight or 0,
        "quoted": analysed.segment.is_quoted,
        "marks": mark_names(analysed.marks),
        "findings": [],
    }
