"""
L{netlab.http1.sansio.dates}: HTTP-date (RFC 9110 section 5.6.7).
"""

from __future__ import annotations

import calendar
import email.utils
import re

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio import dates
from netlab.http1.sansio.dates import format_date, parse_date

EXAMPLE = 784111777
"""The moment that RFC 9110 writes in all three forms."""

NOW = calendar.timegm((2026, 7, 1, 12, 0, 0))


def fifty_years_on(month: int, day: int, hour: int = 12, second: int = 0) -> bytes:
    """
    Write a moment of 2076, or of 1976, in RFC 850's form with the name of the day in 2076.
    """
    name = calendar.day_name[calendar.weekday(2076, month, day)]
    return f"{name}, {day:02}-{calendar.month_abbr[month]}-76 {hour:02}:00:{second:02} GMT".encode()


class FormatTests(SynchronousTestCase):
    """
    IMF-fixdate, the one form that is written.
    """

    def test_example_of_the_standard(self) -> None:
        """
        Two digits for the day, names in English whatever the locale, GMT.
        """
        self.assertEqual(format_date(EXAMPLE), b"Sun, 06 Nov 1994 08:49:37 GMT")

    def test_fraction_is_cut_off(self) -> None:
        """
        A second that has not passed is not written.
        """
        self.assertEqual(format_date(0.999), b"Thu, 01 Jan 1970 00:00:00 GMT")

    @given(st.integers(0, 253402300799))
    @settings(deadline=None, max_examples=200)
    def test_as_the_standard_library(self, seconds: int) -> None:
        """
        Any moment until the year 9999 is written as C{email.utils} does, and read back.
        """
        expected = email.utils.formatdate(seconds, usegmt=True).encode()
        self.assertEqual(format_date(seconds), expected)
        self.assertEqual(parse_date(expected, NOW), seconds)


class ParseTests(SynchronousTestCase):
    """
    The three forms that are read.
    """

    def test_example_of_the_standard_in_three_forms(self) -> None:
        """
        IMF-fixdate, RFC 850's form, asctime's form with its space for a digit.
        """
        for value in (
            b"Sun, 06 Nov 1994 08:49:37 GMT",
            b"Sunday, 06-Nov-94 08:49:37 GMT",
            b"Sun Nov  6 08:49:37 1994",
            b"Sun Nov 06 08:49:37 1994",
        ):
            self.assertEqual(parse_date(value, NOW), EXAMPLE, value)

    def test_what_is_no_date(self) -> None:
        """
        Names and GMT are case-sensitive, every space and digit counts, fields are in range.
        """
        for value in (
            b"", b"0", b"sun, 06 Nov 1994 08:49:37 GMT", b"Sun, 06 Nov 1994 08:49:37 gmt",
            b"Sun, 06 Nov 1994 08:49:37 UTC", b"Sun, 06 Nov 1994 08:49:37 +0000",
            b"Sun, 06 Nov 1994 08:49:37", b"Sun, 6 Nov 1994 08:49:37 GMT",
            b"Sun,06 Nov 1994 08:49:37 GMT", b"Sun, 06 Nov 94 08:49:37 GMT",
            b"Sun, 06 Nov 1994 08:49:37 GMT ", b" Sun, 06 Nov 1994 08:49:37 GMT",
            b"Sun, 06-Nov-94 08:49:37 GMT", b"Sun, 06 Nov 1994 8:49:37 GMT",
            b"Sun, 06 Nov 1994 24:00:00 GMT", b"Sun, 06 Nov 1994 08:60:37 GMT",
            b"Sun, 06 Nov 1994 08:49:61 GMT", b"Sun, 31 Nov 1994 08:49:37 GMT",
            b"Sun, 00 Nov 1994 08:49:37 GMT", b"Sun, 06 Nov 0000 08:49:37 GMT",
            b"Sun, 06 Nov 1994 08:49:37 GMT\n", b"Wed, 29 Feb 2023 00:00:00 GMT",
            b"Sun, 06 Nov +994 08:49:37 GMT", b"\xffun, 06 Nov 1994 08:49:37 GMT",
            b"Sun Nov 6 08:49:37 1994", "Sun, ٠٦ Nov 1994 08:49:37 GMT".encode(),
            b"Sunday, 06-Nov-1994 08:49:37 GMT", b"Sun Nov  6 08:49:37 94",
        ):  # fmt: skip
            self.assertIsNone(parse_date(value, NOW), value)

    def test_name_of_the_day_is_not_right(self) -> None:
        """
        The date counts: the grammar has any name with any date, and a precondition that is ignored
        is a write that nobody wanted.
        """
        for value in (
            b"Mon, 06 Nov 1994 08:49:37 GMT",
            b"Monday, 06-Nov-94 08:49:37 GMT",
            b"Sat Nov  6 08:49:37 1994",
        ):
            self.assertEqual(parse_date(value, NOW), EXAMPLE)

    def test_leap_second(self) -> None:
        """
        The grammar lets a minute have a 61st second; it is the second behind the 60th.
        """
        before = parse_date(b"Sat, 31 Dec 2016 23:59:59 GMT", NOW)
        self.assertEqual(parse_date(b"Sat, 31 Dec 2016 23:59:60 GMT", NOW), (before or 0) + 1)

    def test_two_digit_year(self) -> None:
        """
        A year that seems more than 50 years ahead is the last one with these digits.
        """
        for value, year in ((b"Thursday, 01-Jan-26", 2026), (b"Friday, 01-Jan-99", 1999),
                            (b"Saturday, 01-Jan-00", 2000), (b"Tuesday, 01-Jan-75", 2075),
                            (b"Saturday, 01-Jan-77", 1977)):  # fmt: skip
            expected = calendar.timegm((year, 1, 1, 0, 0, 0))
            self.assertEqual(parse_date(value + b" 00:00:00 GMT", NOW), expected, value)

    def test_two_digit_year_at_its_edge(self) -> None:
        """
        50 years are counted to the second, not in whole years: exactly 50 are ahead, a second
        more is behind.
        """
        self.assertEqual(
            parse_date(fifty_years_on(7, 1), NOW), calendar.timegm((2076, 7, 1, 12, 0, 0))
        )
        for later in (fifty_years_on(7, 1, second=1), fifty_years_on(7, 2), fifty_years_on(12, 31)):
            self.assertLess(parse_date(later, NOW) or NOW, calendar.timegm((1977, 1, 1, 0, 0, 0)))
        self.assertEqual(
            parse_date(b"Friday, 31-Dec-76 00:00:00 GMT", NOW),
            calendar.timegm((1976, 12, 31, 0, 0, 0)),
        )

    @given(st.binary(max_size=40))
    @settings(deadline=None, max_examples=200)
    def test_arbitrary_bytes_are_a_time_or_none(self, value: bytes) -> None:
        """
        Never an exception.
        """
        parse_date(value, NOW)

    @given(st.text("SunModay,- 0123456789:GMT", min_size=20, max_size=30))
    @settings(deadline=None, max_examples=200)
    def test_almost_dates_are_a_time_or_none(self, value: str) -> None:
        """
        Never an exception.
        """
        parse_date(value.encode(), NOW)

    def test_patterns_repeat_nothing_without_bound(self) -> None:
        """
        No pattern of the module has a star or a plus, so none can go back far.
        """
        patterns = [v for v in vars(dates).values() if isinstance(v, re.Pattern)]
        self.assertEqual(len(patterns), 3)
        for pattern in patterns:
            self.assertNotRegex(pattern.pattern, r"[*+]")
