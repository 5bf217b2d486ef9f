"""
Who may import whom (docs/structure.md) as a table, and a judge of sources by it.

The judge is a pure function of a module's name and text, so it can be tried on made-up sources.
"""

from __future__ import annotations

import ast
import enum
import sys
from collections.abc import Iterator
from dataclasses import dataclass


class Layer(enum.IntEnum):
    """
    The layers, lowest first. A module may import its own layer and those below, never one above.
    """

    PURE = 0
    """Bytes and times in, values out: the standard library only, and of it nothing that acts."""

    FILES = 1
    """May look at the file system."""

    PROTOCOL = 2
    """Twisted; clock, reactor and limits arrive as arguments."""

    TAP = 3
    """Options to objects: what C{twistd} loads."""

    COMMAND = 4
    """The C{netlab} command."""

    PLUGIN = 5
    """Names and strings for C{twistd --help}; not even our own package."""


#: The table. A name stands for that module alone, `name.*` for all below it that have no entry of
#: their own. So a new file of a package that is all one layer needs no entry, any other does.
LAYERS = {
    # A package's own file runs before any of its modules, so it must not bring Twisted in.
    "netlab": Layer.PURE,
    "netlab.cli": Layer.COMMAND,
    "netlab.connections": Layer.PROTOCOL,
    "netlab.demonstration": Layer.FILES,
    "netlab.entry": Layer.COMMAND,
    "netlab.errors": Layer.PURE,
    "netlab.factories": Layer.PROTOCOL,
    "netlab.terminal": Layer.PURE,
    "netlab.terminal.*": Layer.PROTOCOL,
    "netlab.options": Layer.TAP,
    "netlab.transport.tls.peerturns": Layer.PURE,
    "netlab.plainfile": Layer.FILES,
    "netlab.plaintext": Layer.PURE,
    "netlab.service": Layer.TAP,
    "netlab.signals": Layer.PROTOCOL,
    "netlab.analysis": Layer.PURE,
    "netlab.analysis.claims": Layer.PURE,
    "netlab.analysis.claims.*": Layer.PURE,
    "netlab.analysis.comparison": Layer.PURE,
    "netlab.analysis.comparison.*": Layer.PURE,
    "netlab.analysis.expectations": Layer.PURE,
    "netlab.analysis.expectations.*": Layer.PURE,
    "netlab.analysis.explanation": Layer.PURE,
    "netlab.analysis.explanation.*": Layer.PURE,
    "netlab.analysis.http": Layer.PURE,
    "netlab.analysis.http.*": Layer.PURE,
    "netlab.analysis.observations": Layer.PURE,
    "netlab.analysis.observations.*": Layer.PURE,
    "netlab.analysis.tcp": Layer.PURE,
    "netlab.analysis.tcp.*": Layer.PURE,
    "netlab.analysis.tls": Layer.PURE,
    "netlab.analysis.tls.*": Layer.PURE,
    "netlab.analysis.tls.cryptographic": Layer.FILES,
    "netlab.analysis.tls.keylogfile": Layer.FILES,
    "netlab.analysis.transfer": Layer.PURE,
    "netlab.analysis.transfer.*": Layer.PURE,
    "netlab.analysis.words": Layer.PURE,
    "netlab.analysis.words.*": Layer.PURE,
    "netlab.capture": Layer.PURE,
    "netlab.capture.*": Layer.PURE,
    "netlab.capture.opening": Layer.FILES,
    "netlab.commands": Layer.PURE,
    "netlab.commands.*": Layer.COMMAND,
    "netlab.echo": Layer.PURE,
    "netlab.echo.*": Layer.PROTOCOL,
    "netlab.echo.tap": Layer.TAP,
    "netlab.http1": Layer.PURE,
    "netlab.http1.accesslog": Layer.PURE,
    "netlab.http1.accesslog.*": Layer.PURE,
    "netlab.http1.accesslog.log": Layer.PROTOCOL,
    "netlab.http1.accesslog.logfile": Layer.FILES,
    "netlab.http1.client": Layer.PURE,
    "netlab.http1.client.*": Layer.PROTOCOL,
    "netlab.http1.client.get": Layer.COMMAND,
    "netlab.http1.client.saving": Layer.FILES,
    "netlab.http1.passwords": Layer.PURE,
    "netlab.http1.passwords.*": Layer.PURE,
    "netlab.http1.passwords.access": Layer.PROTOCOL,
    "netlab.http1.programs": Layer.PURE,
    "netlab.http1.programs.*": Layer.PROTOCOL,
    "netlab.http1.resources": Layer.PURE,
    "netlab.http1.resources.*": Layer.PURE,
    "netlab.http1.resources.beneath": Layer.FILES,
    "netlab.http1.resources.files": Layer.FILES,
    "netlab.http1.resources.filestore": Layer.FILES,
    "netlab.http1.resources.hostguard": Layer.PROTOCOL,
    "netlab.http1.resources.receiving": Layer.PROTOCOL,
    "netlab.http1.resources.resource": Layer.PROTOCOL,
    "netlab.http1.resources.static": Layer.FILES,
    "netlab.http1.resources.streaming": Layer.PROTOCOL,
    "netlab.http1.resources.connectionfacts": Layer.PROTOCOL,
    "netlab.http1.sansio": Layer.PURE,
    "netlab.http1.sansio.*": Layer.PURE,
    "netlab.http1.server": Layer.PURE,
    "netlab.http1.server.*": Layer.PROTOCOL,
    "netlab.http1.server.admission": Layer.PURE,
    "netlab.http1.server.answercache": Layer.FILES,
    "netlab.http1.server.fairness": Layer.PURE,
    "netlab.http1.twistd": Layer.PURE,
    "netlab.http1.twistd.*": Layer.TAP,
    "netlab.http1.twistd.fieldoption": Layer.PURE,
    "netlab.http1.twistd.metrics": Layer.PROTOCOL,
    "netlab.http1.twistd.worker": Layer.COMMAND,
    "netlab.lab": Layer.PURE,
    "netlab.lab.api": Layer.PURE,
    "netlab.lab.api.*": Layer.PURE,
    "netlab.lab.api.expected": Layer.PROTOCOL,
    "netlab.lab.api.experiment": Layer.FILES,
    "netlab.lab.api.knobs": Layer.FILES,
    "netlab.lab.api.sockets": Layer.PROTOCOL,
    "netlab.lab.experiments": Layer.PURE,
    "netlab.lab.experiments.*": Layer.PROTOCOL,
    "netlab.lab.hosts": Layer.PURE,
    "netlab.lab.hosts.*": Layer.PROTOCOL,
    "netlab.lab.hosts.settings": Layer.PURE,
    "netlab.lab.hosts.sysctls": Layer.PURE,
    "netlab.lab.live": Layer.PURE,
    "netlab.lab.live.*": Layer.PROTOCOL,
    "netlab.lab.live.service": Layer.TAP,
    "netlab.lab.live.tap": Layer.TAP,
    "netlab.lab.results": Layer.PURE,
    "netlab.lab.results.*": Layer.FILES,
    "netlab.lab.results.catalogue": Layer.PROTOCOL,
    "netlab.lab.results.index": Layer.PROTOCOL,
    "netlab.lab.runs": Layer.PURE,
    "netlab.lab.runs.*": Layer.PROTOCOL,
    "netlab.lab.wire": Layer.PURE,
    "netlab.lab.wire.*": Layer.PROTOCOL,
    "netlab.lab.wire.places": Layer.FILES,
    "netlab.lab.wire.tracker": Layer.PURE,
    "netlab.report": Layer.PURE,
    "netlab.report.*": Layer.FILES,
    "netlab.tcp": Layer.PURE,
    "netlab.tcp.*": Layer.PURE,
    "netlab.simulation": Layer.PURE,
    "netlab.simulation.*": Layer.PROTOCOL,
    "netlab.simulation.frames": Layer.PURE,
    "netlab.tcp.script": Layer.PURE,
    "netlab.tcp.script.*": Layer.PURE,
    "netlab.tcp.script.language": Layer.PURE,
    "netlab.tcp.script.language.*": Layer.PURE,
    "netlab.tcp.script.__main__": Layer.COMMAND,
    "netlab.transport": Layer.PURE,
    "netlab.transport.*": Layer.PROTOCOL,
    "netlab.transport.descriptions": Layer.PURE,
    "netlab.transport.proxyheader": Layer.PURE,
    "netlab.transport.tls": Layer.PURE,
    "netlab.transport.tls.*": Layer.PROTOCOL,
    "netlab.transport.tls.records": Layer.PURE,
    "netlab.transport.workers": Layer.PURE,
    "netlab.transport.workers.*": Layer.PROTOCOL,
    "twisted.plugins.netlab_plugin": Layer.PLUGIN,
}

#: Parts of one layer that do not know each other: importer, then what it may not import.
STRANGERS = {
    "netlab.echo": ("netlab.http1", "netlab.capture", "netlab.analysis", "netlab.report"),
    "netlab.http1": ("netlab.echo", "netlab.capture", "netlab.analysis", "netlab.report"),
    "netlab.transport": (
        "netlab.echo",
        "netlab.http1",
        "netlab.capture",
        "netlab.analysis",
        "netlab.report",
    ),
    "netlab.simulation": (
        "netlab.echo",
        "netlab.http1",
        "netlab.transport",
        "netlab.analysis",
        "netlab.report",
    ),
    "netlab.capture": ("netlab.echo", "netlab.http1", "netlab.analysis", "netlab.report"),
    "netlab.analysis": ("netlab.echo", "netlab.transport", "netlab.report"),
}

#: The laboratory starts the programs; only the command starts the laboratory.
LABORATORY = "netlab.lab"
USERS_OF_THE_LABORATORY = ("netlab.lab", "netlab.cli", "netlab.commands")

#: What the plugin may import, and nothing else.
PLUGIN_IMPORTS = frozenset({"twisted.application.service"})

#: Modules of the standard library that act on the world or ask it something, by the lowest layer
#: that may use them.
ACTING = {
    **dict.fromkeys(
        (
            "asyncio",
            "concurrent",
            "importlib",
            "logging",
            "multiprocessing",
            "random",
            "secrets",
            "select",
            "selectors",
            "signal",
            "socket",
            "ssl",
            "subprocess",
            "threading",
            "time",
        ),
        Layer.PROTOCOL,
    ),
    **dict.fromkeys(
        ("glob", "mmap", "os", "pathlib", "resource", "shutil", "tempfile"), Layer.FILES
    ),
}

#: Distributions that a layer may use beside the standard library, by their top-level module.
OUTSIDERS = {
    "bcrypt": Layer.TAP,
    # It only computes; yet it is a large library, and the parsers are to be tried without it.
    "cryptography": Layer.FILES,
    "jinja2": Layer.FILES,
    "markupsafe": Layer.FILES,
    "prometheus_client": Layer.PROTOCOL,
    "rich": Layer.FILES,
    "twisted": Layer.PROTOCOL,
    "wsproto": Layer.PROTOCOL,
    "zope": Layer.PROTOCOL,
}


@dataclass(frozen=True, slots=True)
class Import:
    """
    One imported name.

    @ivar name: dotted and absolute; for C{from a import b} it is C{a.b}, a module or not.
    @ivar line: where, counted from 1.
    @ivar runs: false under C{if TYPE_CHECKING:}.
    @ivar at_import: true if it runs when the module is imported, false inside a function.
    """

    name: str
    line: int
    runs: bool
    at_import: bool


def read_imports(source: str, module: str, *, is_package: bool) -> Iterator[Import]:
    """
    List what a source imports, at whatever depth.

    @param source: the text of the module.
    @param module: its dotted name, from which relative imports count.
    @param is_package: whether the text is that of an C{__init__.py}.
    @raise SyntaxError: it is no Python.
    """
    package = module if is_package else module.rpartition(".")[0]
    yield from _imports_below(ast.parse(source), package, runs=True, at_import=True)


def _imports_below(node: ast.AST, package: str, *, runs: bool, at_import: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, runs, at_import)
        elif isinstance(child, ast.ImportFrom):
            origin = child.module or ""
            if child.level:
                ancestors = package.split(".")[: len(package.split(".")) - child.level + 1]
                origin = ".".join([*ancestors, *filter(None, [child.module])])
            for alias in child.names:
                yield Import(f"{origin}.{alias.name}", child.lineno, runs, at_import)
        elif isinstance(child, ast.If) and _asks_for_type_checking(child.test):
            body = ast.Module(body=child.body, type_ignores=[])
            yield from _imports_below(body, package, runs=False, at_import=False)
            orelse = ast.Module(body=child.orelse, type_ignores=[])
            yield from _imports_below(orelse, package, runs=runs, at_import=at_import)
        else:
            is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports_below(
                child, package, runs=runs, at_import=at_import and not is_function
            )


def _asks_for_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def layer_of(module: str) -> Layer | None:
    """
    Look a module up in the table.

    @param module: its dotted name.
    @return: C{None} if no entry covers it.
    """
    if module in LAYERS:
        return LAYERS[module]
    parent = module
    while parent := parent.rpartition(".")[0]:
        if f"{parent}.*" in LAYERS:
            return LAYERS[f"{parent}.*"]
    return None


def _is_module(name: str) -> bool:
    """
    Tell whether the table names a module by this name, not a package.
    """
    return name in LAYERS and not any(entry.startswith(f"{name}.") for entry in LAYERS)


def is_within(name: str, package: str) -> bool:
    """
    Tell whether a dotted name is a package's or that of something below it.
    """
    return name == package or name.startswith(f"{package}.")


def faults(source: str, module: str, *, is_package: bool = False) -> list[str]:
    """
    Judge the imports of one module.

    What is imported for type annotations only does no harm by running, so modules that act are
    allowed there; an arrow between our layers, or to a distribution, is knowledge all the same.

    @param source: the text of the module.
    @param module: its dotted name.
    @param is_package: whether the text is that of an C{__init__.py}.
    @return: one sentence for each fault, in the order of the source.
    """
    layer = layer_of(module)
    if layer is None:
        return [f"{module}: no layer is known; add it to LAYERS in tests/layers.py"]
    return [
        f"{module}:{found.line}: imports {found.name}: {fault}"
        for found in read_imports(source, module, is_package=is_package)
        for fault in _faults_of_import(found, module, layer)
    ]


def _faults_of_import(found: Import, module: str, layer: Layer) -> Iterator[str]:
    top = found.name.partition(".")[0]
    if layer is Layer.PLUGIN:
        if found.name.rpartition(".")[0] not in PLUGIN_IMPORTS | {"__future__"}:
            yield f"the plugin imports {', '.join(sorted(PLUGIN_IMPORTS))} and nothing else"
    elif top == "netlab":
        yield from _faults_of_arrow(found.name, module, layer)
    elif top in sys.stdlib_module_names:
        if found.runs and ACTING.get(top, layer) > layer:
            yield f"{top} acts on the world, which starts in layer {ACTING[top].name}"
    elif top not in OUTSIDERS:
        yield f"{top} is no dependency of netlab (OUTSIDERS in tests/layers.py)"
    elif OUTSIDERS[top] > layer:
        yield f"{top} starts in layer {OUTSIDERS[top].name}; this module is {layer.name}"
    elif is_within(found.name, "twisted.internet.reactor") and found.runs:
        if found.at_import:
            yield "this installs the global reactor; import it in the function that starts it"
        elif layer < Layer.TAP:
            yield f"the reactor arrives as an argument; this module is {layer.name}"


def _faults_of_arrow(name: str, module: str, layer: Layer) -> Iterator[str]:
    # `from netlab.echo import client` is a module, `from netlab.echo import VERSION` its package's.
    origin = name.rpartition(".")[0]
    target = LAYERS[origin] if _is_module(origin) else layer_of(name)
    if target is None:
        target = layer_of(origin)
    if target is None:
        yield "no layer is known for it; add it to LAYERS in tests/layers.py"
    elif target > layer:
        yield f"the arrow points up, from {layer.name} to {target.name}"
    for importer, unknown in STRANGERS.items():
        for package in unknown:
            if is_within(module, importer) and is_within(name, package):
                yield f"{importer} does not know {package}"
    if is_within(name, LABORATORY) and not any(
        is_within(module, user) for user in USERS_OF_THE_LABORATORY
    ):
        yield f"only the command imports {LABORATORY}"
