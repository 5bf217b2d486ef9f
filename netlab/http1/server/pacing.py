"""
A connection's time, pace and end: how long it waits, how fast it reads, and how it closes.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Final, cast

from twisted.internet.interfaces import (
    IConsumer,
    IPushProducer,
    ISSLTransport,
    ITCPTransport,
    ITransport,
)
from twisted.internet.protocol import Protocol
from twisted.logger import Logger
from zope.interface import implementer

from netlab.http1 import SERVER_NAME
from netlab.http1.sansio.serverconnection import ServerConnection
from netlab.http1.sansio.states import Phase
from netlab.http1.server.context import ServerContext
from netlab.http1.server.sender import Sender, acknowledged_bytes, unacknowledged_bytes
from netlab.transport.sendfile import TransferStoppedError

_log = Logger(namespace=SERVER_NAME)


#: How often it is looked while the peer may take nothing: what it took just after the last look
#: prolongs its time by no more than this part.
_LOOKS: Final = 4


@implementer(IPushProducer)
class PacedConnection(Protocol):
    """
    The transport's side of a connection.

    It is the producer of what it sends: while the transport's buffer is full, no further request is
    read, so that a client which asks and never reads costs one buffer and no more.

    @ivar context: what all connections have in common.
    @ivar machine: what has been received and sent, as messages.
    @ivar sender: the transport's producer, where it is not this protocol.
    @ivar is_write_blocked: the transport's buffer is full, and this protocol its producer.
    @ivar is_closing: nothing more is answered.
    @ivar is_lingering: what arrives is thrown away.
    @ivar bucket: belongs to L{Deadlines<netlab.http1.server.deadlines.Deadlines>}.
    """

    # There may be ten thousand of these, idle.
    __slots__ = (
        "_acknowledged",
        "_is_reading_paused",
        "_is_write_shut",
        "_taken_at",
        "_wait_until",
        "bucket",
        "connected",
        "context",
        "is_closing",
        "is_lingering",
        "is_write_blocked",
        "machine",
        "sender",
        "transport",
    )

    transport: ITransport | None

    def __init__(self, context: ServerContext) -> None:
        """
        @param context: what all connections have in common.
        """
        self.context = context
        self.machine = ServerConnection(context.settings, context.seconds())
        self.transport = None
        self.connected = 0
        self.bucket: int | None = None
        self.sender: Sender | None = None
        self.is_write_blocked = False
        self.is_closing = False
        self.is_lingering = False
        self._is_write_shut = False
        self._is_reading_paused = False
        # When to look whether the peer has taken a byte; and when it last had.
        self._wait_until: float | None = None
        self._taken_at = 0.0
        self._acknowledged: int | None = None

    @abstractmethod
    def advance(self) -> None:
        """
        Go as far as what has been received, and what the client has taken, allows.
        """

    @abstractmethod
    def refuse(self, status: int, explanation: str) -> None:
        """
        Say what is wrong with what the peer has sent, if an answer is still due; then close.
        """

    @abstractmethod
    def send_gathered(self) -> None:
        """
        Send the answers that have gathered.
        """

    def writeConnectionLost(self) -> None:
        """
        All has been sent, and our side is shut: from now on the linger counts.
        """
        self._is_write_shut = True
        self._wait(self.context.settings.timeouts.linger)

    # As a producer

    def pauseProducing(self) -> None:
        """
        The transport's buffer is full: answer no more until the client has read.
        """
        self.is_write_blocked = True
        self.expect_progress()

    def resumeProducing(self) -> None:
        """
        The transport's buffer is empty again.
        """
        self.is_write_blocked = False
        if not self.is_closing:
            self._wait_until = None
            self.machine.restart_phase(self.context.seconds())
            self.advance()

    def stopProducing(self) -> None:
        """
        The connection is lost; C{connectionLost} sees to it.
        """

    # Whose turn it is to produce

    def hand_over_to(self, sender: Sender) -> None:
        """
        Let a sender be the transport's producer.
        """
        self.sender = sender
        cast(IConsumer, self.transport).unregisterProducer()
        self.is_write_blocked = False

    def take_back(self) -> None:
        """
        The sender has handed everything to the transport: be its producer again.
        """
        self.sender = None
        self.context.counters.large_answers += 1
        cast(IConsumer, self.transport).registerProducer(self, True)
        self._wait_until = None

    def sender_failed(self, why: Exception) -> None:
        """
        The sender has stopped in the middle, and the connection is lost or has been aborted.
        """
        self.sender = None
        self.context.counters.large_answers += 1
        if not isinstance(why, (TransferStoppedError, ConnectionError)):
            _log.error("Content could not be sent; the connection is cut: {why}", why=why)
        self.is_closing = True

    def stream_blocked(self, is_blocked: bool) -> None:
        """
        The client must go on taking what it is sent; but while nothing is to be sent, it need not.
        """
        if is_blocked:
            self.expect_progress()
        else:
            self._wait_until = None

    # The end

    def close_in_order(self, *, has_unread_input: bool | None = None) -> None:
        """
        Close after an answer: at once where all input has been read, and else in two steps, so
        that the answer is not lost to the reset that unread input causes (RFC 9112 section 9.6).

        @param has_unread_input: None asks the machine.
        """
        self.send_gathered()
        machine = self.machine
        if has_unread_input is None:
            has_unread_input = machine.has_unread_input
        machine.close()
        # Twisted's TLS ends in order by itself: with a closure alert, while it goes on reading. It
        # hands on what it does not know to the transport below.
        is_wrapped = hasattr(self.transport, "wrappedProtocol")
        shut = None if is_wrapped else getattr(self.transport, "loseWriteConnection", None)
        if not has_unread_input or shut is None:
            self.lose()
            return
        self.is_closing = self.is_lingering = True
        self._resume_reading()
        self.expect_progress()
        # A paused producer would be resumed when all is sent, and our side never be shut.
        cast(IConsumer, self.transport).unregisterProducer()
        shut()

    def lose(self) -> None:
        """
        Close once everything is sent, and wait for that only so long.
        """
        self.send_gathered()
        self.is_closing = True
        self._resume_reading()
        if not getattr(self.transport, "is_drained", False):
            self.expect_progress()
        if self.sender is None:
            # TLS does not close while it has a producer.
            cast(IConsumer, self.transport).unregisterProducer()
        cast(ITransport, self.transport).loseConnection()

    def _let_go_of_tls(self) -> None:
        """
        Close what is below TLS as soon as our closure alert has left. Twisted waits for the peer's,
        which it need not (RFC 8446 section 6.1): an idle peer that says nothing would stay for as
        long as one that takes no answer.
        """
        if ISSLTransport.providedBy(self.transport):
            below = getattr(self.transport, "transport", None)
            if below is not None:
                below.loseConnection()

    def close(self) -> None:
        """
        The server stops: answer what has been asked, then close. An idle connection is closed as
        soon as the reactor has looked once more for a request that is there already.
        """
        if not self.is_closing:
            self.machine.end_soon(self.context.seconds())
            self.watch()

    def abort(self) -> None:
        """
        Close now, dropping what is still to be sent.
        """
        self.is_closing = True
        cast(ITCPTransport, self.transport).abortConnection()

    # Time

    def next_deadline(self) -> float | None:
        """
        Return the earlier of the machine's deadline and our own. While the peer takes nothing of
        what we send, nothing of what it sends is read, and only our own counts.
        """
        if self.leaves_input():
            return self._wait_until
        if self._wait_until is None:
            return self.machine.deadline
        if self.machine.deadline is None:
            return self._wait_until
        return min(self._wait_until, self.machine.deadline)

    def deadline_passed(self, now: float) -> None:
        """
        A phase has lasted too long.
        """
        if self._wait_until is not None and now >= self._wait_until and not self._is_taken(now):
            self.abort()
            return
        machine = self.machine
        if (
            machine.deadline is not None
            and machine.is_persistent
            and machine.is_between_exchanges
            and now >= machine.deadline
            and unacknowledged_bytes(self.transport)
        ):
            # The last answer is on its way: the peer is slow and not idle. A close would meet its
            # next request with a reset, which takes the rest of the answer with it.
            machine.deadline = now + self.context.settings.timeouts.idle
            if self._wait_until is None:
                self.expect_progress()
        phase = None if self.leaves_input() else self.machine.expire(now)
        if phase is Phase.IDLE:
            self.lose()
            self._let_go_of_tls()
        elif phase is Phase.STOPPING:
            # A request may be on its way. If it met a closed socket, the reset could overtake our
            # FIN, and a proxy that sends unanswered requests to another server would not do so.
            self.close_in_order(has_unread_input=True)
        elif phase is not None:
            self.refuse(408, f"the request's {phase.name.lower()} took too long")
        self.watch()

    def _is_taken(self, now: float) -> bool:
        """
        Look whether the peer takes what we send.

        @return: false where it has taken nothing for too long.
        """
        timeouts = self.context.settings.timeouts
        patience = timeouts.linger if self._is_write_shut else timeouts.write
        acknowledged = acknowledged_bytes(self.transport)
        if acknowledged != self._acknowledged:
            # A slow reader, but a reader.
            self._acknowledged = acknowledged
            self._taken_at = now
        elif (
            not (self.is_closing or self.is_write_blocked or self.sender is not None)
            and unacknowledged_bytes(self.transport) == 0
        ):
            # It has all.
            self._wait_until = None
            return True
        elif now >= self._taken_at + patience:
            return False
        self._wait_until = min(now + patience / _LOOKS, self._taken_at + patience)
        return True

    def leaves_input(self) -> bool:
        """
        Find out whether what the peer sends is left alone, so that it cannot be late.
        """
        return self.is_write_blocked

    def watch(self) -> None:
        """
        Be looked at when the next deadline has come.
        """
        deadline = self.next_deadline()
        if deadline is not None:
            self.context.deadlines.watch(self, deadline)

    def expect_progress(self) -> None:
        """
        From now on the peer must take something of what we send, ever again.
        """
        self._wait(self.context.settings.timeouts.write)

    def _wait(self, seconds: float) -> None:
        self._acknowledged = acknowledged_bytes(self.transport)
        self._taken_at = self.context.seconds()
        self._wait_until = self._taken_at + seconds / _LOOKS
        self.watch()

    # Reading

    def pace_reading(self) -> None:
        """
        Read no further than the pipelined bytes that may wait.
        """
        machine = self.machine
        is_full = machine.waiting_bytes > self.context.settings.limits.pipelined_max_bytes
        if is_full and not self._is_reading_paused and not self.is_closing:
            self._is_reading_paused = True
            cast(IPushProducer, self.transport).pauseProducing()
        elif not is_full:
            self._resume_reading()

    def _resume_reading(self) -> None:
        if self._is_reading_paused:
            self._is_reading_paused = False
            cast(IPushProducer, self.transport).resumeProducing()
