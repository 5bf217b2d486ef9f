"""
Possible causes in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.words.phrases import either

CAUSES: Final[Mapping[str, str]] = {
    "unknown": "something that the frames do not show",
    "lost-on-the-way": "the packets were lost on the way",
    "filtered": "a firewall dropped them",
    "host-down": "the host is down",
    "other-direction-not-captured": "the answers took a way that was not captured",
    "icmp-error": "what the ICMP error says",
    "one-host": "both run on one host",
    "forged-address": "one of them is forged",
    "near-the-client": "it was captured near the client",
    "near-the-server": "it was captured near the server",
    "client-answers-late": "the client was slow to answer",
    "server-answers-late": "the server was slow to answer",
    "on-the-host-of-the-client": "it was captured on the client's host",
    "on-the-host-of-the-server": "it was captured on the server's host",
    "on-the-host-of-a-virtual-machine": "it was captured on the host of a virtual machine",
    "tunnel-interface": "a tunnel's interface (a VPN)",
    "loopback-interface": "a loopback, with both addresses on one host",
    "records-out-of-order": "the records are not in the order of their time stamps (several "
    "interfaces or buffers)",
    "clock-set-back": "the clock was set back",
    "layer-not-decoded": "it is in the frames whose layer is not decoded",
    "direction-not-captured": "the capture has one direction only (a tap, a mirror port, a filter)",
    "other-way": "the other direction took another way",
    "changed-after-capture": "the frames were changed after they were captured, such as addresses "
    "replaced",
    "damaged-on-the-way": "they were damaged on the way",
    "no-such-host": "no host of this address is up on this link",
    "reply-not-captured": "the replies, which are sent to the asking host alone, were not captured",
}
"""Each cause that a claim may name, as a clause that can follow C{possible causes:}."""


def possible(claim: Claim) -> str:
    """
    Name a claim's causes as possible ones, as a sentence with a space before it; nothing where it
    has none.
    """
    if not claim.causes:
        return ""
    noun = "cause" if len(claim.causes) == 1 else "causes"
    return f" Possible {noun}: {either([CAUSES[each] for each in claim.causes])}."
