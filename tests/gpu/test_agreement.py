"""Classifiers beside the venue's flag."""

from __future__ import annotations

import pytest

from gpu.agreement import agreement
from gpu.classification import Bulk, Rule, TimeBars, VolumeBars
from market.errors import Rejected
from tests.gpu.trade_columns import trades_of

TRADES = trades_of(
    times_ns=[0, 5, 10, 15, 20, 30],
    prices=[100, 101, 101, 99, 100, 100],
    quantities=[4, 8, 3, 7, 2, 10],
    aggressors=[1, 1, 2, 2, 2, 1],
    bids=[99, 100, 101, 99, 99, 99],
    asks=[100, 101, 103, 100, 101, 100],
)


def test_rules_agree_trade_by_trade() -> None:
    assert agreement(TRADES, Rule.FLAG) == 1.0
    # Unknown at the mid (2 lots at 100), wrong nowhere.
    assert agreement(TRADES, Rule.QUOTE) == 32 / 34
    # Unknown: 4; bought for sold: 3 and 2.
    assert agreement(TRADES, Rule.TICK) == 25 / 34


def test_bulk_agrees_by_what_it_says_of_each_bar() -> None:
    """Bars of 10 ns: 12 lots (all bought), 10 (none), 2 (none), then the open one; changes -2 and 1, sigma 1.5."""
    bulk = Bulk(bars=TimeBars(10))
    # Of 10 lots floor(10 Phi(-4/3) + 1/2) = 1 is called bought, of 2 lots floor(2 Phi(2/3) + 1/2) = 1: 9 and 1 agree.
    assert agreement(TRADES, bulk) == pytest.approx((9 + 1) / 12)


def test_bars_of_volume_are_split_as_the_flags_are() -> None:
    """Bars of 10 lots: 10 of the first bought, 2 of the second, 6 of the third; sigma 0 says 5 of each."""
    assert agreement(TRADES, Bulk(bars=VolumeBars(10), sigma_ticks=0.0)) == (5 + 2 + 5 + 4) / 20


def test_without_all_flags_there_is_nothing_to_compare_with() -> None:
    with pytest.raises(Rejected, match="agreement needs aggressors"):
        agreement(trades_of(times_ns=[0, 1], prices=[1, 1], quantities=[1, 1], aggressors=[1, 0]), Rule.TICK)
    with pytest.raises(Rejected, match="agreement needs aggressors"):
        agreement(trades_of(times_ns=[0], prices=[1], quantities=[1]), Rule.TICK)
