"""
Tests for L{netlab.lab.live.order}.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.api.knobs import Knobs
from netlab.lab.api.script import parse_rule
from netlab.lab.live.order import OrderError, read_order
from netlab.lab.results.catalogue import load, names


def read(**order: Any) -> Any:
    """
    Read an order.
    """
    return read_order(json.dumps(order).encode())


class ReadOrderTests(SynchronousTestCase):
    """
    Orders, from anywhere.
    """

    def test_plain(self) -> None:
        """
        An experiment's name alone changes nothing about it.
        """
        order = read(experiment="echo")
        self.assertEqual((order.experiment, order.knobs), (load("echo"), Knobs()))
        self.assertFalse(order.knobs.has_changes)

    def test_knobs(self) -> None:
        """
        Knobs, rules and the seed are read as on the command line.
        """
        order = read(
            experiment="echo",
            knobs={"delay": "20ms/5ms", "loss": "1%"},
            rules=["drop server data 2"],
            seed=7,
        )
        self.assertEqual(order.knobs.client, {"delay": 0.02, "loss": 0.01})
        self.assertEqual(order.knobs.server, {"delay": 0.005, "loss": 0.01})
        self.assertEqual(order.knobs.rules, [parse_rule("drop server data 2")])
        self.assertEqual((order.knobs.seed, order.knobs.sysctls), (7, {}))
        self.assertEqual(read(experiment="echo", rules=[]).knobs.rules, [])

    def test_nonsense(self) -> None:
        """
        What means nothing is refused in one line that says what to write.
        """
        for order, words in (
            ({"experiment": "nothing"}, "no such experiment"),
            ({"experiment": "../../etc/passwd"}, "no such experiment"),
            ({"experiment": "./mine.py"}, "no such experiment"),
            ({"experiment": ["echo"]}, "no such experiment"),
            ({}, "no such experiment"),
            ({"experiment": "echo", "sysctls": ["net.ipv4.tcp_sack=0"]}, "sysctls"),
            ({"experiment": "echo", "knobs": {"delay": "soon"}}, "delay 'soon': not a duration"),
            ({"experiment": "echo", "knobs": {"delay": 5}}, "delay: write a short text"),
            ({"experiment": "echo", "knobs": {"delay": "1" * 101}}, "delay: write a short text"),
            ({"experiment": "echo", "knobs": {"speed": "1"}}, "knobs: there are"),
            ({"experiment": "echo", "knobs": ["delay"]}, "knobs: there are"),
            ({"experiment": "echo", "rules": ["lose it"]}, "rule: write a rule such as"),
            ({"experiment": "echo", "rules": "drop"}, "rules: write at most 20"),
            ({"experiment": "echo", "rules": ["drop client syn"] * 21}, "rules: write at most 20"),
            ({"experiment": "echo", "rules": [5]}, "rules: write a short text"),
            ({"experiment": "echo", "seed": "7"}, "seed: write a whole number"),
            ({"experiment": "echo", "seed": 1.5}, "seed: write a whole number"),
            ({"experiment": "echo", "seed": True}, "seed: write a whole number"),
            ({"experiment": "echo", "seed": -1}, "seed: write a whole number"),
        ):
            error = self.assertRaises(OrderError, read_order, json.dumps(order).encode())
            self.assertIn(words, str(error))
            self.assertNotIn("\n", str(error))

    def test_no_json(self) -> None:
        """
        What is no JSON, or too deep, is refused too.
        """
        for data in (b"", b"{", b"\xff", b"[" * 8000, b"null", b"1" * 8000, b'"echo"'):
            self.assertRaises(OrderError, read_order, data)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=9),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=5), inner, max_size=3)
            ),
        ),
        st.sampled_from(["knobs", "rules", "seed", "experiment"]),
    )
    def test_anything(self, value: Any, key: str) -> None:
        """
        Any JSON in any place is an order or is refused, nothing else.
        """
        try:
            order = read_order(json.dumps({"experiment": "echo", key: value}).encode())
        except OrderError:
            return
        self.assertIn(order.experiment.name, names())
