"""
Twisted's asyncio reactor, and the loop it runs on.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any


class WrongReactorError(RuntimeError):
    """
    Another reactor has been installed.
    """


def install_asyncio_reactor() -> None:
    """
    Install the asyncio reactor, unless it is there.

    @raise WrongReactorError: there is another one.
    """
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor, install

    if "twisted.internet.reactor" in sys.modules:
        if not isinstance(sys.modules["twisted.internet.reactor"], AsyncioSelectorReactor):
            raise WrongReactorError("another reactor than asyncio's was installed before")
        return
    install(asyncio.new_event_loop())  # type: ignore[no-untyped-call]


def loop_of(reactor: Any) -> asyncio.AbstractEventLoop:
    """
    Find the loop of an asyncio reactor.

    @raise WrongReactorError: it is another reactor.
    """
    loop = getattr(reactor, "_asyncioEventloop", None)
    if not isinstance(loop, asyncio.AbstractEventLoop):
        raise WrongReactorError(f"{type(reactor).__name__} is not the asyncio reactor")
    return loop
