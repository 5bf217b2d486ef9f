"""
What the page asks for: an experiment, and its knobs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from netlab.errors import KnownError
from netlab.lab.api.experiment import Experiment
from netlab.lab.api.knobs import KNOBS, KnobError, Knobs, read_knobs
from netlab.lab.api.script import Rule, ScriptError, parse_rule
from netlab.lab.results.catalogue import load, names

ORDER_MAX_BYTES: Final = 8192

_RULES_MAX: Final = 20
_TEXT_MAX: Final = 100
_SEED_MAX: Final = 1_000_000_000


class OrderError(KnownError):
    """
    An order means nothing. The text says what to write, in one line.
    """


@dataclass(frozen=True, slots=True)
class RunOrder:
    """
    An order.

    @ivar experiment: as it comes with netlab.
    @ivar knobs: the changes.
    """

    experiment: Experiment
    knobs: Knobs


def read_order(data: bytes) -> RunOrder:
    """
    Read an order. Only what comes with netlab can be ordered, no file; and the wire can be changed,
    but no system setting.

    @param data: JSON: C{experiment}, its name; and, where they are wanted, C{knobs}, an object of
        texts, C{rules}, a list of texts, and C{seed}, a number.
    @raise OrderError: it means nothing.
    """
    try:
        order = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise OrderError("the order is no JSON") from error
    if not isinstance(order, dict):
        raise OrderError("the order is no JSON object")
    unknown = set(order) - {"experiment", "knobs", "rules", "seed"}
    if unknown:
        raise OrderError(f"the order says {min(unknown)[:_TEXT_MAX]!a}, which means nothing")
    name = order.get("experiment")
    if not isinstance(name, str) or name not in names():
        raise OrderError("there is no such experiment")
    return RunOrder(load(name), _knobs(order))


def _knobs(order: dict[str, Any]) -> Knobs:
    texts = order.get("knobs", {})
    known = {knob.name for knob in KNOBS}
    if not isinstance(texts, dict) or set(texts) - known:
        raise OrderError(f"knobs: there are {', '.join(sorted(known))}")
    for name, text in texts.items():
        if not isinstance(text, str) or len(text) > _TEXT_MAX:
            raise OrderError(f"{name}: write a short text")
    seed = order.get("seed")
    if seed is not None and (type(seed) is not int or not 0 <= seed <= _SEED_MAX):
        raise OrderError(f"seed: write a whole number from 0 to {_SEED_MAX:,}")
    try:
        return read_knobs(texts, _rules(order.get("rules")), seed, ())
    except KnobError as error:
        raise OrderError(str(error)) from error


def _rules(texts: object) -> list[Rule] | None:
    if texts is None:
        return None
    if not isinstance(texts, list) or len(texts) > _RULES_MAX:
        raise OrderError(f"rules: write at most {_RULES_MAX} of them")
    rules = []
    for text in texts:
        if not isinstance(text, str) or len(text) > _TEXT_MAX:
            raise OrderError("rules: write a short text for each")
        try:
            rules.append(parse_rule(text))
        except ScriptError as error:
            raise OrderError(f"rule: {error}") from error
    return rules
