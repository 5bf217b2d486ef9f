"""
Where things are in a run's folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from netlab.analysis.tls.keylog import KeyLog
from netlab.analysis.tls.keylogfile import read_keylog
from netlab.lab.api.experiment import KEYLOG
from netlab.lab.api.sides import Side

#: What a run leaves behind beside the files of its programs; a new run begins by removing it.
RESULTS: Final = (
    "client.pcapng",
    "output.txt",
    "report-server.html",
    "report-server.json",
    "report-server.md",
    "report.html",
    "report.json",
    "report.md",
    "server.pcapng",
    "thumbnail.svg",
    "trace.txt",
    "verdict.json",
)

#: What the programs of a run have written is in a folder of this name beside them.
FILES: Final = "files"


def capture_path(folder: Path, side: Side) -> Path:
    """
    Where the capture of one end is.
    """
    return folder / f"{side.value}.pcapng"


def keylog_path(folder: Path) -> Path:
    """
    Where the programs of a run write secrets of TLS.
    """
    return folder / "files" / KEYLOG


def keylog_of(folder: Path) -> KeyLog | None:
    """
    Read the secrets of a run.

    @return: None if its programs have written none.
    @raise netlab.analysis.tls.keylogfile.KeyLogError: the file holds none.
    """
    path = keylog_path(folder)
    return read_keylog(str(path)) if path.exists() else None
