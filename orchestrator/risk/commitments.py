"""What is held and what may still be added to it: positions, working orders, and orders that may have late fills."""

from __future__ import annotations

from typing import Final

from market.orders.events import Cancelled
from market.orders.kinds import Side
from market.orders.order import Order
from market.protocols import MarketKey, MarketView
from market.risk.position import Position
from market.risk.room import Standing
from orchestrator.risk.limits import RiskLimits

_NS_PER_MS: Final = 1_000_000


class Commitments:
    """Standings of all markets, from the orders and positions of a view.

    A fill of before a cancellation may be reported after it, and its room must not have been given away by then. Where
    the venue has said how much was executed in all, the room is free once so much was booked, and not before; where it
    has not, the order still counts as pending for a while.

    Parameters
    ----------
    late_fill_ns: for how long.
    """

    def __init__(self, late_fill_ns: int) -> None:
        self._late_fill_ns = late_fill_ns
        self._cancelled: dict[str, Cancelled] = {}

    def use(self, limits: RiskLimits) -> None:
        """Wait for late fills as these limits say from here on."""
        self._late_fill_ns = limits.settings.limits.late_fill_ms * _NS_PER_MS

    def note_cancelled(self, client_order_id: str, end: Cancelled) -> None:
        """An order ended because it was cancelled; the last word about how much was executed counts."""
        known = self._cancelled.get(client_order_id)
        if known is None or end.executed is not None:
            self._cancelled[client_order_id] = end

    def pending_orders(self, view: MarketView, without: str = "") -> list[Order]:
        """Orders that may still be filled, but for one; ``remaining`` is how far."""
        orders = [order for order in view.working_orders() if order.client_order_id != without]
        if self._cancelled:
            self._forget_complete(view)
            found = (view.order(name) for name in self._cancelled)
            orders += [order for order in found if order is not None and order.state.is_terminal and order.remaining]
        return orders

    def standings(self, view: MarketView, without: str = "") -> dict[MarketKey, Standing]:
        """Standings of the markets that have pending orders, but for those of one order."""
        pending: dict[MarketKey, list[int]] = {}
        for order in self.pending_orders(view, without):
            intent = order.intent
            sides = pending.setdefault((intent.instrument, intent.venue), [0, 0])
            sides[intent.side is Side.SELL] += order.remaining
        return {key: Standing(view.position(*key).quantity, buy, sell) for key, (buy, sell) in pending.items()}

    def standing(self, view: MarketView, key: MarketKey, without: str = "") -> Standing:
        """Standing of one market, but for one order."""
        buy = sell = 0
        for order in self.pending_orders(view, without):
            intent = order.intent
            if intent.instrument == key[0] and intent.venue == key[1]:
                if intent.side is Side.BUY:
                    buy += order.remaining
                else:
                    sell += order.remaining
        return Standing(view.position(*key).quantity, buy, sell)

    def _forget_complete(self, view: MarketView) -> None:
        """Drop orders of which no fill can be missing, or of which that was possible for long enough."""
        from_ns = view.now_ns - self._late_fill_ns
        kept = {}
        for name, end in self._cancelled.items():
            order = view.order(name)
            filled = 0 if order is None else order.filled
            if end.time_ns > from_ns if end.executed is None else filled < end.executed:
                kept[name] = end
        self._cancelled = kept


class Marks:
    """Prices to value positions at: the mid, else the last one that was known, else what the position cost."""

    def __init__(self) -> None:
        self._known: dict[MarketKey, int] = {}

    def mark(self, view: MarketView, key: MarketKey) -> int | None:
        """Price of a market in counts, rounded up; None when nothing is known of it."""
        quote = view.quote(*key)
        if quote is not None:
            self._known[key] = -(-(quote.bid_price + quote.ask_price) // 2)
        elif key not in self._known:
            return _cost_price(view.position(*key))
        return self._known[key]


def _cost_price(position: Position) -> int | None:
    return -(-abs(position.cost) // abs(position.quantity)) if position.quantity else None
