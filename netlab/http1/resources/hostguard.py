"""
By what name a site is asked for.

A page that a browser shows may send requests to this machine, and to others that its user reaches.
It cannot read the answers, unless it makes the browser believe that we are its own site: by a name
that first means the attacker's server and then our address (DNS rebinding). A site that is not for
everybody therefore asks by what name it is asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from netlab.http1.resources.resource import Answer, Receiver, Resource, receiver_of
from netlab.http1.resources.responses import Pages
from netlab.http1.sansio.messages import RequestHead

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Names:
    """
    By what names a site may be asked for.

    @ivar extra: host names in lower case, beside C{localhost} and this machine's loopback
        addresses.
    @ivar takes_addresses: whether any IP address will do. No attacker's name resolves to itself:
        an address is safe from rebinding, and whether it is ours the connection has shown.
    @ivar takes_nameless: whether a request may say no name at all, which HTTP/1.0 allows. Every
        browser says one; what checks a server's health may not.
    """

    extra: frozenset[str] = frozenset()
    takes_addresses: bool = False
    takes_nameless: bool = False


def read_name(text: str) -> str:
    """
    Read a host name, for L{Names.extra}.

    @raise ValueError: it is none.
    """
    name = text.lower()
    if _NAME.fullmatch(name) is None:
        raise ValueError("not a host name")
    return name


def host_problem(head: RequestHead, names: Names) -> str:
    """
    Ask by what name we are asked, in the Host field and in a target of absolute-form.

    @return: what is wrong; empty if nothing is.
    """
    asked = (*head.fields.get_all(b"host"), *filter(None, [head.target.authority]))
    if not asked and not names.takes_nameless:
        return "the request does not say which host it means"
    for authority in asked:
        host = _host_of(authority)
        if not (host == "localhost" or host in names.extra or _is_our_address(host, names)):
            return "ask by the name localhost, or by an address"
    return ""


@dataclass(frozen=True, slots=True)
class NamedOnly:
    """
    Lets those through to another resource who ask by a name that is ours; all others get a 403.

    @ivar resource: the other one.
    @ivar names: by what names we may be asked.
    @ivar pages: writes the page that refuses.
    """

    resource: Resource
    names: Names
    pages: Pages = Pages()  # noqa: RUF009, it is frozen

    def respond(self, head: RequestHead) -> Answer:
        """
        Refuse, or let the other resource answer.
        """
        problem = host_problem(head, self.names)
        if problem:
            return self.pages.error(403, f"Refused: {problem}.")
        return self.resource.respond(head)

    def receiver(self, head: RequestHead) -> Receiver | None:
        """
        Refuse, or let the other resource say.
        """
        return None if host_problem(head, self.names) else receiver_of(self.resource, head)


def _host_of(authority: bytes) -> str:
    """
    Take the port away.

    @param authority: valid, since the server has read it.
    """
    text = authority.decode("ascii", "replace").lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]


def _is_our_address(host: str, names: Names) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or names.takes_addresses
