"""
How much work something takes, counted: time cannot be trusted where others use the machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

import netlab

_OURS: Final = str(Path(netlab.__file__).parent)


def lines_run(work: Callable[[], object]) -> int:
    """
    Count the lines of our own code that are run.
    """
    lines = 0
    ours: dict[CodeType, bool] = {}

    def local(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return local

    def trace(frame: FrameType, _event: str, _argument: Any) -> Any:
        code = frame.f_code
        if code not in ours:
            ours[code] = code.co_filename.startswith(_OURS)
        return local if ours[code] else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return lines
