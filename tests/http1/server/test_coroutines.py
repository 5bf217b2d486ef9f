"""
Tests for L{netlab.http1.server.coroutines}.
"""

from __future__ import annotations

from contextvars import ContextVar

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.server.coroutines import run_coroutine

_VARIABLE: ContextVar[str] = ContextVar("variable", default="outside")


class RunCoroutineTests(SynchronousTestCase):
    """
    At once where that is possible, and otherwise as Twisted does it.
    """

    def test_at_once(self) -> None:
        """
        What does not wait returns its value, also behind what has come already.
        """

        async def answer() -> str:
            return await succeed("a") + "b"

        self.assertEqual(run_coroutine(answer()), "ab")

    def test_raises(self) -> None:
        """
        What fails before it waits raises.
        """

        async def fail() -> str:
            raise ValueError("wrong")

        self.assertRaises(ValueError, run_coroutine, fail())

    def test_waits(self) -> None:
        """
        What waits, several times, has a Deferred; failures come back into it.
        """
        first: Deferred[str] = Deferred()
        second: Deferred[str] = Deferred()
        third: Deferred[str] = Deferred()

        async def answer() -> str:
            text = await first
            try:
                await second
            except ValueError as error:
                text += str(error)
            return text + await third

        later = run_coroutine(answer())
        assert isinstance(later, Deferred)
        first.callback("a")
        second.errback(ValueError("b"))
        self.assertNoResult(later)
        third.callback("c")
        self.assertEqual(self.successResultOf(later), "abc")

    def test_fails_later(self) -> None:
        """
        What fails after it has waited fails its Deferred.
        """
        first: Deferred[str] = Deferred()

        async def answer() -> str:
            raise ValueError(await first)

        later = run_coroutine(answer())
        assert isinstance(later, Deferred)
        first.callback("late")
        self.assertEqual(str(self.failureResultOf(later, ValueError).value), "late")

    def test_cancelled(self) -> None:
        """
        Cancelled, it cancels what is waited for.
        """
        cancelled: list[object] = []
        first: Deferred[str] = Deferred(cancelled.append)

        async def answer() -> str:
            return await first

        later = run_coroutine(answer())
        assert isinstance(later, Deferred)
        later.cancel()
        self.failureResultOf(later, CancelledError)
        self.assertEqual(cancelled, [first])

    def test_context(self) -> None:
        """
        What it sets is seen by itself, before and after it has waited, and by nobody else.
        """
        first: Deferred[str] = Deferred()

        async def answer() -> str:
            _VARIABLE.set("inside")
            before = _VARIABLE.get()
            await first
            return before + _VARIABLE.get()

        later = run_coroutine(answer())
        assert isinstance(later, Deferred)
        self.assertEqual(_VARIABLE.get(), "outside")
        first.callback("")
        self.assertEqual(self.successResultOf(later), "insideinside")
        self.assertEqual(_VARIABLE.get(), "outside")
