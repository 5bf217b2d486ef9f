"""
Run one function of a file in this Python: what L{netlab.lab.runs.laboratory} starts on a host.
"""

from __future__ import annotations

import importlib.util
import json
import socket
import sys
from collections.abc import Callable
from typing import Any, Final

#: What a function that serves prints first.
LISTENS: Final = "listens on"

#: As many connections as any experiment keeps waiting.
_BACKLOG: Final = 128


def load(path: str, name: str) -> Callable[..., object]:
    """
    Find a function at the top level of a file.

    @raise Exception: whatever the file raises.
    """
    spec = importlib.util.spec_from_file_location("experiment", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    function: Callable[..., object] = getattr(module, name)
    return function


def listen(host: str, port: int) -> socket.socket:
    """
    Listen, and say so.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    listening.listen(_BACKLOG)
    sys.stdout.write(f"{LISTENS} {host}:{port}\n")
    sys.stdout.flush()
    return listening


def main(path: str, name: str, text: str) -> None:
    """
    Call the function.

    @param text: JSON: C{arguments}, and C{listen}, an address and a port for a function that
        serves, or null.
    """
    call: dict[str, Any] = json.loads(text)
    function = load(path, name)
    if call["listen"] is None:
        function(*call["arguments"])
        return
    with listen(*call["listen"]) as listening:
        function(listening, *call["arguments"])


if __name__ == "__main__":
    main(*sys.argv[1:])
