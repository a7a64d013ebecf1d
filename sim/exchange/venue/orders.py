"""The orders of a venue's accounts, working and ended."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from market.orders.kinds import Side
from sim.exchange.venue.accounts import Account
from sim.exchange.venue.kinds import OrderKind, OrderStatus, SelfTradePrevention, TimeInForce
from sim.exchange.venue.model import SymbolModel
from sim.exchange.venue.records import VenueOrder, VenueTrade
from sim.exchange.venue.requests import PlaceRequest

NO_LIST: Final = -1


class WorkingOrder:
    """An order while it can still change; ``record`` is what others see.

    Attributes
    ----------
    reserved_units: of ``reserve_asset``, bound to what remains of it.
    has_triggered: a stop order whose price was reached. trades: its own, oldest first.
    """

    __slots__ = (
        "account",
        "client_order_id",
        "close_position",
        "created_ns",
        "executed_lots",
        "executed_units",
        "has_triggered",
        "kind",
        "list_id",
        "model",
        "order_id",
        "price_ticks",
        "quantity_lots",
        "quote_units",
        "reduce_only",
        "reserve_asset",
        "reserved_units",
        "self_trade_prevention",
        "side",
        "status",
        "stop_ticks",
        "time_in_force",
        "trades",
        "updated_ns",
        "working_ns",
    )

    def __init__(
        self,
        order_id: int,
        request: PlaceRequest,
        account: Account,
        model: SymbolModel,
        prevention: SelfTradePrevention,
        now_ns: int,
        list_id: int = NO_LIST,
    ) -> None:
        self.order_id = order_id
        self.client_order_id = request.client_order_id or f"venue-{order_id}"
        self.account = account
        self.model = model
        self.side = request.side
        self.kind = request.kind
        self.time_in_force = request.time_in_force
        self.quantity_lots = request.quantity_lots
        self.quote_units = request.quote_units
        self.price_ticks = request.price_ticks
        self.stop_ticks = request.stop_ticks
        self.reduce_only = request.reduce_only or request.close_position
        self.close_position = request.close_position
        self.self_trade_prevention = prevention
        self.list_id = list_id
        self.status = OrderStatus.NEW
        self.executed_lots = 0
        self.executed_units = 0
        self.reserve_asset = ""
        self.reserved_units = 0
        self.has_triggered = False
        self.trades: list[VenueTrade] = []
        self.created_ns = self.updated_ns = now_ns
        self.working_ns = 0

    @property
    def remaining_lots(self) -> int:
        """What has not traded."""
        return self.quantity_lots - self.executed_lots

    @property
    def is_buy(self) -> bool:
        """Whether it buys."""
        return self.side is Side.BUY

    @property
    def is_waiting(self) -> bool:
        """Whether it is a stop order that has not triggered."""
        return self.kind.has_stop and not self.has_triggered

    @property
    def may_rest(self) -> bool:
        """Whether what does not trade at once would stand in the book now."""
        immediate = self.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
        return self.kind.has_price and not self.is_waiting and not immediate

    @property
    def is_post_only(self) -> bool:
        """Whether it may only make."""
        return self.kind is OrderKind.LIMIT_MAKER or self.time_in_force is TimeInForce.GTX

    def record(self) -> VenueOrder:
        """The order as it is now."""
        return VenueOrder(
            order_id=self.order_id,
            client_order_id=self.client_order_id,
            account=self.account.name,
            symbol=self.model.symbol,
            side=self.side,
            kind=self.kind,
            time_in_force=self.time_in_force,
            status=self.status,
            quantity_lots=self.quantity_lots,
            executed_lots=self.executed_lots,
            executed_units=self.executed_units,
            price_ticks=self.price_ticks,
            stop_ticks=self.stop_ticks,
            quote_units=self.quote_units,
            reduce_only=self.reduce_only,
            close_position=self.close_position,
            working=self.working_ns != 0,
            self_trade_prevention=self.self_trade_prevention,
            list_id=self.list_id,
            created_ns=self.created_ns,
            updated_ns=self.updated_ns,
            working_ns=self.working_ns,
        )


class _Drawer:
    """One account's orders and trades in one symbol."""

    __slots__ = ("by_id", "history", "open", "trades", "waiting")

    def __init__(self) -> None:
        self.by_id: dict[int, WorkingOrder] = {}
        self.history: list[WorkingOrder] = []
        self.open: dict[int, WorkingOrder] = {}
        self.trades: list[VenueTrade] = []
        self.waiting = 0


class OrderStore:
    """Orders by account and symbol, and by the ids that name them."""

    def __init__(self) -> None:
        self._drawers: dict[tuple[str, str], _Drawer] = {}
        self._working: dict[int, WorkingOrder] = {}
        self._waiting: dict[str, dict[int, WorkingOrder]] = {}
        self._by_client_id: dict[tuple[str, str, str], WorkingOrder] = {}

    def _drawer(self, account: str, symbol: str) -> _Drawer:
        drawer = self._drawers.get((account, symbol))
        if drawer is None:
            drawer = self._drawers[account, symbol] = _Drawer()
        return drawer

    def add(self, order: WorkingOrder) -> None:
        """Keep a new order."""
        account, symbol = order.account.name, order.model.symbol
        drawer = self._drawer(account, symbol)
        drawer.by_id[order.order_id] = drawer.open[order.order_id] = order
        drawer.history.append(order)
        self._working[order.order_id] = order
        if order.is_waiting:
            drawer.waiting += 1
            self._waiting.setdefault(symbol, {})[order.order_id] = order
        self._by_client_id[account, symbol, order.client_order_id] = order

    def end(self, order: WorkingOrder) -> None:
        """The order works no more."""
        if order.is_waiting:
            self._wait_no_more(order)
        del self._drawer(order.account.name, order.model.symbol).open[order.order_id]
        del self._working[order.order_id]

    def trigger(self, order: WorkingOrder) -> None:
        """A stop order waits no more."""
        self._wait_no_more(order)
        order.has_triggered = True

    def _wait_no_more(self, order: WorkingOrder) -> None:
        self._drawer(order.account.name, order.model.symbol).waiting -= 1
        del self._waiting[order.model.symbol][order.order_id]

    def counts(self, account: str, symbol: str) -> tuple[int, int]:
        """How many orders work or wait, and how many of them wait for a stop price."""
        drawer = self._drawer(account, symbol)
        return len(drawer.open), drawer.waiting

    def working(self, order_id: int) -> WorkingOrder:
        """A working order of any account."""
        return self._working[order_id]

    def find(self, account: str, symbol: str, order_id: int, client_order_id: str) -> WorkingOrder | None:
        """An order by one of its ids, working or ended; with both given they must agree."""
        if not order_id:
            return self._by_client_id.get((account, symbol, client_order_id))
        order = self._drawer(account, symbol).by_id.get(order_id)
        if order is not None and client_order_id and order.client_order_id != client_order_id:
            return None
        return order

    def open(self, account: str, symbol: str = "") -> list[WorkingOrder]:
        """Working orders and waiting stops, oldest first."""
        if symbol:
            return list(self._drawer(account, symbol).open.values())
        found = [
            order for (name, _), drawer in self._drawers.items() if name == account for order in drawer.open.values()
        ]
        return sorted(found, key=lambda order: order.order_id)

    def history(self, account: str, symbol: str, from_order_id: int, limit: int) -> list[WorkingOrder]:
        """Orders from an id on, or the newest."""
        orders = self._drawer(account, symbol).history
        if from_order_id:
            first = bisect_left(orders, from_order_id, key=lambda order: order.order_id)
            return orders[first : first + limit]
        return orders[-limit:]

    def add_trade(self, order: WorkingOrder, trade: VenueTrade) -> None:
        """Keep an order's trade."""
        order.trades.append(trade)
        self._drawer(trade.account, trade.symbol).trades.append(trade)

    def trades(
        self, account: str, symbol: str, order_id: int, from_trade_id: int, limit: int
    ) -> tuple[VenueTrade, ...]:
        """An account's trades, oldest first: of one order, from an id on, or the newest ones."""
        drawer = self._drawer(account, symbol)
        trades = drawer.trades
        if order_id:
            order = drawer.by_id.get(order_id)
            trades = order.trades if order is not None else []
        if from_trade_id:
            first = bisect_left(trades, from_trade_id, key=lambda trade: trade.trade_id)
            return tuple(trades[first : first + limit])
        return tuple(trades[-limit:])

    def waiting(self, symbol: str) -> list[WorkingOrder]:
        """Stop orders of a symbol that have not triggered, oldest first."""
        return list(self._waiting.get(symbol, {}).values())
