"""
Whose request it is that a proxy hands on: X-Forwarded-For and X-Forwarded-Proto, or Forwarded (RFC
7239).

Anyone can send these fields. What they say counts for as far as it comes from hops that are
trusted: read from the right, where the nearest hop has written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple, TypeAlias

from netlab.http1.sansio.fields import Fields

Network: TypeAlias = IPv4Network | IPv6Network

#: More hops than any request takes; what lies to the left of them is not read.
_HOPS_MAX: Final = 16

#: Whether a peer is trusted is remembered for as many of them.
_PEERS_MAX: Final = 4096

FORWARDED: Final = b"forwarded"
X_FORWARDED_FOR: Final = b"x-forwarded-for"
X_FORWARDED_PROTO: Final = b"x-forwarded-proto"

#: A parameter of a forwarded-element (RFC 7239 section 4), and a node's name (section 6).
_PAIR: Final = re.compile(
    rb'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=(?:([^\s",;]+)|"((?:[^"\\]|\\.)*)")\s*'
)
_NODE: Final = re.compile(
    rb"(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)|([0-9a-fA-F:.]+))(?::[0-9_A-Za-z.-]+)?"
)


class Hop(NamedTuple):
    """
    What one proxy says of whom it has the request from.

    @ivar address: None where it hides it, or says something else.
    @ivar scheme: C{http} or C{https}; empty where it does not say.
    """

    address: str | None
    scheme: str


class ForwardedClient(NamedTuple):
    """
    Whose request it is.

    @ivar address: the client's, as far as trusted hops know it.
    @ivar scheme: by which the client reached the first trusted hop that says so; empty otherwise.
    """

    address: str
    scheme: str


@dataclass(frozen=True, slots=True)
class TrustedNetwork:
    """
    Proxies whose word counts.

    @ivar network: their addresses.
    @ivar uses_forwarded: they write Forwarded, and not the X- fields. One of the two has to be
        chosen: the other one comes from anybody.
    """

    network: Network
    uses_forwarded: bool = False


def parse_trusted(text: str) -> TrustedNetwork:
    """
    Read an address or network, with C{=forwarded} behind it for proxies that write Forwarded.

    @raise ValueError: it is none.
    """
    network, equals, field = text.partition("=")
    if equals and field != "forwarded":
        raise ValueError("behind = stands forwarded, or nothing")
    return TrustedNetwork(ip_network(network), bool(equals))


class TrustedProxies:
    """
    The proxies in front of a server.
    """

    def __init__(self, networks: Iterable[TrustedNetwork]) -> None:
        """
        @param networks: not empty.
        """
        self._networks = tuple(networks)
        self._known: dict[str, TrustedNetwork | None] = {}

    def trusts(self, address: str) -> bool:
        """
        Tell whether an address is that of a proxy.
        """
        return self._network_of(address) is not None

    def client(self, peer: str, fields: Fields) -> ForwardedClient:
        """
        Find out whose request it is.

        @param peer: whom it has come from.
        """
        address, scheme = peer, ""
        network = self._network_of(address)
        if network is None:
            return ForwardedClient(address, scheme)
        hops = _forwarded(fields) if network.uses_forwarded else _x_forwarded(fields)
        for hop in hops[::-1][:_HOPS_MAX]:
            scheme = hop.scheme or scheme
            if hop.address is None:
                break
            address = hop.address
            if self._network_of(address) is None:
                break
        return ForwardedClient(address, scheme)

    def peer(self, peer: bytes, fields: Fields) -> bytes:
        """
        As L{client}, of and to an address as the access log has it.
        """
        return self.client(peer.decode("latin-1"), fields).address.encode("latin-1")

    def _network_of(self, address: str) -> TrustedNetwork | None:
        known = self._known
        if address in known:
            return known[address]
        found = None
        parsed = _parsed(address)
        if parsed is not None:
            for each in self._networks:
                if parsed.version == each.network.version and parsed in each.network:
                    found = each
                    break
        if len(known) >= _PEERS_MAX:
            known.clear()
        known[address] = found
        return found


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """
    Read an address; an IPv4 one that came by an IPv6 socket is the same.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed


def _x_forwarded(fields: Fields) -> list[Hop]:
    """
    Read X-Forwarded-For, from the left; X-Forwarded-Proto, of which proxies write one, belongs to
    the nearest.
    """
    values = b",".join(fields.get_all(X_FORWARDED_FOR))
    if not values:
        return [Hop(None, _scheme(fields))] if X_FORWARDED_PROTO in fields else []
    hops = [Hop(_node(element.strip()), "") for element in values.split(b",")]
    hops[-1] = Hop(hops[-1].address, _scheme(fields))
    return hops


def _scheme(fields: Fields) -> str:
    value = b",".join(fields.get_all(X_FORWARDED_PROTO)).rpartition(b",")[2].strip().lower()
    return value.decode("ascii") if value in (b"http", b"https") else ""


def _forwarded(fields: Fields) -> list[Hop]:
    """
    Read Forwarded, from the left. An element that breaks the grammar says nothing.
    """
    hops = []
    for element in _elements(b",".join(fields.get_all(FORWARDED)), b","):
        known: dict[bytes, bytes] = {}
        for pair in _elements(element, b";"):
            match = _PAIR.fullmatch(pair)
            if match is None:
                known.clear()
                break
            value = match[2] if match[3] is None else re.sub(rb"\\(.)", rb"\1", match[3])
            known[match[1].lower()] = value
        scheme = known.get(b"proto", b"").lower()
        hops.append(
            Hop(
                _node(known.get(b"for", b"")),
                scheme.decode("ascii") if scheme in (b"http", b"https") else "",
            )
        )
    return hops


def _elements(value: bytes, separator: bytes) -> list[bytes]:
    """
    Cut at a separator that does not stand in a quoted string.
    """
    pieces = re.findall(rb'"(?:[^"\\]|\\.)*"|[^"' + separator + rb']+|"|' + separator, value)
    elements = [b""]
    for piece in pieces:
        if piece == separator:
            elements.append(b"")
        else:
            elements[-1] += piece
    return [element for element in elements if element.strip()]


def _node(text: bytes) -> str | None:
    """
    Read the address of a node; a port behind it is left out.
    """
    match = _NODE.fullmatch(text)
    if match is None:
        return None
    address = (match[1] or match[2] or match[3]).decode("ascii")
    return address if _parsed(address) is not None else None
