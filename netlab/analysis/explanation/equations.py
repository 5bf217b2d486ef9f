"""
What a claim's durations are made of: equations whose terms are the times of frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netlab.analysis.claims.claim import Claim
from netlab.analysis.explanation.findings import Finding, Verdict
from netlab.analysis.observations.history import Sent
from netlab.analysis.words.units import duration


def equations_of(claim: Claim, sent: Mapping[int, Sent], start_ns: int) -> Iterator[Finding]:
    """
    Write the equations behind a claim.

    @param claim: Made from segments that are all here.
    @param sent: The segments by frame.
    @param start_ns: The capture's first time, which the times are relative to.
    """
    match claim.kind:
        case "opening.handshake" if "total_ns" in claim.figures and len(claim.frames) == 3:
            first, second, third = claim.frames
            yield Finding(
                "handshake",
                claim.frames,
                f"{_figure(claim, 'far_ns')} (#{first} to #{second}) + "
                f"{_figure(claim, 'near_ns')} (#{second} to #{third}) = "
                f"{_figure(claim, 'total_ns')}",
                Verdict.NOTED,
                "From the SYN to its answer, and from there to the ACK, as seen from here.",
            )
        case "closes.idle" | "closes.announced-timeout" | "closes.after-unanswered-bytes":
            yield _difference(
                claim,
                sent,
                start_ns,
                "idle-before-close",
                "From the last data, or the handshake, to the FIN.",
            )
        case "closes.second" if "after_ns" in claim.figures:
            yield _difference(
                claim, sent, start_ns, "half-close", "From the first FIN to the second."
            )
        case "http.exchange":
            head, body = claim.figures["head_bytes"], claim.figures["body_bytes"]
            answer = claim.figures["answer_first"]
            yield Finding(
                "message-length",
                tuple(
                    frame for frame in claim.frames if isinstance(answer, int) and frame >= answer
                ),
                f"{claim.figures['answer_bytes']} = {head} (head) + {body} (body)",
                Verdict.NOTED,
                "The answer's bytes in the stream; TCP does not know where it ends, HTTP does.",
            )
        case "http.ends-with-the-stream":
            status, answer = claim.figures["status"], claim.figures["answer_first"]
            yield Finding(
                "ends-at-end-of-stream",
                claim.frames,
                f"status {status} in #{answer}, end of the answer in #{claim.frames[-1]}",
                Verdict.NOTED,
                "Without Content-Length or chunks only the stream's end says that no more follows.",
            )
        case "closes.simultaneous":
            fins = [frame for frame in claim.frames if sent[frame].has_fin][:2]
            here, there = fins
            yield Finding(
                "simultaneous-close",
                tuple(fins),
                f"ack of #{here} {sent[here].ack_raw} and ack of #{there} {sent[there].ack_raw}: "
                "neither is beyond the other's FIN",
                Verdict.NOTED,
                "Neither FIN acknowledges the other, so each left before the other had arrived.",
            )


def _difference(
    claim: Claim, sent: Mapping[int, Sent], start_ns: int, rule: str, sentence: str
) -> Finding:
    earlier, later = (sent[frame] for frame in claim.frames)
    return Finding(
        rule,
        claim.frames,
        f"{_at(later, start_ns)} − {_at(earlier, start_ns)} = "
        f"{_seconds(later.time_ns - earlier.time_ns)}",
        Verdict.NOTED,
        sentence,
    )


def _at(sent: Sent, start_ns: int) -> str:
    return f"{_seconds(sent.time_ns - start_ns)} (#{sent.number})"


def _seconds(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e9:.6f} s"


def _figure(claim: Claim, name: str) -> str:
    value = claim.figures[name]
    assert isinstance(value, int)
    return duration(value)
