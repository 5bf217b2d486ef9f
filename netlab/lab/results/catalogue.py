"""
Finds experiments: those that come with netlab by name, anybody's by the path of a file.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from netlab.errors import KnownError
from netlab.lab import experiments
from netlab.lab.api.experiment import Experiment

#: The reference's five exchanges.
REFERENCE: Final = ("echo", "single_fin", "double_fin", "redirect", "notfound")

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class CatalogueError(KnownError):
    """
    There is no such experiment, or its file does not hold one.
    """


def names() -> list[str]:
    """
    List the experiments that come with netlab: the reference's first, the others by name.
    """
    found = sorted(module.name for module in pkgutil.iter_modules(experiments.__path__))
    return [*REFERENCE, *(name for name in found if name not in REFERENCE)]


def load(name: str) -> Experiment:
    """
    Load an experiment.

    @param name: one of L{names}, or the path of a file: it has a slash or ends in C{.py}.
    @raise CatalogueError: there is none.
    """
    if "/" in name or name.endswith(".py"):
        return _load_file(Path(name))
    known = names()
    if name not in known:
        similar = get_close_matches(name, known, n=1)
        guess = f"did you mean {similar[0]}? " if similar else ""
        raise CatalogueError(
            f"there is no experiment {name!a}; {guess}netlab lab list shows all; a file "
            f"of your own is named by its path, such as ./{name}.py"
        )
    return _checked(importlib.import_module(f"{experiments.__name__}.{name}"), name)


def _load_file(path: Path) -> Experiment:
    if not path.is_file():
        raise CatalogueError(f"there is no file {str(path)!a}")
    spec = importlib.util.spec_from_file_location(f"netlab_experiment_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise CatalogueError(f"{str(path)!a} is not a Python file; its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        # Whatever a user's file raises is the user's to mend.
        where = f" (line {error.lineno})" if isinstance(error, SyntaxError) else ""
        raise CatalogueError(
            f"{str(path)!a} cannot be loaded: {type(error).__name__}: {error}{where}"
        ) from error
    return _checked(module, str(path))


def _checked(module: object, name: str) -> Experiment:
    """
    Take the experiment out of its module.
    """
    experiment = getattr(module, "EXPERIMENT", None)
    if not isinstance(experiment, Experiment):
        raise CatalogueError(f"{name!a} holds no EXPERIMENT = Experiment(...)")
    if _NAME.fullmatch(experiment.name) is None:
        raise CatalogueError(
            f"{name!a} calls its experiment {experiment.name!a}; write lower-case letters, digits, "
            "- and _"
        )
    return experiment
