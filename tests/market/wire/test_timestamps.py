"""Times as venues write them are nanoseconds since 1970, exactly."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.native.kernel import BYTES, entry
from market.native.memory import address_of
from market.wire.records import Reject, Words
from market.wire.timestamps import read_iso_time

EPOCH = datetime(1970, 1, 1)


@entry(f"int64({BYTES}, int64[::1])")
def _read(text: bytes, out: Words) -> int:
    start = address_of(text)
    value, end, reason = read_iso_time(start)
    out[0] = end - start
    out[1] = reason
    return value


def read(text: str) -> tuple[int, int, Reject]:
    """Value, bytes read and reject code of a text, quotation marks and all."""
    out = np.zeros(2, dtype=np.int64)
    value = _read(text.encode(), out)
    return value, int(out[0]), Reject(int(out[1]))


@given(st.datetimes(datetime(1970, 1, 1), datetime(2261, 12, 31)), st.integers(0, 9))
@settings(derandomize=True, deadline=None, max_examples=500)
def test_times_equal_the_calendars(moment: datetime, digits: int) -> None:
    microseconds = f"{moment.microsecond:06}000"[:digits]
    text = f'"{moment:%Y-%m-%dT%H:%M:%S}{"." + microseconds if digits else ""}Z"'
    kept_ns = int(microseconds.ljust(9, "0")) if digits else 0
    seconds = (moment.replace(microsecond=0) - EPOCH) // timedelta(seconds=1)
    assert read(text) == (seconds * 10**9 + kept_ns, len(text), Reject.NONE)


def test_nine_digits_are_nanoseconds() -> None:
    assert read('"2026-08-09T21:05:48.505350477Z"')[0] == 1_786_309_548_505_350_477


@pytest.mark.parametrize(
    "text",
    [
        "",
        '"',
        '"2026-08-09"',
        '"2026-08-09T21:05:48"',
        '"2026-08-09T21:05:48.Z"',
        '"2026-08-09T21:05:48.1234567890Z"',
        '"2026-08-09T21:05:48+00:00"',
        '"2026-13-09T21:05:48Z"',
        '"2026-08-00T21:05:48Z"',
        '"2026-08-09T24:05:48Z"',
        '"1969-08-09T21:05:48Z"',
        '"2262-08-09T21:05:48Z"',
        '"20x6-08-09T21:05:48Z"',
        "2026-08-09T21:05:48Z",
    ],
)
def test_anything_else_is_no_time(text: str) -> None:
    assert read(text)[2] == Reject.BAD_NUMBER
