"""What an account may ask for: every check of a request, before anything changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from market.orders.kinds import Side
from sim.exchange.venue.accounts import Account, Accounts
from sim.exchange.venue.events import ListUpdated
from sim.exchange.venue.filters import (
    check_combination,
    check_filters,
    check_notional,
    check_percent_price,
    check_price,
    check_quantity,
)
from sim.exchange.venue.kinds import MarketKind, OrderKind
from sim.exchange.venue.lists import Pair
from sim.exchange.venue.market import SymbolMarket, book_side
from sim.exchange.venue.model import VenueModel
from sim.exchange.venue.orders import NO_LIST, OrderStore, WorkingOrder
from sim.exchange.venue.refusals import (
    VenueRefusal,
    amends_below_executed,
    cancel_unknown,
    duplicate_order,
    filter_failure,
    no_need_to_amend,
    no_such_order,
    too_many_orders,
    unknown_account,
    unknown_symbol,
    unsupported,
    would_match,
    would_trigger,
)
from sim.exchange.venue.requests import ListLeg, OcoRequest, PlaceRequest
from sim.exchange.venue.settlement import Settlement
from sim.exchange.venue.stops import is_reached
from sim.exchange.venue.symbol_rules import UNCHANGED, SymbolRules
from sim.exchange.venue.trading import Trading


class Placing:
    """See the module; what passes is handed to ``trading.Trading``."""

    def __init__(
        self,
        model: VenueModel,
        trading: Trading,
        accounts: Accounts,
        orders: OrderStore,
        markets: Mapping[str, SymbolMarket],
        settlement: Settlement,
    ) -> None:
        self._model = model
        self._kind = model.kind
        self._trading = trading
        self._accounts = accounts
        self._orders = orders
        self._markets = markets
        self._settlement = settlement
        self.rules: dict[str, SymbolRules] = {}

    def rules_of(self, symbol: str) -> SymbolRules:
        """What the venue has changed of a symbol."""
        return self.rules.get(symbol, UNCHANGED)

    def market(self, symbol: str) -> SymbolMarket:
        """A symbol's market; raises VenueRefusal if there is none."""
        market = self._markets.get(symbol)
        if market is None:
            raise unknown_symbol()
        return market

    def account(self, name: str) -> Account:
        """An account that may trade; raises VenueRefusal if there is none."""
        account = self._accounts.named(name)
        if account.is_quiet:
            raise unknown_account(name)
        return account

    def place(self, request: PlaceRequest) -> WorkingOrder:
        """Place an order."""
        market = self.market(request.symbol)
        order = self._checked(request, market, NO_LIST)
        self._check_count([order], market)
        self._settlement.reserve(order, market)
        self._trading.open(order, market)
        return order

    def place_oco(self, request: OcoRequest) -> Pair:
        """Place a pair; money is bound once, for the one that needs more."""
        if self._kind is not MarketKind.SPOT:
            raise unsupported("order lists are for spot")
        market = self.market(request.symbol)
        list_id = self._trading.lists.next_id()
        above, below = (self._checked(_leg(request, leg), market, list_id) for leg in (request.above, request.below))
        self._check_pair(above, below)
        self._check_count([above, below], market)
        heavier, lighter = sorted((above, below), key=_cost_ticks, reverse=True)
        self._settlement.reserve(heavier, market)
        lighter.reserve_asset = heavier.reserve_asset
        pair = Pair(list_id, request.list_client_order_id, (above, below))
        self._trading.lists.add(pair)
        now_ns = self._trading.now_ns
        self._trading.out.append(
            ListUpdated(account=above.account.name, order_list=pair.record(now_ns), time_ns=now_ns)
        )
        for order in (above, below):
            self._trading.open(order, market)
        return pair

    def cancel(self, account: str, symbol: str, order_id: int, client_order_id: str, own_id: str) -> WorkingOrder:
        """Cancel an order."""
        market = self.market(symbol)
        order = self._orders.find(self.account(account).name, symbol, order_id, client_order_id)
        if order is None or not order.status.is_open:
            raise cancel_unknown()
        self._trading.end(order, market, own_id)
        return order

    def cancel_all(self, account: str, symbol: str) -> list[WorkingOrder]:
        """Cancel all orders of a symbol."""
        market = self.market(symbol)
        orders = self._orders.open(self.account(account).name, symbol)
        for order in orders:
            if order.status.is_open:
                self._trading.end(order, market)
        return orders

    def amend(
        self, account: str, symbol: str, order_id: int, client_order_id: str, price_ticks: int, quantity_lots: int
    ) -> WorkingOrder:
        """Change an order that is in the book."""
        market = self.market(symbol)
        order = self._orders.find(self.account(account).name, symbol, order_id, client_order_id)
        if order is None or not order.status.is_open:
            raise no_such_order()
        if order.is_waiting or order.list_id != NO_LIST:
            raise unsupported("stop orders and orders of a list cannot be changed")
        price = price_ticks or order.price_ticks
        if (price, quantity_lots) == (order.price_ticks, order.quantity_lots):
            raise no_need_to_amend(self._kind)
        rules = self.rules_of(symbol)
        rules.check(self._kind, quantity_lots, price)
        model = rules.applied(market.model)
        check_price(self._kind, model, price)
        check_percent_price(self._kind, model, price, market.last_ticks)
        check_quantity(self._kind, model, quantity_lots, False)
        notional = model.quote_units(price, quantity_lots)
        check_notional(self._kind, model, notional, order.reduce_only)
        if quantity_lots <= order.executed_lots:
            raise amends_below_executed(self._kind)
        if price != order.price_ticks and order.is_post_only:
            self._check_makes(market, order.side, price)
        self._settlement.amend(order, market, price, quantity_lots)
        self._trading.change(order, market, price, quantity_lots)
        return order

    def _checked(self, request: PlaceRequest, market: SymbolMarket, list_id: int) -> WorkingOrder:
        """An order that passes everything but the count of orders and the money."""
        account = self.account(request.account)
        check_combination(self._kind, request)
        rules = self.rules_of(request.symbol)
        rules.check(self._kind, request.quantity_lots, request.price_ticks, request.stop_ticks)
        check_filters(self._kind, rules.applied(market.model), request, market.last_ticks)
        self._check_duplicate(account, request)
        if request.quote_units:
            request = self._with_quantity(request, market)
        prevention = request.self_trade_prevention or self._model.self_trade_prevention
        order = WorkingOrder(
            self._trading.next_order_id(), request, account, market.model, prevention, self._trading.now_ns, list_id
        )
        if order.is_waiting and is_reached(order, market.last_ticks, market.last_ticks):
            raise would_trigger(self._kind)
        if order.is_post_only and not order.is_waiting:
            self._check_makes(market, order.side, order.price_ticks)
        if order.may_rest and market.book.orders >= market.capacity:
            raise too_many_orders(self._kind, False)
        return order

    def _check_duplicate(self, account: Account, request: PlaceRequest) -> None:
        if request.client_order_id:
            other = self._orders.find(account.name, request.symbol, 0, request.client_order_id)
            if other is not None and other.status.is_open:
                raise duplicate_order(self._kind)

    def _check_makes(self, market: SymbolMarket, side: Side, price_ticks: int) -> None:
        if market.book.reach(book_side(side), price_ticks, 1).lots:
            raise would_match(self._kind)

    def _check_count(self, orders: Sequence[WorkingOrder], market: SymbolMarket) -> None:
        """MAX_NUM_ALGO_ORDERS and MAX_NUM_ORDERS, which counts all of them."""
        working, waiting = self._orders.counts(orders[0].account.name, market.model.symbol)
        stops = sum(order.is_waiting for order in orders)
        if stops and waiting + stops > market.model.maximum_stops:
            raise too_many_orders(self._kind, True)
        if working + len(orders) > market.model.maximum_orders:
            raise too_many_orders(self._kind, False)

    def _with_quantity(self, request: PlaceRequest, market: SymbolMarket) -> PlaceRequest:
        """A market order by quote quantity as one by lots: as many as the money buys or must be sold for it."""
        bound = request.quote_units // market.model.unit_notional
        reach = market.book.reach(book_side(request.side), 0, market.model.market_maximum_lots, bound)
        if not reach.lots:
            is_empty = not market.book.reach(book_side(request.side), 0, 1).lots
            raise VenueRefusal(-1112, "No orders on book for symbol.") if is_empty else filter_failure("LOT_SIZE")
        return msgspec.structs.replace(request, quantity_lots=reach.lots)

    def _check_pair(self, above: WorkingOrder, below: WorkingOrder) -> None:
        """What Binance asks of an OCO pair."""
        if not (above.is_waiting or below.is_waiting):
            raise unsupported("an order list needs a stop")
        if (
            above.kind is OrderKind.LIMIT
            or below.kind is OrderKind.LIMIT
            or OrderKind.MARKET in (above.kind, below.kind)
        ):
            raise unsupported("an order list is of stops and LIMIT_MAKER")
        if _price(above) <= _price(below):
            raise VenueRefusal(-2010, "The relationship of the prices for the orders is not correct.")
        if above.client_order_id == below.client_order_id:
            raise duplicate_order(self._kind)


def _leg(request: OcoRequest, leg: ListLeg) -> PlaceRequest:
    return PlaceRequest(
        account=request.account,
        symbol=request.symbol,
        side=request.side,
        kind=leg.kind,
        time_in_force=leg.time_in_force,
        quantity_lots=request.quantity_lots,
        price_ticks=leg.price_ticks,
        stop_ticks=leg.stop_ticks,
        client_order_id=leg.client_order_id,
        self_trade_prevention=request.self_trade_prevention,
    )


def _price(order: WorkingOrder) -> int:
    """Where an order of a pair stands, seen from the last price."""
    return order.stop_ticks or order.price_ticks


def _cost_ticks(order: WorkingOrder) -> int:
    """The price that money is bound at."""
    return order.price_ticks or order.stop_ticks
