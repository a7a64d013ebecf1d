"""What trades set off: stops, reduce-only orders whose position has gone, liquidations; and the telling of it all."""

from __future__ import annotations

from collections.abc import Mapping

from market.orders.kinds import Side
from sim.exchange.venue.accounts import Account, Accounts
from sim.exchange.venue.kinds import OrderKind, SelfTradePrevention
from sim.exchange.venue.market import SymbolMarket
from sim.exchange.venue.orders import OrderStore, WorkingOrder
from sim.exchange.venue.requests import PlaceRequest
from sim.exchange.venue.settlement import Settlement
from sim.exchange.venue.stops import is_reached
from sim.exchange.venue.trading import Trading


class Aftermath:
    """See the module."""

    def __init__(
        self,
        trading: Trading,
        accounts: Accounts,
        orders: OrderStore,
        markets: Mapping[str, SymbolMarket],
        settlement: Settlement,
    ) -> None:
        self._trading = trading
        self._accounts = accounts
        self._orders = orders
        self._markets = markets
        self._settlement = settlement

    def settle_down(self) -> None:
        """Do what the last changes set off, until nothing does, and tell of books, positions and balances."""
        while self._has_reacted() or self._has_liquidated():
            pass
        out, now_ns = self._trading.out, self._trading.now_ns
        self._settlement.tell_changes(out, now_ns)
        self._accounts.tell_changes(out, now_ns)

    def _has_reacted(self) -> bool:
        """Hold stops and reduce-only orders against what has traded; whether anything had."""
        traded = False
        for market in self._markets.values():
            lowest, highest = market.take_traded_range()
            if lowest:
                traded = True
                for order in self._orders.waiting(market.model.symbol):
                    if order.status.is_open and is_reached(order, lowest, highest):
                        self._trading.trigger(order, market)
        for account in self._trading.take_touched():
            for symbol, market in self._markets.items():
                for order, lots in self._settlement.over_reducing(account, symbol):
                    if lots:
                        self._trading.change(order, market, order.price_ticks, order.executed_lots + lots)
                    else:
                        self._trading.expire(order, market)
        return traded

    def liquidate_due(self) -> bool:
        """Close the positions that their accounts' margin holds no more; whether there were any."""
        due = [
            account for account in self._accounts if not account.is_quiet and self._settlement.must_liquidate(account)
        ]
        for account in due:
            self._liquidate(account)
        return bool(due)

    def _has_liquidated(self) -> bool:
        """Tell of the books; where best prices changed, margins may suffice no more."""
        out, now_ns = self._trading.out, self._trading.now_ns
        moved = [market.tell_book(out, now_ns) for market in self._markets.values()]
        return any(moved) and self.liquidate_due()

    def _liquidate(self, account: Account) -> None:
        """Cancel an account's orders and close its positions at market; the house pays its debt."""
        for order in self._orders.open(account.name):
            if order.status.is_open:
                self._trading.end(order, self._markets[order.model.symbol])
        for symbol, market in self._markets.items():
            lots = self._settlement.open_lots(account, symbol)
            if lots:
                self._trading.open(self._closing(account, market, lots), market)
        self._settlement.clear_debt(account, self._trading.now_ns)

    def _closing(self, account: Account, market: SymbolMarket, lots: int) -> WorkingOrder:
        order_id = self._trading.next_order_id()
        request = PlaceRequest(
            account=account.name,
            symbol=market.model.symbol,
            side=Side.SELL if lots > 0 else Side.BUY,
            kind=OrderKind.MARKET,
            quantity_lots=abs(lots),
            client_order_id=f"autoclose-{order_id}",
            reduce_only=True,
        )
        return WorkingOrder(order_id, request, account, market.model, SelfTradePrevention.NONE, self._trading.now_ns)
