"""Times never run back, and an impossible number reaches no signal."""

from __future__ import annotations

import numpy as np
import pytest

from market.errors import Fatal, Rejected
from market.native.kernel import entry
from market.native.memory import address_of
from market.signals import layout
from market.signals.admission import admit_time, admit_top, admit_trade
from market.signals.aggressor import classify, sign_of
from market.signals.layout import Words

BUY, SELL, NONE = 1, 2, 0


@entry("int64(int64[::1], int64)")
def _time(header: Words, time_ns: int) -> int:
    return admit_time(address_of(header), time_ns)


@entry("boolean(int64[::1], int64, int64, int64)")
def _trade(header: Words, price: int, quantity: int, aggressor: int) -> bool:
    return admit_trade(address_of(header), price, quantity, aggressor)


@entry("boolean(int64[::1], int64, int64, int64, int64)")
def _top(header: Words, bid: int, bid_quantity: int, ask: int, ask_quantity: int) -> bool:
    return admit_top(address_of(header), bid, bid_quantity, ask, ask_quantity)


@entry("int64(int64, int64, int64)")
def _classify(aggressor: int, price: int, doubled_mid: int) -> int:
    return classify(aggressor, price, doubled_mid)


@entry("int64(int64)")
def _sign(aggressor: int) -> int:
    return sign_of(aggressor)


@pytest.fixture
def header() -> Words:
    return np.zeros(layout.HEADER, dtype=np.int64)


def test_a_time_that_runs_back_counts_as_the_newest(header: Words) -> None:
    assert [_time(header, at) for at in (5, 9, 7, 9, 10)] == [5, 9, 9, 9, 10]
    assert header[layout.LATE] == 1


@pytest.mark.parametrize("time_ns", [-1, 1 << 62, (1 << 63) - 1])
def test_a_number_that_is_no_time_counts_as_the_newest(header: Words, time_ns: int) -> None:
    _time(header, 5)
    assert _time(header, time_ns) == 5
    assert _time(header, 6) == 6
    assert header[layout.LATE] == 1


@pytest.mark.parametrize(
    ("trade", "counter"),
    [
        ((0, 1, BUY), layout.BAD_PRICE),
        ((-5, 1, BUY), layout.BAD_PRICE),
        ((layout.LARGEST_PRICE + 1, 1, BUY), layout.BAD_PRICE),
        ((1, 0, BUY), layout.BAD_QUANTITY),
        ((1, -1, BUY), layout.BAD_QUANTITY),
        ((1, layout.LARGEST_QUANTITY + 1, BUY), layout.BAD_QUANTITY),
        ((1, 1, 3), layout.BAD_AGGRESSOR),
        ((1, 1, -1), layout.BAD_AGGRESSOR),
        ((0, 0, 9), layout.BAD_PRICE),
    ],
)
def test_an_impossible_trade_is_refused_for_its_first_fault(
    header: Words, trade: tuple[int, int, int], counter: int
) -> None:
    assert not _trade(header, *trade)
    assert header[counter] == 1
    assert header.sum() == 1


def test_the_largest_trade_is_possible(header: Words) -> None:
    assert _trade(header, layout.LARGEST_PRICE, layout.LARGEST_QUANTITY, NONE)
    assert not header.any()


@pytest.mark.parametrize(
    ("top", "counter"),
    [
        ((0, 1, 5, 1), layout.BAD_PRICE),
        ((4, 1, -1, 0), layout.BAD_PRICE),
        ((4, 0, 5, 1), layout.BAD_QUANTITY),
        ((4, 1, 5, 0), layout.BAD_QUANTITY),
        ((5, 1, 5, 1), layout.CROSSED),
        ((6, 1, 5, 1), layout.CROSSED),
    ],
)
def test_an_impossible_top_is_refused_for_its_first_fault(
    header: Words, top: tuple[int, int, int, int], counter: int
) -> None:
    assert not _top(header, *top)
    assert header[counter] == 1
    assert header.sum() == 1


@pytest.mark.parametrize(
    ("aggressor", "price", "doubled_mid", "expected"),
    [
        (BUY, 1, 201, BUY),
        (SELL, 500, 201, SELL),
        (NONE, 101, 201, BUY),
        (NONE, 100, 201, SELL),
        (NONE, 100, 200, NONE),
        (NONE, 100, 0, NONE),
    ],
)
def test_the_flag_decides_and_else_the_quote_rule(aggressor: int, price: int, doubled_mid: int, expected: int) -> None:
    assert _classify(aggressor, price, doubled_mid) == expected


def test_signs() -> None:
    assert [_sign(side) for side in (NONE, BUY, SELL)] == [0, 1, -1]


@pytest.mark.parametrize("value", [0, 11, True, 2.0])
def test_a_setting_outside_its_range_is_fatal(value: int) -> None:
    with pytest.raises(Fatal, match="width must be a whole number from 1 to 10"):
        layout.require("width", value, 1, 10)


@pytest.mark.parametrize("value", [0, 1, 3, 12, 1 << 17])
def test_a_capacity_is_a_power_of_two(value: int) -> None:
    with pytest.raises(Fatal, match="ring"):
        layout.require_capacity("ring", value)


def test_rows_are_integers_of_the_declared_width() -> None:
    with pytest.raises(Rejected, match="float64"):
        layout.as_rows("trades", np.full((2, 4), np.nan), 4)
    with pytest.raises(Rejected, match=r"\(2, 3\)"):
        layout.as_rows("trades", np.zeros((2, 3), dtype=np.int64), 4)
    assert layout.as_rows("trades", np.zeros((4, 2), dtype=np.int32).T, 4).flags.c_contiguous
