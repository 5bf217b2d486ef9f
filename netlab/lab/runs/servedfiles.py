"""
The files that simulated servers serve: their times are the simulation's, so that what is answered
does not depend on when, or from which copy, they were made.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from netlab.demonstration import demonstration_root
from netlab.lab.runs.work import ServerWork

_ROOT_OPTIONS: Final = ("--root", "-r")

#: The copy of the demonstration pages, beside the folder of the programs.
_PAGES: Final = "pages"


def settle_times(folder: Path, time_ns: int) -> None:
    """
    Set the times of all that is in a folder, as if it had been made now.

    @param time_ns: nanoseconds since 1970.
    """
    for path in (folder, *folder.rglob("*")):
        os.utime(path, ns=(time_ns, time_ns))


def with_settled_root(work: ServerWork, folder: Path, time_ns: int) -> tuple[str, ...]:
    """
    Give a server that serves the demonstration pages a copy of them.

    @param folder: of the programs.
    @return: its arguments.
    """
    has_root = any(
        option in _ROOT_OPTIONS or option.startswith("--root=") for option in work.options
    )
    if work.name != "netlab-http" or has_root:
        return work.arguments
    pages = folder.parent / _PAGES
    if not pages.exists():
        shutil.copytree(demonstration_root(), pages)
        settle_times(pages, time_ns)
    return (*work.arguments, "--root", str(pages))
