"""
How a blocking program's file comes to use a simulated host: its imports give it other modules.

The file is loaded anew for each program, as a Python of its own would. So are the modules that it
imports and that use what is simulated; all others are shared. Nothing of this process's own modules
is changed.
"""

from __future__ import annotations

import builtins
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from netlab.simulation.modules import CannotSimulateError, builtins_for

#: What a simulated program has not got: each would reach out of the simulation.
_REFUSED: Final = frozenset(
    {
        "_thread",
        "asyncio",
        "multiprocessing",
        "selectors",
        "socketserver",
        "subprocess",
        "threading",
    }
)


class ProgramModules:
    """
    The modules of one program.
    """

    def __init__(
        self, given: Mapping[str, ModuleType], is_loaded_anew: Callable[[str], bool]
    ) -> None:
        """
        @param given: what the program gets in place of the library's.
        @param is_loaded_anew: tells by the name of a module whether it uses those.
        """
        self._given = dict(given)
        self._is_loaded_anew = is_loaded_anew
        self._loaded: dict[str, ModuleType] = {}
        self._builtins = builtins_for(self._given, self._import)

    def load(self, path: str) -> ModuleType:
        """
        Load a file.

        @raise Exception: whatever it raises.
        """
        return self._execute("experiment", path)

    def _execute(self, name: str, path: str) -> ModuleType:
        private = f"simulated {name}"
        loader = SourceFileLoader(private, path)
        module = ModuleType(private)
        module.__file__, module.__package__ = path, name.rpartition(".")[0]
        module.__dict__["__builtins__"] = self._builtins
        self._loaded[name] = module
        # Dataclasses look their module up while they are made.
        sys.modules[private] = module
        try:
            exec(loader.get_code(private), module.__dict__)  # type: ignore[arg-type]  # noqa: S102
        finally:
            del sys.modules[private]
        return module

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002
        locals: Mapping[str, Any] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        if level:
            package = "" if globals is None else globals.get("__package__") or ""
            name = importlib.util.resolve_name("." * level + name, package)
        if name in self._given:
            return self._given[name]
        if name.partition(".")[0] in _REFUSED:
            raise CannotSimulateError(
                f"the module {name} cannot be simulated; "
                "run the experiment with --isolation root or user"
            )
        if self._is_loaded_anew(name) and fromlist:
            return self._anew(name)
        module = builtins.__import__(name, None, None, tuple(fromlist or ()), 0)
        anew = [one for one in fromlist or () if self._is_loaded_anew(f"{name}.{one}")]
        if not anew:
            return module
        package_copy = ModuleType(name)
        package_copy.__dict__.update(vars(module))
        for one in anew:
            setattr(package_copy, one, self._anew(f"{name}.{one}"))
        return package_copy

    def _anew(self, name: str) -> ModuleType:
        loaded = self._loaded.get(name)
        if loaded is not None:
            return loaded
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None or not Path(spec.origin).is_file():
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return self._execute(name, spec.origin)
