"""
L{netlab.http1.sansio.limits}: the defaults. That each limit is inclusive is tested where it
applies.
"""

from __future__ import annotations

import dataclasses

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.limits import Limits, Timeouts


class DefaultsTests(SynchronousTestCase):
    """
    What holds unless an option says otherwise.
    """

    def test_request_line_is_long_enough(self) -> None:
        """
        RFC 9112 section 3 asks for at least 8000 bytes.
        """
        self.assertGreaterEqual(Limits().start_line_max_bytes, 8000)

    def test_idle_timeout_is_the_references(self) -> None:
        """
        The reference server closed after one second (tests/captures/wire/double_fin.json).
        """
        self.assertEqual(Timeouts().idle, 1.0)

    def test_everything_is_bounded(self) -> None:
        """
        No limit is without a bound, and no phase without an end.
        """
        for value in (*dataclasses.astuple(Limits()), *dataclasses.astuple(Timeouts())):
            self.assertGreater(value, 0)
            self.assertLess(value, 1 << 30)

    def test_chunk_size_digits_hold_every_length_we_take(self) -> None:
        """
        A chunk as long as the content may be can be written.
        """
        limits = Limits()
        self.assertLessEqual(len(f"{limits.content_max_bytes:x}"), limits.chunk_size_max_digits)
