"""
The benchmarks: that their load is what they say it is, and that ours answer it rightly.
"""

from __future__ import annotations

import os
import re
import shutil
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from benchmarks.certificate import make_certificate
from benchmarks.load import Requests, WrongAnswerError, verify, wrk
from benchmarks.peers import Running
from benchmarks.workload import SMALL, Workload
from benchmarks.workloads import WORKLOADS

_BY_NAME = {workload.name: workload for workload in WORKLOADS}
_UNSEEN = [workload for workload in WORKLOADS if workload.requests.is_unseen]
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc\n"

_NEEDS_WRK = pytest.mark.skipif(shutil.which("wrk") is None, reason="there is no wrk here")


class _Listener(socketserver.ThreadingTCPServer):
    """
    Gives every request the same answer.

    @ivar heard: heads with the content behind them.
    """

    daemon_threads = True

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        super().__init__(("127.0.0.1", 0), _Hearing)


class _Hearing(socketserver.StreamRequestHandler):
    server: _Listener

    def handle(self) -> None:
        # wrk resets its connections when its time is over.
        with suppress(ConnectionError):
            while self._hear():
                self.wfile.write(_ANSWER)

    def _hear(self) -> bool:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline()
            if not line:
                return False
            head += line
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        content = self.rfile.read(int(length[1])) if length else b""
        self.server.heard.append(head + content)
        return True


@contextmanager
def _listening() -> Iterator[_Listener]:
    with _Listener() as listener:
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield listener
        finally:
            listener.shutdown()
            thread.join()


def _heard(requests: Requests, runs: int = 1) -> list[bytes]:
    with _listening() as listener:
        for _ in range(runs):
            wrk(listener.server_address[1], "", requests, 1, len(_ANSWER))
        return listener.heard


@_NEEDS_WRK
@pytest.mark.slow
@pytest.mark.parametrize(
    "workload",
    [workload for workload in _UNSEEN if not workload.requests.is_encrypted],
    ids=lambda workload: workload.name,
)
def test_unseen_requests_differ(workload: Workload) -> None:
    """
    No two requests of a run, or of two runs, are alike; without their digits all are; and a GET has
    nine field lines.
    """
    heard = _heard(workload.requests, runs=2)
    assert len(heard) > 500
    assert len(set(heard)) == len(heard)
    digits = re.compile(rb"(?<=session=)[0-9a-f]{16}|(?<=/items/)[0-9a-f]{16}|[0-9a-f]{16}(?=xxx)")
    assert len({digits.sub(b"", request) for request in heard}) == 1
    if not workload.requests.posted:
        assert {request.count(b"\r\n") for request in heard} == {1 + 9 + 1}


@_NEEDS_WRK
@pytest.mark.slow
def test_seen_requests_do_not_differ() -> None:
    """
    Where nothing else is said, the same bytes are sent again and again.
    """
    assert len(set(_heard(SMALL))) == 1


def test_a_wrong_answer_ends_a_workload(tmp_path: Path) -> None:
    """
    An answer whose content is not the file's is not measured.
    """
    (tmp_path / "small.html").write_bytes(b"abd\n")
    with _listening() as listener, pytest.raises(WrongAnswerError, match="that are not the 4"):
        verify(listener.server_address[1], "", tmp_path, SMALL)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["unseen", "program", "post", "https-unseen"])
def test_our_server_answers(name: str, tmp_path: Path) -> None:
    """
    What is measured of ours starts, and gives the answers that the workload expects.
    """
    root = tmp_path / "root"
    root.mkdir()
    (root / "small.html").write_bytes(os.urandom(210))
    make_certificate(tmp_path / "certificate")
    workload = _BY_NAME[name]
    with Running(workload.servers[0], root, tmp_path / "scratch") as server:
        assert verify(server.port, "", root, workload.requests) > 0


def test_goals_are_of_servers_that_are_measured() -> None:
    """
    No goal is of a server that its workload does not have: it would never be measured.
    """
    for workload in WORKLOADS:
        names = {server.name for server in workload.servers}
        for goal in workload.goals:
            if "connections" not in goal.server:
                assert goal.server in names
                assert not goal.other or goal.other in names


def test_names_are_unique() -> None:
    """
    A name on the command line picks one workload.
    """
    assert len(_BY_NAME) == len(WORKLOADS)
