"""
Connections that have no protocol yet: their TLS handshake is under way.
"""

# mypy: allow-untyped-calls
# Twisted leaves its reactors' methods without annotations.

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from twisted.internet import main
from twisted.internet.interfaces import (
    IDelayedCall,
    IReadDescriptor,
    IWriteDescriptor,
)
from twisted.logger import Logger
from twisted.python import failure, log
from zope.interface import implementer

from netlab.transport.disconnection import disconnect, log_exception
from netlab.transport.filetransport import FULL
from netlab.transport.reception import (
    Accepted,
    AcceptingPort,
    MakeTransport,
    Reception,
    with_host,
)
from netlab.transport.tls.channel import Channel, ChannelError
from netlab.transport.tls.contexts import RenewableContext
from netlab.transport.tls.records import is_plain_http
from netlab.transport.tls.turns import DecryptionTurns

#: How many handshakes may be under way, and how large a part of this process's descriptors they may
#: take. Beyond that the oldest is dropped that has sent nothing, or else the oldest.
HANDSHAKES_MAX: Final = 4096
_DESCRIPTORS_PART: Final = 4

#: How much a client may send before its handshake is complete: OpenSSL takes certificate chains of
#: up to 100 KiB.
HANDSHAKE_MAX_BYTES: Final = 128 * 1024

#: How often it is logged that handshakes fail.
FAILURES_TOLD_SECONDS: Final = 60.0

# A handshake's messages are some hundred bytes; requests may follow at once.
_READ_BYTES: Final = 1 << 14

#: What nginx says too.
PLAIN_HTTP_ANSWER: Final = (
    b"HTTP/1.1 400 Bad Request\r\n"
    b"Content-Type: text/plain\r\n"
    b"Content-Length: 44\r\n"
    b"Connection: close\r\n"
    b"\r\n"
    b"This port speaks HTTPS: use an https:// URL\n"
)

_log = Logger()


@implementer(IReadDescriptor, IWriteDescriptor)
class Handshake:
    """
    One connection before its handshake is complete. Before its first byte it has no TLS state.

    @ivar client: the peer's address.
    @ivar reads_to_the_end: for L{NestedPoller<netlab.transport.poller.NestedPoller>}.
    """

    reads_to_the_end = True

    __slots__ = (
        "_awaits_turn",
        "_channel",
        "_hall",
        "_has_more",
        "_is_refused",
        "_read",
        "_socket",
        "_unsent",
        "client",
    )

    def __init__(
        self, hall: SecureReception, accepted: socket.socket, client: tuple[Any, ...]
    ) -> None:
        """
        @param hall: knows what to do when it is complete.
        @param accepted: the connected socket, made non-blocking here.
        @param client: the peer's address.
        """
        accepted.setblocking(False)
        self._hall = hall
        self._socket: socket.socket | None = accepted
        self._channel: Channel | None = None
        self._is_refused = False
        self._read = 0
        self._unsent = b""
        self.client = client
        self._awaits_turn = False
        # Something has come meanwhile.
        self._has_more = False

    # As a descriptor

    def fileno(self) -> int:
        """
        @return: the descriptor, or -1 when it is closed or a protocol has it.
        """
        return -1 if self._socket is None else self._socket.fileno()

    def logPrefix(self) -> str:
        """
        @return: the prefix of log lines.
        """
        return "TLS"

    def doRead(self) -> Any:
        """
        Go on with what has come.

        @return: why the connection is over; None while it is not.
        """
        if self._socket is None:
            return None
        if self._awaits_turn:
            self._has_more = True
            return None
        try:
            data = self._socket.recv(_READ_BYTES)
        except OSError as refused:
            return None if refused.errno in FULL else main.CONNECTION_LOST
        if len(data) == _READ_BYTES:
            self._hall.look_again(self)
        self._read += len(data)
        if not data or self._read > HANDSHAKE_MAX_BYTES:
            return main.CONNECTION_LOST
        if self._is_refused:
            return None
        if self._channel is None:
            if is_plain_http(data):
                self._refuse(PLAIN_HTTP_ANSWER)
                return None
            self._channel = Channel(self._hall.context.current)
            self._hall.note_spoken(self)
        self._channel.receive(data)
        turns = self._hall.turns
        began = turns.begin()
        if began is None:
            self._awaits_turn = True
            if not self._hall.reports_once:
                self._hall.reactor.removeReader(self)
            turns.add(self._take_turn, self.client[0])
            return None
        self._shake(self._channel)
        turns.end(began)
        return None

    def doWrite(self) -> Any:
        """
        Send what there was no room for.

        @return: as of L{doRead}.
        """
        unsent, self._unsent = self._unsent, b""
        if not self._send(unsent):
            return main.CONNECTION_LOST
        if not self._unsent:
            self._hall.reactor.removeWriter(self)
        return None

    def connectionLost(self, reason: failure.Failure) -> None:
        """
        The connection is over.

        @param reason: why.
        """
        self.close()

    @property
    def wants_more(self) -> bool:
        """
        Whether its socket is to be watched for input.
        """
        return self._socket is not None and not self._awaits_turn

    # What happens

    def close(self) -> None:
        """
        Close the socket, unless a protocol has it.
        """
        accepted, self._socket = self._socket, None
        if accepted is not None:
            self._hall.forget(self)
            accepted.close()

    def leave(self) -> None:
        """
        Stop being watched, and close.
        """
        self._unwatch()
        self.close()

    def _unwatch(self) -> None:
        self._hall.reactor.removeReader(self)
        self._hall.reactor.removeWriter(self)

    def _take_turn(self) -> None:
        self._awaits_turn = False
        if self._socket is None or self._channel is None:
            return
        try:
            self._hall.reactor.addReader(self)
            if self._has_more:
                self._has_more = False
                self._hall.look_again(self)
            self._shake(self._channel)
        except BaseException as raised:
            disconnect(self._hall.reactor, self, log_exception(self, raised), is_read=False)

    def _shake(self, channel: Channel) -> None:
        try:
            is_complete = channel.shake()
        except ChannelError as fault:
            self._hall.note_failure(self.client[0], fault)
            self._refuse(channel.output())
            return
        if is_complete:
            self._complete(channel)
        elif (output := channel.output()) and not self._send(output):
            self.leave()

    def _complete(self, channel: Channel) -> None:
        """
        Hand the connection over to a protocol.
        """
        hall, accepted = self._hall, self._socket
        assert accepted is not None
        unsent, output = self._unsent, channel.output()
        if unsent:
            hall.reactor.removeWriter(self)
        if not channel.may_hold_tickets:
            unsent, output = unsent + output, b""

        def make(*arguments: Any) -> Any:
            transport = hall.make_transport(
                *arguments, channel=channel, unsent=unsent, tickets=output, turns=hall.turns
            )
            hand_over = getattr(hall.reactor, "hand_over", None)
            if hand_over is not None and hand_over(self, transport):
                transport.take_watch()
            else:
                hall.reactor.removeReader(self)
            self._socket = None
            return transport

        hall.forget(self)
        transport = hall.introduce(accepted, self.client, make)
        if transport is None and self._socket is not None:
            # Nobody wants it, and it is closed.
            hall.reactor.removeReader(self)
            self._socket = None

    def _refuse(self, last_words: bytes) -> None:
        """
        Say what is wrong, then end our half, and wait for the peer to end its own: closing at once
        would reset the connection where more has come, and lose what we have said.
        """
        self._is_refused = True
        self._channel = None
        self._unsent = b""
        self._hall.note_spoken(self)
        accepted = self._socket
        assert accepted is not None
        # Where it cannot be said, the peer is gone or does not listen.
        with suppress(OSError):
            accepted.send(last_words)
        try:
            accepted.shutdown(socket.SHUT_WR)
        except OSError:
            self.leave()

    def _send(self, data: bytes) -> bool:
        """
        Send records behind those that wait.

        @return: whether the peer is still there.
        """
        if self._unsent:
            self._unsent += data
            return True
        assert self._socket is not None
        try:
            sent = self._socket.send(data)
        except OSError as refused:
            if refused.errno not in FULL:
                return False
            sent = 0
        if sent != len(data):
            self._unsent = data[sent:]
            self._hall.reactor.addWriter(self)
        return True


class SecureReception:
    """
    Takes in the connections of one port, each with a TLS handshake before it has a protocol.

    Handshakes are bounded by number (L{HANDSHAKES_MAX}), by time and by what they may send. A
    factory that has C{handshakes_max} is asked how many it has room for.

    @ivar context: the certificate and what is allowed.
    @ivar reactor: watches them.
    @ivar turns: where they wait while others have their turn.
    @ivar reports_once: whether the reactor reports what has come once, until L{look_again}.
    @ivar look_again: has it reported again, where that is needed.
    """

    def __init__(self, port: AcceptingPort, context: RenewableContext) -> None:
        """
        @param port: listens already; its transports are
            L{SecureServer<netlab.transport.tls.secureserver.SecureServer>}s.
        @param context: the certificate and what is allowed.
        """
        self._port = port
        self._reception = Reception(port)
        self.context = context
        self.reactor = port.reactor
        self.turns = DecryptionTurns(port.reactor)
        look_again = getattr(port.reactor, "look_again", None)
        self.reports_once = look_again is not None
        self.look_again: Callable[[Handshake], None] = look_again or _see_it_anyway
        self._seconds = context.settings.handshake_seconds
        # Until when each may take; the earliest is first.
        self._silent: dict[Handshake, float] = {}
        self._speaking: dict[Handshake, float] = {}
        self._most = handshakes_max()
        self._most_now: Callable[[], int] | None = getattr(port.factory, "handshakes_max", None)
        self._timer: IDelayedCall | None = None
        self._failures = 0
        self._told_at = -FAILURES_TOLD_SECONDS
        context.offer(getattr(port.factory, "acceptableProtocols", list)())

    def make_transport(self, *arguments: Any, **others: Any) -> Any:
        """
        Make the transport of a connection whose handshake is complete.

        @param arguments: as for the port's C{make_transport}, and so are the others.
        """
        return self._port.make_transport(*arguments, **others)

    def __len__(self) -> int:
        return len(self._silent) + len(self._speaking)

    def admit_all(self, arrived: list[Accepted], quiet: list[Accepted] | None = None) -> None:
        """
        Begin a handshake with each that was accepted.

        @param arrived: what was accepted.
        @param quiet: not used: who says nothing yet costs little.
        """
        for accepted, client in arrived:
            try:
                handshake = Handshake(self, accepted, with_host(client))
                self._watch(handshake)
            except BaseException:
                log.err()
                accepted.close()

    def _watch(self, handshake: Handshake) -> None:
        most = self._most if self._most_now is None else min(self._most, self._most_now())
        while len(self) >= most:
            next(iter(self._silent or self._speaking)).leave()
        until = self.reactor.seconds() + self._seconds
        self._silent[handshake] = until
        if self._timer is None:
            self._timer = self.reactor.callLater(self._seconds, self._end_late)
        try:
            why = handshake.doRead()
            if not why and handshake.wants_more:
                self.reactor.addReader(handshake)
        except BaseException as raised:
            why = log_exception(handshake, raised)
        if why:
            handshake.leave()

    def note_spoken(self, handshake: Handshake) -> None:
        """
        A client has begun to send: from now on it has as much time again.
        """
        if self._silent.pop(handshake, None) is not None:
            self._speaking[handshake] = self.reactor.seconds() + self._seconds

    def forget(self, handshake: Handshake) -> None:
        """
        A handshake is over, one way or the other.
        """
        self._silent.pop(handshake, None)
        self._speaking.pop(handshake, None)

    def introduce(
        self, accepted: socket.socket, client: tuple[Any, ...], make: MakeTransport
    ) -> Any:
        """
        Give a connection its protocol: its handshake is complete.

        @param accepted: the connected socket.
        @param client: the peer's address.
        @param make: makes the transport.
        @return: the transport; None if the connection is closed already.
        """
        transport: Any = self._reception.introduce(accepted, client, make)
        if transport is not None:
            self._reception.begin(transport, transport.begin)
        return transport

    def note_failure(self, peer: str, why: ChannelError) -> None:
        """
        Log that handshakes fail: once a minute at most, since a client can fail at any rate.

        @param peer: the client's address.
        @param why: what was wrong with the last one.
        """
        self._failures += 1
        now = self.reactor.seconds()
        if not 0 <= now - self._told_at < FAILURES_TOLD_SECONDS:
            _log.info(
                "TLS handshakes that have failed: {count}. The last was with {peer}: {why}",
                count=self._failures,
                peer=peer,
                why=why,
            )
            self._failures, self._told_at = 0, now

    def _end_late(self) -> None:
        """
        Drop those that have taken too long.
        """
        self._timer = None
        now = self.reactor.seconds()
        for waiting in (self._silent, self._speaking):
            for handshake, until in list(waiting.items()):
                if until > now:
                    break
                handshake.leave()
        left = [
            next(iter(waiting.values())) for waiting in (self._silent, self._speaking) if waiting
        ]
        if left:
            self._timer = self.reactor.callLater(max(0.0, min(left) - now), self._end_late)

    def close(self) -> None:
        """
        The port is closed: handshakes that are under way end.
        """
        for handshake in [*self._silent, *self._speaking]:
            handshake.leave()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _see_it_anyway(handshake: Handshake) -> None:
    """
    Do nothing: what is there is reported as long as it is there.
    """


def handshakes_max() -> int:
    """
    Find out how many handshakes may be under way in this process.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return HANDSHAKES_MAX
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY:
        return HANDSHAKES_MAX
    return min(HANDSHAKES_MAX, max(1, soft // _DESCRIPTORS_PART))
