"""
Tests for L{netlab.simulation.turns}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.simulation import turns
from netlab.simulation.turns import EndlessTurnError, ProgramKilled, Turns


class TurnsTests(SynchronousTestCase):
    """
    Tests for L{Turns}.
    """

    def test_turn_by_turn(self) -> None:
        """
        The function runs from one wait to the next, and only while it is resumed.
        """
        seen: list[str] = []

        def function() -> None:
            for name in ("one", "two"):
                seen.append(name)
                one.wait()
            seen.append("three")

        one = Turns(function, "test")
        self.assertEqual(seen, [])
        for count in (1, 2, 3):
            one.resume()
            self.assertEqual(len(seen), count)
        self.assertTrue(one.has_ended)
        self.assertIsNone(one.error)

    def test_error_is_kept(self) -> None:
        """
        What the function raises is kept, whatever it is.
        """
        for error in (ValueError("no"), SystemExit(3)):

            def function(error: BaseException = error) -> None:
                raise error

            one = Turns(function, "test")
            one.resume()
            self.assertIs(one.error, error)

    def test_kill(self) -> None:
        """
        A function that is killed goes no further than its C{finally}, which cannot wait.
        """
        seen: list[str] = []

        def function() -> None:
            try:
                one.wait()
                seen.append("went on")
            except Exception:  # noqa: BLE001, what a program may do
                seen.append("caught")
            finally:
                seen.append("cleaned up")
                one.wait()
                seen.append("waited")

        one = Turns(function, "test")
        one.resume()
        one.kill()
        self.assertTrue(one.has_ended)
        self.assertEqual(seen, ["cleaned up"])
        self.assertIsInstance(one.error, ProgramKilled)

    def test_kill_before_it_begins(self) -> None:
        """
        What has not begun never does.
        """
        seen: list[str] = []
        one = Turns(lambda: seen.append("began"), "test")
        one.kill()
        one.resume()
        self.assertEqual(seen, [])

    def test_endless_turn(self) -> None:
        """
        A function that computes for ever does not stop the simulation for ever.
        """
        self.patch(turns, "TURN_MAX_SECONDS", 0.01)
        is_over: list[bool] = []

        def function() -> None:
            while not is_over:
                pass

        one = Turns(function, "busy()")
        error = self.assertRaises(EndlessTurnError, one.resume)
        is_over.append(True)
        self.assertIn("busy()", str(error))
        self.assertTrue(one.has_ended)
