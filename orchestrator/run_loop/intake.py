"""A feed's batches as events of the fast loop: merged by receive time, applied to their books, one at a time."""

from __future__ import annotations

from typing import Final

import numpy as np

from market.book import book as header
from market.book.book import BOOK_WORDS
from market.errors import Fatal
from market.pipeline import layout
from market.pipeline.pacing import NOT_YET, next_event
from market.protocols import Feed, FeedSource, FeedStatus, MarketKey
from market.wire import records
from market.wire.records import Batch, Words

NOTHING_WAITS: Final = -3
"""What ``next`` returns when every record that has arrived was taken and more may come."""
FINISHED: Final = layout.DONE
"""What ``next`` returns when no record will ever come again."""

__all__ = ["FINISHED", "NOTHING_WAITS", "NOT_YET", "Intake"]


class Intake:
    """Sources, books and routes as the compiled code reads them.

    Parameters
    ----------
    feed: its sources must have routes whose exponents carry their ticks and lots; raises Fatal else.

    Members
    -------
    event: int64[EVENT_WORDS], the event that ``next`` found.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._sources = tuple(feed.sources)
        self.event: Words = np.zeros(layout.EVENT_WORDS, dtype=np.int64)
        self._words: Words = np.zeros(len(self._sources) * layout.SOURCE_WORDS, dtype=np.int64)
        self._books = [source.new_books() for source in self._sources]
        self._routes = [_routes(source) for source in self._sources]
        self._held: list[Batch | None] = [None] * len(self._sources)
        self._idle = set(range(len(self._sources)))
        self._next_event = next_event.direct()
        self._book_of: dict[MarketKey, Words] = {}
        for index, source in enumerate(self._sources):
            row = self._row(index)
            row[layout.BOOKS] = self._books[index].ctypes.data
            row[layout.ROUTES] = self._routes[index].ctypes.data
            row[layout.FINISHED] = 1
            for market, route in enumerate(source.routes):
                if route is not None:
                    self._book_of[route.instrument, route.venue] = self._book(index, market)

    def start_ns(self) -> int | None:
        """Receive time of the first readable record among those that have arrived first; None when there is none."""
        self._poll_idle()
        starts = []
        for batch in self._held:
            rows = batch.filled() if batch is not None else np.zeros((0, records.WIDTH), dtype=np.int64)
            readable = rows[rows[:, records.KIND] != records.REJECTED]
            if len(readable):
                starts.append(int(readable[0, records.RECEIVE_NS]))
        return min(starts, default=None)

    def next(self, before_ns: int) -> int:
        """Apply records that were received before a time until one makes an event.

        Returns the source of the event, NOT_YET when the next record came later, NOTHING_WAITS or FINISHED.
        """
        if self._idle:
            self._poll_idle()
        count = len(self._sources)
        while True:
            found = self._next_event(self._words, count, self.event, before_ns)
            if found >= NOT_YET:
                return found
            if found == layout.DONE:
                return NOTHING_WAITS if self._idle else FINISHED
            self._refill(-3 - found)

    def book(self, instrument: int, venue: int) -> Words | None:
        """The flat state of a market's book, laid out by ``market.book.book``; None when no source has the market."""
        return self._book_of.get((instrument, venue))

    def request_lost_book(self, source: int) -> None:
        """Ask for a snapshot if the book of the source's last record has lost its sequence."""
        batch = self._held[source]
        if batch is None:
            return
        market = int(batch.records[self._row(source)[layout.POSITION] - 1, records.MARKET])
        book = self._book(source, market)
        if book[header.STARTED] and not book[header.SYNCHRONISED]:
            self._feed.request_snapshot(source, market)

    def _poll_idle(self) -> None:
        for index in sorted(self._idle):
            self._refill(index)

    def _refill(self, index: int) -> None:
        """Give a source its next batch; one that has none is left out until it has."""
        batch = self._feed.take(index)
        row = self._row(index)
        row[layout.POSITION] = 0
        row[layout.COUNT] = batch.count if batch is not None else 0
        row[layout.FINISHED] = batch is None
        self._held[index] = batch
        if batch is not None:
            row[layout.RECORDS] = batch.records.ctypes.data
            row[layout.BIDS] = batch.bids.ctypes.data
            row[layout.ASKS] = batch.asks.ctypes.data
        if batch is None and self._feed.status(index) is not FeedStatus.FINISHED:
            self._idle.add(index)
        else:
            self._idle.discard(index)

    def _row(self, index: int) -> Words:
        return self._words[index * layout.SOURCE_WORDS :][: layout.SOURCE_WORDS]

    def _book(self, source: int, market: int) -> Words:
        return self._books[source][market * BOOK_WORDS :][:BOOK_WORDS]


def _routes(source: FeedSource) -> Words:
    """One row per market; raises Fatal when a route's exponents cannot carry the market's ticks and lots."""
    rows = np.zeros((len(source.markets), layout.ROUTE_WORDS), dtype=np.int64)
    for row, market, route in zip(rows, source.markets, source.routes, strict=True):
        row[layout.INSTRUMENT] = -1
        row[layout.PRICE_FACTOR] = row[layout.QUANTITY_FACTOR] = 1
        if route is None:
            continue
        price_digits = -route.price_exponent - market.price_decimals
        quantity_digits = -route.quantity_exponent - market.quantity_decimals
        if price_digits < 0 or quantity_digits < 0:
            raise Fatal(
                f"{source.name} {market.symbol}: exponents were {route.price_exponent} and {route.quantity_exponent}; "
                f"expected at most {-market.price_decimals} and {-market.quantity_decimals}, the market's decimals"
            )
        row[layout.INSTRUMENT], row[layout.VENUE] = route.instrument, route.venue
        row[layout.PRICE_EXPONENT], row[layout.QUANTITY_EXPONENT] = route.price_exponent, route.quantity_exponent
        row[layout.PRICE_FACTOR], row[layout.QUANTITY_FACTOR] = 10**price_digits, 10**quantity_digits
        row[layout.NUMBERED] = source.numbered
    return rows.reshape(-1)
