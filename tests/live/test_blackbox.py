"""
The cases of tests/blackbox against a running server, over real sockets.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.threads import deferToThread

from tests.blackbox.case import Group
from tests.blackbox.client import run
from tests.blackbox.options import OPTIONAL
from tests.blackbox.tables import STANDARD
from tests.blackbox.tree import make_tree
from tests.live.conftest import StartServer

_PATIENCE_SECONDS = 30.0


@pytest.mark.parametrize(
    "groups", [STANDARD, *[(group,) for group in OPTIONAL]], ids=lambda groups: groups[0].name
)
async def test_cases(twistd: StartServer, tmp_path: Path, groups: tuple[Group, ...]) -> None:
    """
    Each case comes out as the standard wants, and where it leaves a choice, as we chose.
    """
    root = make_tree(tmp_path)
    options = [option.replace("{folder}", str(tmp_path)) for option in groups[0].options]
    # A busy machine may take its time with bytes that the client has sent already.
    patient = ["--idle-timeout", "20", "--linger-timeout", "20"]
    server = await twistd("netlab-http", "--root", str(root), *patient, *options)
    # The second time heads and answers are remembered.
    cases = [case for group in groups for case in group.cases] * 2
    results = await deferToThread(
        run, server.address, cases, is_ours=True, patience=_PATIENCE_SECONDS
    )
    wrong = {f"{case.name} (RFC {case.rule})": problems for case, problems in results if problems}
    assert wrong == {}
