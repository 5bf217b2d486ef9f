"""
Each module imports only what its layer may; and the judge of that, tried on made-up sources.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

from twisted.trial.unittest import SynchronousTestCase

import netlab
from tests.layers import LAYERS, Layer, faults, layer_of, read_imports

PACKAGE = Path(netlab.__file__).parent
TOP = PACKAGE.parent


def modules_of_the_tree() -> Iterator[tuple[str, Path]]:
    """
    Find the modules of the package and the plugin.

    @return: pairs of dotted name and file.
    """
    files = [*PACKAGE.rglob("*.py"), *(TOP / "twisted" / "plugins").glob("netlab*.py")]
    for path in sorted(files):
        parts = path.relative_to(TOP).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


class TreeTests(SynchronousTestCase):
    """
    The tree as it is.
    """

    def test_no_arrow_points_up(self) -> None:
        """
        Every module of the package and the plugin has a layer and imports what that layer may.
        """
        found = [
            fault
            for module, path in modules_of_the_tree()
            for fault in faults(
                path.read_text(encoding="utf-8"), module, is_package=path.name == "__init__.py"
            )
        ]
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_every_entry_is_of_a_module(self) -> None:
        """
        The table names no module or package that is gone.
        """
        names = {module for module, _ in modules_of_the_tree()}
        self.assertEqual({entry.removesuffix(".*") for entry in LAYERS} - names, set())

    def test_the_tree_is_found(self) -> None:
        """
        The search meets the package, its parts and the plugin, so the verdict is about something.
        """
        names = {module for module, _ in modules_of_the_tree()}
        self.assertLessEqual({"netlab", "netlab.echo", "twisted.plugins.netlab_plugin"}, names)


class LayerTests(SynchronousTestCase):
    """
    The look-up in the table.
    """

    def test_own_entry_goes_before_the_package(self) -> None:
        """
        A module with an entry of its own has that layer, its neighbours that of C{package.*}.
        """
        self.assertIs(layer_of("netlab.capture.opening"), Layer.FILES)
        self.assertIs(layer_of("netlab.capture.decode"), Layer.PURE)

    def test_package_alone_does_not_cover_new_modules(self) -> None:
        """
        In a package of several layers a module without an entry has none.
        """
        self.assertIsNone(layer_of("netlab.http1.brand_new"))

    def test_packages_are_pure(self) -> None:
        """
        What runs before each module of a package brings nothing in that a pure module may not have.
        """
        packages = {name.rpartition(".")[0] for name in LAYERS if name.startswith("netlab.")}
        self.assertEqual({layer_of(package) for package in packages}, {Layer.PURE})


class ImportsTests(SynchronousTestCase):
    """
    The reader of imports.
    """

    def read(self, source: str, module: str, *, is_package: bool = False) -> list[str]:
        """
        List the names that a source imports.
        """
        found = read_imports(dedent(source), module, is_package=is_package)
        return [imported.name for imported in found]

    def test_relative_imports_count_from_the_package(self) -> None:
        """
        One dot is the module's package, each further dot its parent.
        """
        source = """
            from . import grammar
            from .fields import Fields
            from ...echo import client
        """
        self.assertEqual(
            self.read(source, "netlab.http1.sansio.framing"),
            [
                "netlab.http1.sansio.grammar",
                "netlab.http1.sansio.fields.Fields",
                "netlab.echo.client",
            ],
        )

    def test_relative_imports_of_a_package(self) -> None:
        """
        In an C{__init__.py} one dot is the package itself.
        """
        self.assertEqual(
            self.read("from . import grammar", "netlab.http1.sansio", is_package=True),
            ["netlab.http1.sansio.grammar"],
        )

    def test_imports_at_any_depth(self) -> None:
        """
        Functions, classes, try, with and match hide no import.
        """
        source = """
            class C:
                async def f(self):
                    with x:
                        import a
                    match x:
                        case 1:
                            import b
            try:
                import c
            except ImportError:
                import d.e as f
        """
        self.assertEqual(self.read(source, "m"), ["a", "b", "c", "d.e"])

    def test_when_an_import_runs(self) -> None:
        """
        An import runs with the module, or later in a function, or under TYPE_CHECKING never.
        """
        source = """
            import typing
            if typing.TYPE_CHECKING:
                import a
            else:
                import b
            def f():
                import c
        """
        found = read_imports(dedent(source), "m", is_package=False)
        self.assertEqual(
            [(imported.name, imported.runs, imported.at_import) for imported in found],
            [
                ("typing", True, True),
                ("a", False, False),
                ("b", True, True),
                ("c", True, False),
            ],
        )


class FaultsTests(SynchronousTestCase):
    """
    The judge.
    """

    def assert_fault(self, source: str, module: str, words: str) -> None:
        """
        Require exactly one fault, whose sentence holds certain words.
        """
        found = faults(dedent(source), module)
        self.assertEqual(len(found), 1, found)
        self.assertIn(words, found[0])

    def assert_no_fault(self, source: str, module: str) -> None:
        """
        Require that a source is within its rights.
        """
        self.assertEqual(faults(dedent(source), module), [])

    def test_pure_may_compute(self) -> None:
        """
        A pure module may use pure modules and what of the standard library only computes.
        """
        self.assert_no_fault(
            """
            from __future__ import annotations
            import re, struct
            from collections.abc import Iterator
            from netlab.http1.sansio import grammar
            from netlab.http1.sansio.fields import Fields
            """,
            "netlab.http1.sansio.framing",
        )

    def test_pure_may_not_act(self) -> None:
        """
        Sockets, clocks, chance, logging and files are not for pure modules, not even in functions.
        """
        for name in ("socket", "asyncio", "time", "random", "logging", "os.path", "importlib"):
            self.assert_fault(
                f"import {name}", "netlab.analysis.explanation.story", "acts on the world"
            )
            self.assert_fault(
                f"def f():\n    from {name} import x",
                "netlab.http1.sansio.grammar",
                "acts on the world",
            )

    def test_pure_may_name_types(self) -> None:
        """
        Under TYPE_CHECKING nothing runs, so a type of a module that acts may be named.
        """
        self.assert_no_fault(
            """
            from typing import TYPE_CHECKING
            if TYPE_CHECKING:
                from os import PathLike
            """,
            "netlab.capture.pcap",
        )

    def test_pure_may_not_know_twisted(self) -> None:
        """
        Twisted starts in the protocol layer, even if only a type of its is named.
        """
        self.assert_fault(
            "from twisted.internet.defer import Deferred",
            "netlab.http1.sansio.messages",
            "PROTOCOL",
        )
        self.assert_fault(
            """
            from typing import TYPE_CHECKING
            if TYPE_CHECKING:
                from twisted.internet.defer import Deferred
            """,
            "netlab.http1.sansio.messages",
            "PROTOCOL",
        )

    def test_no_arrow_up(self) -> None:
        """
        Pure does not import files, files not protocols, protocols not taps, taps not commands.
        """
        for importer, imported in (
            ("netlab.http1.sansio.target", "netlab.http1.resources.static"),
            ("netlab.http1.resources.static", "netlab.http1.server.protocol"),
            ("netlab.http1.server.protocol", "netlab.http1.twistd.tap"),
            ("netlab.http1.twistd.tap", "netlab.cli"),
        ):
            self.assert_fault(f"import {imported}", importer, "points up")
            self.assert_fault(f"from {imported} import x", importer, "points up")
            self.assert_no_fault(f"import {importer}", imported)

    def test_relative_arrow_up(self) -> None:
        """
        A relative import is judged as the absolute one.
        """
        self.assert_fault(
            "from ..server import protocol", "netlab.http1.sansio.framing", "points up"
        )
        self.assert_fault(
            "from ..server.protocol import HTTP", "netlab.http1.sansio.framing", "points up"
        )

    def test_arrow_up_for_types(self) -> None:
        """
        Knowing a higher layer's types is knowing that layer.
        """
        self.assert_fault(
            """
            from typing import TYPE_CHECKING
            if TYPE_CHECKING:
                from netlab.http1.server.protocol import HTTP
            """,
            "netlab.http1.sansio.framing",
            "points up",
        )

    def test_echo_and_http1_are_strangers(self) -> None:
        """
        The two servers do not import each other.
        """
        self.assert_fault(
            "from netlab.http1 import client", "netlab.echo.protocol", "does not know"
        )
        self.assert_fault(
            "import netlab.echo.client", "netlab.http1.client.client", "does not know"
        )

    def test_analysis_may_use_the_parser(self) -> None:
        """
        Captured messages are read by http1's own parser.
        """
        self.assert_no_fault(
            "from netlab.http1.sansio.clientconnection import ClientConnection",
            "netlab.analysis.http.exchange",
        )

    def test_laboratory_is_imported_by_the_command_alone(self) -> None:
        """
        Nothing builds on the laboratory.
        """
        self.assert_fault(
            "import netlab.lab.wire.wire", "netlab.http1.client.client", "only the command"
        )
        self.assert_no_fault("import netlab.lab.wire.wire", "netlab.cli")
        self.assert_no_fault("import netlab.lab.wire.wire", "netlab.lab.experiments.echo")

    def test_reactor_is_never_imported_with_a_module(self) -> None:
        """
        Importing the reactor installs it, so no module does that on import.
        """
        for module in ("netlab.echo.client", "netlab.echo.tap", "netlab.cli"):
            self.assert_fault("from twisted.internet import reactor", module, "installs")

    def test_reactor_inside_a_function(self) -> None:
        """
        What starts a program takes the reactor when it runs; a protocol is given it.
        """
        source = "def main():\n    from twisted.internet import reactor"
        self.assert_no_fault(source, "netlab.cli")
        self.assert_fault(source, "netlab.echo.client", "arrives as an argument")

    def test_other_distributions(self) -> None:
        """
        A distribution that netlab does not depend on is a fault in any layer.
        """
        self.assert_fault("import requests", "netlab.http1.client.client", "no dependency")

    def test_plugin(self) -> None:
        """
        The plugin imports ServiceMaker's module, and not even the package's own strings.
        """
        module = "twisted.plugins.netlab_plugin"
        self.assert_no_fault("from twisted.application.service import ServiceMaker", module)
        for source in ("import netlab", "from netlab.echo import tap", "import os"):
            self.assert_fault(source, module, "nothing else")

    def test_unknown_module(self) -> None:
        """
        A module that the table does not cover is a fault, whose sentence says where to add it.
        """
        self.assert_fault("", "netlab.http1.brand_new", "add it to LAYERS in tests/layers.py")
        self.assert_fault(
            "from netlab.http1.brand_new import x", "netlab.http1.twistd.tap", "add it to LAYERS"
        )
