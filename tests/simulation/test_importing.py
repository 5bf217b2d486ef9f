"""
Tests for L{netlab.simulation.importing}.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.api import sockets
from netlab.lab.runs.simulated import is_loaded_anew
from netlab.simulation.importing import ProgramModules
from netlab.simulation.modules import CannotSimulateError, modules_for
from netlab.simulation.process import Process
from netlab.simulation.standardinput import StandardInput
from tests.simulation.hosts import two_hosts


class ProgramModulesTests(SynchronousTestCase):
    """
    Tests for L{ProgramModules}.
    """

    def setUp(self) -> None:
        """
        Make the modules of a program, and a folder for its file.
        """
        process = Process(two_hosts().hosts["client"], "program")
        given = modules_for(process, StandardInput(process))
        self.given: dict[str, ModuleType] = given
        self.modules = ProgramModules(given, is_loaded_anew)
        folder = tempfile.TemporaryDirectory(prefix="netlab-test-")
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "program.py"

    def load(self, text: str) -> Any:
        """
        Load a file.
        """
        self.path.write_text(text)
        return self.modules.load(str(self.path))

    def test_given_modules(self) -> None:
        """
        A file gets the program's modules, however it imports them, and inside of functions too.
        """
        loaded = self.load(
            "import socket as s\nfrom time import sleep\n"
            "def late():\n    import sys\n    return sys\n"
        )
        self.assertIs(loaded.s, self.given["socket"])
        time: Any = self.given["time"]
        self.assertIs(loaded.sleep, time.sleep)
        self.assertIs(loaded.late(), self.given["sys"])

    def test_modules_that_use_them_are_loaded_anew(self) -> None:
        """
        What the laboratory offers to programs uses the program's sockets; its own copy is not
        touched, and all others are shared.
        """
        loaded = self.load(
            "import json\n"
            "from netlab.lab.api.sockets import connect\n"
            "from netlab.lab.api import sockets, sides\n"
            "from netlab.lab.experiments.echo import MESSAGES\n"
        )
        self.assertIs(loaded.connect.__globals__["socket"], self.given["socket"])
        self.assertIs(loaded.sockets.connect, loaded.connect)
        self.assertIsNot(loaded.connect, sockets.connect)
        self.assertIs(loaded.json, sys.modules["json"])
        self.assertIs(loaded.sides, sys.modules["netlab.lab.api.sides"])

    def test_nothing_is_left_behind(self) -> None:
        """
        No module of this process is changed or added.
        """
        before = dict(sys.modules)
        self.load("import socket\nfrom netlab.lab.api.sockets import say\n")
        self.assertEqual({name: sys.modules[name] for name in before}, before)
        self.assertEqual([name for name in sys.modules if "simulated" in name.split(".")[0]], [])

    def test_file_that_fails(self) -> None:
        """
        What a file raises is raised, and nothing is left behind then either.
        """
        self.assertRaises(ZeroDivisionError, self.load, "1 / 0")
        self.assertRaises(SyntaxError, self.load, "def")
        self.assertRaises(ModuleNotFoundError, self.load, "import there_is_no_such_module")
        self.assertEqual([name for name in sys.modules if name.startswith("simulated ")], [])

    def test_refused(self) -> None:
        """
        What would reach out of the simulation is refused by name.
        """
        for name in ("threading", "subprocess", "asyncio", "multiprocessing.pool", "selectors"):
            refusal = self.assertRaises(CannotSimulateError, self.load, f"import {name}")
            self.assertIn(name, str(refusal))
