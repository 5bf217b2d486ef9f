"""
C{python -m netlab.tcp.script FILE.pkt …}: play scripts, and say where the machine differs.

The exit status is 0 if all pass, 1 if one differs, 2 if one is no script or asks for something that
is not supported here.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from netlab.tcp.script.language.errors import (
    DifferenceError,
    NotSupportedError,
    PacketScriptError,
)
from netlab.tcp.script.language.tokens import SCRIPT_MAX_CHARACTERS
from netlab.tcp.script.running import play_text

_USAGE: Final = "usage: python -m netlab.tcp.script [--define NAME=VALUE] [--OPTION=VALUE] FILE…"


def main(words: Sequence[str]) -> int:
    """
    Play the scripts that a command line names.

    @return: the exit status.
    """
    definitions: dict[str, str] = {}
    options: list[tuple[str, str]] = []
    files: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in {"-D", "--define"} and rest:
            word = f"--define={rest.pop(0)}"
        if word.startswith("--define="):
            name, _, value = word.removeprefix("--define=").partition("=")
            definitions[name] = value
        elif word in {"-v", "--verbose"}:
            continue
        elif word in {"-h", "--help"}:
            sys.stdout.write(f"{_USAGE}\n")
            return 0
        elif word.startswith("--"):
            name, _, value = word[2:].partition("=")
            options.append((name, value))
        else:
            files.append(word)
    if not files:
        _say(_USAGE)
        return 2
    return max(_play(name, options, definitions) for name in files)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _play(name: str, options: Sequence[tuple[str, str]], definitions: dict[str, str]) -> int:
    try:
        with Path(name).open(encoding="utf-8", errors="replace") as file:
            text = file.read(SCRIPT_MAX_CHARACTERS + 1)
    except OSError as error:
        _say(f"{name}: {error.strerror}")
        return 2
    try:
        play_text(
            text,
            options,
            definitions,
            lambda line, note: _say(f"{name}:{line}: {note}"),
        )
    except DifferenceError as error:
        _say(f"{name}:{error.line}: {error.reason}")
        return 1
    except NotSupportedError as error:
        _say(f"{name}:{error.line}: not supported: {error.reason}")
        return 2
    except PacketScriptError as error:
        _say(f"{name}:{error.line}: {error.reason}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
