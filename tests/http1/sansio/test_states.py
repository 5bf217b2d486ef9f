"""
L{netlab.http1.sansio.states}: the tables, and the diagram drawn from them.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.states import (
    REQUEST_TRANSITIONS,
    RESPONSE_TRANSITIONS,
    RequestState,
    ResponseState,
    Step,
)

DOCS = Path(__file__).parents[3] / "docs"


def draw_states() -> ModuleType:
    """
    Load the script that draws the diagrams.
    """
    spec = importlib.util.spec_from_file_location("draw_states", DOCS / "draw_states.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TableTests(SynchronousTestCase):
    """
    What must hold of the transitions whoever follows them.
    """

    def test_each_state_can_be_closed(self) -> None:
        """
        We may end a connection in whatever state, and twice.
        """
        for request in RequestState:
            self.assertIs(REQUEST_TRANSITIONS[request, Step.CLOSE], RequestState.CLOSED)
        for response in ResponseState:
            self.assertIs(RESPONSE_TRANSITIONS[response, Step.CLOSE], ResponseState.CLOSED)

    def test_nothing_leads_out_of_closed(self) -> None:
        """
        Nor does anything but close lead out of a fault.
        """
        for (request, step), after in REQUEST_TRANSITIONS.items():
            if request in (RequestState.CLOSED, RequestState.FAILED):
                self.assertEqual((step, after), (Step.CLOSE, RequestState.CLOSED))
        for (response, _step), later in RESPONSE_TRANSITIONS.items():
            if response is ResponseState.CLOSED:
                self.assertIs(later, ResponseState.CLOSED)

    def test_a_fault_leads_to_failed_alone(self) -> None:
        """
        From each state in which the peer may be at fault, and from nowhere else.
        """
        faults = {state for (state, step) in REQUEST_TRANSITIONS if step is Step.FAULT}
        self.assertEqual(faults, {RequestState.IDLE, RequestState.CONTENT})
        for (_state, step), after in REQUEST_TRANSITIONS.items():
            self.assertEqual(step is Step.FAULT, after is RequestState.FAILED)

    def test_one_final_head_for_each_exchange(self) -> None:
        """
        Only where an answer is due, and then none is due until the next exchange.
        """
        heads = {
            s: t for (s, step), t in RESPONSE_TRANSITIONS.items() if step is Step.RESPONSE_HEAD
        }
        self.assertEqual(heads, {ResponseState.DUE: ResponseState.CONTENT})
        to_due = {s for (s, _), t in RESPONSE_TRANSITIONS.items() if t is ResponseState.DUE}
        self.assertEqual(to_due, {ResponseState.IDLE, ResponseState.DUE})

    def test_the_next_exchange_begins_when_both_are_done(self) -> None:
        """
        Only from done to idle, on either side.
        """
        nexts = {s: t for (s, step), t in REQUEST_TRANSITIONS.items() if step is Step.NEXT}
        self.assertEqual(nexts, {RequestState.DONE: RequestState.IDLE})
        later = {s: t for (s, step), t in RESPONSE_TRANSITIONS.items() if step is Step.NEXT}
        self.assertEqual(later, {ResponseState.DONE: ResponseState.IDLE})

    def test_every_state_can_be_reached(self) -> None:
        """
        From idle.
        """
        self.assertEqual(set(REQUEST_TRANSITIONS.values()), set(RequestState))
        self.assertEqual(set(RESPONSE_TRANSITIONS.values()), set(ResponseState))

    def test_every_step_moves_something(self) -> None:
        """
        No step is defined in vain.
        """
        steps = {step for _, step in (*REQUEST_TRANSITIONS, *RESPONSE_TRANSITIONS)}
        self.assertEqual(steps, set(Step))


class DiagramTests(SynchronousTestCase):
    """
    docs/states.md.
    """

    def test_is_what_the_tables_say(self) -> None:
        """
        The document is what C{python docs/draw_states.py} prints.
        """
        self.assertEqual((DOCS / "states.md").read_text("utf-8"), draw_states().document())

    def test_each_transition_is_drawn(self) -> None:
        """
        All states and all steps of both tables stand in the document.
        """
        text = draw_states().document()
        for table in (REQUEST_TRANSITIONS, RESPONSE_TRANSITIONS):
            for (before, step), after in table.items():
                self.assertRegex(text, rf"(?m)^ *{before.name} --> {after.name}: .*{step.value}")
