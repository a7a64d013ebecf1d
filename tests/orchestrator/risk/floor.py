"""A small trading floor for tests of risk: a real ledger, quotes by hand, and orders that do what a test says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

from config.loading import load_settings
from config.settings import Settings
from market.errors import Rejected
from market.instruments import Catalogue, Listing
from market.orders.cause import Cause, Origin
from market.orders.events import Acknowledged, Cancelled, CancelRequested, Filled, OrderEvent, Refused, Sent
from market.orders.kinds import Liquidity, OrderState, OrderType, Side, TimeInForce
from market.orders.order import Fill, Order, OrderIntent
from market.orders.reports import GatewayReport, OrderUpdate
from market.protocols import MarketKey, PreTradeCheck, Quote
from market.risk.position import Position
from market.wire.records import Words
from orchestrator.risk.limits import RiskLimits, risk_limits
from orchestrator.run_loop.catalogue import catalogue
from orchestrator.run_loop.ledger import Ledger

BTC: Final = 0
SPOT: Final = 0
FUTURES: Final = 1
START_NS: Final = 1_723_075_200_000_000_000
"""2024-08-08, midnight."""
MS: Final = 1_000_000
SECOND: Final = 1_000_000_000


@cache
def _demo() -> Settings:
    return load_settings("demo")


def settings_with(**risk: Mapping[str, Any]) -> Settings:
    """The demo profile with sections of risk changed: ``limits={"collar_bps": 5}``."""
    if not risk:
        return _demo()
    raw = _demo().model_dump()
    for section, values in risk.items():
        raw["risk"][section] = {**raw["risk"][section], **values}
    return Settings.model_validate(raw)


def named_assets(listings: Catalogue) -> Catalogue:
    """The same listings, naming what changes hands."""
    return Catalogue(
        replace(listing, base_asset=listing.instrument.name, quote_asset="USDT") for listing in listings.listings
    )


@dataclass
class Floor:
    """What strategies see of a run without a loop, and the desk that carries orders out.

    Members
    -------
    checks: what ``place`` asks before it sends.
    sent: orders that passed. cancelled: orders whose cancellation was asked for. doubted: likewise.
    """

    settings: Settings
    catalogue: Catalogue
    limits: RiskLimits
    checks: Sequence[PreTradeCheck] = ()
    now_ns: int = START_NS
    epoch: int = 1
    ledger: Ledger = field(default_factory=Ledger)
    quotes: dict[MarketKey, Quote] = field(default_factory=dict)
    books: dict[MarketKey, Words] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    doubted: list[tuple[str, str]] = field(default_factory=list)
    on_report: Callable[[GatewayReport], None] | None = None
    number: int = 0

    @property
    def access(self) -> FloorAccess:
        """The floor as periodic tasks see it."""
        return FloorAccess(self)

    @property
    def orders(self) -> Sequence[Order]:
        return self.ledger.orders

    def working_orders(self, strategy: str | None = None) -> Sequence[Order]:
        return self.ledger.working(strategy)

    def listing(self, instrument: int, venue: int) -> Listing:
        return self.catalogue.listing(instrument, venue)

    def quote(self, instrument: int, venue: int) -> Quote | None:
        return self.quotes.get((instrument, venue))

    def book(self, instrument: int, venue: int) -> Words | None:
        return self.books.get((instrument, venue))

    def position(self, instrument: int, venue: int, strategy: str | None = None) -> Position:
        return self.ledger.position((instrument, venue), strategy)

    def order(self, client_order_id: str) -> Order | None:
        return self.ledger.order(client_order_id)

    def cancel(self, client_order_id: str) -> None:
        self.cancelled.append(client_order_id)
        order = self.ledger.order(client_order_id)
        if order is not None and order.is_working and order.state is not OrderState.CANCEL_REQUESTED:
            self.report(client_order_id, CancelRequested(time_ns=self.now_ns))

    def set_quote(self, bid: str, ask: str, *, key: MarketKey = (BTC, SPOT), age_ns: int = 0) -> None:
        """State a market's best prices, of 5 units each."""
        scale = self.listing(*key).instrument.price_scale
        size = self.listing(*key).instrument.quantity_scale.count("5")
        self.quotes[key] = Quote(
            instrument=key[0],
            venue=key[1],
            sequence=1,
            bid_price=scale.count(bid),
            bid_quantity=size,
            ask_price=scale.count(ask),
            ask_quantity=size,
            time_ns=self.now_ns - age_ns,
        )

    def intent(
        self,
        side: Side = Side.BUY,
        quantity: str = "0.01",
        price: str = "61700",
        *,
        key: MarketKey = (BTC, SPOT),
        tag: str = "test",
        **terms: Any,
    ) -> OrderIntent:
        """A limit order, or a market order for an empty price."""
        self.number += 1
        scales = self.listing(*key).instrument
        kind = {
            "type": OrderType.LIMIT if price else OrderType.MARKET,
            "time_in_force": TimeInForce.GTC if price else TimeInForce.IOC,
        }
        return OrderIntent(
            cause=Cause(strategy=tag, origin=Origin.DECISION, epoch=self.epoch, number=self.number),
            decided_ns=self.now_ns,
            instrument=key[0],
            venue=key[1],
            side=side,
            quantity=scales.quantity_scale.count(quantity),
            limit_price=scales.price_scale.count(price) if price else 0,
            **{**kind, **terms},
        )

    def place(self, intent: OrderIntent) -> Order:
        """Check and send an order as the loop's desk does; one that is refused is REJECTED."""
        order = self.ledger.add(intent)
        name = order.client_order_id
        try:
            for check in self.checks:
                check(intent, self)
        except Rejected as refusal:
            return self.report(name, Refused(time_ns=self.now_ns, reason=str(refusal)))
        self.sent.append(name)
        return self.report(name, Sent(time_ns=self.now_ns))

    def report(self, client_order_id: str, event: OrderEvent) -> Order:
        """Something became of an order."""
        if self.on_report is not None:
            self.on_report(OrderUpdate(client_order_id=client_order_id, event=event))
        return self.ledger.apply(client_order_id, event)[1]

    def acknowledge(self, order: Order) -> Order:
        return self.report(order.client_order_id, Acknowledged(time_ns=self.now_ns, venue_order_id="7"))

    def end(self, order: Order) -> Order:
        return self.report(order.client_order_id, Cancelled(time_ns=self.now_ns))

    def fill(self, order: Order, quantity: int = 0, price: int = 0, fee: int = 0) -> Order:
        """Fill a part of an order, or what is left of it, at its limit or the best price."""
        intent = order.intent
        quote = self.quotes[intent.instrument, intent.venue]
        best = quote.ask_price if intent.side is Side.BUY else quote.bid_price
        current = self.ledger.order(order.client_order_id)
        assert current is not None
        self.number += 1
        fill = Fill(
            fill_id=f"f{self.number}",
            price=price or intent.limit_price or best,
            quantity=quantity or current.remaining,
            fee=fee,
            liquidity=Liquidity.TAKER,
            venue_ns=self.now_ns,
            receive_ns=self.now_ns,
        )
        return self.report(order.client_order_id, Filled(fill=fill))

    def hold(self, quantity: str, *, side: Side = Side.BUY, price: str = "61700", key: MarketKey = (BTC, SPOT)) -> None:
        """Trade without any check."""
        checks, self.checks = self.checks, ()
        order = self.place(self.intent(side, quantity, price, key=key, tag="holder"))
        self.fill(order)
        self.checks = checks


@dataclass(frozen=True)
class FloorAccess:
    """A floor as periodic tasks see a run."""

    view: Floor

    @property
    def orders(self) -> Sequence[Order]:
        return self.view.ledger.orders

    @property
    def working_orders(self) -> Sequence[Order]:
        return self.view.ledger.working()

    @property
    def positions(self) -> Mapping[MarketKey, Position]:
        return self.view.ledger.positions

    @property
    def positions_by_strategy(self) -> Mapping[tuple[str, MarketKey], Position]:
        return self.view.ledger.positions_by_strategy

    def doubt(self, client_order_id: str, reason: str) -> None:
        self.view.doubted.append((client_order_id, reason))

    def cancel(self, client_order_id: str) -> None:
        self.view.cancel(client_order_id)

    def state_row(self, name: str, row: Mapping[str, Any]) -> None:
        raise NotImplementedError("a floor has no fast loop")

    def stop(self) -> None:
        raise NotImplementedError("a floor has no loop that could be stopped")


def floor(checks: Sequence[PreTradeCheck] = (), *, assets: bool = False, **risk: Mapping[str, Any]) -> Floor:
    """A floor over the demo profile's markets, BTC quoted 61,700.00 to 61,700.10 on spot and futures."""
    settings = settings_with(**risk)
    listings = catalogue(settings)
    if assets:
        listings = named_assets(listings)
    made = Floor(settings, listings, risk_limits(settings, listings), checks)
    made.set_quote("61700", "61700.1")
    made.set_quote("61700", "61700.1", key=(BTC, FUTURES))
    return made
