"""USD-M futures: positions against margin in the quote asset, cross margin, one-way mode.

Profits come out of the sum of all positions, which is zero: over all accounts, nobody's included, wallets minus the
costs of open positions stay what was brought in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from market.risk.notional import PPB
from sim.exchange.venue.accounts import Account, Accounts
from sim.exchange.venue.events import PositionChanged, VenueEvent
from sim.exchange.venue.kinds import LedgerReason, MarketKind, OrderKind
from sim.exchange.venue.market import SymbolMarket, book_side
from sim.exchange.venue.orders import OrderStore, WorkingOrder
from sim.exchange.venue.positions import OpenPosition
from sim.exchange.venue.records import MarginBalance, Position, PublicTrade, VenueTrade
from sim.exchange.venue.refusals import VenueRefusal, insufficient_balance, reduce_only_refused
from sim.exchange.venue.settlement import commission_units, rate_ppb


class MarginSettlement:
    """See the module; ``settlement.Settlement``.

    Reduce-only orders bind nothing and are held against the position after every order, not within one.
    """

    def __init__(self, accounts: Accounts, orders: OrderStore, markets: Mapping[str, SymbolMarket]) -> None:
        self._accounts = accounts
        self._orders = orders
        self._markets = markets
        self._positions: dict[str, dict[str, OpenPosition]] = {}
        self._changed: dict[tuple[str, str], None] = {}
        self.asset = next(iter(markets.values())).model.quote_asset

    def position(self, account: Account, symbol: str) -> OpenPosition:
        """A position, flat if there was none."""
        of_account = self._positions.setdefault(account.name, {})
        if symbol not in of_account:
            of_account[symbol] = OpenPosition(self._markets[symbol].model)
        return of_account[symbol]

    def held(self, account: Account) -> Iterator[tuple[OpenPosition, int]]:
        """Positions of an account with their mark prices."""
        for symbol, position in self._positions.get(account.name, {}).items():
            yield position, self._markets[symbol].mark_ticks

    # Settlement.

    def reserve(self, order: WorkingOrder, market: SymbolMarket) -> None:
        """Count the order's notional into the exposure, if the margin covers it. Waiting stops bind nothing yet."""
        order.reserve_asset = self.asset
        if order.is_waiting:
            return
        if order.reduce_only:
            room = self._reducible(order)
            if room <= 0:
                raise reduce_only_refused()
            order.quantity_lots = order.executed_lots + min(order.remaining_lots, room)
            return
        self._bind(order, self._checked(order, market, order.price_ticks, order.remaining_lots))

    def trigger(self, order: WorkingOrder, market: SymbolMarket) -> int:
        """What a triggered stop may trade: what reduces the position, or all if the margin covers it, else nothing."""
        if order.reduce_only:
            room = max(0, self._reducible(order))
            lots = room if order.close_position else min(order.remaining_lots, room)
            order.quantity_lots = lots or order.quantity_lots
            return lots
        try:
            self._bind(order, self._checked(order, market, order.price_ticks, order.remaining_lots))
        except VenueRefusal:
            # Nobody waits for an answer: the order expires.
            return 0
        return order.remaining_lots

    def amend(self, order: WorkingOrder, market: SymbolMarket, price_ticks: int, quantity_lots: int) -> None:
        """Count the changed order."""
        lots = quantity_lots - order.executed_lots
        if order.reduce_only:
            if lots > self._reducible(order):
                raise reduce_only_refused()
            return
        before = order.reserved_units
        self._bind(order, 0)
        try:
            needed = self._checked(order, market, price_ticks, lots)
        except VenueRefusal:
            self._bind(order, before)
            raise
        self._bind(order, needed)

    def settle(self, order: WorkingOrder, trade: PublicTrade, is_maker: bool) -> VenueTrade:
        """Change the position; profit and commission go to and from the wallet."""
        model, account = order.model, order.account
        left = model.quote_units(order.price_ticks, order.remaining_lots)
        if not order.kind.has_price:
            left = max(0, order.reserved_units - trade.quote_units)
        self._bind(order, min(left, order.reserved_units))
        realised = self._trade(account, order.side.sign, trade)
        commission = commission_units(trade.quote_units, rate_ppb(account, is_maker))
        pay = (LedgerReason.COMMISSION, trade.time_ns, model.symbol, trade.trade_id)
        self._accounts.add(account, self.asset, -commission, *pay)
        self._accounts.add(self._accounts.house, self.asset, commission, *pay)
        self._charge(account, model.symbol, commission)
        return VenueTrade(
            trade_id=trade.trade_id,
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            account=account.name,
            symbol=model.symbol,
            side=order.side,
            price_ticks=trade.price_ticks,
            quantity_lots=trade.quantity_lots,
            quote_units=trade.quote_units,
            commission_units=commission,
            commission_asset=self.asset,
            is_maker=is_maker,
            realised_units=realised,
            list_id=order.list_id,
            time_ns=trade.time_ns,
        )

    def settle_nobody(self, side_sign: int, trade: PublicTrade, market: SymbolMarket) -> None:
        """Nobody's position takes the other side."""
        self._trade(self._accounts.background, side_sign, trade)

    def release(self, order: WorkingOrder) -> None:
        """Count the order no more."""
        self._bind(order, 0)

    def tell_changes(self, out: list[VenueEvent], now_ns: int) -> None:
        """Append an event for each position that changed."""
        for name, symbol in self._changed:
            account = self._accounts.named(name)
            if not account.is_quiet:
                record = self.position(account, symbol).record(name, self._markets[symbol].mark_ticks)
                out.append(PositionChanged(account=name, position=record, time_ns=now_ns))
        self._changed.clear()

    # Margin.

    def equity_units(self, account: Account) -> int:
        """Wallet and unrealised profit."""
        return account.total(self.asset) + sum(position.unrealised_units(mark) for position, mark in self.held(account))

    def balance(self, account: Account) -> MarginBalance:
        """An account's margin."""
        wallet = account.total(self.asset)
        unrealised = of_positions = with_orders = maintenance = 0
        for position, mark in self.held(account):
            unrealised += position.unrealised_units(mark)
            of_positions += position.initial_units(abs(position.notional_units(mark)))
            with_orders += position.initial_units(position.exposure_units(mark))
            maintenance += position.maintenance_units(mark)
        return MarginBalance(
            asset=self.asset,
            wallet_units=wallet,
            unrealised_units=unrealised,
            position_margin_units=of_positions,
            order_margin_units=with_orders - of_positions,
            maintenance_margin_units=maintenance,
            available_units=max(0, wallet + unrealised - with_orders),
        )

    def positions(self, account: Account, symbol: str) -> tuple[Position, ...]:
        """An account's positions, flat ones too."""
        symbols = [symbol] if symbol else list(self._markets)
        return tuple(
            self.position(account, each).record(account.name, self._markets[each].mark_ticks) for each in symbols
        )

    def set_leverage(self, account: Account, symbol: str, leverage: int) -> None:
        """Another leverage, if the margin covers it."""
        position = self.position(account, symbol)
        if not 1 <= leverage <= position.model.maximum_leverage:
            raise VenueRefusal(-4028, f"Leverage {leverage} is not valid")
        before, position.leverage = position.leverage, leverage
        needed = sum(each.initial_units(each.exposure_units(mark)) for each, mark in self.held(account))
        if needed > max(0, self.equity_units(account)):
            position.leverage = before
            raise VenueRefusal(-2028, "Leverage is smaller than permitted: insufficient margin balance.")

    def must_liquidate(self, account: Account) -> bool:
        """Whether an account's margin has fallen below what its positions need."""
        maintenance = sum(position.maintenance_units(mark) for position, mark in self.held(account))
        return maintenance > 0 and self.equity_units(account) < maintenance

    def open_lots(self, account: Account, symbol: str) -> int:
        """Lots of the position, negative when short."""
        return self.position(account, symbol).lots

    def clear_debt(self, account: Account, now_ns: int) -> None:
        """The house pays what a flat account owes."""
        owed = -account.total(self.asset)
        if owed > 0 and not any(position.lots for position, _ in self.held(account)):
            self._accounts.add(account, self.asset, owed, LedgerReason.INSURANCE_CLEAR, now_ns)
            self._accounts.add(self._accounts.house, self.asset, -owed, LedgerReason.INSURANCE_CLEAR, now_ns)

    def pay_funding(self, symbol: str, now_ns: int) -> None:
        """Longs pay shorts at a positive rate; what rounding leaves is the house's."""
        market = self._markets[symbol]
        paid = 0
        for account in self._accounts:
            position = self.position(account, symbol)
            units = position.notional_units(market.mark_ticks) * market.model.funding_rate_ppb // PPB
            self._accounts.add(account, self.asset, -units, LedgerReason.FUNDING_FEE, now_ns, symbol)
            position.charges_units += units
            paid += units
        self._accounts.add(self._accounts.house, self.asset, paid, LedgerReason.FUNDING_FEE, now_ns, symbol)

    def costs_units(self) -> int:
        """Costs of all open positions."""
        return sum(position.cost_units for account in self._accounts for position, _ in self.held(account))

    def over_reducing(self, account: Account, symbol: str) -> list[tuple[WorkingOrder, int]]:
        """Reduce-only orders in the book that could trade more than the position, with what they may keep."""
        position = self.position(account, symbol)
        room = abs(position.lots)
        found = []
        for order in self._orders.open(account.name, symbol):
            if order.reduce_only and not order.is_waiting:
                allowed = min(order.remaining_lots, room) if order.side.sign * position.lots < 0 else 0
                room -= allowed
                if allowed < order.remaining_lots:
                    found.append((order, allowed))
        return found

    def _reducible(self, order: WorkingOrder) -> int:
        """Lots by which a reduce-only order may reduce the position, besides others that work already."""
        position = self.position(order.account, order.model.symbol)
        if position.lots * order.side.sign >= 0:
            return 0
        others = sum(
            other.remaining_lots
            for other in self._orders.open(order.account.name, order.model.symbol)
            if other.reduce_only and not other.is_waiting and other.side is order.side and other is not order
        )
        return abs(position.lots) - others

    def _checked(self, order: WorkingOrder, market: SymbolMarket, price_ticks: int, lots: int) -> int:
        """The notional of an order; raises VenueRefusal if the margin does not cover it."""
        model, account = order.model, order.account
        if order.kind in (OrderKind.MARKET, OrderKind.STOP_LOSS, OrderKind.TAKE_PROFIT):
            notional = market.book.reach(book_side(order.side), 0, lots).money * model.unit_notional
        else:
            notional = model.quote_units(price_ticks, lots)
        position, mark = self.position(account, model.symbol), market.mark_ticks
        before = position.exposure_units(mark)
        after = position.exposure_units(mark, *((notional, 0) if order.is_buy else (0, notional)))
        if after > before:
            more = position.initial_units(after) - position.initial_units(before)
            more += commission_units(notional, max(account.taker_ppb, 0))
            needed = sum(each.initial_units(each.exposure_units(at)) for each, at in self.held(account))
            if needed + more > self.equity_units(account):
                raise insufficient_balance(MarketKind.USD_MARGINED)
        return notional

    def _bind(self, order: WorkingOrder, units: int) -> None:
        position = self.position(order.account, order.model.symbol)
        if order.is_buy:
            position.buy_units += units - order.reserved_units
        else:
            position.sell_units += units - order.reserved_units
        order.reserved_units = units

    def _trade(self, account: Account, sign: int, trade: PublicTrade) -> int:
        """Change a position; gives the profit that was booked."""
        position = self.position(account, trade.symbol)
        realised = position.trade(sign, trade.quantity_lots, trade.price_ticks)
        position.updated_ns = trade.time_ns
        about = (LedgerReason.REALIZED_PNL, trade.time_ns, trade.symbol, trade.trade_id)
        self._accounts.add(account, self.asset, realised, *about)
        self._changed[account.name, trade.symbol] = None
        return realised

    def _charge(self, account: Account, symbol: str, units: int) -> None:
        position = self.position(account, symbol)
        if position.lots:
            position.charges_units += units
