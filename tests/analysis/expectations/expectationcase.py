"""
What the tests of expectations share.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.expectations.expectations import Cast, Expectation, Shown


class ExpectationTestCase(SynchronousTestCase):
    """
    What the tests share.
    """

    def assert_met(self, expectation: Expectation, cast: Cast) -> Shown:
        """
        Require an expectation to hold.
        """
        shown = expectation.check(cast)
        self.assertTrue(shown.is_met, shown)
        return shown

    def assert_missed(self, expectation: Expectation, cast: Cast, detail: str) -> None:
        """
        Require an expectation not to hold, for a reason; and not to hold of nothing either.
        """
        shown = expectation.check(cast)
        self.assertFalse(shown.is_met, shown)
        self.assertIn(detail, shown.detail)
