"""A feed that is passed on as it is, while its books are kept a second time, for trading on paper against them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np

from market.book.book import BOOK_WORDS, NEEDS_BOOK, SYNCHRONISED
from market.book.intake import take_records
from market.book.listing import Levels, list_levels
from market.orders.kinds import Side as Aggressor
from market.protocols import Feed, FeedSource, FeedStatus, MarketKey
from market.wire import records
from market.wire.records import Batch

Side = dict[int, int]
"""Lots by tick."""

_AGGRESSORS: Final = {records.AGGRESSOR_BUY: Aggressor.BUY, records.AGGRESSOR_SELL: Aggressor.SELL}
_OWN_KINDS: Final = (records.DIFF, records.SNAPSHOT, records.GAP)


class WholeBook:
    """All levels of a book, to be asked for single ones."""

    def __init__(self, levels: Levels) -> None:
        self._levels = levels

    def lots(self, side: Aggressor, tick: int) -> int | None:
        """Lots at a price; None beyond the worst level that is known."""
        rows = self._levels.bids if side is Aggressor.BUY else self._levels.asks
        ordered = rows[:, 0] * -side.sign
        place = int(np.searchsorted(ordered, -side.sign * tick))
        if place == len(rows):
            return None
        return int(rows[place, 1]) if rows[place, 0] == tick else 0


class Mirror(Protocol):
    """What is told of books."""

    def book(self, market: MarketKey, bids: Side, asks: Side, whole: WholeBook | None = None) -> None:
        """A market's best levels as they are now, in the ticks and lots of the feed; both empty: not known.

        Parameters
        ----------
        whole: the same book with all its levels, where more is known than these.
        """

    def trade(self, market: MarketKey, aggressor: Aggressor, tick: int, lots: int, received_ns: int) -> None:
        """A trade whose aggressor is known; those of a batch come before its books."""


class MirroredFeed:
    """Tells a mirror of every book that changed, before the batch that changed it is handed on.

    Parameters
    ----------
    levels: of each side that the mirror sees.
    """

    def __init__(self, feed: Feed, mirror: Mirror, levels: int = 20) -> None:
        self._feed = feed
        self._mirror = mirror
        self._levels = levels
        self._books = [source.new_books() for source in feed.sources]
        self._stated: dict[tuple[int, int], tuple[Side, Side]] = {}

    @property
    def sources(self) -> Sequence[FeedSource]:
        """Those of the feed."""
        return self._feed.sources

    def take(self, source: int) -> Batch | None:
        """The feed's next batch, already in the mirror."""
        batch = self._feed.take(source)
        if batch is not None:
            books = self._books[source]
            take_records(books, batch.records, batch.count, batch.bids, batch.asks)
            rows = batch.filled()
            changed = {int(market) for market in rows[np.isin(rows[:, records.KIND], _OWN_KINDS), records.MARKET]}
            quoted = {int(market) for market in rows[rows[:, records.KIND] == records.QUOTE, records.MARKET]}
            # Best prices stated beside a book do not change it; where there is none they are all that is known.
            changed |= {market for market in quoted if not books[market * BOOK_WORDS + NEEDS_BOOK]}
            self._note_stated(source, rows)
            self._tell_trades(source, rows)
            for market in sorted(changed):
                self._show(source, market)
        return batch

    def status(self, source: int) -> FeedStatus:
        """That of the feed."""
        return self._feed.status(source)

    def request_snapshot(self, source: int, market: int) -> None:
        """Ask the feed."""
        self._feed.request_snapshot(source, market)

    def _note_stated(self, source: int, rows: records.Rows) -> None:
        """The best prices that a source states: all that is known where it has no updates of books."""
        for row in rows[(rows[:, records.KIND] == records.QUOTE) | (rows[:, records.KIND] == records.GAP)].tolist():
            market, is_gap = row[records.MARKET], row[records.KIND] == records.GAP
            bid, ask = (
                {row[price]: row[quantity]} if row[quantity] and not is_gap else {}
                for price, quantity in (
                    (records.BID_PRICE, records.BID_QUANTITY),
                    (records.ASK_PRICE, records.ASK_QUANTITY),
                )
            )
            markets = range(len(self._feed.sources[source].markets)) if market < 0 else (market,)
            self._stated.update({(source, number): (bid, ask) for number in markets})

    def _tell_trades(self, source: int, rows: records.Rows) -> None:
        routes = self._feed.sources[source].routes
        for row in rows[rows[:, records.KIND] == records.TRADE].tolist():
            route, aggressor = routes[row[records.MARKET]], _AGGRESSORS.get(row[records.AGGRESSOR])
            if route is not None and aggressor is not None:
                key, lots = (route.instrument, route.venue), row[records.QUANTITY]
                self._mirror.trade(key, aggressor, row[records.PRICE], lots, row[records.RECEIVE_NS])

    def _show(self, source: int, market: int) -> None:
        route = self._feed.sources[source].routes[market]
        if route is None:
            return
        books = self._books[source]
        key = (route.instrument, route.venue)
        if not books[market * BOOK_WORDS + NEEDS_BOOK]:
            self._mirror.book(key, *self._stated.get((source, market), ({}, {})))
            return
        if not books[market * BOOK_WORDS + SYNCHRONISED]:
            self._mirror.book(key, {}, {})
            return
        levels = list_levels(books, market)
        bids, asks = (dict(side[: self._levels].tolist()) for side in (levels.bids, levels.asks))
        self._mirror.book(key, bids, asks, WholeBook(levels))
