"""Checking a book that a stream made: against a fetched one at the same update, and against another stream's."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from market.book.book import BOOK_WORDS, LAST_ID, SYNCHRONISED
from market.book.intake import take_records
from market.book.listing import TOP_WIDTH, TopColumn, differing_levels, list_levels, read_tops
from market.wire.records import ASKS, ASKS_START, BIDS, BIDS_START, KIND, MARKET, SNAPSHOT, Batch, Rows, Words
from orchestrator.feeds.arrivals import Arrival, ArrivalKind
from orchestrator.feeds.decoding import Decoder

NewBooks = Callable[[], Words]
TOPS_KEPT: Final = 64
_HIGHEST: Final = (1 << 62) - 1


class Shadow:
    """A second book of each market, made of a fetched book and the updates since.

    Parameters
    ----------
    new_books: fresh books of the source. decoder: one of its own.

    Members
    -------
    reached: the update at which the last book was that was made; -1 when it could not be made.
    """

    def __init__(self, new_books: NewBooks, decoder: Decoder) -> None:
        self.reached = -1
        self._new_books = new_books
        self._decoder = decoder
        self._books: Words | None = None

    def differences(self, snapshot: Arrival, updates: Sequence[Arrival], live: Words) -> int | None:
        """Prices at which a live book differs from what a snapshot and the updates since make.

        Within the prices of the snapshot, for a venue states no more. None when the two cannot be brought to the same
        update: the updates do not reach back to the snapshot, or the snapshot goes further than the live book.
        """
        market = snapshot.market
        books = self._new_books() if self._books is None else self._books
        self._books = None
        self.reached = -1
        bounds = self._apply(books, snapshot, updates)
        if bounds is None or not books[BOOK_WORDS * market + SYNCHRONISED]:
            return None
        self._books = books
        self.reached = int(books[BOOK_WORDS * market + LAST_ID])
        if self.reached != live[BOOK_WORDS * market + LAST_ID]:
            return None
        lowest, highest = bounds
        ours, other = list_levels(live, market), list_levels(books, market)
        return differing_levels(ours, other, lowest_bid=lowest, highest_ask=highest)

    def _apply(self, books: Words, snapshot: Arrival, updates: Sequence[Arrival]) -> tuple[int, int] | None:
        """Make the book; gives the lowest bid and the highest ask of the snapshot, None when it could not be read."""
        bounds = None
        forget = Arrival(snapshot.stamp_ns, ArrivalKind.BROKEN, b"", snapshot.market)
        self._decoder.begin([forget, snapshot, *updates])
        while (batch := self._decoder.next_batch()) is not None:
            take_records(books, batch.records, batch.count, batch.bids, batch.asks)
            bounds = bounds or _bounds(batch, snapshot.market)
        return bounds


def _bounds(batch: Batch, market: int) -> tuple[int, int] | None:
    rows = batch.filled()
    for row in rows[(rows[:, KIND] == SNAPSHOT) & (rows[:, MARKET] == market)]:
        bids = batch.bids[row[BIDS_START] : row[BIDS_START] + row[BIDS], 0]
        asks = batch.asks[row[ASKS_START] : row[ASKS_START] + row[ASKS], 0]
        # An empty side leaves nothing out: whatever the live book has there is a difference.
        return int(bids.min()) if len(bids) else 0, int(asks.max()) if len(asks) else _HIGHEST
    return None


class CrossCheck:
    """Books of a stream in reserve, and how they compare with those that the loop follows.

    Best prices of both are remembered by update; where both have been at the same update they must have been equal.

    Members
    -------
    checks, differences: comparisons, and those that were not equal. in_a_row: differences since the last equal one.
    """

    def __init__(self, new_books: NewBooks, decoder: Decoder, markets: int) -> None:
        self.checks = 0
        self.differences = 0
        self.in_a_row = 0
        self._books = new_books()
        self._decoder = decoder
        self._tops: Rows = np.zeros((markets, TOP_WIDTH), dtype=np.int64)
        self._own = [_Tops() for _ in range(markets)]
        self._followed = [_Tops() for _ in range(markets)]

    @property
    def books(self) -> Words:
        """The reserve's books, one per market."""
        return self._books

    def is_synchronised(self) -> bool:
        """Whether every book of the reserve is known."""
        return bool(self._books.reshape(-1, BOOK_WORDS)[: len(self._tops), SYNCHRONISED].all())

    def take(self, arrivals: Sequence[Arrival]) -> None:
        """Arrivals of the reserve, and fetched books."""
        self._decoder.begin(arrivals)
        while (batch := self._decoder.next_batch()) is not None:
            take_records(self._books, batch.records, batch.count, batch.bids, batch.asks)
        self._compare(self._books, self._own, self._followed)

    def follow(self, books: Words) -> None:
        """The books that the loop follows have changed."""
        self._compare(books, self._followed, self._own)

    def forget(self) -> None:
        """Begin anew: the streams have changed places."""
        for tops in (*self._own, *self._followed):
            tops.clear()
        self.in_a_row = 0

    def _compare(self, books: Words, own: Sequence[_Tops], other: Sequence[_Tops]) -> None:
        read_tops(books, self._tops)
        for row, kept, theirs in zip(self._tops.tolist(), own, other, strict=True):
            update = row[TopColumn.LAST_ID]
            if not row[TopColumn.SYNCHRONISED] or update in kept:
                continue
            top = tuple(row[TopColumn.BID :])
            kept.keep(update, top)
            expected = theirs.get(update)
            if expected is not None:
                self.checks += 1
                self.differences += top != expected
                self.in_a_row = 0 if top == expected else self.in_a_row + 1


class _Tops(OrderedDict[int, tuple[int, ...]]):
    """The last tops of a book by update."""

    def keep(self, update: int, top: tuple[int, ...]) -> None:
        self[update] = top
        if len(self) > TOPS_KEPT:
            self.popitem(last=False)
