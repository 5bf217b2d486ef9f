"""
Judges what a server did with a case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tests.blackbox.answers import Answer, BadAnswer, read_answers
from tests.blackbox.case import ETAG, MODIFIED, PROBE, After, Case

_FIELDS_OF_ALL: Final = frozenset(
    (b"connection", b"content-range", b"location", b"transfer-encoding")
)
"""What other servers are judged by, too; what else they say of a file is their own affair."""


@dataclass(frozen=True, slots=True)
class Happened:
    """
    What came back on a connection.

    @ivar received: all bytes.
    @ivar is_ended: whether the server closed.
    @ivar is_reset: whether it did so by a reset.
    """

    received: bytes
    is_ended: bool
    is_reset: bool = False


@dataclass(frozen=True, slots=True)
class Names:
    """
    What a server calls the state of /text.txt.
    """

    etag: bytes
    modified: bytes


def bytes_of(case: Case, names: Names) -> bytes:
    """
    Give the bytes that a client sends at first.
    """
    sends = case.sends.replace(ETAG, names.etag).replace(MODIFIED, names.modified)
    return sends if case.after in (After.SILENT, After.SHUT) else sends + PROBE


def judge(case: Case, happened: Happened, *, is_ours: bool) -> list[str]:
    """
    Say what is wrong.

    @param is_ours: our own choice among what the rules allow must be met, too.
    @return: nothing where all is right.
    """
    # The probe is a GET, and so is all that follows a case's first request, but for one case.
    methods = [case.method, *([b"HEAD"] if b"HEAD" in case.sends[10:] and case.then else [])]
    try:
        answers, interim = read_answers(happened.received, methods, is_ended=happened.is_ended)
    except BadAnswer as error:
        return [str(error)]
    if not answers:
        return ["no answer" + (" but a reset" if happened.is_reset else "")]
    problems = [fault for answer in answers for fault in answer.faults] if is_ours else []
    if b"date" in case.fields:
        problems = [problem for problem in problems if not problem.startswith("no Date")]
    problems += _judge_first(case, answers[0], is_ours=is_ours)
    expected = len(case.then) + 1
    if happened.is_reset and is_ours:
        problems.append("a reset")
    if not happened.is_ended:
        problems.append("the connection is left open")
    if case.after in (After.PERSISTS, After.EITHER) and len(answers) == expected + 1:
        last = answers.pop()
        # Behind a password the probe, which has none, is answered with 401.
        is_probed = last.content == b"probe\n" or b"www-authenticate" in last.fields
        if last.status not in (200, 401) or not is_probed:
            problems.append(
                f"the request behind is answered with {last.status} {last.content[:20]!r}"
            )
    elif case.after is After.PERSISTS:
        problems.append("the request behind is not answered")
    if case.after_100 and interim and len(answers) == expected + 1:
        answers.pop()  # who has asked for the content may answer what comes behind it
    if len(answers) != expected:
        problems.append(f"{len(answers)} answers, not {expected}: {[a.status for a in answers]}")
    elif tuple(answer.status for answer in answers[1:]) != case.then:
        problems.append(f"then {[answer.status for answer in answers[1:]]}")
    if is_ours and case.after in (After.CLOSES, After.SILENT) and not answers[-1].says_close:
        problems.append("the last answer does not say close (RFC 9112 section 9.6)")
    return problems


def _judge_first(case: Case, answer: Answer, *, is_ours: bool) -> list[str]:
    statuses = case.statuses[:1] if is_ours else case.statuses
    if answer.status not in statuses:
        return [f"status {answer.status}, not {' or '.join(map(str, statuses))}"]
    problems = []
    if answer.status == case.statuses[0]:
        for name, pattern in case.fields.items():
            if not is_ours and name not in _FIELDS_OF_ALL:
                continue
            value = answer.fields.get(name)
            if (value is None) != (pattern is None) or (
                value is not None and pattern is not None and re.fullmatch(pattern, value) is None
            ):
                problems.append(f"{name.decode()}: {value!r}, not {pattern!r}")
        if case.content is not None and answer.content != case.content:
            problems.append(f"content {answer.content[:40]!r}, not {case.content[:40]!r}")
    if b"nobody may read this" in answer.content or b"root:" in answer.content:
        problems.append("a file outside of the root is shown")
    return problems
