"""
Large content on its way to a client, as long as that takes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import ITransport

from netlab.http1.resources.responses import ContentSource
from netlab.http1.server.context import ServerContext
from netlab.http1.server.sender import Sender, sender_for


class Carrier(Protocol):
    """
    What a transfer knows of its connection.

    @ivar context: what all connections have in common.
    @ivar transport: what carries it.
    @ivar sender: the transport's producer, where it is not the connection.
    @ivar is_advancing: the connection will go on by itself with what it has received.
    @ivar is_closing: nothing more is answered.
    """

    context: ServerContext
    transport: ITransport | None
    sender: Sender | None
    is_advancing: bool
    is_closing: bool

    def advance(self) -> None:
        """
        Go on with what has been received.
        """

    def hand_over_to(self, sender: Sender) -> None:
        """
        Let a sender be the transport's producer.
        """

    def take_back(self) -> None:
        """
        The sender has handed everything to the transport.
        """

    def sender_failed(self, why: Exception) -> None:
        """
        The sender has stopped in the middle.
        """

    def expect_progress(self) -> None:
        """
        From now on the peer must take something of what we send.
        """


def begin_transfer(
    connection: Carrier,
    head: bytes,
    source: ContentSource,
    over: Callable[[int, Exception | None], None],
) -> None:
    """
    Send a head and content of known length behind it, no faster than the client takes it.

    @param source: is closed when it is over.
    @param over: is called once, with the number of bytes sent, and None or what went wrong; then
        the connection is lost or has been aborted.
    """
    transport = connection.transport
    assert transport is not None

    def done(why: Exception | None) -> None:
        source.close()
        if why is not None:
            connection.sender_failed(why)
            over(sender.sent, why)
            return
        connection.take_back()
        over(sender.sent, None)
        if has_begun and not (connection.is_advancing or connection.is_closing):
            connection.advance()

    def progressed(_sent: int) -> None:
        if has_begun:
            connection.expect_progress()

    has_begun = False
    sender = sender_for(transport, source, done, progressed, connection.context.fairness.gives_way)
    connection.hand_over_to(sender)
    sender.begin(head)
    has_begun = True
    if connection.sender is sender:
        connection.expect_progress()
