"""Imbalance and microprice of the top of book against exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.signals.imbalance import TopImbalance
from market.signals.layout import BAD_QUANTITY, CROSSED, LARGEST_PRICE, LARGEST_QUANTITY
from market.signals.microprice import Microprice

LOTS = st.integers(1, LARGEST_QUANTITY)


@st.composite
def tops(draw: st.DrawFn) -> tuple[int, int, int, int]:
    bid = draw(st.integers(1, LARGEST_PRICE - 1))
    return bid, draw(LOTS), draw(st.integers(bid + 1, LARGEST_PRICE)), draw(LOTS)


@given(st.lists(tops(), min_size=1, max_size=20))
@settings(derandomize=True, deadline=None)
def test_both_are_their_definitions(rows: list[tuple[int, int, int, int]]) -> None:
    taken = np.array(rows, dtype=np.int64)
    imbalances, prices = TopImbalance().update(taken)[:, 0], Microprice().update(taken)[:, 0]
    for (bid, bid_lots, ask, ask_lots), imbalance, price in zip(rows, imbalances, prices, strict=True):
        assert imbalance == float(Fraction(bid_lots - ask_lots, bid_lots + ask_lots))
        exact = bid + Fraction((ask - bid) * bid_lots, bid_lots + ask_lots)
        assert abs(Fraction(price) - exact) <= Fraction(1, 2**50) * ask
        assert bid <= price <= ask


def test_more_size_on_the_bid_moves_the_microprice_towards_the_ask() -> None:
    assert Microprice().update(np.array([[100, 30, 102, 10], [100, 10, 102, 30]])).tolist() == [[101.5], [100.5]]


def test_a_refused_top_has_no_reading() -> None:
    signal = TopImbalance()
    readings = signal.update(np.array([[100, 1, 101, 3], [101, 1, 100, 1], [100, 0, 101, 1], [100, 3, 101, 1]]))
    assert readings[:, 0] == pytest.approx([-0.5, np.nan, np.nan, 0.5], nan_ok=True)
    assert (signal.state[CROSSED], signal.state[BAD_QUANTITY]) == (1, 1)
