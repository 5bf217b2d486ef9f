"""
ICMP messages to the machine about a segment that it sent.
"""

from __future__ import annotations

from typing import Final

from netlab.tcp.icmp import ICMPMessage
from netlab.tcp.script.host import ScriptHost
from netlab.tcp.script.language.errors import NotSupportedError, ScriptSyntaxError
from netlab.tcp.script.language.syntax import ScriptICMP
from netlab.tcp.script.network import ScriptNetwork

#: By the names of the kind and the code in scripts; those of IPv4 and, behind them, of IPv6.
_MESSAGES: Final = {
    ("unreachable", ""): ICMPMessage.UNREACHABLE,
    ("unreachable", "net_unreachable"): ICMPMessage.UNREACHABLE,
    ("unreachable", "host_unreachable"): ICMPMessage.UNREACHABLE,
    ("unreachable", "protocol_unreachable"): ICMPMessage.PORT_UNREACHABLE,
    ("unreachable", "port_unreachable"): ICMPMessage.PORT_UNREACHABLE,
    ("unreachable", "frag_needed"): ICMPMessage.TOO_BIG,
    ("unreachable", "net_unknown"): ICMPMessage.UNREACHABLE,
    ("unreachable", "host_unknown"): ICMPMessage.UNREACHABLE,
    ("unreachable", "no_route"): ICMPMessage.UNREACHABLE,
    ("unreachable", "address_unreachable"): ICMPMessage.UNREACHABLE,
    ("time_exceeded", ""): ICMPMessage.TIME_EXCEEDED,
    ("time_exceeded", "ttl"): ICMPMessage.TIME_EXCEEDED,
    ("packet_too_big", ""): ICMPMessage.TOO_BIG,
}


def deliver(host: ScriptHost, network: ScriptNetwork, message: ScriptICMP, line: int) -> None:
    """
    Let a message arrive.

    @raise NotSupportedError: it is of another kind.
    """
    flow = network.flow
    if flow is None:
        raise ScriptSyntaxError(line, "there is no connection that the message could be about")
    kind = _MESSAGES.get((message.kind, message.code))
    if kind is None:
        text = f"{message.kind} {message.code}".strip()
        raise NotSupportedError(line, f"the ICMP message {text[:80]}")
    host.stack.icmp_arrives(
        host.now,
        kind,
        *flow.local,
        *flow.remote,
        flow.quoted_to_live(message.seq),
        message.mtu or 0,
    )
    host.settle()
