"""
The laboratory: real hosts, a real wire, real programs.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.live.conftest import RunNetlab


def tshark(capture: Path, *fields: str, display_filter: str = "") -> list[list[str]]:
    """
    Read fields of each frame with somebody else's dissector.
    """
    options = [option for field in fields for option in ("-e", field)]
    done = subprocess.run(
        ["tshark", "-n", "-r", capture, "-Y", display_filter, "-T", "fields", *options],
        check=True,
        capture_output=True,
        text=True,
    )
    return [line.split("\t") for line in done.stdout.splitlines()]


async def test_echo_closes_simultaneously(netlab: RunNetlab, tmp_path: Path) -> None:
    """
    The true simultaneous close: at each end, its own FIN leaves before the other's arrives, so both
    FINs carry the same acknowledgement number.
    """
    done = await netlab("lab", "run", "echo", "--out", str(tmp_path))
    assert (done.status, done.err) == (0, ""), done.out
    for side in ("client", "server"):
        capture = tmp_path / "echo" / f"{side}.pcapng"
        fins = tshark(capture, "ip.src", "tcp.ack", display_filter="tcp.flags.fin == 1")
        assert sorted(fins) == [["10.0.0.1", "54"], ["10.0.0.2", "54"]]
        assert tshark(capture, "frame.number", display_filter="_ws.malformed") == []
