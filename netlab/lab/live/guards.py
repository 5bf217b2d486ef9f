"""
Who may ask: this machine's user, by the laboratory's own page, and nobody's page else.

Every page that a browser shows may send requests to this machine's loopback. Hence three
questions: by what name are we asked (L{netlab.http1.resources.hostguard}), whose page asks
(L{site_problem}), and does it know what only our page knows (L{token_problem}).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from netlab.http1.resources.hostguard import Names, host_problem
from netlab.http1.resources.resource import Answer, Receiver, Resource, receiver_of
from netlab.http1.resources.responses import Pages
from netlab.http1.sansio.messages import RequestHead
from netlab.transport.descriptions import arguments_of

TOKEN_FIELD: Final = b"x-netlab-token"

_OWN_SITES: Final = frozenset((b"same-origin", b"none"))


def is_loopback_only(description: str) -> bool:
    """
    Tell whether nothing but this machine reaches what listens there.

    @param description: of an endpoint, as Twisted reads it.
    @return: false wherever one cannot tell.
    """
    kind, *arguments = arguments_of(description) or [""]
    interfaces = [each[10:] for each in arguments if each.startswith("interface=")]
    # An address may also stand without its name; the message then names the other way.
    unnamed = [each for each in arguments if "=" not in each]
    if kind not in ("tcp", "tcp6") or len(interfaces) != 1 or len(unnamed) > 1:
        return False
    try:
        return ip_address(interfaces[0].replace("\\", "")).is_loopback
    except ValueError:
        return False


def site_problem(head: RequestHead) -> str:
    """
    Ask whose page the request comes from: browsers say so in Sec-Fetch-Site, and in Origin where
    something is to be done. Another port of this machine is another site: what runs there may be
    anybody's.

    A link to our page may stand anywhere, as may the address that a user types.

    @return: what is wrong; empty if nothing is.
    """
    site = head.fields.get(b"sec-fetch-site")
    is_visit = (
        head.method == b"GET"
        and head.target.segments == (b"",)
        and head.fields.get(b"sec-fetch-mode") == b"navigate"
    )
    if site is not None and site not in _OWN_SITES and not is_visit:
        return "the request comes from the page of another site"
    origin = head.fields.get(b"origin")
    if (
        origin is not None
        and origin.lower() != b"http://" + (head.fields.get(b"host") or b"").lower()
    ):
        return "the request comes from the page of another origin"
    return ""


def token_problem(head: RequestHead, token: bytes) -> str:
    """
    Ask for what our page was told, wherever something is to be done.

    @param token: that.
    @return: what is wrong; empty if nothing is.
    """
    if head.method in (b"GET", b"HEAD", b"OPTIONS"):
        return ""
    given = head.fields.get(TOKEN_FIELD) or b""
    if secrets.compare_digest(given, token):
        return ""
    return "the request has no token of this start of the laboratory; load its page again"


@dataclass(frozen=True, slots=True)
class Guarded:
    """
    Lets only the laboratory's own page through to another resource; all else gets a 403.

    @ivar resource: the other one.
    @ivar names: by what names we may be asked.
    @ivar token: what only our page knows, new at each start.
    @ivar pages: writes the page that refuses.
    """

    resource: Resource
    names: Names
    token: bytes
    pages: Pages = Pages()  # noqa: RUF009, it is frozen

    def respond(self, head: RequestHead) -> Answer:
        """
        Refuse, or let the other resource answer.
        """
        problem = self._problem(head)
        if problem:
            return self.pages.error(403, f"Refused: {problem}.")
        return self.resource.respond(head)

    def receiver(self, head: RequestHead) -> Receiver | None:
        """
        Refuse, or let the other resource say.
        """
        return None if self._problem(head) else receiver_of(self.resource, head)

    def _problem(self, head: RequestHead) -> str:
        return (
            host_problem(head, self.names) or site_problem(head) or token_problem(head, self.token)
        )
