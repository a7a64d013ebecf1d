"""How fast quotes are cancelled and changed, read from depth updates.

A level that shrinks lost lots to trades or to cancellations: ``cancelled = max(0, before - after) - explained``,
where trades at that price of the last ``trade_memory_ns`` explain at most their own lots, each lot once. Over a
window: cancelled lots, levels that lost some, levels changed at all, and traded lots. The cancel ratio is
``cancelled / (cancelled + traded)``; rates are per second. Order by order, Hasbrouck and Saar, "Low-Latency Trading",
Journal of Financial Markets 16(4), 2013, count submissions, cancellations and executions the same way.

Depth updates sum up what happened between two of them, so these are lower bounds: an order that came and went within
one is not seen. A price occurs at most once per side in an update.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from market.book.ladder import quantity_at
from market.native.kernel import entry, inline, part
from market.native.memory import address_of, get, put
from market.signals.admission import admit_time
from market.signals.layout import (
    HEADER,
    LARGEST_DURATION,
    LARGEST_QUANTITY,
    NAN,
    SECOND_NS,
    Rows,
    Values,
    Words,
    as_rows,
    new_values,
    require,
)
from market.signals.traded_prices import MEMORY_NS, TABLE_WORDS, add_traded, use_traded
from market.signals.window import WINDOW_NS, expire, push, require_window, start_window, window_sum, window_words
from market.wire.records import AGGRESSOR_BUY, AGGRESSOR_SELL

_CANCELLED: Final = HEADER
"""Lots cancelled in the update at hand; the next words count levels."""
_CANCELS: Final = HEADER + 1
_CHANGES: Final = HEADER + 2
BID_TABLE: Final = HEADER + 4
ASK_TABLE: Final = BID_TABLE + TABLE_WORDS
WINDOW: Final = ASK_TABLE + TABLE_WORDS

BID_SIDE: Final = 0
ASK_SIDE: Final = 1


class CancellationValue(IntEnum):
    """Columns of the readings."""

    CANCELLED_LOTS_PER_SECOND = 0
    CANCELS_PER_SECOND = 1
    """Levels per second that lost lots without a trade."""
    CHANGES_PER_SECOND = 2
    """Levels changed per second, in either direction."""
    CANCEL_RATIO = 3
    """NaN when nothing was cancelled or traded in the window."""


@dataclass(frozen=True, kw_only=True)
class CancellationSettings:
    """Settings of the cancellation rates.

    Parameters
    ----------
    window_ns: length of the window.
    capacity: depth updates and trades that it holds, a power of two; beyond that the oldest leave early, counted.
    trade_memory_ns: how long after its last trade at a price a removal there is put down to trades; at least the time
        between two depth updates.
    """

    window_ns: int = SECOND_NS
    capacity: int = 8192
    trade_memory_ns: int = 250_000_000

    def __post_init__(self) -> None:
        require_window("cancellation", self.window_ns, self.capacity)
        require("cancellation trade_memory_ns", self.trade_memory_ns, 0, LARGEST_DURATION)


def new_state(settings: CancellationSettings) -> Words:
    """State without an update."""
    state = np.zeros(WINDOW + window_words(settings.capacity), dtype=np.int64)
    state[BID_TABLE + MEMORY_NS] = state[ASK_TABLE + MEMORY_NS] = settings.trade_memory_ns
    start_window(state[WINDOW:], settings.window_ns, settings.capacity)
    return state


@inline
def cancellation_window(state: int) -> int:
    """Address of the window."""
    return state + 8 * WINDOW


@inline
def cancellation_time(state: int, now: int) -> None:
    """Let old updates leave the window."""
    expire(cancellation_window(state), now)


@inline
def cancellation_trade(state: int, price: int, quantity: int, aggressor: int, now: int) -> None:
    """Remember an admitted trade: a buy takes lots from the asks, a sell from the bids; NONE explains nothing."""
    if aggressor == AGGRESSOR_BUY:
        add_traded(state + 8 * ASK_TABLE, price, quantity, now)
    elif aggressor == AGGRESSOR_SELL:
        add_traded(state + 8 * BID_TABLE, price, quantity, now)
    push(cancellation_window(state), now, 0, 0, 0, quantity)


@inline
def level_change(state: int, table: int, price: int, before: int, after: int, now: int) -> None:
    """Count one level of the update at hand; ``table`` is of its side."""
    if before == after:
        return
    put(state, _CHANGES, get(state, _CHANGES) + 1)
    removed = min(before, LARGEST_QUANTITY) - min(after, LARGEST_QUANTITY)
    if removed > 0:
        cancelled = removed - use_traded(table, price, removed, now)
        if cancelled > 0:
            put(state, _CANCELLED, min(get(state, _CANCELLED) + cancelled, LARGEST_QUANTITY))
            put(state, _CANCELS, get(state, _CANCELS) + 1)


@inline
def update_ends(state: int, now: int) -> None:
    """Put the update at hand into the window."""
    if get(state, _CHANGES) > 0:
        cancelled = get(state, _CANCELLED)
        push(cancellation_window(state), now, cancelled, get(state, _CANCELS), get(state, _CHANGES), 0)
        put(state, _CANCELLED, 0)
        put(state, _CANCELS, 0)
        put(state, _CHANGES, 0)


@inline
def _side_changes(state: int, table: int, side: int, rows: int, count: int, now: int) -> None:
    for index in range(count):
        price = get(rows, 2 * index)
        level_change(state, table, price, quantity_at(side, price), get(rows, 2 * index + 1), now)


@part
def cancellation_update(
    state: int, bid_side: int, bids: int, bid_count: int, ask_side: int, asks: int, ask_count: int, now: int
) -> None:
    """Compare a depth update with the ladders that it is about to be applied to.

    ``bids`` and ``asks`` are addresses of rows (tick, lots); call it before the levels are set.
    """
    _side_changes(state, state + 8 * BID_TABLE, bid_side, bids, bid_count, now)
    _side_changes(state, state + 8 * ASK_TABLE, ask_side, asks, ask_count, now)
    update_ends(state, now)


@inline
def per_second(state: int, column: int) -> float:
    """A column's sum over the window's length in seconds: cancelled lots, cancels, changes, traded lots."""
    window = cancellation_window(state)
    return window_sum(window, column) / get(window, WINDOW_NS) * SECOND_NS


@inline
def cancel_ratio(state: int) -> float:
    """Cancelled lots over cancelled and traded lots of the window; NaN without either."""
    window = cancellation_window(state)
    total = window_sum(window, 0) + window_sum(window, 3)
    return window_sum(window, 0) / total if total > 0 else NAN


@entry("void(int64[::1], int64[:, ::1], float64[:, ::1])")
def cancellation_batch(state: Words, events: Rows, out: Values) -> None:
    """Take events of five numbers; ``out[n, 4]`` gets the readings after each.

    A trade is (time, 2, price, quantity, aggressor). A level of a depth update is (time, side, price, before, after)
    with side 0 for bids and 1 for asks; successive levels of equal time are one update.
    """
    base = address_of(state)
    for index in range(len(events)):
        now = admit_time(base, events[index, 0])
        cancellation_time(base, now)
        kind, price = events[index, 1], events[index, 2]
        if kind == 2:
            cancellation_trade(base, price, events[index, 3], events[index, 4], now)
        else:
            table = base + 8 * (BID_TABLE if kind == BID_SIDE else ASK_TABLE)
            level_change(base, table, price, events[index, 3], events[index, 4], now)
            last = index + 1 == len(events) or events[index + 1, 0] != events[index, 0] or events[index + 1, 1] == 2
            if last:
                update_ends(base, now)
        out[index, 0] = per_second(base, 0)
        out[index, 1] = per_second(base, 1)
        out[index, 2] = per_second(base, 2)
        out[index, 3] = cancel_ratio(base)


class Cancellations:
    """Cancellation rates from level changes and trades, for the slow loop."""

    def __init__(self, settings: CancellationSettings) -> None:
        self.state = new_state(settings)

    def update(self, events: Rows) -> Values:
        """Take int64[n, 5] events as ``cancellation_batch``; returns float64[n, 4] as ``CancellationValue``."""
        rows = as_rows("events", events, 5)
        out = new_values(len(rows), len(CancellationValue))
        cancellation_batch(self.state, rows, out)
        return out
