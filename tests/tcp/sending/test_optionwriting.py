"""
Writing options.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.capture.options import parse
from netlab.tcp.sending import optionwriting

U32 = st.integers(0, 2**32 - 1)


class WritingTests(SynchronousTestCase):
    """
    What is written is read again.
    """

    @given(U32, U32)
    def test_timestamps(self, value: int, echo: int) -> None:
        """
        Timestamps, by both readers.
        """
        written = optionwriting.timestamps(value, echo)
        self.assertEqual(optionwriting.read_timestamps(written), (value, echo))
        self.assertEqual(parse(written).timestamps, (value, echo))
        self.assertIsNone(optionwriting.read_timestamps(written[:-1]))

    @given(st.lists(st.tuples(U32, U32), max_size=6), st.integers(0, 40))
    def test_sack(self, ranges: list[tuple[int, int]], room: int) -> None:
        """
        As many ranges as there is room for, the first ones.
        """
        written = optionwriting.sack(ranges, room)
        self.assertLessEqual(len(written), room)
        self.assertEqual(len(written) % 4, 0)
        found = list(parse(written).sacks)
        self.assertEqual(found, ranges[: max(0, (room - 4) // 8)])

    @given(
        st.integers(48, 65495),
        st.booleans(),
        st.none() | st.tuples(U32, U32),
        st.none() | st.integers(0, 14),
        st.none() | st.binary(min_size=0, max_size=16),
    )
    def test_handshake(
        self,
        mss: int,
        sack: bool,
        times: tuple[int, int] | None,
        shift: int | None,
        cookie: bytes | None,
    ) -> None:
        """
        All of a SYN's; a cookie only if there is room for it.
        """
        written = optionwriting.handshake(
            mss, sack_permitted=sack, times=times, window_shift=shift, cookie=cookie
        )
        self.assertLessEqual(len(written), optionwriting.OPTIONS_MAX_BYTES)
        self.assertEqual(len(written) % 4, 0)
        found = parse(written)
        self.assertEqual(found.problem, "")
        self.assertEqual(
            (found.mss, found.sack_permitted, found.timestamps, found.window_shift),
            (mss, sack, times, shift),
        )
        if cookie is None or len(cookie) <= 8:
            self.assertEqual(found.fast_open, cookie)

    def test_as_linux(self) -> None:
        """
        A SYN's options have the order that Linux gives them.
        """
        written = optionwriting.handshake(
            1460, sack_permitted=True, times=(1, 0), window_shift=7, cookie=None
        )
        self.assertEqual(
            written.hex(" "), "02 04 05 b4 04 02 08 0a 00 00 00 01 00 00 00 00 01 03 03 07"
        )
