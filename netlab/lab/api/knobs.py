"""
The knobs that a user turns on an experiment, as values and as text.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from netlab.lab.api.experiment import Experiment
from netlab.lab.api.impairment import WireSettings
from netlab.lab.api.script import Rule

#: No experiment waits so long for a frame.
DELAY_MAX_SECONDS: Final = 10.0
RATE_MIN_BITS: Final = 1000.0
QUEUE_MAX_FRAMES: Final = 10_000

_DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|us)")
_SHARE: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?)(%?)")
_RATE: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([kMG]?)(?:bit)?")
_COUNT: Final = re.compile(r"[0-9]{1,9}")

_UNITS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
_MULTIPLES: Final = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}


class KnobError(ValueError):
    """
    A knob's text means nothing. Its own text says what to write.
    """


def _duration(text: str) -> float:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise KnobError("not a duration; write one such as 20ms or 0.5s")
    seconds = float(match[1]) * _UNITS[match[2]]
    if seconds > DELAY_MAX_SECONDS:
        raise KnobError(f"too long; the most is {DELAY_MAX_SECONDS:g}s")
    return seconds


def _share(text: str) -> float:
    match = _SHARE.fullmatch(text)
    if match is None:
        raise KnobError("not a share; write one such as 1% or 0.01")
    share = float(match[1]) / (100 if match[2] else 1)
    if share > 1:
        raise KnobError("too much; the most is 100%")
    return share


def _rate(text: str) -> float:
    match = _RATE.fullmatch(text)
    if match is None:
        raise KnobError("not a rate; write bits per second such as 56k or 10M")
    rate = float(match[1]) * _MULTIPLES[match[2]]
    if rate < RATE_MIN_BITS:
        raise KnobError(f"too little; the least is {RATE_MIN_BITS:g} bits per second")
    return rate


def _queue(text: str) -> int:
    if _COUNT.fullmatch(text) is None or not 1 <= int(text) <= QUEUE_MAX_FRAMES:
        raise KnobError(f"not a number of frames; write one from 1 to {QUEUE_MAX_FRAMES}")
    return int(text)


@dataclass(frozen=True, slots=True)
class Knob:
    """
    One knob of a direction.

    @ivar name: of the option, without dashes.
    @ivar field: of L{netlab.lab.api.impairment.Impairment}.
    @ivar read: reads its text; raises L{KnobError}.
    @ivar example: a text.
    @ivar help: what it does.
    """

    name: str
    field: str
    read: Callable[[str], Any]
    example: str
    help: str


KNOBS: Final = (
    Knob("delay", "delay", _duration, "20ms", "how long each frame takes, one way"),
    Knob("jitter", "jitter", _duration, "5ms", "how much longer a frame may take by chance"),
    Knob("rate", "rate", _rate, "10M", "bits per second"),
    Knob("queue", "queue", _queue, "20", "frames that may wait for their turn at that rate"),
    Knob("loss", "loss", _share, "1%", "how many frames are lost"),
    Knob("duplicate", "duplication", _share, "1%", "how many frames arrive twice"),
    Knob("reorder", "reordering", _share, "1%", "how many frames are held back and overtaken"),
    Knob("corrupt", "corruption", _share, "1%", "how many frames get a wrong bit"),
)


def read_knob(knob: Knob, text: str) -> tuple[Any, Any]:
    """
    Read a knob's text: one value for both directions, or two with a slash between them.

    @return: the value for the client's frames, and that for the server's.
    @raise KnobError: it means nothing.
    """
    up, slash, down = text.partition("/")
    value = knob.read(up)
    return value, knob.read(down) if slash else value


@dataclass(frozen=True, slots=True)
class Knobs:
    """
    What a user changes about an experiment; by itself nothing.

    @ivar client: for the client's frames, fields of L{netlab.lab.api.impairment.Impairment} by
        name.
    @ivar server: the same for the server's frames.
    @ivar rules: replace the experiment's script; C{None} leaves it.
    @ivar seed: of all chance; C{None} leaves the experiment's.
    @ivar sysctls: system settings of both hosts by name, added to the experiment's.
    """

    client: Mapping[str, Any] = field(default_factory=dict)
    server: Mapping[str, Any] = field(default_factory=dict)
    rules: Sequence[Rule] | None = None
    seed: int | None = None
    sysctls: Mapping[str, str] = field(default_factory=dict)

    def apply(self, experiment: Experiment) -> Experiment:
        """
        Make the experiment with these changes.
        """
        wire = experiment.wire
        return dataclasses.replace(
            experiment,
            wire=WireSettings(
                dataclasses.replace(wire.client, **self.client),
                dataclasses.replace(wire.server, **self.server),
                wire.rules if self.rules is None else self.rules,
                wire.seed if self.seed is None else self.seed,
            ),
            client_sysctls={**experiment.client_sysctls, **self.sysctls},
            server_sysctls={**experiment.server_sysctls, **self.sysctls},
        )

    @property
    def has_changes(self) -> bool:
        """
        Whether anything but the seed is changed.
        """
        return dataclasses.replace(self, seed=None) != Knobs()


def read_knobs(
    texts: Mapping[str, str], rules: Sequence[Rule] | None, seed: int | None, sysctls: Sequence[str]
) -> Knobs:
    """
    Read knobs from texts.

    @param texts: by the names of L{KNOBS}.
    @param rules: a script to replace the experiment's.
    @param seed: of all chance.
    @param sysctls: each as C{name=value}.
    @raise KnobError: a text means nothing; what the error says begins with the knob's name.
    """
    client: dict[str, Any] = {}
    server: dict[str, Any] = {}
    by_name = {knob.name: knob for knob in KNOBS}
    for name, text in texts.items():
        if name not in by_name:
            raise KnobError(f"{name}: no such knob; there are {', '.join(by_name)}")
        knob = by_name[name]
        try:
            client[knob.field], server[knob.field] = read_knob(knob, text)
        except KnobError as error:
            raise KnobError(f"{name} {text!a}: {error}") from error
    settings: dict[str, str] = {}
    for text in sysctls:
        name, equals, value = text.partition("=")
        if not equals or re.fullmatch(r"net\.[a-z0-9_.]{1,80}", name) is None or "\n" in value:
            raise KnobError(f"sysctl {text!a}: write one such as net.ipv4.tcp_sack=0")
        settings[name] = value
    return Knobs(client, server, rules, seed, settings)
