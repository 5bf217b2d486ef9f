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
    "netlab.demonstration": Layer.FILES,
    "netlab.errors": Layer.PURE,
    "netlab.explaining": Layer.COMMAND,
    "netlab.connections": Layer.PROTOCOL,
    "netlab.foreground": Layer.PROTOCOL,
    "netlab.standard_input": Layer.PROTOCOL,
    "netlab.options": Layer.TAP,
    "netlab.signals": Layer.PROTOCOL,
    "netlab.service": Layer.TAP,
    "netlab.serve": Layer.COMMAND,
    "netlab.cli": Layer.COMMAND,
    "netlab.commands": Layer.PURE,
    "netlab.commands.*": Layer.COMMAND,
    "netlab.echo": Layer.PURE,
    "netlab.echo.protocol": Layer.PROTOCOL,
    "netlab.echo.client": Layer.PROTOCOL,
    "netlab.echo.tap": Layer.TAP,
    "netlab.http1": Layer.PURE,
    "netlab.http1.access": Layer.PROTOCOL,
    "netlab.http1.admin": Layer.TAP,
    "netlab.http1.admission": Layer.PURE,
    "netlab.http1.authentication": Layer.PURE,
    "netlab.http1.beneath": Layer.FILES,
    "netlab.http1.bodies": Layer.PURE,
    "netlab.http1.bounds": Layer.TAP,
    "netlab.http1.bystanders": Layer.PURE,
    "netlab.http1.client": Layer.PROTOCOL,
    "netlab.http1.clientconnection": Layer.PURE,
    "netlab.http1.clientprotocol": Layer.PROTOCOL,
    "netlab.http1.clientresponse": Layer.PROTOCOL,
    "netlab.http1.conditional": Layer.PURE,
    "netlab.http1.contents": Layer.PURE,
    "netlab.http1.counters": Layer.PURE,
    "netlab.http1.dates": Layer.PURE,
    "netlab.http1.deadlines": Layer.PROTOCOL,
    "netlab.http1.door": Layer.PROTOCOL,
    "netlab.http1.errors": Layer.PURE,
    "netlab.http1.exchange": Layer.PROTOCOL,
    "netlab.http1.factory": Layer.PROTOCOL,
    "netlab.http1.faults": Layer.PURE,
    "netlab.http1.fieldoption": Layer.PURE,
    "netlab.http1.fields": Layer.PURE,
    "netlab.http1.files": Layer.FILES,
    "netlab.http1.filestore": Layer.FILES,
    "netlab.http1.framing": Layer.PURE,
    "netlab.http1.get": Layer.COMMAND,
    "netlab.http1.grammar": Layer.PURE,
    "netlab.http1.heads": Layer.PURE,
    "netlab.http1.limits": Layer.PURE,
    "netlab.http1.listing": Layer.PURE,
    "netlab.http1.listingbudget": Layer.PURE,
    "netlab.http1.listingpage": Layer.PURE,
    "netlab.http1.log": Layer.PROTOCOL,
    "netlab.http1.logfile": Layer.FILES,
    "netlab.http1.loglines": Layer.PURE,
    "netlab.http1.mediatypes": Layer.PURE,
    "netlab.http1.memo": Layer.PURE,
    "netlab.http1.messages": Layer.PURE,
    "netlab.http1.metrics": Layer.PROTOCOL,
    "netlab.http1.negotiation": Layer.PURE,
    "netlab.http1.options": Layer.TAP,
    "netlab.http1.protocol": Layer.PROTOCOL,
    "netlab.http1.ranges": Layer.PURE,
    "netlab.http1.receivebuffer": Layer.PURE,
    "netlab.http1.receiving": Layer.PROTOCOL,
    "netlab.http1.redirects": Layer.PURE,
    "netlab.http1.repeating": Layer.PROTOCOL,
    "netlab.http1.repeats": Layer.FILES,
    "netlab.http1.resource": Layer.PROTOCOL,
    "netlab.http1.responseheads": Layer.PURE,
    "netlab.http1.responses": Layer.PURE,
    "netlab.http1.running": Layer.TAP,
    "netlab.http1.saving": Layer.FILES,
    "netlab.http1.sender": Layer.PROTOCOL,
    "netlab.http1.serverconnection": Layer.PURE,
    "netlab.http1.serverevents": Layer.PURE,
    "netlab.http1.serversettings": Layer.PURE,
    "netlab.http1.states": Layer.PURE,
    "netlab.http1.static": Layer.FILES,
    "netlab.http1.statuses": Layer.PURE,
    "netlab.http1.streaming": Layer.PROTOCOL,
    "netlab.http1.tap": Layer.TAP,
    "netlab.http1.target": Layer.PURE,
    "netlab.http1.url": Layer.PURE,
    "netlab.http1.worker": Layer.COMMAND,
    "netlab.transport": Layer.PURE,
    "netlab.transport.*": Layer.PROTOCOL,
    "netlab.transport.descriptions": Layer.PURE,
    "netlab.transport.proxyheader": Layer.PURE,
    "netlab.capture": Layer.PURE,
    "netlab.capture.*": Layer.PURE,
    "netlab.capture.opening": Layer.FILES,
    "netlab.analysis": Layer.PURE,
    "netlab.analysis.*": Layer.PURE,
    "netlab.report": Layer.PURE,
    "netlab.report.*": Layer.FILES,
    "netlab.lab": Layer.PURE,
    "netlab.lab.batch": Layer.PROTOCOL,
    "netlab.lab.catalogue": Layer.PROTOCOL,
    "netlab.lab.description": Layer.FILES,
    "netlab.lab.device": Layer.PROTOCOL,
    "netlab.lab.enter": Layer.PROTOCOL,
    "netlab.lab.expected": Layer.PROTOCOL,
    "netlab.lab.experiment": Layer.FILES,
    "netlab.lab.function": Layer.PROTOCOL,
    "netlab.lab.hosts": Layer.PROTOCOL,
    "netlab.lab.impairment": Layer.PURE,
    "netlab.lab.index": Layer.PROTOCOL,
    "netlab.lab.init": Layer.PROTOCOL,
    "netlab.lab.judgement": Layer.FILES,
    "netlab.lab.kernel": Layer.PROTOCOL,
    "netlab.lab.knobs": Layer.FILES,
    "netlab.lab.laboratory": Layer.PROTOCOL,
    "netlab.lab.lateness": Layer.PROTOCOL,
    "netlab.lab.loopback": Layer.PROTOCOL,
    "netlab.lab.machines": Layer.PROTOCOL,
    "netlab.lab.places": Layer.FILES,
    "netlab.lab.programs": Layer.PROTOCOL,
    "netlab.lab.recorder": Layer.PROTOCOL,
    "netlab.lab.relay": Layer.PROTOCOL,
    "netlab.lab.results": Layer.FILES,
    "netlab.lab.run": Layer.PROTOCOL,
    "netlab.lab.script": Layer.PURE,
    "netlab.lab.sides": Layer.PURE,
    "netlab.lab.sockets": Layer.PROTOCOL,
    "netlab.lab.sysctls": Layer.PURE,
    "netlab.lab.tapreader": Layer.PROTOCOL,
    "netlab.lab.thumbnail": Layer.FILES,
    "netlab.lab.tracker": Layer.PURE,
    "netlab.lab.transcript": Layer.PROTOCOL,
    "netlab.lab.wire": Layer.PROTOCOL,
    "netlab.lab.experiments": Layer.PURE,
    "netlab.lab.experiments.*": Layer.PROTOCOL,
    "netlab.lab.live": Layer.PURE,
    "netlab.lab.live.tap": Layer.TAP,
    "netlab.lab.live.service": Layer.TAP,
    "netlab.lab.live.*": Layer.PROTOCOL,
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
    "jinja2": Layer.FILES,
    "markupsafe": Layer.FILES,
    "prometheus_client": Layer.PROTOCOL,
    "rich": Layer.FILES,
    "twisted": Layer.PROTOCOL,
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
    target = layer_of(name)
    if target is None:
        target = layer_of(name.rpartition(".")[0])
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
