"""The orders of a run, and the positions that their fills made."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from market.errors import Rejected
from market.orders.events import OrderEvent
from market.orders.machine import Verdict, advance, verdict
from market.orders.order import Order, OrderIntent, new_order
from market.protocols import FOREVER, MarketKey
from market.risk.position import Position
from orchestrator.run_loop.forgotten import Archive, ForgottenOrders
from orchestrator.run_loop.summary import OrderTotals

_PORTIONS: Final = 10
"""Orders are forgotten together, every so manieth part of the time for which they are remembered."""
_AT_ONCE: Final = 256
"""But no more than this with one heartbeat: writing them down takes a millisecond."""


class Ledger:
    """Orders by client order id in order of birth; positions by strategy and market, and by market over all.

    Parameters
    ----------
    archive: keeps orders that are forgotten; None: all are remembered.
    remembered_ns: for how long after its end an order is remembered at least, a tenth longer at most. One that is
        asked for later, or of which is heard, is taken out of the archive and remembered again.
    """

    def __init__(self, archive: Archive | None = None, remembered_ns: int = FOREVER) -> None:
        self._forgotten = None if archive is None or remembered_ns == FOREVER else ForgottenOrders(archive)
        self._remembered_ns = remembered_ns
        self._ended: deque[tuple[int, str]] = deque()
        self._looked_ns = 0
        self._has_more = False
        self._orders: dict[str, Order] = {}
        self._working: dict[str | None, dict[str, None]] = {}
        self._positions: dict[tuple[str | None, MarketKey], Position] = {}

    def knows(self, intent: OrderIntent) -> bool:
        """Whether there is an order of the same cause, remembered or forgotten."""
        if intent.client_order_id in self._orders:
            return True
        is_older = self._forgotten is not None and self._forgotten.may_hold(intent.cause)
        return is_older and self.order(intent.client_order_id) is not None

    @property
    def orders(self) -> Sequence[Order]:
        """All orders that are remembered, oldest first."""
        return tuple(self._orders.values())

    @property
    def totals(self) -> OrderTotals:
        """Over all orders, whether remembered or forgotten."""
        states = Counter(order.state for order in self._orders.values())
        fills = sum(len(order.fills) for order in self._orders.values())
        if self._forgotten is not None:
            states += self._forgotten.states
            fills += self._forgotten.fills
        return OrderTotals(states={state: states[state] for state in sorted(states)}, fills=fills)

    def order(self, client_order_id: str) -> Order | None:
        """An order as it stands, whether remembered or forgotten."""
        found = self._orders.get(client_order_id)
        if found is None and self._forgotten is not None:
            found = self._forgotten.recall(client_order_id)
            if found is not None:
                self._keep(found, self._looked_ns)
        return found

    def forget(self, now_ns: int) -> None:
        """Forget what ended long enough ago; with every heartbeat."""
        self._looked_ns = now_ns
        before_ns = now_ns - self._remembered_ns
        if self._forgotten is None or not self._ended:
            return
        is_due = self._ended[0][0] <= before_ns - self._remembered_ns // _PORTIONS
        if not is_due and not self._has_more:
            return
        names: list[str] = []
        while self._ended and self._ended[0][0] <= before_ns and len(names) < _AT_ONCE:
            names.append(self._ended.popleft()[1])
        self._has_more = len(names) == _AT_ONCE
        if not names:
            return
        self._forgotten.keep([self._orders[name] for name in names])
        self.discard(names)

    def discard(self, names: Iterable[str]) -> None:
        """Drop ended orders that are kept elsewhere; others are left."""
        for name in names:
            self._orders.pop(name, None)

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
            self._keep(order, order.ended_ns)
        self._positions.update(positions)

    def add(self, intent: OrderIntent) -> Order:
        """A new order; raises Rejected for an id that there is already."""
        order = new_order(intent)
        if self.knows(intent):
            raise Rejected(f"order {order.client_order_id} is there already; expected one order per cause")
        self._keep(order, 0)
        return order

    def _keep(self, order: Order, ended_ns: int) -> None:
        self._orders[order.client_order_id] = order
        if order.state.is_terminal:
            self._note_end(order.client_order_id, ended_ns)
        for owner in (None, order.intent.cause.strategy):
            working = self._working.setdefault(owner, {})
            if order.is_working:
                working[order.client_order_id] = None

    def _note_end(self, client_order_id: str, ended_ns: int) -> None:
        if self._forgotten is not None:
            self._ended.append((ended_ns, client_order_id))

    def apply(self, client_order_id: str, event: OrderEvent) -> tuple[Order, Order, Verdict]:
        """Apply an event to an order; returns it before and after, and what happened.

        Raises Rejected for an id that is not of this run and as ``advance``; nothing has changed then.
        """
        before = self.order(client_order_id)
        if before is None:
            raise Rejected(f"{type(event).__name__} came for order {client_order_id!r}, which is not of this run")
        after = advance(before, event)
        outcome = verdict(before, after)
        self._orders[client_order_id] = after
        if after.state.is_terminal:
            for owner in (None, after.intent.cause.strategy):
                self._working[owner].pop(client_order_id, None)
            if not before.state.is_terminal:
                self._note_end(client_order_id, after.ended_ns)
        for fill in after.fills[len(before.fills) :]:
            key = (after.intent.instrument, after.intent.venue)
            for owner in (None, after.intent.cause.strategy):
                held = self._positions.get((owner, key), Position())
                self._positions[owner, key] = held.traded(
                    after.intent.side, fill.price, fill.quantity, fill.fee, fill.fee_base
                )
        return before, after, outcome
