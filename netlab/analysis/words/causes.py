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
    # Nothing comes back.
    "lost-on-the-way": "packets lost on the way",
    "filtered": "a firewall that drops them",
    "queue-full": "a server whose queue of new connections is full",
    "host-down": "a host that is down",
    "capture-ended": "an answer that came after the capture ended",
    "answers-not-captured": "answers that took a path that was not captured",
    "peer-gone": "a peer that is gone (crashed, switched off, disconnected)",
    "path-broken": "a broken path",
    "no-listener": "no program listens on that port",
    "earlier-attempt": "an earlier attempt between the same ports is not over",
    "never-existed": "there never was such a connection (a stray segment, an ACK scan)",
    "open-before": "the connection was open before the capture began",
    "firewall-rejects": "a firewall answers in its place",
    # In a handshake.
    "scan": "a port scan",
    "test": "a test tool",
    "half-open-scan": "a half-open port scan",
    "health-check": "a health check",
    "client-gave-up": "a client that had given up",
    "answer-not-expected": "a client that did not expect this answer",
    "forged-address": "a forged source address (SYN flood)",
    "ack-not-captured": "an ACK that was not captured",
    "syn-lost": "the first SYN was lost",
    "answer-lost-before-here": "its answer was lost before it reached this point",
    "answer-slow": "the first SYN was answered late",
    "lost-behind-this-point": "it was lost behind this point",
    "crossed-on-the-way": "the two crossed on the way",
    "answer-not-accepted": "the client did not accept it",
    "syn-ack-lost": "the SYN-ACK was lost",
    "last-ack-lost": "the client's ACK was lost",
    "waits-for-data": "a server that accepts a connection only when data arrives",
    "client-silent": "a client that does not answer",
    "syn-cookies": "SYN cookies",
    "load-balancer": "a load balancer with several servers behind it",
    "restarted": "the host or its program was restarted",
    # RST.
    "device-forgot": "a firewall or address translator forgot the connection",
    "closed-without-a-trace": "it had been closed or reset where this capture does not show it",
    "never-asked": "its host never opened this connection (forged source address, restart)",
    "gave-up": "its program had given up",
    "forged": "a third party forged it",
    "sent-on-the-way": "a device on the way sent it",
    "stack-with-another-ttl": "the host itself sends RSTs with other values",
    "unread-data": "its program closed with received data unread",
    "answers-what-is-not-here": "it answers a segment that was not captured",
    "abort": "its program aborted the connection",
    "data-after-close": "data arrived after its program had closed",
    "fin-wait-timeout": "its FIN-WAIT-2 timeout expired",
    "peer-does-not-read": "the peer's program does not read",
    # Why there is a connection.
    "spare-connection": "a spare connection, opened in advance",
    "retries": "a client that tries again",
    # HTTP.
    "answer-in-missing-bytes": "the answer is among them",
    # FIN.
    "fin-not-captured": "a FIN that was not captured",
    "one-byte-not-captured": "one byte of data that was not captured",
    "idle-timeout": "an idle timeout",
    "program-decided": "its program no longer needed the connection",
    "nothing-more-to-ask": "the client had nothing more to ask",
    "nothing-more-to-send": "the client had nothing more to send",
    "no-answer-due": "no answer was due",
    "server-timeout": "a timeout inside the server",
    "server-failed": "the server's program failed",
    "client-failed": "the client's program failed",
    "not-accepted": "the server does not accept such a request (it may expect TLS)",
    "client-timeout": "a timeout of the client",
    "cancelled": "the transfer was cancelled",
    "other-direction-not-captured": "the answers took a path that was not captured",
    "server-speaks-no-tls": "the server does not speak TLS at this port",
    "server-refuses-hello": "the server refuses what the hello offers, or the host that it names",
    "device-on-the-way": "a device on the way ends connections to that host",
    "close-notify": "close_notify",
    "other-alert": "another alert",
    "two-bytes-of-data": "two bytes of application data",
    "icmp-too-big": "the ICMP error, which makes the sender cut it into smaller segments",
    "icmp-error": "the reason that the ICMP error gives",
    "one-host": "both run on one host",
    "false-address": "one of the addresses is forged",
    "near-the-client": "it was captured near the client",
    "near-the-server": "it was captured near the server",
    "client-answers-late": "the client was slow to answer",
    "server-answers-late": "the server was slow to answer",
    "on-the-host-of-the-client": "it was captured on the client's host",
    "on-the-host-of-the-server": "it was captured on the server's host",
    "on-the-host-of-a-virtual-machine": "it was captured on the host of a virtual machine or "
    "container",
    "tunnel-interface": "a tunnel's interface (a VPN)",
    "loopback-interface": "a loopback, with both addresses on one host",
    "records-out-of-order": "the records are not in the order of their time stamps (several "
    "interfaces or buffers)",
    "clock-set-back": "the clock was set back",
    "layer-not-decoded": "it is in the frames whose layer was not decoded",
    "connected-to-itself": "a socket that was connected to itself (simultaneous open, RFC 9293 "
    "section 3.5)",
    "in-what-is-not-decoded": "they are in the frames that are not decoded, or of which not even "
    "the TCP header was captured",
    "direction-not-captured": "the capture has one direction only (a tap, a mirror port, a filter)",
    "other-way": "the other direction took another path",
    "changed-after-capture": "the frames were changed after they were captured, such as addresses "
    "replaced",
    "damaged-on-the-way": "they were damaged on the way",
    "no-such-host": "no host of this address is up on this link",
    "reply-not-captured": "the replies, which are sent to the asking host alone, were not captured",
    "retransmission-timeout": "its retransmission timer expired (RFC 6298)",
    "earlier-timeout": "an earlier timeout, after which all outstanding data is sent again",
    "sack-recovery": "SACK recovery (RFC 6675)",
    "partial-ack": "a partial ACK (RFC 6582)",
    "tail-loss-probe": "a tail loss probe (RFC 8985)",
    "rack": "time-based loss detection, RACK (RFC 8985)",
    "early-retransmit": "an early retransmit (RFC 5827)",
    "fast-retransmit": "a fast retransmit (RFC 5681)",
    "ack-lost": "that ACK was lost behind this point",
    "ack-late": "that ACK had not reached the sender yet",
    "overtaken": "it was overtaken on the way",
    "retransmission": "it is a retransmission whose first copy was not seen here",
    "sent-out-of-order": "its sender sent it out of order",
    "lost-before-this-point": "the first copy was lost before this point",
    "not-captured": "the capture missed it",
    "later-segment-came": "a later segment came before this byte",
    "nothing-new-came": "a segment came that brought nothing new",
    "waited-there": "it had nothing to send earlier",
    "held-up-on-the-way": "its segment was held up on the way",
    "captured-late": "it was captured late",
    "injected": "a third party sent one of them (injection)",
    "sender-changed-its-bytes": "the sender sent something else the second time",
    "duplicated-on-the-way": "the network duplicated it",
    "captured-twice": "it was captured twice",
    "application-read": "its program has read",
    "buffer-enlarged": "its system enlarged the receive buffer",
    "keep-alive": "it is a keep-alive",
    "byte-not-captured": "the byte before it was not captured",
    "delayed-ack": "a delayed ACK (RFC 9293 section 3.8.6.3)",
    "slow-way": "a slow path",
    "nagle-and-delayed-ack": "Nagle's algorithm waited for a delayed ACK",
    "write-ended": "a write of its program ended there",
    "nothing-more-queued": "nothing more was queued when it was sent",
    "pushed-by-the-system": "its system sets PSH in between, such as after half a window",
    "application-pause": "its program paused just as long",
}
"""Each cause that a claim may name, as words that can follow C{possible causes:}."""


def possible(claim: Claim) -> str:
    """
    Name a claim's causes as possible ones, as a sentence with a space before it; nothing where it
    has none.
    """
    if not claim.causes:
        return ""
    noun = "cause" if len(claim.causes) == 1 else "causes"
    return f" Possible {noun}: {either([CAUSES[each] for each in claim.causes])}."


def rule(claim: Claim) -> str:
    """
    Cite the rule that a claim follows from, in parentheses with a space before it.
    """
    return f" ({claim.rule})" if claim.rule else ""
