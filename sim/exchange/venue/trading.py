"""Orders meet the book: what each event of the matching engine does to orders, money and what is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from market.errors import Fatal
from market.orders.kinds import Side
from sim.exchange.venue.accounts import BACKGROUND_OWNER, Account
from sim.exchange.venue.events import OrderUpdated, VenueEvent
from sim.exchange.venue.kinds import ExecutionKind, OrderKind, OrderStatus, SelfTradePrevention, TimeInForce
from sim.exchange.venue.lists import Lists
from sim.exchange.venue.market import SymbolMarket, book_side
from sim.exchange.venue.orders import OrderStore, WorkingOrder
from sim.exchange.venue.records import PublicTrade, VenueTrade
from sim.exchange.venue.settlement import Settlement
from sim.matching.layout import BID, Event, EventKind, Prevention, Reason, Term

TERMS: Final = {
    TimeInForce.GTC: Term.GTC,
    TimeInForce.IOC: Term.IOC,
    TimeInForce.FOK: Term.FOK,
    TimeInForce.GTX: Term.POST_ONLY,
}
PREVENTIONS: Final = {
    SelfTradePrevention.NONE: Prevention.NONE,
    SelfTradePrevention.EXPIRE_TAKER: Prevention.EXPIRE_TAKER,
    SelfTradePrevention.EXPIRE_MAKER: Prevention.EXPIRE_MAKER,
    SelfTradePrevention.EXPIRE_BOTH: Prevention.EXPIRE_BOTH,
}
_KIND: Final = int(Event.KIND)
_ID: Final = int(Event.ID)
_OWNER: Final = int(Event.OWNER)
_SIDE: Final = int(Event.SIDE)
_PRICE: Final = int(Event.PRICE)
_LOTS: Final = int(Event.LOTS)
_OTHER: Final = int(Event.OTHER)
_OTHER_OWNER: Final = int(Event.OTHER_OWNER)
_OTHER_LEFT: Final = int(Event.OTHER_LEFT)
_REASON: Final = int(Event.REASON)
_TRADED: Final = int(EventKind.TRADED)
_RESTED: Final = int(EventKind.RESTED)
_CANCELLED: Final = int(EventKind.CANCELLED)
_EXPIRED: Final = int(EventKind.EXPIRED)
_REJECTED: Final = int(EventKind.REJECTED)
_LEVEL: Final = int(EventKind.LEVEL)
_TOP: Final = int(EventKind.TOP)
_SELF_TRADE: Final = int(Reason.SELF_TRADE)
_FULL: Final = int(Reason.FULL)
_WOULD_TRADE: Final = int(Reason.WOULD_TRADE)


class PlacedOrder(NamedTuple):
    """An order of nobody: what of it traded at once, in lots and in price times lots."""

    order_id: int
    traded_lots: int
    traded_money: int


class Trading:
    """See the module.

    Attributes
    ----------
    now_ns: time of what happens; set by the venue. out: events that were not taken yet.
    """

    def __init__(
        self,
        orders: OrderStore,
        markets: Mapping[str, SymbolMarket],
        settlement: Settlement,
        first_order_id: int,
        first_trade_id: int,
    ) -> None:
        self.now_ns = 0
        self.out: list[VenueEvent] = []
        self.lists = Lists()
        self._orders = orders
        self._markets = markets
        self._settlement = settlement
        self._order_id = first_order_id - 1
        self._trade_id = first_trade_id - 1
        self._touched: dict[str, Account] = {}

    def next_order_id(self) -> int:
        """A new order's number."""
        self._order_id += 1
        return self._order_id

    # Orders of accounts.

    def open(self, order: WorkingOrder, market: SymbolMarket) -> None:
        """Take in an order that was checked and reserved for: a stop waits, others enter the book."""
        self._orders.add(order)
        if order.is_waiting:
            self.tell(order, ExecutionKind.NEW)
        else:
            self._enter(order, market, order.remaining_lots, ExecutionKind.NEW)

    def end(self, order: WorkingOrder, market: SymbolMarket, request_client_order_id: str = "") -> None:
        """Cancel a working order, and its sibling if it is of a list."""
        self._leave_book(order, market)
        self._finish(order, OrderStatus.CANCELED, ExecutionKind.CANCELED, request_client_order_id)

    def change(self, order: WorkingOrder, market: SymbolMarket, price_ticks: int, quantity_lots: int) -> None:
        """Give an order in the book another price or total quantity, for which money is reserved already."""
        order.price_ticks = price_ticks
        order.quantity_lots = quantity_lots
        order.updated_ns = self.now_ns
        self.tell(order, ExecutionKind.AMENDED)
        term = Term.POST_ONLY if order.is_post_only else Term.GTC
        owner, prevention = order.account.owner, PREVENTIONS[order.self_trade_prevention]
        self._take(
            market, market.book.amend(order.order_id, owner, price_ticks, order.remaining_lots, term, prevention)
        )

    def tell(
        self,
        order: WorkingOrder,
        execution: ExecutionKind,
        trade: VenueTrade | None = None,
        request_client_order_id: str = "",
    ) -> None:
        """Append an event of an order."""
        self.out.append(
            OrderUpdated(
                account=order.account.name,
                execution=execution,
                order=order.record(),
                trade=trade,
                request_client_order_id=request_client_order_id,
                time_ns=self.now_ns,
            )
        )

    # Orders of nobody.

    def place_nobodys(
        self, market: SymbolMarket, side: Side, price_ticks: int, lots: int, term: Term = Term.GTC
    ) -> PlacedOrder:
        """A limit order of nobody, price 0 for a market order."""
        order_id = self.next_order_id()
        if price_ticks:
            rows = market.book.place(order_id, BACKGROUND_OWNER, book_side(side), price_ticks, lots, term)
        else:
            rows = market.book.place_market(order_id, BACKGROUND_OWNER, book_side(side), lots)
        self._take(market, rows)
        trades = [row for row in rows if row[_KIND] == _TRADED]
        return PlacedOrder(order_id, sum(row[_LOTS] for row in trades), sum(row[_LOTS] * row[_PRICE] for row in trades))

    def reduce_nobodys(self, market: SymbolMarket, side: Side, price_ticks: int, order_id: int, lots: int) -> None:
        """Leave so many lots of an order of nobody, which keeps its place."""
        self._take(market, market.book.amend(order_id, BACKGROUND_OWNER, 0, lots))
        market.take_nobodys(order_id, book_side(side), price_ticks, lots)

    def cancel_nobodys(self, market: SymbolMarket, order_id: int) -> None:
        """Take an order of nobody out of the book."""
        self._take(market, market.book.cancel(order_id, BACKGROUND_OWNER))

    # What the aftermath asks for.

    def trigger(self, order: WorkingOrder, market: SymbolMarket) -> None:
        """A stop order's price was reached: it enters the book with what can be paid for."""
        self._end_sibling(order, market)
        self._orders.trigger(order)
        lots = self._settlement.trigger(order, market)
        order.updated_ns = self.now_ns
        self._enter(order, market, lots, ExecutionKind.TRIGGERED)

    def expire(self, order: WorkingOrder, market: SymbolMarket) -> None:
        """End an order that must not trade any more."""
        self._leave_book(order, market)
        self._finish(order, OrderStatus.EXPIRED, ExecutionKind.EXPIRED)

    def take_touched(self) -> list[Account]:
        """Accounts that traded since the last call."""
        found = list(self._touched.values())
        self._touched.clear()
        return found

    # Inside.

    def _end_sibling(self, order: WorkingOrder, market: SymbolMarket) -> None:
        """An order of a list is about to trade: what is reserved for the list is its own, the other ends."""
        sibling = self.lists.sibling(order)
        if sibling is not None:
            order.reserved_units, sibling.reserved_units = order.reserved_units + sibling.reserved_units, 0
            self._leave_book(sibling, market)
            self._close(sibling, OrderStatus.EXPIRED, ExecutionKind.EXPIRED)

    def _leave_book(self, order: WorkingOrder, market: SymbolMarket) -> None:
        if not order.is_waiting:
            self._take(market, market.book.cancel(order.order_id, order.account.owner))

    def _enter(self, order: WorkingOrder, market: SymbolMarket, lots: int, execution: ExecutionKind) -> None:
        """Send an order to the book."""
        order.working_ns = self.now_ns
        self.tell(order, execution)
        side, owner = book_side(order.side), order.account.owner
        prevention = PREVENTIONS[order.self_trade_prevention]
        if lots and order.kind.has_price:
            term = Term.POST_ONLY if order.kind is OrderKind.LIMIT_MAKER else TERMS[order.time_in_force]
            self._take(
                market, market.book.place(order.order_id, owner, side, order.price_ticks, lots, term, prevention)
            )
        elif lots:
            self._take(market, market.book.place_market(order.order_id, owner, side, lots, Term.IOC, prevention))
        if order.status.is_open and (lots == 0 or not order.kind.has_price):
            self._finish(order, OrderStatus.EXPIRED, ExecutionKind.EXPIRED)

    def _finish(
        self, order: WorkingOrder, status: OrderStatus, execution: ExecutionKind, request_client_order_id: str = ""
    ) -> None:
        """An order ends without a trade, and so does the other of its list."""
        sibling = self.lists.sibling(order)
        if sibling is not None:
            self._leave_book(sibling, self._markets[sibling.model.symbol])
            self._close(sibling, status, execution)
        self._close(order, status, execution, request_client_order_id)

    def _close(
        self, order: WorkingOrder, status: OrderStatus, execution: ExecutionKind, request_client_order_id: str = ""
    ) -> None:
        order.status = status
        order.updated_ns = self.now_ns
        self._settlement.release(order)
        self._orders.end(order)
        self.tell(order, execution, None, request_client_order_id)
        self.lists.tell_if_done(order, self.out, self.now_ns)

    def _take(self, market: SymbolMarket, rows: list[list[int]]) -> None:
        """Carry out the matching engine's events."""
        for row in rows:
            kind = row[_KIND]
            if kind == _LEVEL:
                market.take_level(row)
            elif kind == _TOP:
                market.take_top(row)
            elif kind == _TRADED:
                self._trade(market, row)
            elif kind == _EXPIRED and row[_OWNER] != BACKGROUND_OWNER:
                prevented = row[_REASON] == _SELF_TRADE
                self._finish(
                    self._orders.working(row[_ID]),
                    OrderStatus.EXPIRED_IN_MATCH if prevented else OrderStatus.EXPIRED,
                    ExecutionKind.TRADE_PREVENTION if prevented else ExecutionKind.EXPIRED,
                )
            elif kind == _REJECTED:
                self._take_refusal(market, row)
            elif row[_OWNER] == BACKGROUND_OWNER:
                if kind == _RESTED:
                    market.add_nobodys(row[_ID], row[_SIDE], row[_PRICE], row[_LOTS])
                elif kind == _CANCELLED:
                    market.take_nobodys(row[_ID], row[_SIDE], row[_PRICE], 0)

    def _take_refusal(self, market: SymbolMarket, row: list[int]) -> None:
        """New orders were checked; a stop that triggers may find the book full, or trade though it must not."""
        if row[_REASON] not in (_FULL, _WOULD_TRADE):
            raise Fatal(f"the book of {market.model.symbol} refused a checked order: reason {row[_REASON]} of {row}")
        if row[_OWNER] != BACKGROUND_OWNER:
            self._finish(self._orders.working(row[_ID]), OrderStatus.EXPIRED, ExecutionKind.EXPIRED)

    def _trade(self, market: SymbolMarket, row: list[int]) -> None:
        """Two orders trade."""
        self._trade_id += 1
        taker, maker, price, lots = row[_ID], row[_OTHER], row[_PRICE], row[_LOTS]
        taker_buys = row[_SIDE] == BID
        trade = PublicTrade(
            symbol=market.model.symbol,
            trade_id=self._trade_id,
            price_ticks=price,
            quantity_lots=lots,
            quote_units=market.model.quote_units(price, lots),
            buyer_order_id=taker if taker_buys else maker,
            seller_order_id=maker if taker_buys else taker,
            buyer_is_maker=not taker_buys,
            time_ns=self.now_ns,
        )
        market.take_trade(trade, self.out)
        taker_is_nobody, maker_is_nobody = row[_OWNER] == BACKGROUND_OWNER, row[_OTHER_OWNER] == BACKGROUND_OWNER
        if maker_is_nobody:
            market.take_nobodys(maker, 1 - row[_SIDE], price, row[_OTHER_LEFT])
            if taker_is_nobody:
                return
            self._settlement.settle_nobody(-1 if taker_buys else 1, trade, market)
        else:
            self._fill(market, maker, trade, True)
        if taker_is_nobody:
            self._settlement.settle_nobody(1 if taker_buys else -1, trade, market)
        else:
            self._fill(market, taker, trade, False)

    def _fill(self, market: SymbolMarket, order_id: int, trade: PublicTrade, is_maker: bool) -> None:
        """One account's side of a trade."""
        order = self._orders.working(order_id)
        self._end_sibling(order, market)
        order.executed_lots += trade.quantity_lots
        order.executed_units += trade.quote_units
        order.updated_ns = self.now_ns
        own = self._settlement.settle(order, trade, is_maker)
        self._orders.add_trade(order, own)
        self._touched[order.account.name] = order.account
        if order.remaining_lots:
            order.status = OrderStatus.PARTIALLY_FILLED
        else:
            order.status = OrderStatus.FILLED
            self._settlement.release(order)
            self._orders.end(order)
        self.tell(order, ExecutionKind.TRADE, own)
        if not order.status.is_open:
            self.lists.tell_if_done(order, self.out, self.now_ns)
