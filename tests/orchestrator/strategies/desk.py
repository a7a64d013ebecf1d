"""A view of two markets by hand, and a desk that carries out what one strategy asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from market.book.book import new_books
from market.fastpath.specification import Kind
from market.fixed_point import Scale
from market.instruments import Catalogue, Instrument, Listing
from market.orders.events import (
    Acknowledged,
    Cancelled,
    CancelRequested,
    Expired,
    Filled,
    OrderEvent,
    OutcomeUnknown,
    Refused,
    Sent,
)
from market.orders.kinds import Liquidity, Side
from market.orders.machine import advance
from market.orders.order import Fill, Order, OrderIntent, new_order
from market.protocols import (
    CancelIntent,
    Leg,
    MarketKey,
    OrderChanged,
    Quote,
    QuoteChanged,
    Started,
    Strategy,
    TimerFired,
    TimerIntent,
    Trade,
    Traded,
    Trigger,
    Triggered,
    WakeCause,
)
from market.risk.position import Position
from market.wire.records import Words

MS = 1_000_000
SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND
BTC = Instrument(0, "BTC", Scale(-2), Scale(-3))
"""Prices in cents, quantities in thousandths."""
NEAR, FAR = 0, 1


def listing(venue: int, lot: int = 1, minimum_quantity: int = 1, minimum_notional: int = 0) -> Listing:
    return Listing(
        instrument=BTC,
        venue=venue,
        venue_name=("near", "far")[venue],
        symbol="BTCUSDT",
        tick=1,
        lot=lot,
        minimum_quantity=minimum_quantity,
        minimum_notional=minimum_notional,
        base_asset="BTC",
        quote_asset="USDT",
    )


def trigger(number: int = 1, *, quantity: int = 10, edge: int = 50, sell: int = 10_100, buy: int = 10_000,
            cause_ns: int = START, kind: Kind = Kind.ARB) -> Trigger:  # fmt: skip
    """Sell at FAR, buy at NEAR."""
    return Trigger(
        epoch=1,
        id=number,
        kind=kind,
        instrument=0,
        legs=(
            Leg(venue=FAR, side=Side.SELL, price=sell, quantity=quantity),
            Leg(venue=NEAR, side=Side.BUY, price=buy, quantity=quantity),
        ),
        edge=edge,
        imbalance=0,
        microprice=0,
        cause_venue=NEAR,
        cause_sequence=1,
        cause_ns=cause_ns,
    )


@dataclass
class Desk:
    """Orders, positions and timers of one strategy; what it asks for is remembered and told back as sent.

    Members
    -------
    orders: by client order id. asked: intents that were new, in order. timers: (time, number) not yet fired.
    """

    strategy: Strategy
    catalogue: Catalogue = field(default_factory=lambda: Catalogue([listing(NEAR), listing(FAR)]))
    now_ns: int = START
    epoch: int = 1
    orders: dict[str, Order] = field(default_factory=dict)
    quotes: dict[MarketKey, Quote] = field(default_factory=dict)
    positions: dict[MarketKey, Position] = field(default_factory=dict)
    asked: list[OrderIntent] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    timers: list[tuple[int, int]] = field(default_factory=list)
    _fills: int = 0

    def listing(self, instrument: int, venue: int) -> Listing:
        return self.catalogue.listing(instrument, venue)

    def quote(self, instrument: int, venue: int) -> Quote | None:
        return self.quotes.get((instrument, venue))

    def book(self, instrument: int, venue: int) -> Words | None:
        return new_books([]) if (instrument, venue) in self.quotes else None

    def position(self, instrument: int, venue: int, strategy: str | None = None) -> Position:
        return self.positions.get((instrument, venue), Position())

    def order(self, client_order_id: str) -> Order | None:
        return self.orders.get(client_order_id)

    def working_orders(self, strategy: str | None = None) -> Sequence[Order]:
        return [order for order in self.orders.values() if order.is_working]

    def start(self) -> None:
        self.wake(Started(time_ns=self.now_ns))

    def trigger(self, cause: Trigger) -> None:
        self.wake(Triggered(trigger=cause))

    def set_quote(self, venue: int, bid: int, ask: int, bid_quantity: int = 100, ask_quantity: int = 100) -> None:
        """A new top of book; a bid of 0 withdraws it."""
        self.quotes.pop((0, venue), None)
        if bid:
            self.quotes[0, venue] = Quote(
                instrument=0,
                venue=venue,
                sequence=1,
                bid_price=bid,
                bid_quantity=bid_quantity,
                ask_price=ask,
                ask_quantity=ask_quantity,
                time_ns=self.now_ns,
            )
        if (0, venue) in self.strategy.wakes.quotes:
            self.wake(QuoteChanged(instrument=0, venue=venue, time_ns=self.now_ns))

    def trade(self, venue: int, side: Side, price: int, quantity: int) -> None:
        trade = Trade(instrument=0, venue=venue, aggressor=side, price=price, quantity=quantity, time_ns=self.now_ns)
        self.wake(Traded(trade=trade))

    def fill(self, order: Order | OrderIntent, quantity: int = 0, price: int = 0, fee: int = 0,
             fee_base: int = 0) -> None:  # fmt: skip
        """Fill what remains, or a part of it, at the order's limit or at another price."""
        order = self.orders[order.client_order_id]
        self._fills += 1
        fill = Fill(
            fill_id=str(self._fills),
            price=price or order.intent.limit_price,
            quantity=quantity or order.remaining,
            fee=fee,
            fee_base=fee_base,
            liquidity=Liquidity.TAKER,
            venue_ns=self.now_ns,
            receive_ns=self.now_ns,
        )
        key = (order.intent.instrument, order.intent.venue)
        held = self.positions.get(key, Position())
        self.positions[key] = held.traded(order.intent.side, fill.price, fill.quantity, fill.fee, fill.fee_base)
        self.tell(order, Filled(fill=fill))

    def expire(self, order: Order | OrderIntent) -> None:
        self.tell(order, Expired(time_ns=self.now_ns))

    def refuse(self, order: Order | OrderIntent) -> None:
        self.tell(order, Refused(time_ns=self.now_ns, reason="no"))

    def cancel(self, order: Order | OrderIntent) -> None:
        self.tell(order, Cancelled(time_ns=self.now_ns))

    def acknowledge(self, order: Order | OrderIntent) -> None:
        self.tell(order, Acknowledged(time_ns=self.now_ns, venue_order_id=order.client_order_id))

    def lose(self, order: Order | OrderIntent) -> None:
        self.tell(order, OutcomeUnknown(time_ns=self.now_ns, reason="timeout"))

    def tell(self, order: Order | OrderIntent, event: OrderEvent) -> None:
        if self._apply(order.client_order_id, event):
            self.wake(OrderChanged(order=self.orders[order.client_order_id], event=event))

    def _apply(self, name: str, event: OrderEvent) -> bool:
        before = self.orders[name]
        self.orders[name] = advance(before, event)
        return self.orders[name] is not before

    def pass_time(self, elapsed_ns: int) -> None:
        """Let time go by, timers firing on the way."""
        end_ns = self.now_ns + elapsed_ns
        while self.timers and min(self.timers)[0] <= end_ns:
            due_ns, number = min(self.timers)
            self.timers.remove((due_ns, number))
            self.now_ns = max(self.now_ns, due_ns)
            self.wake(TimerFired(number=number, time_ns=self.now_ns))
        self.now_ns = end_ns

    def wake(self, cause: WakeCause) -> None:
        changes: list[tuple[str, OrderEvent]] = []
        for intent in self.strategy.wake(cause, self):
            if isinstance(intent, OrderIntent):
                assert intent.client_order_id not in self.orders, "the same cause twice"
                self.asked.append(intent)
                self.orders[intent.client_order_id] = new_order(intent)
                changes.append((intent.client_order_id, Sent(time_ns=self.now_ns)))
            elif isinstance(intent, CancelIntent):
                self.cancelled.append(intent.client_order_id)
                changes.append((intent.client_order_id, CancelRequested(time_ns=self.now_ns)))
            elif isinstance(intent, TimerIntent):
                self.timers.append((intent.at_ns, intent.number))
        news = [(self.orders[name], event) for name, event in changes if self._apply(name, event)]
        for order, event in news:
            self.wake(OrderChanged(order=self.orders[order.client_order_id], event=event))
