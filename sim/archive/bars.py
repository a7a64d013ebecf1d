"""Bars of one second, of trades that come in parts."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np

from sim.archive.rows import Column, Integers

BAR_NS: Final = 1_000_000_000


class Bar(IntEnum):
    """Columns of bars, int64: the second's beginning, prices in ticks, volumes in lots, aggregate trades."""

    TIME_NS = 0
    OPEN = 1
    HIGH = 2
    LOW = 3
    CLOSE = 4
    VOLUME = 5
    BOUGHT = 6
    TRADES = 7


class BarMaker:
    """Makes bars; the last one stays open until a trade of a later second, or ``finish``. Empty seconds have none."""

    def __init__(self) -> None:
        self._open: Integers | None = None

    def add(self, rows: Integers) -> Integers:
        """Bars that trades in order of time, int64[n, len(Column)], close: int64[m, len(Bar)]."""
        if not len(rows):
            return np.zeros((0, len(Bar)), np.int64)
        bars = _bars(rows)
        if self._open is not None:
            if self._open[Bar.TIME_NS] == bars[0, Bar.TIME_NS]:
                bars[0] = _joined(self._open, bars[0])
            else:
                bars = np.concatenate((self._open[np.newaxis], bars))
        self._open = bars[-1].copy()
        return bars[:-1]

    def finish(self) -> Integers:
        """The open bar, if there is one."""
        last = self._open
        self._open = None
        return np.zeros((0, len(Bar)), np.int64) if last is None else last[np.newaxis]


def _bars(rows: Integers) -> Integers:
    starts = rows[:, Column.TIME_NS] // BAR_NS * BAR_NS
    begins = np.flatnonzero(np.concatenate(([True], starts[1:] != starts[:-1])))
    ends = np.append(begins[1:], len(rows))
    prices, quantities = rows[:, Column.PRICE], rows[:, Column.QUANTITY]
    bars = np.empty((len(begins), len(Bar)), np.int64)
    bars[:, Bar.TIME_NS] = starts[begins]
    bars[:, Bar.OPEN] = prices[begins]
    bars[:, Bar.HIGH] = np.maximum.reduceat(prices, begins)
    bars[:, Bar.LOW] = np.minimum.reduceat(prices, begins)
    bars[:, Bar.CLOSE] = prices[ends - 1]
    bars[:, Bar.VOLUME] = np.add.reduceat(quantities, begins)
    bars[:, Bar.BOUGHT] = np.add.reduceat(quantities * (1 - rows[:, Column.IS_SELL]), begins)
    bars[:, Bar.TRADES] = ends - begins
    return bars


def _joined(first: Integers, second: Integers) -> Integers:
    joined = first.copy()
    joined[Bar.HIGH] = max(first[Bar.HIGH], second[Bar.HIGH])
    joined[Bar.LOW] = min(first[Bar.LOW], second[Bar.LOW])
    joined[Bar.CLOSE] = second[Bar.CLOSE]
    for total in (Bar.VOLUME, Bar.BOUGHT, Bar.TRADES):
        joined[total] += second[total]
    return joined
