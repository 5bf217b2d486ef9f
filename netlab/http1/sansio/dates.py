"""
HTTP-date (RFC 9110 section 5.6.7): one form is written, three are read.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LONG_DAYS: Final = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_DAY: Final = "|".join(_DAYS)
_MONTH: Final = "|".join(_MONTHS)
_CLOCK: Final = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_IMF_FIXDATE: Final = re.compile(
    rf"(?:{_DAY}), (?P<day>[0-9]{{2}}) (?P<month>{_MONTH}) (?P<year>[0-9]{{4}}) {_CLOCK} GMT"
)
_RFC_850: Final = re.compile(
    rf"(?:{'|'.join(_LONG_DAYS)}), (?P<day>[0-9]{{2}})-(?P<month>{_MONTH})-"
    rf"(?P<year>[0-9]{{2}}) {_CLOCK} GMT"
)
_ASCTIME: Final = re.compile(
    rf"(?:{_DAY}) (?P<month>{_MONTH}) (?P<day>[0-9]{{2}}| [0-9]) {_CLOCK} "
    rf"(?P<year>[0-9]{{4}})"
)


def format_date(seconds: float) -> bytes:
    """
    Write a time as IMF-fixdate.

    @param seconds: since the epoch; a fraction is cut off.
    """
    moment = _EPOCH + timedelta(seconds=int(seconds))
    return (
        f"{_DAYS[moment.weekday()]}, {moment.day:02} {_MONTHS[moment.month - 1]} {moment.year:04} "
        f"{moment.hour:02}:{moment.minute:02}:{moment.second:02} GMT"
    ).encode("ascii")


def parse_date(value: bytes, now: float) -> int | None:
    """
    Read a time in any of the three forms: IMF-fixdate, RFC 850's, asctime's. The name of the day
    says nothing that the date does not, and need not be right.

    @param now: seconds since the epoch; a two-digit year that seems more than 50 years ahead of
        it is a year of the past.
    @return: seconds since the epoch, or None where these bytes are no HTTP-date.
    """
    try:
        text = value.decode("ascii")
    except UnicodeDecodeError:
        return None
    match = _IMF_FIXDATE.fullmatch(text) or _RFC_850.fullmatch(text) or _ASCTIME.fullmatch(text)
    if match is None:
        return None
    year = int(match["year"])
    month = _MONTHS.index(match["month"]) + 1
    day, hour, minute = int(match["day"]), int(match["hour"]), int(match["minute"])
    second = int(match["second"])
    if len(match["year"]) == 2:
        today = _EPOCH + timedelta(seconds=int(now))
        year += today.year // 100 * 100
        in_50_years = (today.year + 50, today.month, today.day, today.hour, today.minute)
        if (year, month, day, hour, minute, second) > (*in_50_years, today.second):
            year -= 100
    try:
        moment = datetime(
            year,
            month,
            day,
            hour,
            minute,
            min(second, 59),  # a leap second, which the grammar allows, is one second later
            tzinfo=UTC,
        )
    except ValueError:
        return None
    if second > 60:
        return None
    return int((moment - _EPOCH).total_seconds()) + (second == 60)
