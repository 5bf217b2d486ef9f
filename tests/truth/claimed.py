"""
The claims of a JSON report, as a program reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Claimed:
    """
    A claim as the JSON report has it.

    @ivar kind: what is claimed.
    @ivar frames: the frames that it rests on.
    @ivar known: how it is known.
    @ivar figures: its values.
    @ivar rule: the standard's rule.
    @ivar causes: the causes that are possible.
    @ivar who: whom it is about.
    @ivar sentence: the same in words.
    @ivar stream: of its conversation; None where it is about the whole capture.
    @ivar client: address and port of the conversation's client.
    """

    kind: str
    frames: tuple[int, ...]
    known: str
    figures: Mapping[str, Any]
    rule: str
    causes: tuple[str, ...]
    who: str
    sentence: str
    stream: int | None
    client: tuple[str, str] | None

    @property
    def topic(self) -> str:
        """What it is about."""
        return self.kind.partition(".")[0]


def claims_of(document: Mapping[str, Any]) -> Iterator[Claimed]:
    """
    Read the claims of a JSON report.
    """
    for each in document["claims"]:
        yield _claimed(each, None, None)
    for conversation in document["conversations"]:
        client = conversation["client"]
        ends = (client["address"], str(client["port"]))
        for each in conversation["claims"]:
            yield _claimed(each, conversation["stream"], ends)


def _claimed(
    each: Mapping[str, Any], stream: int | None, client: tuple[str, str] | None
) -> Claimed:
    return Claimed(
        each["kind"],
        tuple(each["frames"]),
        each["known"],
        each["figures"],
        each["rule"],
        tuple(each["causes"]),
        each["who"],
        each["sentence"],
        stream,
        client,
    )
