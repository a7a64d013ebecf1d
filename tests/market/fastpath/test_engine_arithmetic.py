"""The formulas in int64 equal the same formulas in unbounded integers, up to the extreme values."""

from __future__ import annotations

import math
import zlib
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from market.fastpath import arithmetic, parity
from market.native.kernel import BYTES, entry
from market.native.memory import address_of

TOP = (1 << 48) - 1
quantities = st.one_of(st.integers(1, TOP), st.sampled_from([1, 2, TOP - 1, TOP]))
prices = quantities
fee_sums = st.one_of(st.integers(-(1 << 17) + 2, (1 << 17) - 2), st.sampled_from([-(1 << 17) + 2, (1 << 17) - 2]))


@entry("int64(int64, int64)")
def _cost(price: int, fees: int) -> int:
    return arithmetic.cost(price, fees)


@entry("int64(int64, int64)")
def _imbalance(bid: int, ask: int) -> int:
    return arithmetic.imbalance_of(bid, ask)


@entry("int64(int64, int64, int64)")
def _microprice(bid: int, ask: int, imbalance: int) -> int:
    return arithmetic.microprice_of(bid, ask, imbalance)


@entry("boolean(int64, int64, int64, int64)")
def _exceeds(left: int, right: int, high: int, low: int) -> bool:
    return arithmetic.product_exceeds(left, right, high, low)


@entry(f"int64(int64[::1], {BYTES}, int64)")
def _crc(table: NDArray[np.int64], payload: bytes, crc: int) -> int:
    return parity.crc32(address_of(table), address_of(payload), len(payload), crc)


@settings(derandomize=True, deadline=None)
@given(prices, fee_sums)
def test_cost_rounds_up(price: int, fees: int) -> None:
    assert _cost(price, fees) == math.ceil(Fraction(price * fees, 1 << 20)) == -(-(price * fees) >> 20)


@settings(derandomize=True, deadline=None)
@given(quantities, quantities)
def test_imbalance_truncates(bid: int, ask: int) -> None:
    assert _imbalance(bid, ask) == math.trunc(Fraction((bid - ask) << 15, bid + ask))


@settings(derandomize=True, deadline=None)
@given(quantities, quantities, st.integers(1, (1 << 15) - 1))
def test_imbalance_test_of_the_logic_is_the_same(bid: int, ask: int, threshold: int) -> None:
    in_logic = bid * ((1 << 15) - threshold) >= ask * ((1 << 15) + threshold)
    assert (_imbalance(bid, ask) >= threshold) == in_logic


@settings(derandomize=True, deadline=None)
@given(prices, prices, st.integers(-(1 << 15) + 1, (1 << 15) - 1))
def test_microprice_rounds_down(one: int, other: int, imbalance: int) -> None:
    bid, ask = min(one, other), max(one, other)
    assert _microprice(bid, ask, imbalance) == bid + (((ask - bid) * ((1 << 15) + imbalance)) >> 16)


def signed(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word


@settings(derandomize=True, deadline=None)
@given(quantities, quantities, st.sampled_from([-(1 << 64), -1, 0, 1, 1 << 64]))
def test_notional_is_compared_in_96_bits(left: int, right: int, distance: int) -> None:
    limit = min(max(left * right + distance, 0), (1 << 96) - 1)
    high, low = limit >> 64, signed(limit & (1 << 64) - 1)
    assert _exceeds(left, right, high, low) == (left * right > limit)


@settings(derandomize=True, deadline=None)
@given(st.binary(max_size=300), st.integers(0, (1 << 32) - 1))
def test_crc_is_that_of_zlib(payload: bytes, crc: int) -> None:
    assert _crc(parity.crc_table(), payload, crc) == zlib.crc32(payload, crc)
