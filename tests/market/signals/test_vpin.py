"""VPIN: buckets split exactly, streaming equal to the batch form and to lot-by-lot counting."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Fatal
from market.signals.layout import BAD_PRICE, BAD_QUANTITY, LARGEST_QUANTITY, Rows
from market.signals.vpin import (
    BOUGHT,
    COMPLETED,
    IMBALANCE_SUM,
    SOLD,
    UNKNOWN_LOTS,
    Vpin,
    VpinSettings,
    bucket_imbalances,
    imbalance_sums,
)

BUY, SELL, NONE = 1, 2, 0
TRADES = st.lists(st.tuples(st.integers(1, 60), st.sampled_from([NONE, BUY, SELL])), min_size=1, max_size=80)


def rows_of(trades: list[tuple[int, int]]) -> Rows:
    return np.array([(100, quantity, side) for quantity, side in trades], dtype=np.int64)


def lot_by_lot(trades: list[tuple[int, int]], bucket_lots: int) -> list[int]:
    """|B - S| of every complete bucket, filling buckets one lot at a time."""
    lots = [1 if side == BUY else -1 for quantity, side in trades if side != NONE for _ in range(quantity)]
    whole = len(lots) // bucket_lots
    return [abs(sum(lots[i * bucket_lots : (i + 1) * bucket_lots])) for i in range(whole)]


@given(TRADES, st.integers(1, 50), st.integers(1, 6))
@settings(derandomize=True, deadline=None)
def test_streaming_equals_counting_lots_and_the_batch_form(
    trades: list[tuple[int, int]], bucket_lots: int, buckets: int
) -> None:
    signal = Vpin(VpinSettings(bucket_lots=bucket_lots, buckets=buckets))
    steps = signal.update(rows_of(trades))
    for taken, (total, completed) in enumerate(steps.tolist(), start=1):
        imbalances = lot_by_lot(trades[:taken], bucket_lots)
        assert (total, completed) == (sum(imbalances[-buckets:]), len(imbalances))
    quantities, sides = rows_of(trades)[:, 1], rows_of(trades)[:, 2]
    batch = bucket_imbalances(quantities.copy(), sides.copy(), bucket_lots)
    assert batch.tolist() == lot_by_lot(trades, bucket_lots)
    if len(batch) >= buckets:
        assert imbalance_sums(batch, buckets)[-1] == signal.state[IMBALANCE_SUM]
        assert signal.value == sum(batch.tolist()[-buckets:]) / (buckets * bucket_lots)
    else:
        assert isnan(signal.value)
        assert imbalance_sums(batch, buckets).size == 0


def test_a_trade_is_split_at_the_edge_of_a_bucket() -> None:
    signal = Vpin(VpinSettings(bucket_lots=10, buckets=2))
    assert signal.update(rows_of([(7, BUY), (8, SELL)])).tolist() == [[0, 0], [4, 1]]
    assert (signal.state[BOUGHT], signal.state[SOLD]) == (0, 5)
    assert signal.update(rows_of([(5, BUY)])).tolist() == [[4, 2]]
    assert signal.value == 0.2


def test_a_trade_of_very_many_buckets_takes_few_steps() -> None:
    signal = Vpin(VpinSettings(bucket_lots=1, buckets=3))
    signal.update(rows_of([(1, SELL), (LARGEST_QUANTITY, BUY)]))
    assert (signal.state[COMPLETED], signal.state[IMBALANCE_SUM]) == (LARGEST_QUANTITY + 1, 3)
    assert signal.value == 1.0


def test_unknown_aggressors_fill_no_bucket() -> None:
    signal = Vpin(VpinSettings(bucket_lots=5, buckets=1))
    assert signal.update(rows_of([(99, NONE)])).tolist() == [[0, 0]]
    assert signal.state[UNKNOWN_LOTS] == 99


def test_impossible_trades_change_nothing() -> None:
    signal = Vpin(VpinSettings(bucket_lots=5, buckets=1))
    assert signal.update(np.array([[0, 9, BUY], [100, 0, BUY], [100, -9, BUY]])).tolist() == [[0, 0]] * 3
    assert (signal.state[BAD_PRICE], signal.state[BAD_QUANTITY]) == (1, 2)


@pytest.mark.parametrize("values", [(0, 50), (10, 0), (10, 5000)])
def test_bad_settings_are_fatal(values: tuple[int, int]) -> None:
    with pytest.raises(Fatal, match="VPIN"):
        VpinSettings(bucket_lots=values[0], buckets=values[1])
