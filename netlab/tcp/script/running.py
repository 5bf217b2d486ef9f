"""
A script from its text to its verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from netlab.tcp.isn import Secrets
from netlab.tcp.script.language.configuration import Configuration
from netlab.tcp.script.language.parsing import parse_script
from netlab.tcp.script.language.syntax import ScriptFlag
from netlab.tcp.script.network import ends
from netlab.tcp.script.player import Player


def play_text(
    text: str,
    options: Sequence[tuple[str, str]] = (),
    definitions: Mapping[str, str] | None = None,
    note: Callable[[int, str], None] = lambda line, text: None,
) -> None:
    """
    Read a script and play it.

    @param options: names and values as on a command line; the script's own come after them.
    @param definitions: words of the script and what they stand for.
    @param note: told what is passed over: the line, and a text.
    @raise netlab.tcp.script.language.errors.PacketScriptError: it does not pass.
    """
    script = parse_script(text, _known(options, definitions or {}))
    outside = [ScriptFlag(0, name, value) for name, value in options]
    configuration = Configuration().with_flags([*outside, *script.flags])
    Player(script, configuration, note).play()


def _known(options: Sequence[tuple[str, str]], definitions: Mapping[str, str]) -> Mapping[str, str]:
    """
    Define what the kernel's runner defines for its scripts: their fast open cookie is the one that
    the machine under test gives to its peer.
    """
    version = 6 if ("ip_version", "ipv6") in options else 4
    local, remote = ends(version)
    cookie = Secrets(Configuration().secret).cookie(local, remote)
    return {"TFO_COOKIE": cookie.hex()} | dict(definitions)
