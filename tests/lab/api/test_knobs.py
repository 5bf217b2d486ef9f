"""
Knobs as text and as values.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.commands.lab import KNOBS as COMMAND_KNOBS
from netlab.lab.api.experiment import Experiment, Laboratory
from netlab.lab.api.impairment import Impairment, WireSettings
from netlab.lab.api.knobs import KNOBS, KnobError, Knobs, read_knobs
from netlab.lab.api.script import parse_rule


async def nothing(lab: Laboratory) -> None:
    """
    Do nothing.
    """


RULE = parse_rule("drop client data")
EXPERIMENT = Experiment(
    name="nothing",
    question="?",
    programs="",
    look_for="",
    explanation="",
    perform=nothing,
    wire=WireSettings(Impairment(delay=0.25, loss=0.5), Impairment(delay=0.25), [RULE], seed=4),
    client_sysctls={"net.ipv4.tcp_sack": "1"},
)


class ReadKnobsTests(SynchronousTestCase):
    """
    The texts.
    """

    def test_units(self) -> None:
        """
        Durations have a unit, shares may be percentages, rates may be in multiples of 1000.
        """
        knobs = read_knobs(
            {"delay": "20ms", "jitter": "0.5s", "rate": "1.5M", "queue": "20", "loss": "1%"},
            None,
            None,
            [],
        )
        self.assertEqual(
            knobs.client,
            {"delay": 0.02, "jitter": 0.5, "rate": 1.5e6, "queue": 20, "loss": 0.01},
        )
        self.assertEqual(knobs.server, knobs.client)

    def test_two_directions(self) -> None:
        """
        A slash stands between the value for the client's frames and that for the server's.
        """
        knobs = read_knobs({"loss": "0.5/0", "reorder": "0/100%"}, None, None, [])
        self.assertEqual(knobs.client, {"loss": 0.5, "reordering": 0.0})
        self.assertEqual(knobs.server, {"loss": 0.0, "reordering": 1.0})

    def test_nonsense(self) -> None:
        """
        What means nothing is refused with the knob's name and what to write.
        """
        for texts, words in (
            ({"delay": "20"}, "delay '20': not a duration"),
            ({"delay": "11s"}, "too long"),
            ({"delay": "1ms/"}, "not a duration"),
            ({"delay": "-1ms"}, "not a duration"),
            ({"loss": "101%"}, "too much"),
            ({"loss": "nan"}, "not a share"),
            ({"rate": "0"}, "too little"),
            ({"rate": "10mbps"}, "not a rate"),
            ({"queue": "0"}, "not a number of frames"),
            ({"colour": "red"}, "colour: no such knob"),
        ):
            error = self.assertRaises(KnobError, read_knobs, texts, None, None, [])
            self.assertIn(words, str(error))

    def test_sysctls(self) -> None:
        """
        Only settings of the network can be changed, each with a value.
        """
        knobs = read_knobs({}, None, None, ["net.ipv4.tcp_sack=0"])
        self.assertEqual(knobs.sysctls, {"net.ipv4.tcp_sack": "0"})
        for text in ("net.ipv4.tcp_sack", "kernel.panic=1", "net.ipv4/../x=1", "net.a=1\n2"):
            self.assertRaises(KnobError, read_knobs, {}, None, None, [text])

    def test_command_knows_them(self) -> None:
        """
        The command's help lists the same knobs with the same words.
        """
        self.assertEqual(COMMAND_KNOBS, {knob.name: (knob.example, knob.help) for knob in KNOBS})

    def test_examples(self) -> None:
        """
        Every knob's example can be read.
        """
        for knob in KNOBS:
            knob.read(knob.example)


class ApplyTests(SynchronousTestCase):
    """
    Knobs on an experiment.
    """

    def test_nothing_changed(self) -> None:
        """
        Knobs that were not turned leave the experiment as it is.
        """
        self.assertEqual(Knobs().apply(EXPERIMENT), EXPERIMENT)
        self.assertFalse(Knobs(seed=7).has_changes)

    def test_changes(self) -> None:
        """
        A knob changes its own field alone; rules are replaced, system settings added.
        """
        knobs = Knobs({"delay": 1.0}, {}, [], 9, {"net.ipv4.tcp_ecn": "1"})
        changed = knobs.apply(EXPERIMENT)
        self.assertTrue(knobs.has_changes)
        self.assertEqual(
            changed.wire,
            WireSettings(Impairment(delay=1.0, loss=0.5), Impairment(delay=0.25), [], 9),
        )
        self.assertEqual(
            changed.client_sysctls, {"net.ipv4.tcp_sack": "1", "net.ipv4.tcp_ecn": "1"}
        )
        self.assertEqual(changed.server_sysctls, {"net.ipv4.tcp_ecn": "1"})
