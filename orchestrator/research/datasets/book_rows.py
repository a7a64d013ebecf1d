"""Rows of rebuilt books: the best levels of both sides, market by market, while the book is known.

Rows of one segment follow one another without a gap. A segment ends where the book is lost, where a snapshot replaces
a book that updates had changed (what was between them is unknown; on a grid, where updates name the one before, it does
not matter), where a side has too few levels, and where no book event came for too long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from market.book.book import (
    BOOK_WORDS,
    RULE,
    SNAPSHOT_EQUAL,
    STALE,
    STALE_SNAPSHOTS,
    SYNCHRONISED,
    ask_side,
    bid_side,
)
from market.book.continuity import CHAINED, CHAINED_OVERLAP
from market.book.intake import take_record
from market.book.ladder import NO_PRICE, best_tick, next_level, quantity_at
from market.errors import MissingInput, Rejected
from market.native.kernel import entry, inline, shared
from market.native.memory import address_of, get, put
from market.wire.records import DIFF, GAP, KIND, MARKET, QUOTE, RECEIVE_NS, SNAPSHOT, WIDTH, Rows, Words
from sim.replay.feed import FeedSettings

MOST_LEVELS: Final = 1_000
VALUES_PER_LEVEL: Final = 4
"""Ask price, ask quantity, bid price, bid quantity."""
_ROOM: Final = 4_096
CHAINS: Final = (CHAINED, CHAINED_OVERLAP)
"""Rules by which updates name the one before: a book in step is right until a snapshot, and rows of a grid go on."""

# Words of the sampler, then one row per market.
_LEVELS: Final = 0
_EVERY: Final = 1
_GRID: Final = 2
_SILENCE: Final = 3
_NEXT: Final = 4
"""Record of the batch that comes next."""
_CLOCK: Final = 5
_MARKETS: Final = 6
_PLACES: Final = 8
_JOINED: Final = 0
"""Whether the next row follows the one before."""
_SEGMENT: Final = 1
_SINCE: Final = 2
"""Book events since the last row."""
_DUE: Final = 3
"""Moment of the next row, 0 for none."""
_LAST: Final = 4
"""Time of the last book event."""
_CHANGED: Final = 5
"""Whether an update has changed the book since its snapshot."""
_PLACE: Final = 8


@dataclass(frozen=True)
class Sampling:
    """When a row is taken.

    Parameters
    ----------
    levels: of each side, 1 to 1000.
    every: book events from one row to the next.
    grid_ns: above 0: instead a row at each multiple of this receive time, with the book before that moment.
    silence_ns: a segment ends when no book event came for longer.
    """

    levels: int = 10
    every: int = 1
    grid_ns: int = 0
    silence_ns: int = 10_000_000_000

    def __post_init__(self) -> None:
        if not 1 <= self.levels <= MOST_LEVELS:
            raise Rejected(f"levels was {self.levels}: must be 1 to {MOST_LEVELS}")
        if self.every < 1 or self.grid_ns < 0 or self.silence_ns < 1:
            raise Rejected(
                f"sampling was every {self.every} events, grid {self.grid_ns} ns, silence {self.silence_ns} ns: "
                "every and silence must be at least 1, grid at least 0"
            )


@dataclass(frozen=True)
class BookRows:
    """Consecutive rows of one market.

    Parameters
    ----------
    market: number of the market in its source.
    times_ns, segments: int64[n]; segments count from 1.
    book: int64[n, 4 * levels]: of each level, best first, ask price, ask quantity, bid price, bid quantity in ticks
        and lots.
    """

    market: int
    times_ns: Words
    segments: Words
    book: Rows


@shared
def _write_side(side: int, row: Words, first: int, levels: int) -> bool:
    """Write a side's best levels; false when it has fewer."""
    tick = best_tick(side)
    for level in range(levels):
        if tick == NO_PRICE:
            return False
        row[first + VALUES_PER_LEVEL * level] = tick
        row[first + VALUES_PER_LEVEL * level + 1] = quantity_at(side, tick)
        tick = next_level(side, tick)
    return True


@shared
def _write_row(place: int, book: int, row: Words, stamp: Words, levels: int) -> bool:
    """Write a row and its (time, market, segment) but the first two; false, and the segment ends, without one."""
    if not (_write_side(ask_side(book), row, 0, levels) and _write_side(bid_side(book), row, 2, levels)):
        put(place, _JOINED, 0)
        return False
    if get(place, _JOINED) == 0:
        put(place, _SEGMENT, get(place, _SEGMENT) + 1)
        put(place, _JOINED, 1)
    stamp[2] = get(place, _SEGMENT)
    return True


@inline
def _is_taken(book: int, kind: int, stale: int, refused: int) -> bool:
    """Whether the book has taken the last diff or snapshot."""
    if get(book, SYNCHRONISED) == 0:
        return False
    if kind == DIFF:
        return get(book, STALE) == stale
    return get(book, STALE_SNAPSHOTS) + get(book, SNAPSHOT_EQUAL) == refused


@shared
def _take(place: int, book: int, row: int, bids: int, asks: int, grid: int) -> bool:
    """Take a record into its book; whether that was a book event, after which the book is known."""
    kind = get(row, KIND)
    was_known = get(book, SYNCHRONISED) != 0
    stale = get(book, STALE)
    refused = get(book, STALE_SNAPSHOTS) + get(book, SNAPSHOT_EQUAL)
    take_record(book, row, bids, asks)
    if get(book, SYNCHRONISED) == 0 or not was_known:
        put(place, _JOINED, 0)
        put(place, _DUE, 0)
    if (kind != DIFF and kind != SNAPSHOT) or not _is_taken(book, kind, stale, refused):
        return False
    goes_on = grid > 0 and (get(book, RULE) == CHAINED or get(book, RULE) == CHAINED_OVERLAP)
    if kind == SNAPSHOT and get(place, _CHANGED) != 0 and not goes_on:
        put(place, _JOINED, 0)
    put(place, _CHANGED, 1 if kind == DIFF else 0)
    return True


@entry(
    "int64(int64[::1], int64[::1], int64[:, ::1], int64, int64[:, ::1], int64[:, ::1], int64[:, ::1], int64[:, ::1])"
)
def _sample(
    sampler: Words, books: Words, records: Rows, count: int, bids: Rows, asks: Rows, rows: Rows, stamps: Rows
) -> int:
    """Take records of a batch until it ends or ``rows`` is full; returns the rows that were written."""
    levels, every, grid, silence = sampler[_LEVELS], sampler[_EVERY], sampler[_GRID], sampler[_SILENCE]
    used, index = 0, sampler[_NEXT]
    while index < count:
        record = address_of(records) + 8 * WIDTH * index
        kind, market = get(record, KIND), get(record, MARKET)
        relevant = kind == DIFF or kind == SNAPSHOT or kind == QUOTE or kind == GAP
        if not relevant or market < 0 or market >= sampler[_MARKETS]:
            index += 1
            continue
        if used == rows.shape[0]:
            break
        now = max(sampler[_CLOCK], get(record, RECEIVE_NS))
        sampler[_CLOCK] = now
        place = address_of(sampler) + 8 * (_PLACES + _PLACE * market)
        book = address_of(books) + 8 * BOOK_WORDS * market
        if get(place, _LAST) != 0 and now - get(place, _LAST) > silence:
            put(place, _JOINED, 0)
            put(place, _DUE, 0)
        if grid > 0 and get(place, _DUE) != 0 and now >= get(place, _DUE):
            # The record itself waits until every moment before it has its row.
            stamps[used, 0] = get(place, _DUE)
            stamps[used, 1] = market
            used += 1 if _write_row(place, book, rows[used], stamps[used], levels) else 0
            put(place, _DUE, get(place, _DUE) + grid)
            continue
        index += 1
        if not _take(place, book, record, address_of(bids), address_of(asks), grid):
            continue
        put(place, _LAST, now)
        if grid > 0:
            if get(place, _DUE) == 0:
                put(place, _DUE, (now // grid + 1) * grid)
            continue
        put(place, _SINCE, get(place, _SINCE) + 1)
        if get(place, _JOINED) == 0 or get(place, _SINCE) >= every:
            stamps[used, 0] = now
            stamps[used, 1] = market
            put(place, _SINCE, 0)
            used += 1 if _write_row(place, book, rows[used], stamps[used], levels) else 0
    sampler[_NEXT] = index
    return used


@entry("int64(int64[::1], int64[::1], int64)")
def read_row(book: Words, row: Words, levels: int) -> int:
    """Write the row of a book, int64[4 * levels]; 1, or 0 where the book is not known or has too few levels."""
    base = address_of(book)
    if get(base, SYNCHRONISED) == 0:
        return 0
    return 1 if _write_side(ask_side(base), row, 0, levels) and _write_side(bid_side(base), row, 2, levels) else 0


class RecordedRows:
    """Rows of one recording.

    As in a replay, refused messages are left out and a source's time never steps back.

    Parameters
    ----------
    only: names of markets to take; empty: all.

    Members
    -------
    damage: damaged places that the last reading found.
    """

    def __init__(self, settings: FeedSettings, sampling: Sampling, only: Sequence[str] = ()) -> None:
        self.settings = settings
        self.names = tuple(f"{settings.name} {market.symbol}" for market in settings.markets)
        self._taken = [number for number, name in enumerate(self.names) if not only or name in only]
        self.sampling = sampling
        self.damage = 0

    def parts(self) -> Iterator[BookRows]:
        """The rows in order of time within each market, in parts of bounded size; read anew with each call.

        Raises MissingInput for a file that cannot be read or whose records are no changes of a book.
        """
        recording = self.settings.open()
        if recording.own_books is not None:
            raise MissingInput(
                f"{self.settings.path} keeps books of single orders, which state no levels: rows need depth"
            )
        markets, sampling = len(self.settings.markets), self.sampling
        books = self.settings.new_books()
        sampler: Words = np.zeros(_PLACES + _PLACE * markets, dtype=np.int64)
        sampler[: _SILENCE + 1] = sampling.levels, sampling.every, sampling.grid_ns, sampling.silence_ns
        sampler[_MARKETS] = markets
        rows: Rows = np.zeros((_ROOM, VALUES_PER_LEVEL * sampling.levels), dtype=np.int64)
        stamps: Rows = np.zeros((_ROOM, 3), dtype=np.int64)
        for batch in recording.batches():
            sampler[_NEXT] = 0
            while sampler[_NEXT] < batch.count:
                used = _sample(sampler, books, batch.records, batch.count, batch.bids, batch.asks, rows, stamps)
                for market in self._taken:
                    chosen = stamps[:used, 1] == market
                    if chosen.any():
                        own = stamps[:used][chosen]
                        yield BookRows(market, own[:, 0], own[:, 2], rows[:used][chosen])
        self.damage = len(recording.damage)
