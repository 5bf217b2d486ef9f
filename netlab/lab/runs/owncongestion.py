"""
A congestion control of one's own, from a file: what C{netlab lab run --congestion FILE} takes.
"""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from netlab.errors import KnownError
from netlab.tcp.congestion import choice
from netlab.tcp.congestion.base import Acknowledged, CongestionControl

#: More segments than any path of a laboratory holds.
WINDOW_MAX: Final = 1 << 20

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,15}")


class CongestionFileError(KnownError):
    """
    The file holds no congestion control, or one that fails. Its text is one line.
    """


def use_congestion(text: str) -> str:
    """
    Find a congestion control.

    @param text: C{reno}, C{cubic}, or the path of a file: it has a slash or ends in C{.py}.
    @return: what C{tcp_congestion_control} calls it.
    @raise CongestionFileError: there is none.
    """
    if "/" not in text and not text.endswith(".py"):
        if text not in choice.KNOWN:
            known = ", ".join(sorted(choice.KNOWN))
            raise CongestionFileError(
                f"--congestion {text!a}: there are {known}; a file of your own is named by its "
                f"path, such as ./{text}.py"
            )
        return text
    kind = _class_in(Path(text))
    if _NAME.fullmatch(kind.name) is None or kind.name in _OURS:
        raise CongestionFileError(
            f"--congestion {text!a}: its name is {kind.name!a}; choose lower-case letters and "
            f"digits, and none of {', '.join(sorted(_OURS))}"
        )
    choice.KNOWN[kind.name] = _watched(kind, text)
    return kind.name


_OURS: Final = frozenset(choice.KNOWN)


def _class_in(path: Path) -> type[CongestionControl]:
    """
    Load the one class of a file.
    """
    if not path.is_file():
        raise CongestionFileError(f"--congestion: there is no file {str(path)!a}")
    spec = importlib.util.spec_from_file_location(f"netlab_congestion_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise CongestionFileError(f"--congestion {str(path)!a}: its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        # Whatever a user's file raises is the user's to mend.
        where = f" (line {error.lineno})" if isinstance(error, SyntaxError) else ""
        problem = f"it cannot be loaded: {type(error).__name__}: {error}{where}"
        raise CongestionFileError(f"--congestion {str(path)!a}: {problem}") from error
    found = [
        one
        for one in vars(module).values()
        if inspect.isclass(one)
        and issubclass(one, CongestionControl)
        and one.__module__ == module.__name__
    ]
    if len(found) != 1:
        problem = "no subclass" if not found else f"{len(found)} subclasses"
        raise CongestionFileError(
            f"--congestion {str(path)!a}: it has {problem} of "
            "netlab.tcp.congestion.base.CongestionControl; write one"
        )
    kind: Any = found[0]
    if inspect.isabstract(kind):
        missing = ", ".join(sorted(kind.__abstractmethods__))
        raise CongestionFileError(f"--congestion {str(path)!a}: {kind.__name__} lacks {missing}")
    if not isinstance(getattr(kind, "name", None), str):
        raise CongestionFileError(f"--congestion {str(path)!a}: {kind.__name__} lacks a name")
    chosen: type[CongestionControl] = kind
    return chosen


def _watched(kind: type[CongestionControl], text: str) -> Callable[[], CongestionControl]:
    """
    Make a class of which every mistake is one line with its place, and whose window is a number.
    """

    def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(control: CongestionControl, *arguments: Any) -> Any:
            try:
                result = method(control, *arguments)
                _check(control)
            except KnownError:
                raise
            except Exception as error:
                frames = traceback.extract_tb(error.__traceback__)
                place = Path(text).resolve()
                lines = [one.lineno for one in frames if Path(one.filename).resolve() == place]
                where = f" (line {lines[-1]})" if lines else ""
                problem = f"{type(error).__name__}: {error}{where}"
                raise CongestionFileError(f"--congestion {text!a}: {problem}") from error
            return result

        return call

    def acknowledged(control: CongestionControl, ack: Acknowledged) -> None:
        kind.acknowledged(control, ack)

    def threshold_after_loss(control: CongestionControl, now: int) -> int:
        threshold = kind.threshold_after_loss(control, now)
        if not isinstance(threshold, int) or not 1 < threshold <= WINDOW_MAX:
            raise ValueError(f"threshold_after_loss returned {threshold!r}, not 2 or more")
        return threshold

    return type(
        kind.__name__,
        (kind,),
        {
            "acknowledged": guarded(acknowledged),
            "threshold_after_loss": guarded(threshold_after_loss),
            "timed_out": guarded(kind.timed_out),
            "undone": guarded(kind.undone),
            "starts_again": guarded(kind.starts_again),
        },
    )


def _check(control: CongestionControl) -> None:
    cwnd = control.cwnd
    if not isinstance(cwnd, int) or not 1 <= cwnd <= WINDOW_MAX:
        raise ValueError(f"cwnd is {cwnd!r}, not a number of segments from 1 to {WINDOW_MAX}")
