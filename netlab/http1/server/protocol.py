"""
One client's connection to the HTTP server: the transport's side of it, time and the end.

What arrives goes to the machine, what the machine reports goes to an
L{Exchange<netlab.http1.server.exchange.Exchange>}, which asks the resource, and what that returns
goes through the machine to the transport. No byte of a message is looked at here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from twisted.internet.interfaces import (
    IConsumer,
    IDelayedCall,
    IHalfCloseableProtocol,
    IPushProducer,
    ISSLTransport,
    ITCPTransport,
    ITransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from netlab.http1 import SERVER_NAME
from netlab.http1.accesslog.loglines import LoggedAnswer
from netlab.http1.resources.responses import Response
from netlab.http1.sansio.errors import LocalProtocolError, RemoteProtocolError
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.messages import (
    ConnectionClosed,
    Content,
    EndOfMessage,
    RequestHead,
    ResponseHead,
)
from netlab.http1.sansio.serverconnection import Phase, ServerConnection
from netlab.http1.server.exchange import Exchange
from netlab.http1.server.repeating import answer_known
from netlab.http1.server.sender import Sender, acknowledged_bytes
from netlab.transport.sendfile import TransferStoppedError

if TYPE_CHECKING:
    from netlab.http1.server.factory import HTTPServerFactory

#: How much input is thrown away behind a refusal before the peer is cut off: most that a client
#: sends before it looks for an answer. It costs no memory, and time is bounded too.
_LINGER_MAX_BYTES: Final = 64 << 20

#: How many pipelined requests are read before everybody else has a turn: their answers take some
#: milliseconds. One delivery may hold thousands. nginx reads one a turn.
_REQUESTS_A_TURN: Final = 64

#: Likewise the pieces of one request's content: a chunk of one byte takes some microseconds.
_PIECES_A_TURN: Final = 512

#: And however few they are, a turn is over after so long: a head of 8 KB may take milliseconds.
_TURN_SECONDS: Final = 0.002

_RETRY_SOON: Final = Fields([(b"Retry-After", b"1")])

_log = Logger(namespace=SERVER_NAME)


@implementer(IHalfCloseableProtocol, IPushProducer)
class HTTPServerProtocol(Protocol):
    """
    One client's connection.

    The protocol is the producer of what it sends: while the transport's buffer is full, no further
    request is read, so that a client which asks and never reads costs one buffer and no more.

    @ivar factory: what all connections have in common.
    @ivar machine: what has been received and sent, as messages.
    @ivar peer: the client's address; empty where it has none.
    @ivar exchange: the request being answered; with content that nobody wants, it first waits for
        its end.
    @ivar sender: the transport's producer, where it is not this protocol.
    @ivar is_advancing: L{advance} is running.
    @ivar is_write_blocked: the transport's buffer is full, and this protocol its producer.
    @ivar is_closing: nothing more is answered.
    @ivar bucket: belongs to L{Deadlines<netlab.http1.server.deadlines.Deadlines>}.
    """

    # There may be ten thousand of these, idle.
    __slots__ = (
        "_acknowledged",
        "_is_admitted",
        "_is_lingering",
        "_is_reading_paused",
        "_is_refused",
        "_is_write_shut",
        "_linger_bytes",
        "_turn",
        "_wait_until",
        "bucket",
        "connected",
        "exchange",
        "factory",
        "is_advancing",
        "is_closing",
        "is_write_blocked",
        "machine",
        "peer",
        "sender",
        "transport",
    )

    factory: HTTPServerFactory
    transport: ITransport | None

    def __init__(self, factory: HTTPServerFactory, peer: bytes = b"") -> None:
        """
        @param factory: what all connections have in common.
        @param peer: the client's address; empty where it has none.
        """
        self.factory = factory
        self.machine = ServerConnection(factory.settings, factory.seconds())
        self.transport = None
        self.connected = 0
        self.bucket: int | None = None
        self.peer = peer
        self.exchange: Exchange | None = None
        self.sender: Sender | None = None
        self._is_admitted = False
        self._is_refused = False
        self.is_advancing = False
        self.is_write_blocked = False
        self._is_write_shut = False
        self._is_reading_paused = False
        self.is_closing = False
        self._is_lingering = False
        self._linger_bytes = 0
        # Until when the peer must have taken a byte, or the linger be over.
        self._wait_until: float | None = None
        self._acknowledged: int | None = None
        # When others have had theirs.
        self._turn: IDelayedCall | None = None

    # From the transport

    def connectionMade(self) -> None:
        """
        Start the idle deadline.
        """
        factory = self.factory
        transport = self.transport
        assert transport is not None
        factory.connections.add(self)
        factory.counters.connections += 1
        cast(IConsumer, transport).registerProducer(self, True)
        self._is_admitted = factory.gate.enter(self.peer)
        if self._is_admitted:
            deadline = self.machine.deadline
            if deadline is not None:
                factory.deadlines.watch(self, deadline)
        elif factory.gate.enter_refusal():
            self._is_refused = True
            self._turn_away()
        else:
            self.abort()

    def dataReceived(self, data: bytes) -> None:
        """
        Answer at once what has just been answered to others; pass everything else to the machine.
        """
        factory = self.factory
        now = factory.seconds()
        # The most frequent case by far, written out: each call costs as much as a tenth of it.
        entry = factory.repeated.get(data)
        if entry is not None:
            repeat = entry[0]
            if (
                now < repeat.until
                and not self.is_write_blocked
                and self.machine.repeat_exchanges(now, repeat.count)
            ):
                self.transport.write(repeat.data)  # type: ignore[union-attr]
                tally = repeat.tally
                tally.answers += repeat.count
                tally.content_bytes += repeat.content_bytes
                log = factory.access_log
                if log is not None:
                    log.add_again(self.peer, now, repeat.logged)
                return
        if not self.is_write_blocked:
            data = answer_known(self, data, now)
            if not data:
                return
        if self._is_lingering:
            self._linger_bytes += len(data)
            if self._linger_bytes > _LINGER_MAX_BYTES:
                self.abort()
            return
        self.machine.receive(data, now)
        self.advance()

    def readConnectionLost(self) -> None:
        """
        The client will send no more; what it has asked for it still gets.
        """
        if self.is_closing:
            self.lose()
            return
        self.machine.receive_end(self.factory.seconds())
        self.advance()

    def writeConnectionLost(self) -> None:
        """
        All has been sent, and our side is shut: from now on the linger counts.
        """
        self._is_write_shut = True
        self._wait(self.factory.settings.timeouts.linger)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Leave nothing behind.
        """
        factory = self.factory
        factory.deadlines.forget(self)
        factory.connections.remove(self)
        if self._is_admitted:
            factory.gate.leave(self.peer)
        elif self._is_refused:
            factory.gate.leave_refusal()
        self.is_closing = True
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            exchange.give_up("the client has gone")
        if not factory.numPorts:
            factory.flush_when_over()

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
            self.machine.restart_phase(self.factory.seconds())
            self.advance()

    def stopProducing(self) -> None:
        """
        The connection is lost; C{connectionLost} sees to it.
        """

    # What was received, and what is sent

    def advance(self) -> None:
        """
        Go as far as what has been received, and what the client has taken, allows.
        """
        machine = self.machine
        seconds = self.factory.seconds
        began = seconds()
        self.is_advancing = True
        complete = pieces = 0
        while not (self.is_closing or self.is_write_blocked or self._turn is not None):
            exchange = self.exchange
            must_wait = self.sender is not None if exchange is None else exchange.must_wait
            if must_wait:
                break
            if (
                complete == _REQUESTS_A_TURN
                or pieces == _PIECES_A_TURN
                # (A clock may be set back.)
                or (
                    complete
                    and machine.waiting_bytes
                    and not 0 <= seconds() - began < _TURN_SECONDS
                )
            ):
                self._turn = self.factory.clock.callLater(0, self._take_turn)
                break
            try:
                event = machine.next_event()
            except RemoteProtocolError as fault:
                self.refuse(fault.status, fault.explanation)
                break
            if event is None:
                break
            match event:
                case RequestHead():
                    self.exchange = exchange = Exchange(self, event)
                    exchange.begin()
                case EndOfMessage():
                    complete += 1
                    if exchange is not None:
                        exchange.end_received()
                case ConnectionClosed():
                    self.lose()
                case Content():
                    pieces += 1
                    if exchange is not None:
                        exchange.content_received(event)
                case _:
                    raise LocalProtocolError(f"a server does not receive {event!r}")
        self.is_advancing = False
        self._pace_reading()
        self._watch()

    def _take_turn(self) -> None:
        """
        Go on with what has been received: the others have been served meanwhile.
        """
        self._turn = None
        self.advance()

    def send_whole(
        self, head: RequestHead | None, response: Response, content: bytes, now: float
    ) -> tuple[bytes, LoggedAnswer]:
        """
        Send an answer in one piece, count it and log it. L{answered} is to be called then.

        @param head: the request's; None where none could be read.
        @return: what was sent, and how it stands in the log.
        """
        machine = self.machine
        transport = self.transport
        assert transport is not None
        sent = 0 if machine.is_answering_head else len(content)
        data = machine.send_whole(ResponseHead(response.status, response.fields), content, now)
        transport.write(data)
        return data, self.factory.record(self.peer, head, response.status, sent)

    def answered(self) -> None:
        """
        An answer is complete, as far as the machine is concerned.
        """
        self.exchange = None
        if self.machine.must_close:
            self.close_in_order()

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
        self.factory.counters.large_answers += 1
        cast(IConsumer, self.transport).registerProducer(self, True)
        self._wait_until = None

    def sender_failed(self, why: Exception) -> None:
        """
        The sender has stopped in the middle, and the connection is lost or has been aborted.
        """
        self.sender = None
        self.factory.counters.large_answers += 1
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

    def refuse(self, status: int, explanation: str) -> None:
        """
        Say what is wrong with what the peer has sent, if an answer is still due; then close.
        """
        head = None
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            head = exchange.head
            exchange.give_up("the client broke the rules")
        if not self.machine.can_answer:
            if self.sender is None:
                self.lose()
            else:
                self.abort()  # in the middle of an answer, which must not look complete
            return
        if self.factory.shows_requests:
            _log.info("Refused with {status}: {why}", status=status, why=explanation)
        response = self.factory.pages.error(status, explanation[0].upper() + explanation[1:] + ".")
        self._send_page(head, response)

    def _turn_away(self) -> None:
        """
        Tell a peer for whom there is no room, before it has asked for anything.
        """
        machine = self.machine
        machine.refuse_connection()
        response = self.factory.pages.error(503, fields=_RETRY_SOON)
        # Its request is on the way: closing at once would reset the connection and lose the 503.
        self._send_page(None, response)

    def _send_page(self, head: RequestHead | None, response: Response) -> None:
        assert isinstance(response.content, bytes)
        self.send_whole(head, response, response.content, self.factory.seconds())
        self.answered()

    def close_in_order(self, *, has_unread_input: bool | None = None) -> None:
        """
        Close after an answer: at once where all input has been read, and else in two steps, so
        that the answer is not lost to the reset that unread input causes (RFC 9112 section 9.6).

        @param has_unread_input: None asks the machine.
        """
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
        self.is_closing = self._is_lingering = True
        self._resume_reading()
        self.expect_progress()
        # A paused producer would be resumed when all is sent, and our side never be shut.
        cast(IConsumer, self.transport).unregisterProducer()
        shut()

    def lose(self) -> None:
        """
        Close once everything is sent, and wait for that only so long.
        """
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
            self.machine.end_soon(self.factory.seconds())
            self._watch()

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
        if self._leaves_input():
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
        if self._wait_until is not None and now >= self._wait_until:
            acknowledged = acknowledged_bytes(self.transport)
            if acknowledged == self._acknowledged:
                self.abort()
                return
            # Something was taken meanwhile: a slow reader, but a reader.
            self._acknowledged = acknowledged
            timeouts = self.factory.settings.timeouts
            self._wait_until = now + (timeouts.linger if self._is_write_shut else timeouts.write)
        phase = None if self._leaves_input() else self.machine.expire(now)
        if phase is Phase.IDLE:
            self.lose()
            self._let_go_of_tls()
        elif phase is Phase.STOPPING:
            # A request may be on its way. If it met a closed socket, the reset could overtake our
            # FIN, and a proxy that sends unanswered requests to another server would not do so.
            self.close_in_order(has_unread_input=True)
        elif phase is not None:
            self.refuse(408, f"the request's {phase.name.lower()} took too long")
        self._watch()

    def _leaves_input(self) -> bool:
        """
        Find out whether what the peer sends is left alone, so that it cannot be late.
        """
        return self.is_write_blocked or (self.exchange is not None and self.exchange.is_full)

    def _watch(self) -> None:
        deadline = self.next_deadline()
        if deadline is not None:
            self.factory.deadlines.watch(self, deadline)

    def expect_progress(self) -> None:
        """
        From now on the peer must take something of what we send, ever again.
        """
        self._wait(self.factory.settings.timeouts.write)

    def _wait(self, seconds: float) -> None:
        self._acknowledged = acknowledged_bytes(self.transport)
        self._wait_until = self.factory.seconds() + seconds
        self._watch()

    # Reading

    def _pace_reading(self) -> None:
        """
        Read no further than the pipelined bytes that may wait.
        """
        machine = self.machine
        is_full = machine.waiting_bytes > self.factory.settings.limits.pipelined_max_bytes
        if is_full and not self._is_reading_paused and not self.is_closing:
            self._is_reading_paused = True
            cast(IPushProducer, self.transport).pauseProducing()
        elif not is_full:
            self._resume_reading()

    def _resume_reading(self) -> None:
        if self._is_reading_paused:
            self._is_reading_paused = False
            cast(IPushProducer, self.transport).resumeProducing()
