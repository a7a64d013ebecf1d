"""Every order of a run, and the positions that their fills made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from market.errors import Rejected
from market.orders.events import OrderEvent
from market.orders.machine import Verdict, advance, verdict
from market.orders.order import Order, OrderIntent, new_order
from market.protocols import MarketKey
from market.risk.position import Position


class Ledger:
    """Orders by client order id in order of birth; positions by strategy and market, and by market over all."""

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}
        self._working: dict[str | None, dict[str, None]] = {}
        self._positions: dict[tuple[str | None, MarketKey], Position] = {}

    def __contains__(self, client_order_id: str) -> bool:
        return client_order_id in self._orders

    @property
    def orders(self) -> Sequence[Order]:
        """All orders, oldest first."""
        return tuple(self._orders.values())

    def order(self, client_order_id: str) -> Order | None:
        """An order as it stands."""
        return self._orders.get(client_order_id)

    def working(self, strategy: str | None = None) -> Sequence[Order]:
        """Orders that have not ended, of one strategy or of all, oldest first."""
        return tuple(self._orders[name] for name in self._working.get(strategy, ()))

    def position(self, key: MarketKey, strategy: str | None = None) -> Position:
        """What a strategy, or all together, holds of a market."""
        return self._positions.get((strategy, key), Position())

    @property
    def positions(self) -> dict[MarketKey, Position]:
        """All positions, over all strategies."""
        return {key: position for (strategy, key), position in self._positions.items() if strategy is None}

    @property
    def positions_by_strategy(self) -> dict[tuple[str, MarketKey], Position]:
        """The positions of each strategy."""
        return {(owner, key): position for (owner, key), position in self._positions.items() if owner is not None}

    def restore(self, orders: Iterable[Order], positions: Mapping[tuple[str | None, MarketKey], Position]) -> None:
        """Take over orders, oldest first, and positions, which contain their fills; before anything else is added."""
        for order in orders:
            self._keep(order)
        self._positions.update(positions)

    def add(self, intent: OrderIntent) -> Order:
        """A new order; raises Rejected for an id that there is already."""
        order = new_order(intent)
        if order.client_order_id in self._orders:
            raise Rejected(f"order {order.client_order_id} is there already; expected one order per cause")
        self._keep(order)
        return order

    def _keep(self, order: Order) -> None:
        self._orders[order.client_order_id] = order
        for owner in (None, order.intent.cause.strategy):
            working = self._working.setdefault(owner, {})
            if order.is_working:
                working[order.client_order_id] = None

    def apply(self, client_order_id: str, event: OrderEvent) -> tuple[Order, Order, Verdict]:
        """Apply an event to an order; returns it before and after, and what happened.

        Raises Rejected for an id that is not of this run and as ``advance``; nothing has changed then.
        """
        before = self._orders.get(client_order_id)
        if before is None:
            raise Rejected(f"{type(event).__name__} came for order {client_order_id!r}, which is not of this run")
        after = advance(before, event)
        outcome = verdict(before, after)
        self._orders[client_order_id] = after
        if after.state.is_terminal:
            for owner in (None, after.intent.cause.strategy):
                self._working[owner].pop(client_order_id, None)
        for fill in after.fills[len(before.fills) :]:
            key = (after.intent.instrument, after.intent.venue)
            for owner in (None, after.intent.cause.strategy):
                held = self._positions.get((owner, key), Position())
                self._positions[owner, key] = held.traded(
                    after.intent.side, fill.price, fill.quantity, fill.fee, fill.fee_base
                )
        return before, after, outcome
