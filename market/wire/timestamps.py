"""Times as venues write them, as nanoseconds since the Unix epoch."""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline, shared
from market.native.memory import load_u8
from market.wire.text import BAD_NUMBER, OK, POINT, QUOTE_MARK, read_integer

SECOND_NS: Final = 1_000_000_000
_LENGTH: Final = len("2026-08-09T21:05:48")
_PATTERN: Final = int("".join("0" if mark.isdigit() else "1" for mark in reversed("2026-08-09T21:05:48")), 2)
_MARKS: Final = tuple(ord(mark) for mark in "-T:")
_FRACTION_DIGITS: Final = 9


@inline
def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the Gregorian calendar, for years from 1 on.

    H. Hinnant, "chrono-compatible low-level date algorithms", days_from_civil: years begin in March, so that the leap
    day is the last one.
    """
    if month <= 2:
        year -= 1
    era = year // 400
    year_of_era = year - era * 400
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * 146_097 + day_of_era - 719_468


@inline
def _digits(at: int, position: int, count: int) -> int:
    value = 0
    for index in range(count):
        value = value * 10 + (load_u8(at, position + index) ^ 48)
    return value


@inline
def _is_dated(at: int) -> bool:
    """Whether 19 bytes have digits and separators where a date and time has them."""
    for position in range(_LENGTH):
        character = load_u8(at, position)
        if (_PATTERN >> position) & 1 == 0:
            if character ^ 48 > 9:
                return False
        elif character != _MARKS[0] and character != _MARKS[1] and character != _MARKS[2]:
            return False
    return True


@shared
def read_iso_time(at: int) -> tuple[int, int, int]:
    """A quoted UTC time such as ``"2026-08-09T21:05:48.505350477Z"``: (ns since 1970, address behind it, reject code).

    Up to nine digits may follow the point. Years are 1970 to 2261, what 64 bits hold.
    """
    start = at + 1
    if load_u8(at, 0) != QUOTE_MARK or not _is_dated(start):
        return 0, at, BAD_NUMBER
    year, month, day = _digits(start, 0, 4), _digits(start, 5, 2), _digits(start, 8, 2)
    hour, minute, second = _digits(start, 11, 2), _digits(start, 14, 2), _digits(start, 17, 2)
    in_range = 1970 <= year <= 2261 and 1 <= month <= 12 and 1 <= day <= 31
    if not in_range or hour > 23 or minute > 59 or second > 60:
        return 0, at, BAD_NUMBER
    time_ns = (((_days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * SECOND_NS
    at = start + _LENGTH
    if load_u8(at, 0) == POINT:
        fraction, end, reason = read_integer(at + 1)
        missing = _FRACTION_DIGITS - (end - at - 1)
        if reason != OK or missing < 0:
            return 0, at, BAD_NUMBER
        for _ in range(missing):
            fraction *= 10
        time_ns += fraction
        at = end
    if load_u8(at, 0) != ord("Z") or load_u8(at, 1) != QUOTE_MARK:
        return 0, at, BAD_NUMBER
    return time_ns, at + 2, OK
