"""Doubles become counts of ticks exactly as rational arithmetic says, halves upward."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from market.native.kernel import entry
from market.wire.doubles import MAXIMUM_DECIMALS, NULL, count_of_double
from market.wire.records import Reject


@entry("int64(int64, int64, int64[::1])")
def _count(bits: int, decimals: int, reason: NDArray[np.int64]) -> int:
    count, reason[0] = count_of_double(bits, decimals)
    return count


def bits_of(value: float) -> int:
    bits: int = struct.unpack("<q", struct.pack("<d", value))[0]
    return bits


def converted(value: float, decimals: int) -> int | Reject:
    reason = np.zeros(1, dtype=np.int64)
    count = _count(bits_of(value), decimals, reason)
    return Reject(int(reason[0])) if reason[0] else count


def expected(value: float, decimals: int) -> int | Reject:
    if math.isnan(value) or math.isinf(value):
        return Reject.BAD_NUMBER
    if value < 0:
        return Reject.NEGATIVE
    count = math.floor(Fraction(value) * 10**decimals + Fraction(1, 2))
    return count if count < 10**18 else Reject.OVERFLOW


DECIMALS = st.integers(0, MAXIMUM_DECIMALS)


@given(value=st.floats(width=64), decimals=DECIMALS)
@settings(derandomize=True, deadline=None, max_examples=2000)
def test_any_double(value: float, decimals: int) -> None:
    assert converted(value, decimals) == expected(value, decimals)


@given(ticks=st.integers(0, 10**12), written=DECIMALS, decimals=DECIMALS)
@settings(derandomize=True, deadline=None, max_examples=1000)
def test_prices_as_venues_write_them(ticks: int, written: int, decimals: int) -> None:
    value = float(Fraction(ticks, 10**written))
    assert converted(value, decimals) == expected(value, decimals)
    if decimals == written and ticks < 2**52:
        assert converted(value, decimals) == ticks


@given(numerator=st.integers(0, 2**53), power=st.integers(0, 60), decimals=DECIMALS)
@settings(derandomize=True, deadline=None, max_examples=1000)
def test_values_near_halves(numerator: int, power: int, decimals: int) -> None:
    value = numerator / 2.0**power
    for neighbour in (math.nextafter(value, 0.0), value, math.nextafter(value, math.inf)):
        assert converted(neighbour, decimals) == expected(neighbour, decimals)


@pytest.mark.parametrize(
    ("value", "decimals", "count"),
    [(0.5, 0, 1), (1.5, 0, 2), (2.5, 0, 3), (0.0, 9, 0), (-0.0, 3, 0), (0.0001, 4, 1), (26102.93, 2, 2610293)],
)
def test_halves_go_up(value: float, decimals: int, count: int) -> None:
    assert converted(value, decimals) == count


@pytest.mark.parametrize("value", [5e-324, 2.2e-308, 1e-30])
def test_the_smallest_numbers_are_no_ticks(value: float) -> None:
    assert converted(value, MAXIMUM_DECIMALS) == 0


def test_an_absent_number_is_zero() -> None:
    reason = np.zeros(1, dtype=np.int64)
    assert _count(NULL, 4, reason) == 0
    assert reason[0] == Reject.NONE
