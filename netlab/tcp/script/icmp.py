"""
ICMP messages to the machine about a segment that it sent.
"""

from __future__ import annotations

from netlab.tcp.script.host import ScriptHost
from netlab.tcp.script.language.errors import NotSupportedError
from netlab.tcp.script.language.syntax import ScriptICMP
from netlab.tcp.script.network import Network


def deliver(host: ScriptHost, network: Network, message: ScriptICMP, line: int) -> None:
    """
    Let a message arrive.
    """
    raise NotSupportedError(line, "ICMP")
