"""Bars against a slow reference, for every way of cutting trades into parts."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.archive.bars import Bar, BarMaker
from sim.archive.rows import Column, Integers

SECOND = 10**9
TRADES = st.lists(
    st.tuples(st.sampled_from((0, 1, SECOND // 3, SECOND, 5 * SECOND)), st.integers(1, 1 << 45),
              st.integers(1, 1 << 45), st.booleans()),
    max_size=60,
)  # fmt: skip


def rows_of(made: list[tuple[int, int, int, bool]]) -> Integers:
    rows = np.zeros((len(made), len(Column)), np.int64)
    time_ns = 1_760_054_400 * SECOND
    for row, (wait_ns, price, lots, is_sell) in zip(rows, made, strict=True):
        time_ns += wait_ns
        row[Column.TIME_NS], row[Column.PRICE], row[Column.QUANTITY], row[Column.IS_SELL] = (
            time_ns,
            price,
            lots,
            is_sell,
        )
    return rows


def slow_bars(rows: Integers) -> list[list[int]]:
    by_second: dict[int, list[list[int]]] = {}
    for row in rows.tolist():
        by_second.setdefault(row[Column.TIME_NS] // SECOND, []).append(row)
    bars: list[list[int]] = []
    for second, trades in sorted(by_second.items()):
        prices = [trade[Column.PRICE] for trade in trades]
        volume = sum(trade[Column.QUANTITY] for trade in trades)
        bought = sum(trade[Column.QUANTITY] for trade in trades if not trade[Column.IS_SELL])
        bars.append([second * SECOND, prices[0], max(prices), min(prices), prices[-1], volume, bought, len(trades)])
    return bars


@settings(derandomize=True, deadline=None, max_examples=200)
@given(TRADES, st.lists(st.integers(0, 60), max_size=5))
def test_bars_are_those_of_the_definition(made: list[tuple[int, int, int, bool]], cuts: list[int]) -> None:
    rows, maker = rows_of(made), BarMaker()
    parts = [maker.add(part) for part in np.split(rows, sorted(cuts))]
    bars = np.concatenate([*parts, maker.finish()])
    assert bars.tolist() == slow_bars(rows)
    assert bars.shape[1] == len(Bar)
    assert not len(maker.finish())
