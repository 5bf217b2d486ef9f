"""
Print docs/states.md, with its diagrams, from the tables in netlab/http1/sansio/states.py::

    python docs/draw_states.py > docs/states.md

The diagrams are Mermaid, which code hosts draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, TypeVar

from netlab.http1.sansio.states import (
    REQUEST_TRANSITIONS,
    RESPONSE_TRANSITIONS,
    RequestState,
    ResponseState,
    Step,
)

_S = TypeVar("_S", bound=Enum)

_TEXT: Final = """\
# The states of an exchange

This file is printed by `docs/draw_states.py` from the tables in `netlab/http1/sansio/states.py`; a
test fails when the two differ.

A connection has two sides: one sends requests, the other sends responses. The server's machine and
the client's machine each keep the state of both sides, and both move them by these two tables.

- A step is taken on both sides at once where it concerns both: a request head makes an answer due,
  a fault or a close ends the requests, and the next exchange begins only when both are done.
- "fault of the peer" is a fault in the request. After it nothing more is parsed, ever; one answer
  is owed all the same, unless it has been begun or sent already.
- What is not drawn cannot happen: a machine that is asked for it raises `LocalProtocolError`, and
  nothing has changed.

## The side that sends requests

{request}
## The side that sends responses

{response}"""


def document() -> str:
    """
    Write the whole document.
    """
    return _TEXT.format(
        request=diagram(RequestState, REQUEST_TRANSITIONS, RequestState.IDLE),
        response=diagram(ResponseState, RESPONSE_TRANSITIONS, ResponseState.IDLE),
    )


def diagram(states: type[_S], transitions: Mapping[tuple[_S, Step], _S], initial: _S) -> str:
    """
    Draw one side: an arrow for each pair of states, labelled with the steps that lead along it.
    """
    arrows: dict[tuple[_S, _S], list[str]] = {}
    for (before, step), after in transitions.items():
        arrows.setdefault((before, after), []).append(step.value)
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    {state.name}: {state.name}<br>{state.value}" for state in states]
    lines += [f"    [*] --> {initial.name}"]
    lines += [
        f"    {before.name} --> {after.name}: {', '.join(steps)}"
        for (before, after), steps in arrows.items()
    ]
    lines += [f"    {states['CLOSED'].name} --> [*]", "```", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    print(document(), end="")
