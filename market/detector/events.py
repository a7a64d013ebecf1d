"""The events of one market as rows of int64, and as columns of whole arrays.

A row is (kind, time, number, six to ten values), 0 where a kind has none:

| kind | values |
|---|---|
| TOP | bid, bid quantity, ask, ask quantity |
| TRADE | price, quantity, aggressor |
| BOOK | bid, bid quantity, ask, ask quantity, bid lots, ask lots, bid liquidity, ask liquidity, bid walls, ask walls |
| TIME, GAP, WITHDRAWN, SHUTDOWN, RESTART | none |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from market.detector.admission import INFINITE, NOT_A_NUMBER
from market.detector.layout import LARGEST_TIME, STATE, TRANSITION_ROOM, Rows, Values, Words
from market.detector.readings import write_reading
from market.detector.states import READINGS
from market.detector.streaming import (
    advance,
    on_book,
    on_gap,
    on_top,
    on_trade,
    on_withdrawn,
    restart,
    shut_down,
)
from market.detector.transitions import unread
from market.errors import Rejected
from market.native.kernel import entry, inline
from market.native.memory import address_of, get

EVENT_WIDTH: Final = 13


class EventKind(IntEnum):
    """What a row is."""

    TOP = 0
    TRADE = 1
    BOOK = 2
    TIME = 3
    """Time passes, by a clock that is believed."""
    GAP = 4
    WITHDRAWN = 5
    SHUTDOWN = 6
    RESTART = 7


_TOP: Final = int(EventKind.TOP)
_TRADE: Final = int(EventKind.TRADE)
_BOOK: Final = int(EventKind.BOOK)
_TIME: Final = int(EventKind.TIME)
_GAP: Final = int(EventKind.GAP)
_WITHDRAWN: Final = int(EventKind.WITHDRAWN)
_SHUTDOWN: Final = int(EventKind.SHUTDOWN)
_RESTART: Final = int(EventKind.RESTART)


@inline
def _take_command(detector: int, kind: int) -> bool:
    if kind == _GAP:
        on_gap(detector)
    elif kind == _WITHDRAWN:
        on_withdrawn(detector)
    elif kind == _SHUTDOWN:
        shut_down(detector)
    elif kind == _RESTART:
        restart(detector)
    else:
        return False
    return True


@inline
def take_event(detector: int, row: int) -> bool:
    """Take one row; whether its kind is known."""
    kind, time_ns, number = get(row, 0), get(row, 1), get(row, 2)
    if kind == _TOP:
        on_top(detector, number, time_ns, get(row, 3), get(row, 4), get(row, 5), get(row, 6))
    elif kind == _TRADE:
        on_trade(detector, number, time_ns, get(row, 3), get(row, 4), get(row, 5))
    elif kind == _BOOK:
        on_book(
            detector,
            number,
            time_ns,
            get(row, 3),
            get(row, 4),
            get(row, 5),
            get(row, 6),
            get(row, 7),
            get(row, 8),
            get(row, 9),
            get(row, 10),
            get(row, 11),
            get(row, 12),
        )
    elif kind == _TIME:
        advance(detector, time_ns)
    else:
        return _take_command(detector, kind)
    return True


@entry("int64(int64[::1], int64[:, ::1], int64, int64[::1], float64[:, ::1])")
def take_events(detector: Words, events: Rows, first: int, states: Words, readings: Values) -> int:
    """Take rows from ``first`` on until the end, an unknown kind, or until unread transitions fill their room.

    Parameters
    ----------
    states, readings: ``State`` and readings after each row, where they have rows.

    Returns the index of the first row that was not taken.
    """
    base, rows = address_of(detector), address_of(events)
    for index in range(first, len(events)):
        if unread(base) == TRANSITION_ROOM or not take_event(base, rows + 8 * EVENT_WIDTH * index):
            return index
        if index < len(states):
            states[index] = get(base, STATE)
        if index < len(readings):
            write_reading(base, address_of(readings) + 8 * READINGS * index)
    return len(events)


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
