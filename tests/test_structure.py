"""
The shape of the package: no circles of imports, no crowded folders, no name for two things.

No module imports itself by way of others, whenever that import runs, and not for types either: what
knows each other in a circle can only be read together.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from twisted.trial.unittest import SynchronousTestCase

from tests.layers import read_imports
from tests.test_layers import modules_of_the_tree

MODULES_MAX = 22
"""How many modules a folder may have before nobody takes in its listing any more."""

#: What C{twistd} looks for in each tap module.
_FIXED_BY_TWISTED = {"Options"}


def imports_among(sources: Mapping[str, str], packages: frozenset[str]) -> dict[str, set[str]]:
    """
    Find out which of some modules import which.

    @param sources: the text of each module by its dotted name.
    @param packages: those that are an C{__init__.py}.
    """
    graph: dict[str, set[str]] = {}
    for module, source in sources.items():
        graph[module] = set()
        for found in read_imports(source, module, is_package=module in packages):
            # The longest beginning that is a module: what is imported may be a name in it.
            name = found.name
            while name and name not in sources:
                name = name.rpartition(".")[0]
            if name and name != module:
                graph[module].add(name)
    return graph


def circle_in(graph: Mapping[str, set[str]]) -> list[str]:
    """
    Find a circle: the modules in order, the first one again at the end; none where there is none.
    """
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []


class CircleTests(SynchronousTestCase):
    """
    Made-up modules.
    """

    def test_found(self) -> None:
        """
        A circle is found, whether its imports run, run in a function, or are for types.
        """
        sources = {
            "p": "",
            "p.a": "from p import b",
            "p.b": "def f():\n    from p.c import name",
            "p.c": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.a import A",
        }
        circle = circle_in(imports_among(sources, frozenset({"p"})))
        self.assertEqual(set(circle), {"p.a", "p.b", "p.c"})

    def test_none(self) -> None:
        """
        Modules that stand on one another are none, and a package's own file is no module of it.
        """
        sources = {"p": "", "p.a": "import os\nfrom p import b", "p.b": "import p.c", "p.c": ""}
        graph = imports_among(sources, frozenset({"p"}))
        self.assertEqual(graph["p.a"], {"p.b"})
        self.assertEqual(circle_in(graph), [])


class TreeTests(SynchronousTestCase):
    """
    The tree as it is.
    """

    def test_no_circle(self) -> None:
        """
        In the whole package there is none.
        """
        modules = dict(modules_of_the_tree())
        sources = {name: path.read_text(encoding="utf-8") for name, path in modules.items()}
        packages = frozenset(name for name, path in modules.items() if path.stem == "__init__")
        graph = imports_among(sources, packages)
        self.assertGreater(sum(map(len, graph.values())), 500)
        self.assertEqual(circle_in(graph), [])

    def test_no_folder_is_crowded(self) -> None:
        """
        A folder's listing can be taken in at a look; that of the experiments is a catalogue.
        """
        counts = Counter(name.rpartition(".")[0] for name, _ in modules_of_the_tree())
        del counts["netlab.lab.experiments"]
        self.assertEqual({folder: n for folder, n in counts.items() if n > MODULES_MAX}, {})

    def test_a_class_has_a_name_of_its_own(self) -> None:
        """
        No two public classes share a name.
        """
        homes = defaultdict(list)
        for name, path in modules_of_the_tree():
            for node in ast.parse(path.read_bytes()).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    homes[node.name].append(name)
        doubles = {name: where for name, where in homes.items() if len(where) > 1}
        self.assertEqual(doubles.keys() - _FIXED_BY_TWISTED, set(), doubles)
