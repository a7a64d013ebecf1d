"""``SimulatedVenue``: one market (spot or USD-M futures) of one exchange, in process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from market.orders.kinds import Side
from sim.exchange.venue.accounts import Accounts
from sim.exchange.venue.aftermath import Aftermath
from sim.exchange.venue.events import VenueEvent
from sim.exchange.venue.kinds import MarketKind
from sim.exchange.venue.margin import MarginSettlement
from sim.exchange.venue.market import SymbolMarket
from sim.exchange.venue.model import AccountModel, VenueModel
from sim.exchange.venue.nobody import Nobody, SideLevel
from sim.exchange.venue.orders import OrderStore
from sim.exchange.venue.placing import Placing
from sim.exchange.venue.records import (
    AccountState,
    Depth,
    ExchangeInfo,
    Funding,
    LedgerEntry,
    MarginBalance,
    OrderList,
    Position,
    PublicTrade,
    VenueOrder,
    VenueTrade,
)
from sim.exchange.venue.refusals import cancel_unknown, insufficient_balance, no_such_order, unsupported
from sim.exchange.venue.requests import OcoRequest, PlaceRequest
from sim.exchange.venue.schedule import Schedule
from sim.exchange.venue.settlement import Settlement
from sim.exchange.venue.spot import SpotSettlement
from sim.exchange.venue.symbol_rules import SymbolRules
from sim.exchange.venue.trading import Trading

_MS: Final = 10**6


class SimulatedVenue:
    """See the package.

    One thread at a time. Calls that take ``now_ns`` first do what is due until then, as ``advance`` does; a time
    before an earlier one counts as that one. Calls raise VenueRefusal and then change nothing but that. An order is
    named by ``order_id`` or, where that is 0, by ``client_order_id``; of several with the same client order id the
    newest is meant.

    Parameters
    ----------
    model: what it is like; raises Fatal for one that cannot be.
    """

    def __init__(self, model: VenueModel) -> None:
        self.model = model
        self._markets = {symbol.symbol: SymbolMarket(symbol, model) for symbol in model.symbols}
        self._accounts = Accounts(model)
        self._orders = OrderStore()
        self._margin: MarginSettlement | None = None
        settlement: Settlement = SpotSettlement(self._accounts, model.commission_asset)
        if model.kind is MarketKind.USD_MARGINED:
            settlement = self._margin = MarginSettlement(self._accounts, self._orders, self._markets)
        self._trading = Trading(self._orders, self._markets, settlement, model.first_order_id, model.first_trade_id)
        self._aftermath = Aftermath(self._trading, self._accounts, self._orders, self._markets, settlement)
        self._placing = Placing(model, self._trading, self._accounts, self._orders, self._markets, settlement)
        self._nobody = Nobody(self._trading)
        self._schedule = Schedule(model, self._trading, self._aftermath, self._placing, self._margin, self._markets)

    # Orders.

    def place(self, request: PlaceRequest, now_ns: int) -> VenueOrder:
        """Place an order; the answer shows it after it was matched. Its trades are ``trades(..., order_id=...)``."""
        self._schedule.advance(now_ns)
        order = self._placing.place(request)
        self._aftermath.settle_down()
        return order.record()

    def place_oco(self, request: OcoRequest, now_ns: int) -> OrderList:
        """Place two orders that cancel each other; spot only."""
        self._schedule.advance(now_ns)
        pair = self._placing.place_oco(request)
        self._aftermath.settle_down()
        return pair.record(self._trading.now_ns)

    def amend(
        self,
        account: str,
        symbol: str,
        now_ns: int,
        *,
        order_id: int = 0,
        client_order_id: str = "",
        quantity_lots: int,
        price_ticks: int = 0,
    ) -> VenueOrder:
        """Change a working limit order; ``quantity_lots`` is the new total, a price of 0 leaves the price.

        A smaller quantity at the same price keeps its place in the queue; everything else loses it, and may trade at
        once (a post-only order is refused then).
        """
        self._schedule.advance(now_ns)
        order = self._placing.amend(account, symbol, order_id, client_order_id, price_ticks, quantity_lots)
        self._aftermath.settle_down()
        return order.record()

    def cancel(
        self,
        account: str,
        symbol: str,
        now_ns: int,
        *,
        order_id: int = 0,
        client_order_id: str = "",
        request_client_order_id: str = "",
    ) -> VenueOrder:
        """Cancel an order; one of an order list cancels the whole list. Refused with -2011 unless it works."""
        self._schedule.advance(now_ns)
        order = self._placing.cancel(account, symbol, order_id, client_order_id, request_client_order_id)
        self._aftermath.settle_down()
        return order.record()

    def cancel_list(
        self, account: str, symbol: str, now_ns: int, *, list_id: int = -1, list_client_order_id: str = ""
    ) -> OrderList:
        """Cancel both orders of a list."""
        self._schedule.advance(now_ns)
        pair = self._trading.lists.find(account, list_id, list_client_order_id)
        working = [order for order in pair.orders if order.status.is_open]
        if not working or pair.orders[0].model.symbol != symbol:
            raise cancel_unknown()
        self._placing.cancel(account, symbol, working[0].order_id, "", "")
        self._aftermath.settle_down()
        return pair.record(self._trading.now_ns)

    def cancel_all(self, account: str, symbol: str, now_ns: int) -> tuple[VenueOrder, ...]:
        """Cancel every working order of an account in a symbol; spot refuses with -2011 when there is none."""
        self._schedule.advance(now_ns)
        orders = self._placing.cancel_all(account, symbol)
        if not orders and self.model.kind is MarketKind.SPOT:
            raise cancel_unknown()
        self._aftermath.settle_down()
        return tuple(order.record() for order in orders)

    def countdown_cancel(self, account: str, symbol: str, countdown_ms: int, now_ns: int) -> None:
        """Cancel all orders when the countdown has run down, unless asked again before; 0 stops it."""
        self._schedule.advance(now_ns)
        self._placing.market(symbol)
        self._schedule.count_down(self._placing.account(account).name, symbol, countdown_ms * _MS)

    # Questions about an account.

    def order(self, account: str, symbol: str, *, order_id: int = 0, client_order_id: str = "") -> VenueOrder:
        """An order, working or ended; refused with -2013 when there is none."""
        self._placing.market(symbol)
        found = self._orders.find(self._accounts.named(account).name, symbol, order_id, client_order_id)
        if found is None:
            raise no_such_order()
        return found.record()

    def order_list(self, account: str, *, list_id: int = -1, list_client_order_id: str = "") -> OrderList:
        """An order list; refused with -2013 when there is none."""
        pair = self._trading.lists.find(self._accounts.named(account).name, list_id, list_client_order_id)
        return pair.record(self._trading.now_ns)

    def open_orders(self, account: str, symbol: str = "") -> tuple[VenueOrder, ...]:
        """Working orders and waiting stops, oldest first; of all symbols if none is named."""
        if symbol:
            self._placing.market(symbol)
        return tuple(order.record() for order in self._orders.open(self._accounts.named(account).name, symbol))

    def all_orders(
        self, account: str, symbol: str, *, from_order_id: int = 0, limit: int = 500
    ) -> tuple[VenueOrder, ...]:
        """Orders from an id on, oldest first; without an id the newest ones."""
        self._placing.market(symbol)
        name = self._accounts.named(account).name
        return tuple(order.record() for order in self._orders.history(name, symbol, from_order_id, limit))

    def trades(
        self, account: str, symbol: str, *, order_id: int = 0, from_trade_id: int = 0, limit: int = 500
    ) -> tuple[VenueTrade, ...]:
        """An account's trades, oldest first: of one order, from an id on, or the newest ones."""
        self._placing.market(symbol)
        return self._orders.trades(self._accounts.named(account).name, symbol, order_id, from_trade_id, limit)

    def account(self, account: str) -> AccountState:
        """Balances, margin and positions."""
        found = self._accounts.named(account)
        margins: tuple[MarginBalance, ...] = ()
        positions: tuple[Position, ...] = ()
        if self._margin is not None:
            margins = (self._margin.balance(found),)
            positions = tuple(each for each in self._margin.positions(found, "") if each.quantity_lots)
        return AccountState(
            account=account,
            balances=found.balances(),
            margins=margins,
            positions=positions,
            maker_ppb=found.maker_ppb,
            taker_ppb=found.taker_ppb,
            updated_ns=found.updated_ns,
        )

    def positions(self, account: str, symbol: str = "") -> tuple[Position, ...]:
        """Positions of all symbols or one, flat ones too; futures only."""
        if symbol:
            self._placing.market(symbol)
        return self._futures().positions(self._accounts.named(account), symbol)

    def ledger(self, account: str, *, from_number: int = 0) -> Sequence[LedgerEntry]:
        """Movements of an account's money from an entry's number on, oldest first."""
        return self._accounts.ledger(self._accounts.named(account), from_number)

    # Accounts.

    def open_account(self, model: AccountModel, now_ns: int) -> None:
        """Add an account; raises Fatal if there is one of this name."""
        self._schedule.advance(now_ns)
        self._accounts.open(model, self._trading.now_ns)
        self._aftermath.settle_down()

    def deposit(self, account: str, asset: str, units: int, now_ns: int) -> None:
        """Bring money in, or take it out with a negative amount; refused with -2010 if there is not so much free."""
        self._schedule.advance(now_ns)
        found = self._placing.account(account)
        free = found.free.get(asset, 0) if self._margin is None else self._margin.balance(found).available_units
        if units < 0 and -units > free:
            raise insufficient_balance(MarketKind.SPOT)
        self._accounts.bring_in(found, asset, units, self._trading.now_ns)
        self._accounts.tell_changes(self._trading.out, self._trading.now_ns, units)

    def set_leverage(self, account: str, symbol: str, leverage: int, now_ns: int) -> None:
        """Set the leverage of a symbol; refused outside of its limits or when the margin would not do."""
        self._schedule.advance(now_ns)
        self._placing.market(symbol)
        self._futures().set_leverage(self._placing.account(account), symbol, leverage)

    # The market.

    def exchange_info(self) -> ExchangeInfo:
        """Symbols and filters."""
        return ExchangeInfo(kind=self.model.kind, symbols=self.model.symbols)

    def rules(self, symbol: str) -> SymbolRules:
        """What was changed of a symbol's status and filters."""
        self._placing.market(symbol)
        return self._placing.rules_of(symbol)

    def change_rules(self, symbol: str, rules: SymbolRules) -> None:
        """Close a symbol, open it again, or make its filters coarser; orders that work stay as they are."""
        self._placing.market(symbol)
        self._placing.rules[symbol] = rules

    def depth(self, symbol: str, limit: int = 0) -> Depth:
        """The book, at most ``limit`` levels per side, all with 0."""
        return self._placing.market(symbol).depth(limit, self._trading.now_ns)

    def recent_trades(self, symbol: str, limit: int = 500) -> tuple[PublicTrade, ...]:
        """The newest public trades, oldest first."""
        return self._placing.market(symbol).recent(limit)

    def last_ticks(self, symbol: str) -> int:
        """Price of the last trade; the reference price before the first."""
        return self._placing.market(symbol).last_ticks

    def mark_ticks(self, symbol: str) -> int:
        """Mark price: the median of best bid, best ask and last price."""
        return self._placing.market(symbol).mark_ticks

    def funding(self, symbol: str) -> Funding:
        """Funding of a perpetual; futures only."""
        market = self._placing.market(symbol)
        self._futures()
        return Funding(
            symbol=symbol,
            mark_ticks=market.mark_ticks,
            rate_ppb=market.model.funding_rate_ppb,
            next_ns=self._schedule.next_funding_ns,
        )

    # Time and events.

    def advance(self, now_ns: int) -> None:
        """Do what is due until a time: background traders, countdowns, funding. Stops trigger with their trades."""
        self._schedule.advance(now_ns)

    def next_ns(self) -> int | None:
        """When something is due next; None if nothing will happen by itself."""
        return self._schedule.next_ns()

    def take_events(self) -> list[VenueEvent]:
        """What happened since the last call, in order."""
        events, self._trading.out = self._trading.out, []
        return events

    # Tests and demonstrations.

    def inject(self, symbol: str, side: Side, price_ticks: int, quantity_lots: int, now_ns: int) -> VenueOrder:
        """A limit order of nobody: it trades with what it meets, the rest stays until ``withdraw`` or ``dislocate``."""
        self._schedule.advance(now_ns)
        record = self._nobody.inject(self._placing.market(symbol), side, price_ticks, quantity_lots)
        self._aftermath.settle_down()
        return record

    def withdraw(self, symbol: str, now_ns: int) -> None:
        """Cancel everything that background traders and injections have in the book."""
        self._schedule.advance(now_ns)
        self._nobody.withdraw(self._placing.market(symbol))
        self._aftermath.settle_down()

    def dislocate(self, symbol: str, price_ticks: int, quantity_lots: int, now_ns: int, hold_ns: int = 0) -> None:
        """Move the market: nobody's orders go, and a bid and an ask stand around a price, with a quantity each.

        The bid is ``price_ticks`` minus the background's half spread (1 tick without background), the ask plus it;
        working orders of accounts in their way trade. Background traders stay away for ``hold_ns`` and then come
        back at their fair price.
        """
        self._schedule.advance(now_ns)
        self._nobody.dislocate(self._placing.market(symbol), price_ticks, quantity_lots)
        self._schedule.keep_away(symbol, self._trading.now_ns + hold_ns)
        self._aftermath.settle_down()

    def set_level(self, symbol: str, side: Side, price_ticks: int, quantity_lots: int, now_ns: int) -> None:
        """Have nobody's orders hold this quantity at a price, 0 for none; see ``set_levels``."""
        self.set_levels(symbol, [(side, price_ticks, quantity_lots)], now_ns)

    def set_levels(self, symbol: str, levels: Sequence[SideLevel], now_ns: int) -> None:
        """Lay in changes of a recorded book: each side's price at most once, with the quantity that nobody holds there.

        What a level loses it loses at the end of its queue, what it gains comes behind everybody; a price beyond the
        other side trades first, as any order does.
        """
        self._schedule.advance(now_ns)
        self._nobody.set_levels(self._placing.market(symbol), levels)
        self._aftermath.settle_down()

    def take(self, symbol: str, side: Side, price_ticks: int, quantity_lots: int, now_ns: int) -> int:
        """Have nobody trade at once at a price or better, as in a recorded trade; gives how many lots did."""
        self._schedule.advance(now_ns)
        traded = self._nobody.take(self._placing.market(symbol), side, price_ticks, quantity_lots)
        self._aftermath.settle_down()
        return traded

    def totals(self) -> Mapping[str, int]:
        """By asset, what all accounts hold together minus what was brought in: all 0 while money is conserved.

        On futures the cost of open positions counts as held by who sold: profits that are not realised yet are
        neither created nor lost.
        """
        totals = {asset: self._accounts.held(asset) for asset in self._accounts.assets()}
        if self._margin is not None:
            totals[self._margin.asset] = totals.get(self._margin.asset, 0) - self._margin.costs_units()
        return totals

    def _futures(self) -> MarginSettlement:
        if self._margin is None:
            raise unsupported("spot has no positions, leverage or funding")
        return self._margin
