"""
A resource behind a password (Basic authentication, RFC 7617).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure

from netlab.http1.resources.authentication import (
    Credentials,
    PasswordFile,
    challenge,
    parse_credentials,
)
from netlab.http1.resources.resource import Answer, Receiver, Resource, receiver_of
from netlab.http1.resources.responses import Pages, Response
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.messages import RequestHead

_CHECKS_MAX: Final = 32
"""
How many passwords may wait to be checked; who comes then gets a 503. Each takes a thread some tens
of milliseconds, so that a flood of guesses would otherwise keep the right ones out for long.
"""


_THREADS: Final = 2
"""How many are checked at the same time: guesses must not take every core from the answers."""


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
    _checks: int = field(default=0, init=False)
    _threads: DeferredSemaphore = field(
        default_factory=lambda: DeferredSemaphore(_THREADS), init=False
    )

    def respond(self, head: RequestHead) -> Answer:
        """
        Answer at once where the password is known to be right or is missing, and else when it has
        been checked.
        """
        return self._answer(head, lambda: self.resource.respond(head))

    def receiver(self, head: RequestHead) -> Receiver | None:
        """
        Let the other resource say; but nobody gets to it by that without a password.
        """
        receiver = receiver_of(self.resource, head)
        if receiver is None:
            return None
        return lambda head, content: self._answer(head, lambda: receiver(head, content))

    def _answer(self, head: RequestHead, answer: Callable[[], Answer]) -> Answer:
        credentials = parse_credentials(head.fields)
        if credentials is None:
            return self._refusal()
        if self.passwords.recalls(credentials):
            return answer()
        if self._checks >= _CHECKS_MAX:
            return self.pages.error(503, fields=Fields([(b"Retry-After", b"1")]))
        return Deferred.fromCoroutine(self._check(answer, credentials))

    async def _check(self, answer: Callable[[], Answer], credentials: Credentials) -> Response:
        if not await self._verify(credentials):
            return self._refusal()
        self.passwords.remember(credentials)
        answered = answer()
        return answered if isinstance(answered, Response) else await answered

    def _verify(self, credentials: Credentials) -> Deferred[bool]:
        """
        Check a password in a thread. No thread can be stopped: whoever goes away, and so cancels
        this, leaves a check that runs to its end and counts until then. Otherwise clients that ask
        and hang up would have any number of them run.
        """
        has_begun = False

        def begin() -> Deferred[bool]:
            nonlocal has_begun
            has_begun = True
            return deferToThreadPool(
                self.reactor, self.reactor.getThreadPool(), self.passwords.verify, credentials
            )

        def stop(_cancelled: Deferred[bool]) -> None:
            if not has_begun:
                checking.cancel()

        def over(result: bool | Failure) -> bool | Failure | None:
            self._checks -= 1
            if waiting.called:
                return result if isinstance(result, Failure) else None
            waiting.callback(result)
            return None

        waiting: Deferred[bool] = Deferred(stop)
        self._checks += 1
        checking: Deferred[bool] = self._threads.run(begin)
        checking.addBoth(over)
        return waiting

    def _refusal(self) -> Response:
        return self.pages.error(401, fields=Fields([(b"WWW-Authenticate", challenge(self.realm))]))
