"""One symbol's market: its book, and what everybody sees of it."""

from __future__ import annotations

from collections import deque
from typing import Final

from market.orders.kinds import Side
from sim.exchange.venue.events import BookChanged, TopChanged, Traded, VenueEvent
from sim.exchange.venue.model import SymbolModel, VenueModel
from sim.exchange.venue.records import Depth, PublicTrade
from sim.matching.book import MatchingBook
from sim.matching.layout import ASK, BID, Event

_SIDE: Final = int(Event.SIDE)
_PRICE: Final = int(Event.PRICE)
_LOTS: Final = int(Event.LOTS)
_OTHER: Final = int(Event.OTHER)
_OTHER_LEFT: Final = int(Event.OTHER_LEFT)


def book_side(side: Side) -> int:
    """The side of the matching engine."""
    return BID if side is Side.BUY else ASK


class SymbolMarket:
    """See the module.

    Attributes
    ----------
    top: best bid, its lots, best ask, its lots; 0, 0 for an empty side.
    nobodys: orders of nobody (background traders, injections) in the book: lots by order, by side and price.
    lowest, highest: prices of the trades that stop orders have not been held against yet; 0: none.
    """

    def __init__(self, model: SymbolModel, venue: VenueModel) -> None:
        self.model = model
        self.book = MatchingBook(venue.order_capacity)
        self.capacity = venue.order_capacity
        self.top = (0, 0, 0, 0)
        self.nobodys: dict[tuple[int, int], dict[int, int]] = {}
        self.last_ticks = model.reference_ticks
        self.lowest = 0
        self.highest = 0
        self._update_id = venue.first_update_id - 1
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}
        self._has_new_top = False
        self._recent: deque[PublicTrade] = deque(maxlen=venue.kept_trades)

    @property
    def mark_ticks(self) -> int:
        """The median of best bid, best ask and last price; the last price while a side is empty."""
        bid, _, ask, _ = self.top
        if not bid or not ask:
            return self.last_ticks
        return sorted((bid, ask, self.last_ticks))[1]

    def take_level(self, row: list[int]) -> None:
        """A price's lots changed."""
        changed = self._bids if row[_SIDE] == BID else self._asks
        changed[row[_PRICE]] = row[_LOTS]

    def take_top(self, row: list[int]) -> None:
        """The best prices changed."""
        self.top = (row[_PRICE], row[_LOTS], row[_OTHER], row[_OTHER_LEFT])
        self._has_new_top = True

    def take_trade(self, trade: PublicTrade, out: list[VenueEvent]) -> None:
        """A trade happened."""
        price = trade.price_ticks
        self.last_ticks = price
        self.lowest = min(self.lowest, price) if self.lowest else price
        self.highest = max(self.highest, price)
        self._recent.append(trade)
        out.append(Traded(trade=trade))

    def take_traded_range(self) -> tuple[int, int]:
        """Lowest and highest price since the last call, 0 and 0 without a trade."""
        found = self.lowest, self.highest
        self.lowest = self.highest = 0
        return found

    def tell_book(self, out: list[VenueEvent], now_ns: int) -> bool:
        """Append events for levels and best prices that changed; whether the best prices did."""
        if self._bids or self._asks:
            first = self._update_id + 1
            self._update_id += len(self._bids) + len(self._asks)
            out.append(
                BookChanged(
                    symbol=self.model.symbol,
                    first_id=first,
                    last_id=self._update_id,
                    bids=tuple(self._bids.items()),
                    asks=tuple(self._asks.items()),
                    time_ns=now_ns,
                )
            )
            self._bids.clear()
            self._asks.clear()
        if not self._has_new_top:
            return False
        self._has_new_top = False
        bid, bid_lots, ask, ask_lots = self.top
        out.append(
            TopChanged(
                symbol=self.model.symbol,
                update_id=self._update_id,
                bid_ticks=bid,
                bid_lots=bid_lots,
                ask_ticks=ask,
                ask_lots=ask_lots,
                time_ns=now_ns,
            )
        )
        return True

    def depth(self, limit: int, now_ns: int) -> Depth:
        """The book."""
        bids, asks = (
            tuple((level.price, level.lots) for level in self.book.levels(side, limit)) for side in (BID, ASK)
        )
        return Depth(symbol=self.model.symbol, last_update_id=self._update_id, bids=bids, asks=asks, time_ns=now_ns)

    def recent(self, limit: int) -> tuple[PublicTrade, ...]:
        """The newest trades, oldest first."""
        trades = list(self._recent)
        return tuple(trades[-limit:]) if limit > 0 else ()

    def add_nobodys(self, order_id: int, side: int, price: int, lots: int) -> None:
        """An order of nobody rests."""
        self.nobodys.setdefault((side, price), {})[order_id] = lots

    def take_nobodys(self, order_id: int, side: int, price: int, left: int) -> None:
        """An order of nobody has so much left."""
        orders = self.nobodys[side, price]
        if left:
            orders[order_id] = left
        else:
            del orders[order_id]
            if not orders:
                del self.nobodys[side, price]
