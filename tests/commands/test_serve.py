"""
The words of C{netlab serve}.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.commands.serve import _called


class CalledTests(SynchronousTestCase):
    """
    How the introduction says that this command is called.
    """

    def setUp(self) -> None:
        """
        Make an environment with a program, which no shell finds.
        """
        folder = Path(self.mktemp()).absolute()
        self.bin = folder / "an environment" / "bin"
        self.bin.mkdir(parents=True)
        self.program = self.bin / "netlab"
        self.program.write_text("#!/bin/sh\n")
        self.program.chmod(0o755)
        self.patch(os, "environ", {**os.environ, "PATH": "/nowhere"})
        self.addCleanup(os.chdir, os.getcwd())

    def called(self, program: Path, folder: Path) -> str:
        """
        Call a program in a folder.
        """
        os.chdir(folder)
        self.patch(sys, "argv", [str(program)])
        return _called()

    def test_found(self) -> None:
        """
        Where the shell finds this very command, its name is enough.
        """
        os.environ["PATH"] = str(self.bin)
        self.assertEqual(self.called(self.program, Path("/")), "netlab")

    def test_another_is_found(self) -> None:
        """
        Where the shell would find another netlab, or none, it is called by its path from here.
        """
        other = self.bin.parent / "other"
        other.mkdir()
        (other / "netlab").write_text("#!/bin/sh\n")
        (other / "netlab").chmod(0o755)
        for path in ("/nowhere", str(other)):
            os.environ["PATH"] = path
            self.assertEqual(self.called(self.program, self.bin.parent), "bin/netlab")

    def test_elsewhere(self) -> None:
        """
        The path is whole where it does not lie beneath, and quoted where a shell would part it.
        """
        self.assertEqual(self.called(self.program, Path("/")), f"'{str(self.program)[1:]}'")
        other = self.bin.parent / "other"
        other.mkdir()
        self.assertEqual(self.called(self.program, other), f"'{self.program}'")

    def test_here(self) -> None:
        """
        In its own folder it needs ./, since no shell looks there.
        """
        self.assertEqual(self.called(self.program, self.bin), "./netlab")

    def test_module(self) -> None:
        """
        Where Python was told the module, there is nothing but the name.
        """
        self.assertEqual(self.called(Path("/x/netlab/cli.py"), Path("/")), "netlab")
