"""
Tests for L{netlab.demonstration}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.demonstration import demonstration_root


class DemonstrationRootTests(SynchronousTestCase):
    """
    The folder that is served when nobody names another.
    """

    def test_pages_have_the_reference_lengths(self) -> None:
        """
        The two pages are byte for byte as long as in the reference exchanges, which end without
        a final newline.
        """
        root = demonstration_root()
        lengths = {name: len((root / name).read_bytes()) for name in ("index.html", "result.html")}
        self.assertEqual(lengths, {"index.html": 210, "result.html": 64})

    def test_root_is_resolved(self) -> None:
        """
        No component of the root is a symbolic link, so resolved paths below it can be compared
        with it.
        """
        root = demonstration_root()
        self.assertTrue(root.is_absolute())
        self.assertEqual(root, root.resolve())
