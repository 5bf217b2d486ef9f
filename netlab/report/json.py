"""
A story as JSON, for programs. docs/json.md describes it; L{VERSION} says which description.

The document is written frame by frame and line by line.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.claims.ranking import NO_FAULT
from netlab.analysis.explanation.findings import Finding
from netlab.analysis.explanation.framestories import flag_names, mark_names
from netlab.analysis.explanation.privacy import Discretion
from netlab.analysis.explanation.story import (
    Answer,
    CalmLine,
    CaptureStory,
    ConversationLine,
    ConversationStory,
    Endpoint,
    FrameStory,
    Passage,
)
from netlab.analysis.observations.sketches import Fate
from netlab.analysis.tcp.figures import FigureStore
from netlab.analysis.tcp.frames import Analysed
from netlab.analysis.words.sentences import sentence
from netlab.report.series import DirectionSeries, Sample, SentBytes, series_of

_LINES_AT_ONCE: Final = 64

_ENDS_MAX: Final = 10_000
"""For how many ends at once their members are kept as text."""

VERSION: Final = 2
"""Raised when a member changes its meaning or goes; new members do not raise it."""


def pieces(
    story: CaptureStory,
    name: str,
    figures: FigureStore | None = None,
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
        "answers": [_answer(answer) for answer in story.answers],
        "claims": [_claim(claim) for claim in story.claims],
        "passages": [_passage(passage) for passage in story.passages],
        "overview": [_line(line) for line in story.lines],
        "without_fault": [_calm(line) for line in story.calm],
        "conversations": [_conversation(each) for each in story.conversations],
    }
    yield _dump(head)[:-1]
    yield ',\n"frames":[\n'
    frames = sorted(
        (frame for each in story.conversations for frame in each.frames),
        key=lambda frame: frame.number,
    )
    told = ((frame.number, _dump(_frame(frame))) for frame in frames)
    rest: Iterator[tuple[int, str]] = iter(())
    if figures is not None:
        known = {frame.number for frame in frames}
        write = _Writer(discretion or Discretion()).write
        rest = (
            (analysed[0][0][0], write(analysed)) for analysed in figures.analysed(without=known)
        )
    lines = (text for _, text in heapq.merge(told, rest, key=itemgetter(0)))
    comma = ""
    while some := list(islice(lines, _LINES_AT_ONCE)):
        yield comma + ",\n".join(some)
        comma = ",\n"
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


def _claim(claim: Claim) -> dict[str, Any]:
    return {
        "kind": claim.kind,
        "frames": claim.frames,
        "known": claim.known.value,
        "figures": dict(claim.figures),
        "rule": claim.rule,
        "causes": claim.causes,
        "who": claim.who,
        "sentence": sentence(claim),
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "question": answer.question.value,
        "frames": answer.frames,
        "streams": answer.streams,
        "kinds": answer.kinds,
        "sentence": answer.sentence,
    }


def _passage(passage: Passage) -> dict[str, Any]:
    return {
        "kind": passage.kind.value,
        "frames": passage.frames,
        "start_ns": passage.start_ns,
        "end_ns": passage.end_ns,
        "sentence": passage.sentence,
        "findings": [_finding(finding) for finding in passage.findings],
        "claims": [claim.kind for claim in passage.claims],
    }


def _line(line: ConversationLine) -> dict[str, Any]:
    outline = line.outline
    return {
        "stream": outline.stream,
        "client": _endpoint(line.client),
        "server": _endpoint(line.server),
        "start_ns": outline.start_ns,
        "end_ns": outline.end_ns,
        "frame_count": outline.frame_count,
        "client_bytes": outline.client_bytes,
        "server_bytes": outline.server_bytes,
        "completeness": outline.completeness,
        "fault": "" if outline.fate is Fate.CALM else outline.fate.value,
        "retransmissions": outline.repeats,
        "gaps": outline.gaps,
        "lost_ns": outline.lost_ns,
        "rank": 0 if line.rank == NO_FAULT else line.rank,
    }


def _calm(line: CalmLine) -> dict[str, Any]:
    return {
        "server": None if line.server is None else _endpoint(line.server),
        "conversations": line.group.conversations,
        "frame_count": line.group.frame_count,
        "bytes": line.group.byte_count,
    }


def _endpoint(end: Endpoint) -> dict[str, Any]:
    return {"address": end.address, "port": end.port}


def _conversation(conversation: ConversationStory) -> dict[str, Any]:
    return {
        "stream": conversation.stream,
        "client": _endpoint(conversation.client),
        "server": _endpoint(conversation.server),
        "start_ns": conversation.start_ns,
        "end_ns": conversation.end_ns,
        "title": conversation.title,
        "completeness": conversation.completeness,
        "frame_count": conversation.frame_count,
        "frames_told": len(conversation.frames),
        "claims": [_claim(claim) for claim in conversation.claims],
        "passages": [_passage(passage) for passage in conversation.passages],
        "series": [_series(each, conversation.start_ns) for each in series_of(conversation)]
        if conversation.frames
        else [],
    }


def _series(series: DirectionSeries, start_ns: int) -> dict[str, Any]:
    def samples(some: Sequence[Sample]) -> list[tuple[int, int]]:
        return [(time_ns - start_ns, value) for time_ns, value in some]

    return {
        "from": "client" if series.from_client else "server",
        "sent": [
            (each.number, each.time_ns - start_ns, each.start, each.end, *_signs(each))
            for each in series.sent
        ],
        "acknowledged": samples(series.acknowledged),
        "edge": samples(series.edge),
        "sacks": [(each.time_ns - start_ns, each.start, each.end) for each in series.sacks],
        "in_flight": samples(series.in_flight),
        "window": samples(series.window),
        "cwnd": samples(series.cwnd),
        "ssthresh": samples(series.ssthresh),
        "rtt_ns": samples(series.rtt),
        "rate": [
            (each.start_ns - start_ns, each.end_ns - start_ns, each.value) for each in series.rate
        ],
    }


def _signs(sent: SentBytes) -> Iterator[str]:
    if sent.is_again:
        yield "again"
    if sent.was_repeated:
        yield "repeated"


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
        "claims": [claim.kind for claim in frame.claims],
        "rtt_ns": frame.rtt_ns,
        "sacks": frame.sacks,
        "sender": None if frame.sender is None else frame.sender._asdict(),
        "payload": frame.payload.hex(),
    }


class _Writer:
    """
    Writes the frames that are not told: what Wireshark shows of each, and no finding. There may be
    millions, so what they have in common is encoded once.
    """

    def __init__(self, discretion: Discretion) -> None:
        self._discretion = discretion
        self._ends: dict[tuple[int, int], str] = {}
        self._flags: dict[int, str] = {}
        self._marks: dict[int, str] = {}

    def write(self, analysed: Analysed) -> str:
        segment, conversation, flow, *_ = analysed
        (
            number,
            time_ns,
            stream,
            _,
            _,
            _,
            _,
            flags,
            seq_raw,
            ack_raw,
            seq,
            ack,
            length,
            nxtseq,
            window_size_value,
            window_size,
            completeness,
            marks,
        ) = analysed.figures()
        ends = self._ends.get((stream, flow.index))
        if ends is None:
            if len(self._ends) >= _ENDS_MAX:
                self._ends.clear()
            ends = self._ends[stream, flow.index] = _members(
                {
                    "stream": stream,
                    "src": self._discretion.address(flow.raw_address),
                    "dst": self._discretion.address(flow.peer.raw_address),
                    "srcport": flow.port,
                    "dstport": flow.peer.port,
                    "from_client": flow is conversation.client,
                }
            )
        flag_text = self._flags.get(flags)
        if flag_text is None:
            flag_text = self._flags[flags] = _members({"flags": flag_names(flags)})
        mark_text = self._marks.get(marks)
        if mark_text is None:
            mark_text = self._marks[marks] = _members({"marks": mark_names(marks)})
        return (
            f'{{"number":{number},"time_ns":{time_ns},{ends},{flag_text},"seq_raw":{seq_raw},'
            f'"ack_raw":{ack_raw},"seq":{seq},"ack":{ack},"len":{length},"nxtseq":{nxtseq},'
            f'"window_size_value":{window_size_value},"window_size":{window_size},'
            f'"completeness":{completeness},"frame_len":{segment[0].length},'
            f'"bytes_in_flight":{analysed[4] or 0},'
            f'"quoted":{"true" if segment[16] else "false"},{mark_text},"findings":[]}}'
        )


def _members(members: dict[str, Any]) -> str:
    return _dump(members)[1:-1]
