"""
Finding a program by its name: C{package.module:name}.
"""

from __future__ import annotations

import re
import sys
import traceback
from importlib import import_module
from typing import Any, Final

_NAME: Final = re.compile(r"([A-Za-z_][\w.]*):([A-Za-z_][\w.]*)(\(\))?", re.ASCII)


class LoadingError(ValueError):
    """
    A program cannot be found, or fails as it is imported.

    @ivar trace: the traceback of what failed, for the log; empty where nothing has failed.
    """

    def __init__(self, problem: str, trace: str = "") -> None:
        super().__init__(problem)
        self.trace = trace


def load(name: str, folder: str) -> Any:
    """
    Import a module and take an object of it.

    @param name: such as C{package.module:name}; with C{()} behind it the object is called without
        arguments, and what it returns is taken.
    @param folder: where modules are looked for first, as C{python -m} does.
    @raise LoadingError: there is no such object, or something in its module fails. The text is one
        line, with file and line of what failed.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise LoadingError("not the name of a program; write one such as package.module:name")
    module_name, path, call = match.groups()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        found: Any = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            raise LoadingError(
                f"there is no module {error.name} here or in the environment"
            ) from None
        raise _failed(error) from error
    except Exception as error:
        raise _failed(error) from error
    for attribute in path.split("."):
        try:
            found = getattr(found, attribute)
        except AttributeError:
            raise LoadingError(f"{module_name} has no {path}") from None
    if call:
        try:
            found = found()
        except Exception as error:
            raise _failed(error) from error
    return found


def _failed(error: Exception) -> LoadingError:
    """
    Say what failed and where: the last place that is the program's own.
    """
    if isinstance(error, SyntaxError) and error.filename:
        where = f"{error.filename}, line {error.lineno}"
    else:
        frames = [
            frame
            for frame in traceback.extract_tb(error.__traceback__)
            if not frame.filename.startswith("<frozen") and frame.filename != __file__
        ]
        last = frames[-1] if frames else None
        where = "" if last is None else f"{last.filename}, line {last.lineno}"
    text = str(error).partition("\n")[0]
    kind = type(error).__name__
    return LoadingError(
        f"{kind}: {text} ({where})" if where else f"{kind}: {text}", traceback.format_exc()
    )
