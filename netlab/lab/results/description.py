"""
An experiment in words.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence

from netlab.lab.api.experiment import Experiment
from netlab.lab.api.impairment import Impairment, WireSettings


def describe(experiment: Experiment) -> Iterator[tuple[str, Sequence[str]]]:
    """
    Describe an experiment.

    @return: titles, each with its paragraphs.
    """
    yield experiment.name, [experiment.question]
    yield "Programs", [experiment.programs]
    yield "Look for", [experiment.look_for]
    yield "Why", [experiment.explanation]
    yield "The wire", wire_lines(experiment.wire)
    settings = [
        f"{host}: {name} = {value}"
        for host, sysctls in (
            ("client", experiment.client_sysctls),
            ("server", experiment.server_sysctls),
        )
        for name, value in sysctls.items()
    ]
    if settings:
        yield "System settings", settings
    expectations = [
        f"{where}{expectation.sentence}"
        for where, group in (
            ("", experiment.expectations),
            ("at the client: ", experiment.client_expectations),
            ("at the server: ", experiment.server_expectations),
        )
        for expectation in group
    ]
    if expectations:
        yield "Expected", expectations
    yield "File", [inspect.getsourcefile(experiment.perform) or "unknown"]


def wire_lines(wire: WireSettings) -> list[str]:
    """
    Describe a wire, a line for each thing that it does.
    """
    lines = []
    if wire.client == wire.server:
        lines += [f"both directions: {text}" for text in impairment_texts(wire.client)]
    else:
        lines += [f"the client's frames: {text}" for text in impairment_texts(wire.client)]
        lines += [f"the server's frames: {text}" for text in impairment_texts(wire.server)]
    lines += [f"rule: {rule}" for rule in wire.rules]
    return lines or ["passes each frame at once and unchanged"]


def impairment_texts(impairment: Impairment) -> list[str]:
    """
    Describe what one direction does, a few words for each knob that is turned.
    """
    texts = []
    if impairment.delay:
        texts.append(f"{impairment.delay * 1000:g} ms delay")
    if impairment.jitter:
        texts.append(f"up to {impairment.jitter * 1000:g} ms jitter")
    if impairment.rate is not None:
        texts.append(f"{impairment.rate:g} bits per second, {impairment.queue} frames may wait")
    for share, what in (
        (impairment.loss, "lost"),
        (impairment.duplication, "duplicated"),
        (impairment.reordering, "reordered"),
        (impairment.corruption, "corrupted"),
    ):
        if share:
            texts.append(f"{share * 100:g} % {what}")
    return texts
