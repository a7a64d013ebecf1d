"""The best levels of a book, as counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from market.book.book import SYNCHRONISED, ask_side, bid_side
from market.book.ladder import NO_PRICE, best_tick, next_level, quantity_at
from market.native.kernel import entry, part
from market.native.memory import address_of
from market.wire.records import Rows, Words
from orchestrator.risk.limits import MarketLimits

MOST_LEVELS: Final = 1_000
_SIDES: Final = 2


@dataclass(frozen=True, slots=True)
class BookLevels:
    """Levels of both sides, best first: pairs of price and quantity in counts of the instrument."""

    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]

    @property
    def notional(self) -> int:
        """Worth of both sides together."""
        return sum(price * quantity for price, quantity in (*self.bids, *self.asks))


@part
def _walk(side: int, rows: Rows, first: int, most: int) -> int:
    tick = best_tick(side)
    found = 0
    while tick != NO_PRICE and found < most:
        rows[first + found, 0] = tick
        rows[first + found, 1] = quantity_at(side, tick)
        found += 1
        tick = next_level(side, tick)
    return found


@entry("void(int64[::1], int64[:, ::1], int64[::1])")
def _read_best(book: Words, rows: Rows, counts: Words) -> None:
    """Half of the rows are for bids, half for asks; ``counts`` gets how many of each were written."""
    most = rows.shape[0] // 2
    base = address_of(book)
    counts[0] = _walk(bid_side(base), rows, 0, most)
    counts[1] = _walk(ask_side(base), rows, most, most)


def best_levels(book: Words, most: int, market: MarketLimits) -> BookLevels | None:
    """The best levels of each side, at most ``most`` of them; None while the book is not synchronised."""
    if not book[SYNCHRONISED]:
        return None
    rows: Rows = np.empty((_SIDES * most, 2), dtype=np.int64)
    counts: Words = np.zeros(_SIDES, dtype=np.int64)
    _read_best(book, rows, counts)
    tick, lot = market.book_tick, market.book_lot

    def side(first: int, count: int) -> tuple[tuple[int, int], ...]:
        return tuple((price * tick, lots * lot) for price, lots in rows[first : first + count].tolist())

    return BookLevels(side(0, int(counts[0])), side(most, int(counts[1])))
