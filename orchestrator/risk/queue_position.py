"""Where our resting orders stand in their queues, as far as a book of levels can tell.

Volume ahead at placement, less what has traded at that price since; never more than what the level still shows beside
our own order, since who cancelled may have stood before us. The truth lies at or below the estimate unless orders are
added ahead of us, which price-time priority does not allow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from config.risk import GuardSettings
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.order import OrderIntent
from market.protocols import Intent, MarketKey, MarketView, Trade, Traded, WakeCause, Wakes
from orchestrator.risk.book_levels import BookLevels, best_levels
from orchestrator.risk.limits import RiskLimits

_LEVELS: Final = 64


@dataclass(slots=True)
class _Resting:
    """An order in a queue."""

    intent: OrderIntent
    ahead: int


class QueuePositions:
    """A ``PreTradeCheck`` that refuses nothing, and a strategy that only listens to trades."""

    def __init__(self, limits: RiskLimits, tag: str = "queue") -> None:
        settings: GuardSettings = limits.settings.guards
        self._limits = limits
        self._tag = tag
        self._levels = max(settings.liquidity_levels, _LEVELS)
        self._resting: dict[str, _Resting] = {}

    @property
    def tag(self) -> str:
        """As a strategy."""
        return self._tag

    @property
    def wakes(self) -> Wakes:
        """The trades of all markets."""
        return Wakes(trades=frozenset(self._limits.markets))

    def __call__(self, intent: OrderIntent, view: MarketView) -> None:
        """Note what is shown at an order's price before it comes; refuses nothing."""
        if intent.type is not OrderType.LIMIT or intent.time_in_force is not TimeInForce.GTC:
            return
        shown = self.shown((intent.instrument, intent.venue), intent.side, intent.limit_price, view)
        if shown is not None:
            self._resting[intent.client_order_id] = _Resting(intent, shown)

    def wake(self, cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        """Take a trade into account; wants nothing."""
        if isinstance(cause, Traded):
            self.traded(cause.trade)
        return ()

    def traded(self, trade: Trade) -> None:
        """A trade took volume from the queues at its price, and emptied those at better ones."""
        for resting in self._resting.values():
            intent = resting.intent
            if (intent.instrument, intent.venue) != (trade.instrument, trade.venue):
                continue
            if trade.aggressor is not None and trade.aggressor is intent.side:
                continue
            if trade.price == intent.limit_price:
                resting.ahead = max(resting.ahead - trade.quantity, 0)
            elif (trade.price < intent.limit_price) == (intent.side is Side.BUY):
                resting.ahead = 0

    def ahead(self, client_order_id: str, view: MarketView) -> int | None:
        """Volume before an order, in quantity counts; None for one that does not rest in a known queue."""
        order = view.order(client_order_id)
        resting = self._resting.get(client_order_id)
        if order is None or resting is None:
            return None
        if order.state.is_terminal:
            del self._resting[client_order_id]
            return None
        intent = order.intent
        shown = self.shown((intent.instrument, intent.venue), intent.side, intent.limit_price, view)
        if shown is not None:
            own = order.remaining if order.acknowledged_ns else 0
            resting.ahead = min(resting.ahead, max(shown - own, 0))
        return resting.ahead

    def forget_ended(self, view: MarketView) -> None:
        """Drop orders that have ended or were never sent."""
        working = {order.client_order_id for order in view.working_orders()}
        self._resting = {name: resting for name, resting in self._resting.items() if name in working}

    def shown(self, key: MarketKey, side: Side, price: int, view: MarketView) -> int | None:
        """Quantity shown at a price; None where the book is not known or does not reach that far."""
        book = view.book(*key)
        levels = None if book is None else best_levels(book, self._levels, self._limits.market(key))
        return None if levels is None else _at(levels, side, price, self._levels)


def _at(levels: BookLevels, side: Side, price: int, most: int) -> int | None:
    rows = levels.bids if side is Side.BUY else levels.asks
    for level_price, quantity in rows:
        if level_price == price:
            return quantity
    if not rows or len(rows) < most:
        return 0
    worst = rows[-1][0]
    beyond = price < worst if side is Side.BUY else price > worst
    return None if beyond else 0
