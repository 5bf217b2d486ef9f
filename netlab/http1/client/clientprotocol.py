"""
One connection of an HTTP client: the machine, a transport and one timer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, assert_never

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from netlab.http1.client.clientresponse import ClientResponse, ConnectionEnded, RequestError
from netlab.http1.sansio.clientconnection import ClientConnection, ClientPhase, ClientSettings
from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.messages import (
    END_OF_MESSAGE,
    ConnectionClosed,
    Content,
    EndOfMessage,
    RequestHead,
    ResponseHead,
)
from netlab.http1.sansio.url import URL

WAITING_MAX_BYTES: Final = 65536
"""How much content waits for a slow reader before reading from the transport is paused."""


class HTTPClientProtocol(Protocol):
    """
    One connection to one server: a request, its answer, the next request.

    @ivar lost: fires with None when the connection is lost.
    """

    transport: Any
    """It is an C{ITCPTransport} and an C{IPushProducer}, for which there is no one type."""

    def __init__(
        self,
        clock: IReactorTime,
        settings: ClientSettings,
        released: Callable[[HTTPClientProtocol], None],
    ) -> None:
        """
        @param clock: tells the time and calls later.
        @param settings: the bounds and timeouts.
        @param released: is called when an exchange is over and another one may follow.
        """
        self.lost: Deferred[None] = Deferred()
        self._clock = clock
        self._settings = settings
        self._released = released
        self._machine = ClientConnection(settings)
        self._name: str | URL = ""
        self._interim: list[ResponseHead] = []
        self._answer: Deferred[ClientResponse] | None = None
        self._response: ClientResponse | None = None
        self._arrived: ClientResponse | None = None
        self._timer: IDelayedCall | None = None
        self._is_paused = False
        self._is_lost = False

    @property
    def is_ready(self) -> bool:
        """
        Whether a request may be sent now.
        """
        return self._machine.is_ready and not self._is_lost

    def request(
        self, head: RequestHead, content: bytes, name: str | URL
    ) -> Deferred[ClientResponse]:
        """
        Send a request. Only where L{is_ready}.

        @param content: as long as the head's Content-Length says; empty where it has none.
        @param name: what to call this request in an error: its URL.
        @return: the response as soon as its head has come; or it fails with L{RequestError}.
        @raise LocalProtocolError: this is no request that may be sent now.
        """
        now = self._clock.seconds()
        machine = self._machine
        sent = [machine.send(head, now)]
        if content:
            sent.append(machine.send(Content(content), now))
        sent.append(machine.send(END_OF_MESSAGE, now))
        self._name = name
        self._interim = []
        answer: Deferred[ClientResponse] = Deferred(lambda _: self.abort())
        self._answer = answer
        self.transport.write(b"".join(sent))
        self._arm()
        return answer

    def resume_reading(self) -> None:
        """
        The reader wants more.
        """
        if self._is_paused and not self._is_lost:
            self._is_paused = False
            self._machine.resume(self._clock.seconds())
            self._arm()
            self.transport.resumeProducing()

    @property
    def is_waiting(self) -> bool:
        """Whether an answer, or the rest of one, is still to come."""
        return self._answer is not None or self._response is not None

    def close(self) -> None:
        """
        Close in order: what was written is sent, then our side ends.
        """
        if not self._is_lost:
            self.transport.loseConnection()

    def abort(self) -> None:
        """
        Close at once; pending requests fail.
        """
        self._machine.close()
        self._fail(RequestError(f"{self._name}: given up"))
        if not self._is_lost:
            self.transport.abortConnection()

    # What Twisted calls

    def dataReceived(self, data: bytes) -> None:
        """
        Give a delivery to the machine and see what it makes of it.
        """
        self._machine.receive(data, self._clock.seconds())
        self._pump()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The connection is gone; an answer that is delimited by that is complete now.
        """
        self._is_lost = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if isinstance(reason.value, ConnectionDone):
            self._machine.receive_end(self._clock.seconds())
            self._pump()
        else:
            # A peer that resets the connection, or cuts it off under TLS, has not said that the
            # answer is complete (RFC 9112 sections 8 and 9.8).
            self._machine.close()
            self._fail(self._ended(_describe(reason)))
        self.lost.callback(None)

    def _pump(self) -> None:
        machine = self._machine
        try:
            while (event := machine.next_event()) is not None:
                match event:
                    case ResponseHead():
                        self._head_received(event)
                    case Content():
                        if self._response is not None:
                            self._response.add(event.data)
                    case EndOfMessage():
                        self._end_received(event)
                    case ConnectionClosed() | RequestHead():
                        pass
                    case _:
                        assert_never(event)
        except RemoteProtocolError as error:
            self._give()
            self._fail(self._ended(error.explanation))
            self.abort()
        else:
            if machine.must_close:
                self.close()
            self._pause_if_ahead()
            self._arm()
            self._give()

    def _head_received(self, head: ResponseHead) -> None:
        if head.is_interim:
            self._interim.append(head)
            return
        self._response = self._arrived = ClientResponse(head, tuple(self._interim), self)

    def _give(self) -> None:
        """
        Give a response whose head has come to the caller, with the content that came with it: so
        most readers need not wait a second time.
        """
        response, self._arrived = self._arrived, None
        if response is not None:
            answer, self._answer = self._answer, None
            if answer is not None:
                answer.callback(response)

    def _end_received(self, end: EndOfMessage) -> None:
        response, self._response = self._response, None
        if self.is_ready:
            # First, so that a reader who now asks for more is served on this connection.
            self._released(self)
        if response is not None:
            response.complete(end.trailers)

    def _pause_if_ahead(self) -> None:
        response = self._response
        if (
            response is not None
            and response.waiting_bytes > WAITING_MAX_BYTES
            and not self._is_paused
            and not self._is_lost
        ):
            self._is_paused = True
            self._machine.hold()
            self.transport.pauseProducing()

    def _fail(self, error: RequestError) -> None:
        answer, self._answer = self._answer, None
        response, self._response = self._response, None
        if answer is not None:
            answer.errback(error)
        if response is not None:
            response.fail(error)

    def _ended(self, problem: str) -> ConnectionEnded:
        return ConnectionEnded(
            f"{self._name}: {problem}", may_repeat=self._is_lost and self._machine.may_repeat
        )

    # One lazy timer

    def _arm(self) -> None:
        """
        See to it that the timer fires no later than the deadline; that it may fire earlier costs
        less than to move it with each delivery.
        """
        deadline = self._machine.deadline
        if deadline is None or self._is_lost:
            return
        delay = max(0.0, deadline - self._clock.seconds())
        if self._timer is None:
            self._timer = self._clock.callLater(delay, self._timer_fired)
        elif self._timer.getTime() > deadline:
            self._timer.reset(delay)

    def _timer_fired(self) -> None:
        self._timer = None
        match self._machine.expire(self._clock.seconds()):
            case None:
                self._arm()
                return
            case ClientPhase.ANSWER:
                problem = f"no answer within {self._settings.answer_timeout:g} seconds"
            case ClientPhase.CONTENT:
                seconds = self._settings.content_timeout
                problem = f"the answer made no progress for {seconds:g} seconds"
        self._fail(RequestError(f"{self._name}: {problem}"))
        self.abort()


def _describe(reason: Failure) -> str:
    """
    Find words for the end of a connection that was not in order.
    """
    error = reason.value
    if isinstance(error, ConnectionAborted):
        return "given up"
    if isinstance(error, ConnectionLost | OSError):
        return "the connection was reset"
    # A failure of TLS: OpenSSL.SSL.Error holds a list of (library, function, reason).
    reasons = error.args[0] if error is not None and error.args else ""
    if isinstance(reasons, list) and reasons and isinstance(reasons[-1], tuple):
        reasons = reasons[-1][-1]
    elif isinstance(reasons, list):
        # service_identity: a list of mismatches.
        reasons = "the server's certificate is for another name"
    if reasons == "certificate verify failed":
        reasons += " (to trust another authority, name its file in SSL_CERT_FILE)"
    return f"the secure connection failed: {reasons or type(error).__name__}"
