"""
What holds for every test under pytest.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from _pytest.unittest import TestCaseFunction


@pytest.fixture(scope="session", autouse=True)
def scratch_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """
    Run the tests in a directory of their own, as trial does: C{mktemp()} of Twisted's test cases
    makes its files in the current one, which would be the source tree.
    """
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("scratch"))
    yield
    os.chdir(before)


def pytest_addoption(parser: pytest.Parser) -> None:
    """
    Let C{make test} say that trial has run its part already.
    """
    parser.addoption(
        "--without-cases",
        action="store_true",
        help="leave out the TestCases, which trial runs too",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """
    Leave out the test cases where that is asked for.
    """
    if not config.getoption("--without-cases"):
        return
    cases = [item for item in items if isinstance(item, TestCaseFunction)]
    if cases:
        config.hook.pytest_deselected(items=cases)
        items[:] = [item for item in items if not isinstance(item, TestCaseFunction)]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """
    Be content with a folder in which everything was trial's.
    """
    is_empty = session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED
    if is_empty and session.config.getoption("--without-cases"):
        session.exitstatus = pytest.ExitCode.OK


def forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """
    Turn a skip into a failure that gives its reason, when NETLAB_NO_SKIPS is set.

    An expected failure (xfail) is reported as a skip too, but is none.
    """
    if not report.skipped or hasattr(report, "wasxfail") or not os.environ.get("NETLAB_NO_SKIPS"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"{reason}, and NETLAB_NO_SKIPS is set"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """
    Judge the report of each phase of a test.
    """
    report = yield
    forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """
    Judge the report of each module's import: it may skip the whole module.
    """
    report = yield
    forbid_skip(report)
    return report
