"""Books on the data channel: a snapshot now and then, and between two of them only what has changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from config.bus import BusSettings
from market.book.book import LAST_ID
from market.errors import Rejected
from market.instruments import Listing
from market.protocols import MarketKey, MarketView
from orchestrator.bus.messages import DataMessage, Level, OrderBookSnapshot, OrderBookUpdate
from orchestrator.bus.records import plain
from orchestrator.risk.book_levels import BookLevels, best_levels
from orchestrator.risk.limits import MarketLimits
from orchestrator.run_loop.access import PeriodicTask, RunAccess

_NS_PER_MS: Final = 1_000_000
_NS_PER_S: Final = 1_000_000_000


class BookFeed:
    """Publishes the books of all markets; ``task`` does it, in the loop's thread.

    Parameters
    ----------
    publish: takes the messages.
    """

    def __init__(
        self, markets: Mapping[MarketKey, MarketLimits], settings: BusSettings, publish: Callable[[DataMessage], None]
    ) -> None:
        self._markets = markets
        self._levels = settings.book_levels
        self._every_ns = settings.book_interval_ms * _NS_PER_MS
        self._snapshot_every_ns = settings.snapshot_interval_s * _NS_PER_S
        self._publish = publish
        self._shown: dict[MarketKey, tuple[int, BookLevels]] = {}
        self._snapshot_ns: dict[MarketKey, int] = {}

    @property
    def task(self) -> PeriodicTask:
        """Publishes what has changed."""
        return PeriodicTask("books", self._every_ns, self._look)

    def publish_snapshot(self, key: MarketKey, view: MarketView) -> None:
        """Publish a whole book now; raises Rejected for one that is not synchronised."""
        found = self._read(key, view)
        if found is None:
            raise Rejected(f"the book of {self._markets[key].listing} was not synchronised; expected one that is")
        self._snapshot(key, *found, view.now_ns)

    def _look(self, run: RunAccess, now_ns: int) -> None:
        for key in self._markets:
            found = self._read(key, run.view)
            if found is None:
                self._shown.pop(key, None)
                continue
            if key not in self._shown or now_ns - self._snapshot_ns[key] >= self._snapshot_every_ns:
                self._snapshot(key, *found, now_ns)
            elif found[0] != self._shown[key][0]:
                self._update(key, *found, now_ns)

    def _read(self, key: MarketKey, view: MarketView) -> tuple[int, BookLevels] | None:
        book = view.book(*key)
        levels = None if book is None else best_levels(book, self._levels, self._markets[key])
        return None if book is None or levels is None else (int(book[LAST_ID]), levels)

    def _snapshot(self, key: MarketKey, last_id: int, levels: BookLevels, now_ns: int) -> None:
        listing = self._markets[key].listing
        self._publish(
            OrderBookSnapshot(
                venue=listing.venue_name,
                symbol=listing.symbol,
                bids=_levels(levels.bids, listing),
                asks=_levels(levels.asks, listing),
                timestamp_ns=now_ns,
                last_update_id=last_id,
            )
        )
        self._shown[key] = (last_id, levels)
        self._snapshot_ns[key] = now_ns

    def _update(self, key: MarketKey, last_id: int, levels: BookLevels, now_ns: int) -> None:
        listing = self._markets[key].listing
        previous_id, before = self._shown[key]
        bids, asks = changed(before.bids, levels.bids), changed(before.asks, levels.asks)
        self._shown[key] = (last_id, levels)
        self._publish(
            OrderBookUpdate(
                venue=listing.venue_name,
                symbol=listing.symbol,
                bids=_levels(bids, listing),
                asks=_levels(asks, listing),
                timestamp_ns=now_ns,
                previous_update_id=previous_id,
                last_update_id=last_id,
            )
        )


class BookMirror:
    """A subscriber's copy of one book, made of snapshots and updates.

    Members
    -------
    bids, asks: quantities by price. last_update_id: -1 while the copy is not known.
    """

    def __init__(self) -> None:
        self.bids: dict[Decimal, Decimal] = {}
        self.asks: dict[Decimal, Decimal] = {}
        self.last_update_id = -1

    def take(self, message: OrderBookSnapshot | OrderBookUpdate) -> bool:
        """Apply a message; False, and the copy is not known any more, when one before it is missing."""
        if isinstance(message, OrderBookSnapshot):
            self.bids, self.asks = dict(message.bids), dict(message.asks)
        elif message.previous_update_id != self.last_update_id:
            self.last_update_id = -1
            return False
        else:
            for side, levels in ((self.bids, message.bids), (self.asks, message.asks)):
                for price, quantity in levels:
                    side.pop(price, None)
                    if quantity:
                        side[price] = quantity
        self.last_update_id = message.last_update_id
        return True


def changed(before: tuple[tuple[int, int], ...], now: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """Levels to set so that one list of levels becomes another; quantity 0 for those that are gone."""
    old, new = dict(before), dict(now)
    gone = tuple((price, 0) for price in old if price not in new)
    return gone + tuple((price, quantity) for price, quantity in new.items() if old.get(price) != quantity)


def _levels(levels: tuple[tuple[int, int], ...], listing: Listing) -> tuple[Level, ...]:
    price, quantity = listing.instrument.price_scale, listing.instrument.quantity_scale
    return tuple((plain(price.decimal(at)), plain(quantity.decimal(count))) for at, count in levels)
