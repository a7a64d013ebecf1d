"""Whole arrays of trades, tops of book and depth sums as rows of events, integers or float64."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from market.detector.admission import INFINITE, NOT_A_NUMBER
from market.detector.events import EventKind
from market.detector.layout import EVENT_WIDTH, LARGEST_TIME, Rows, Words
from market.errors import Rejected


@dataclass(frozen=True)
class TradeColumns:
    """Trades as arrays of one length; ``numbers`` below 0 for none."""

    times_ns: Words
    prices: Words
    quantities: Words
    aggressors: Words
    numbers: Words | None = None


@dataclass(frozen=True)
class TopColumns:
    """Tops of book as arrays of one length."""

    times_ns: Words
    bids: Words
    bid_quantities: Words
    asks: Words
    ask_quantities: Words
    numbers: Words | None = None


@dataclass(frozen=True)
class BookColumns:
    """Depth updates as arrays of one length: the top after each, and sums over the best levels; see ``on_book``."""

    tops: TopColumns
    bid_lots: Words
    ask_lots: Words
    bid_liquidity: Words
    ask_liquidity: Words
    bid_walls: Words
    ask_walls: Words


def counts_of(values: NDArray[Any], decimals: int) -> Words:
    """Float64 numbers as counts of ``10**-decimals``, rounded to the nearest; what is no number becomes its mark.

    Numbers beyond 2^62 counts become 2^62, which every check refuses as too large, or as negative.
    """
    scaled = np.asarray(values, dtype=np.float64) * 10.0**decimals
    counts: Words = np.clip(np.nan_to_num(scaled, nan=0.0), -LARGEST_TIME, LARGEST_TIME).round().astype(np.int64)
    counts[np.isinf(scaled)] = INFINITE
    counts[np.isnan(scaled)] = NOT_A_NUMBER
    return counts


def rows_of(kind: EventKind, times_ns: Words, numbers: Words | None, values: Sequence[Words]) -> Rows:
    """Rows of one kind from its columns. Raises Rejected when they differ in length or are no integers."""
    columns = [times_ns, np.full(len(times_ns), -1, dtype=np.int64) if numbers is None else numbers, *values]
    for column in columns:
        if column.ndim != 1 or len(column) != len(times_ns) or column.dtype.kind not in "iu":
            raise Rejected(
                f"columns of {kind.name} events must be {len(times_ns)} integers each, one was {column.dtype} of shape "
                f"{column.shape}; counts_of makes integers of float64"
            )
    rows = np.zeros((len(times_ns), EVENT_WIDTH), dtype=np.int64)
    rows[:, 0] = kind
    for place, column in enumerate(columns, start=1):
        rows[:, place] = column
    return rows


def merge_columns(
    trades: TradeColumns | None = None, tops: TopColumns | None = None, books: BookColumns | None = None
) -> Rows:
    """All events in order of time, those of one time as books, tops, trades, each kind in its own order.

    A kind whose own times run back keeps its order: sorting would hide what the detector is to see, so such a column is
    refused. Raises Rejected for it, and as ``rows_of``.
    """
    parts = []
    if books is not None:
        values = (books.bid_lots, books.ask_lots, books.bid_liquidity, books.ask_liquidity)
        top = (books.tops.bids, books.tops.bid_quantities, books.tops.asks, books.tops.ask_quantities)
        walls = (books.bid_walls, books.ask_walls)
        parts.append(rows_of(EventKind.BOOK, books.tops.times_ns, books.tops.numbers, (*top, *values, *walls)))
    if tops is not None:
        top = (tops.bids, tops.bid_quantities, tops.asks, tops.ask_quantities)
        parts.append(rows_of(EventKind.TOP, tops.times_ns, tops.numbers, top))
    if trades is not None:
        values_of = (trades.prices, trades.quantities, trades.aggressors)
        parts.append(rows_of(EventKind.TRADE, trades.times_ns, trades.numbers, values_of))
    for part in parts:
        if np.any(np.diff(part[:, 1]) < 0):
            raise Rejected("times of a kind of event run back: give such events as rows in the order of their arrival")
    rows: Rows = np.concatenate([np.zeros((0, EVENT_WIDTH), dtype=np.int64), *parts])
    return np.ascontiguousarray(rows[np.argsort(rows[:, 1], kind="stable")])
