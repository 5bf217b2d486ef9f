"""
What connections are given to carry, and producers that make it.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IPullProducer, IPushProducer
from zope.interface import implementer

# More than the kernel's buffers on both sides hold.
MUCH = bytes(range(256)) * 4 * 6144


def echo(protocol: Any, data: bytes) -> None:
    """
    Send back what arrives.
    """
    protocol.transport.write(data)


@implementer(IPullProducer)
class Counter:
    """
    Writes numbered lines, one for each time it is asked.
    """

    def __init__(self, transport: Any, lines: int) -> None:
        self.transport = transport
        self.lines = [b"%d\n" % number for number in range(lines)]
        self.next = 0
        self.stopped = 0

    def resumeProducing(self) -> None:
        """
        Write the next line.
        """
        self.transport.write(self.lines[self.next])
        self.next += 1
        if self.next == len(self.lines):
            self.transport.unregisterProducer()

    def stopProducing(self) -> None:
        """
        Remember it.
        """
        self.stopped += 1


@implementer(IPushProducer)
class Valve:
    """
    Remembers when it was told to pause, resume and stop.
    """

    def __init__(self) -> None:
        self.told: list[str] = []

    def pauseProducing(self) -> None:
        """
        Remember it.
        """
        self.told.append("pause")

    def resumeProducing(self) -> None:
        """
        Remember it.
        """
        self.told.append("resume")

    def stopProducing(self) -> None:
        """
        Remember it.
        """
        self.told.append("stop")
