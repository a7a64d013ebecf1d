"""Spot: the buyer pays quote for base. Orders lock what they may spend."""

from __future__ import annotations

from market.risk.notional import PPB
from sim.exchange.venue.accounts import Account, Accounts
from sim.exchange.venue.events import VenueEvent
from sim.exchange.venue.kinds import CommissionAsset, LedgerReason, MarketKind
from sim.exchange.venue.market import SymbolMarket, book_side
from sim.exchange.venue.model import SymbolModel
from sim.exchange.venue.orders import WorkingOrder
from sim.exchange.venue.records import PublicTrade, VenueTrade
from sim.exchange.venue.refusals import insufficient_balance
from sim.exchange.venue.settlement import commission_units, rate_ppb


class SpotSettlement:
    """See the module; ``settlement.Settlement``."""

    def __init__(self, accounts: Accounts, commission_asset: CommissionAsset) -> None:
        self._accounts = accounts
        self._in_quote = commission_asset is CommissionAsset.QUOTE

    def reserve(self, order: WorkingOrder, market: SymbolMarket) -> None:
        """Lock base of a sale, quote of a purchase: at the limit, at the stop price, or what a market order meets."""
        model, account = order.model, order.account
        order.reserve_asset = model.quote_asset if order.is_buy else model.base_asset
        needed = self._needed(order, market)
        if needed > account.free.get(order.reserve_asset, 0):
            raise insufficient_balance(MarketKind.SPOT)
        self._bind(order, needed)

    def trigger(self, order: WorkingOrder, market: SymbolMarket) -> int:
        """All lots of an order with a limit and of a sale; of a purchase at market what the account can pay."""
        if not order.is_buy or order.kind.has_price:
            return order.remaining_lots
        money = order.reserved_units + max(0, order.account.free.get(order.reserve_asset, 0))
        if self._in_quote:
            # The largest amount whose commission can be paid besides.
            money = money * PPB // (PPB + _highest_rate(order.account))
        bound = money // order.model.unit_notional
        reach = market.book.reach(book_side(order.side), 0, order.remaining_lots, bound)
        self._bind(order, self._with_commission(order.account, reach.money * order.model.unit_notional))
        return reach.lots

    def amend(self, order: WorkingOrder, market: SymbolMarket, price_ticks: int, quantity_lots: int) -> None:
        """Lock what the changed order may need."""
        lots = quantity_lots - order.executed_lots
        needed = self._at_price(order.account, order.model, price_ticks, lots, order.is_buy)
        free = order.account.free.get(order.reserve_asset, 0)
        if needed - order.reserved_units > free:
            raise insufficient_balance(MarketKind.SPOT)
        self._bind(order, needed)

    def settle(self, order: WorkingOrder, trade: PublicTrade, is_maker: bool) -> VenueTrade:
        """Base and quote change hands; the commission goes to the house."""
        model, account = order.model, order.account
        base, quote = model.base_units(trade.quantity_lots), trade.quote_units
        paid_in_base = order.is_buy and not self._in_quote
        commission = commission_units(base if paid_in_base else quote, rate_ppb(account, is_maker))
        spent = base if not order.is_buy else quote + (0 if paid_in_base else commission)
        self._spend(order, spent)
        sign = order.side.sign
        self._move(account, model, sign * base, -sign * quote, trade)
        asset = model.base_asset if paid_in_base else model.quote_asset
        pay = (LedgerReason.COMMISSION, trade.time_ns, model.symbol, trade.trade_id)
        self._accounts.add(account, asset, -commission, *pay)
        self._accounts.add(self._accounts.house, asset, commission, *pay)
        return VenueTrade(
            trade_id=trade.trade_id,
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            account=account.name,
            symbol=model.symbol,
            side=order.side,
            price_ticks=trade.price_ticks,
            quantity_lots=trade.quantity_lots,
            quote_units=quote,
            commission_units=commission,
            commission_asset=asset,
            is_maker=is_maker,
            realised_units=0,
            list_id=order.list_id,
            time_ns=trade.time_ns,
        )

    def settle_nobody(self, side_sign: int, trade: PublicTrade, market: SymbolMarket) -> None:
        """Nobody pays no commission."""
        base = market.model.base_units(trade.quantity_lots)
        self._move(self._accounts.background, market.model, side_sign * base, -side_sign * trade.quote_units, trade)

    def release(self, order: WorkingOrder) -> None:
        """Unlock what is left."""
        self._bind(order, 0)

    def over_reducing(self, account: Account, symbol: str) -> list[tuple[WorkingOrder, int]]:
        """Spot has no positions."""
        return []

    def must_liquidate(self, account: Account) -> bool:
        """Spot has no positions."""
        return False

    def open_lots(self, account: Account, symbol: str) -> int:
        """Spot has no positions."""
        return 0

    def clear_debt(self, account: Account, now_ns: int) -> None:
        """Nobody owes anything: what is spent was locked before."""

    def tell_changes(self, out: list[VenueEvent], now_ns: int) -> None:
        """Spot has no positions."""

    def _needed(self, order: WorkingOrder, market: SymbolMarket) -> int:
        """What an order may spend."""
        price_ticks = order.price_ticks or order.stop_ticks
        if order.is_buy and not price_ticks:
            reach = market.book.reach(book_side(order.side), 0, order.remaining_lots)
            return self._with_commission(order.account, reach.money * order.model.unit_notional)
        return self._at_price(order.account, order.model, price_ticks, order.remaining_lots, order.is_buy)

    def _at_price(self, account: Account, model: SymbolModel, price_ticks: int, lots: int, is_buy: bool) -> int:
        if not is_buy:
            return model.base_units(lots)
        return self._with_commission(account, model.quote_units(price_ticks, lots))

    def _with_commission(self, account: Account, units: int) -> int:
        """A purchase's cost, with the commission where that is paid besides."""
        if not self._in_quote:
            return units
        return units + commission_units(units, _highest_rate(account))

    def _spend(self, order: WorkingOrder, spent: int) -> None:
        """Unlock what a trade is about to take, and what the rest of the order needs no more."""
        if order.is_buy and order.kind.has_price:
            left = self._at_price(order.account, order.model, order.price_ticks, order.remaining_lots, True)
        else:
            left = max(0, order.reserved_units - spent)
        self._bind(order, left)

    def _bind(self, order: WorkingOrder, units: int) -> None:
        """Change what is locked for an order."""
        self._accounts.lock(order.account, order.reserve_asset, units - order.reserved_units)
        order.reserved_units = units

    def _move(self, account: Account, model: SymbolModel, base: int, quote: int, trade: PublicTrade) -> None:
        about = (LedgerReason.TRADE, trade.time_ns, model.symbol, trade.trade_id)
        self._accounts.add(account, model.base_asset, base, *about)
        self._accounts.add(account, model.quote_asset, quote, *about)


def _highest_rate(account: Account) -> int:
    """The most that a trade may cost, in parts per billion."""
    return max(account.maker_ppb, account.taker_ppb, 0)
