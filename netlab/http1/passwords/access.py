"""
A resource behind a password (Basic authentication, RFC 7617).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure

from netlab.http1.passwords.authentication import (
    Credentials,
    PasswordFile,
    challenge,
    parse_credentials,
)
from netlab.http1.resources.connectionfacts import ConnectionFacts, binder_of
from netlab.http1.resources.resource import Answer, Receiver, Resource, receiver_of
from netlab.http1.resources.responses import Pages, Response
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.messages import RequestHead
from netlab.transport.tls.peerturns import PeerTurns, peer_key

_WAITING_MAX: Final = 128
"""
How many passwords may wait to be checked. Each takes a thread some tens of milliseconds, so that a
flood of guesses would otherwise keep the right ones out for long. Of two peers the one with more
guesses gives way to the other; what gives way gets a 503.
"""


_THREADS: Final = 2
"""How many are checked at the same time: guesses must not take every core from the answers."""


@dataclass(eq=False, slots=True)
class _Check:
    """
    A password to be checked.

    @ivar peer: whose share it takes.
    @ivar credentials: what is to be checked.
    @ivar result: fires with whether they are right; C{None} where they have to give way.
    """

    peer: bytes
    credentials: Credentials
    result: Deferred[bool | None]


@dataclass(slots=True)
class Protected:
    """
    Lets another resource answer those who know a password, and asks all others for one.

    @ivar resource: the other one.
    @ivar passwords: who may come in.
    @ivar pages: writes the pages of 401 and 503.
    @ivar reactor: has the thread pool in which passwords are checked.
    @ivar realm: what is protected, in words that the user may see.
    """

    resource: Resource
    passwords: PasswordFile
    pages: Pages
    reactor: Any
    realm: bytes = b"netlab"
    _waiting: PeerTurns[_Check] = field(default_factory=lambda: PeerTurns(_WAITING_MAX), init=False)
    _running: int = field(default=0, init=False)

    def respond(self, head: RequestHead) -> Answer:
        """
        Answer someone of whom nothing is known.
        """
        return _ProtectedConnection(self, self.resource, None).respond(head)

    def for_connection(self, facts: ConnectionFacts) -> Resource:
        """
        Answer one client, whose guesses are checked in its turn.
        """
        binder = binder_of(self.resource)
        resource = self.resource if binder is None else binder(facts)
        return _ProtectedConnection(self, resource, facts)

    def answer(self, peer: bytes, head: RequestHead, answer: Callable[[], Answer]) -> Answer:
        """
        Answer at once where the password is known to be right or is missing, and else when it has
        been checked.

        @param peer: the client's address.
        @param answer: makes the answer for those who may come in.
        """
        credentials = parse_credentials(head.fields)
        if credentials is None:
            return self._refusal()
        if self.passwords.recalls(credentials):
            return answer()
        checking = self._check(peer_key(peer), credentials)
        return Deferred.fromCoroutine(self._answer_later(answer, credentials, checking))

    async def _answer_later(
        self,
        answer: Callable[[], Answer],
        credentials: Credentials,
        checking: Deferred[bool | None],
    ) -> Response:
        is_right = await checking
        if is_right is None:
            return self.pages.error(503, fields=Fields([(b"Retry-After", b"1")]))
        if not is_right:
            return self._refusal()
        self.passwords.remember(credentials)
        answered = answer()
        return answered if isinstance(answered, Response) else await answered

    def _check(self, peer: bytes, credentials: Credentials) -> Deferred[bool | None]:
        """
        Check a password in a thread, when its peer's turn comes.
        """

        def stop(_cancelled: Deferred[bool | None]) -> None:
            # No thread can be stopped: a client that leaves during a check leaves it to its end,
            # and it counts until then. Else clients that ask and hang up would have any number run.
            self._waiting.remove(peer, check)

        check = _Check(peer, credentials, Deferred(stop))
        out = self._waiting.add(peer, check)
        if out is not None:
            out.result.callback(None)
        self._run()
        return check.result

    def _run(self) -> None:
        """
        Keep the threads busy.
        """
        while self._running < _THREADS and (check := self._waiting.take()) is not None:
            self._running += 1
            verifying = deferToThreadPool(
                self.reactor, self.reactor.getThreadPool(), self.passwords.verify, check.credentials
            )
            verifying.addBoth(self._over, check)

    def _over(self, result: bool | Failure, check: _Check) -> Failure | None:
        self._running -= 1
        self._run()
        if check.result.called:
            return result if isinstance(result, Failure) else None
        check.result.callback(result)
        return None

    def _refusal(self) -> Response:
        return self.pages.error(401, fields=Fields([(b"WWW-Authenticate", challenge(self.realm))]))


@dataclass(frozen=True, slots=True)
class _ProtectedConnection:
    """
    What answers one client.

    @ivar protected: checks its passwords.
    @ivar resource: answers once one is right.
    @ivar facts: tell whose request it is; None where that is not known.
    """

    protected: Protected
    resource: Resource
    facts: ConnectionFacts | None

    def _peer(self, head: RequestHead) -> bytes:
        return b"" if self.facts is None else self.facts.asking_peer(head)

    def respond(self, head: RequestHead) -> Answer:
        """
        Answer, or ask for a password.
        """
        return self.protected.answer(self._peer(head), head, lambda: self.resource.respond(head))

    def receiver(self, head: RequestHead) -> Receiver | None:
        """
        Let the other resource say; but nobody gets to it by that without a password.
        """
        receiver = receiver_of(self.resource, head)
        if receiver is None:
            return None
        return lambda head, content: self.protected.answer(
            self._peer(head), head, lambda: receiver(head, content)
        )
