"""
No claim about any capture at hand is refuted by its frames, as C{tshark} reads them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netlab.errors import KnownError
from netlab.report import json as json_report
from netlab.report.reading import read_story
from tests.captures.reference import NAMES, exchange
from tests.oracle import reference
from tests.truth.checker import refuted
from tests.truth.claimed import claims_of
from tests.truth.frames import read_frames

_DATA = Path(__file__).parents[1] / "captures" / "data"
_CAPTURES = sorted(path for path in _DATA.rglob("*") if path.suffix in {".pcap", ".pcapng"})

needs_tshark = pytest.mark.skipif(reference.TSHARK is None, reason="tshark is not installed")


def check(path: Path) -> tuple[int, list[str]]:
    """
    Check the claims about a capture.

    @return: how many there are, and what is refuted.
    """
    try:
        story = read_story(str(path)).story
    except KnownError:
        return 0, []
    document = json.loads(json_report.render(story, path.name))
    found = refuted(document, read_frames(path))
    return sum(1 for _ in claims_of(document)), [str(each) for each in found]


@needs_tshark
@pytest.mark.slow
def test_captures() -> None:
    """
    Those of other tools' test suites, and the tiny ones with a kind of fault each.
    """
    count, refutations = 0, []
    for path in _CAPTURES:
        claims, found = check(path)
        count += claims
        refutations += [f"{path.relative_to(_DATA)}: {each}" for each in found]
    assert refutations == []
    assert count > 500


@needs_tshark
@pytest.mark.slow
def test_reference_exchanges(tmp_path: Path) -> None:
    """
    The five reference exchanges.
    """
    for name in NAMES:
        path = tmp_path / f"{name}.pcap"
        path.write_bytes(exchange(name).pcap())
        claims, found = check(path)
        assert found == []
        assert claims
